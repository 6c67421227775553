"""What all tests share: a quiet TensorFlow; PyTorch and shared data where they are there."""

import importlib.util
import logging
import os
import sys
from pathlib import Path

import pytest

# Before TensorFlow is imported. One thread, as runs have: tests already run side by side.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
logging.getLogger("tensorflow").setLevel(logging.ERROR)

for folder in ("benchmarks", "scripts"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / folder))
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data():
    """Folder with mnist.npz and regression.csv beside the repository; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def torch():
    """PyTorch; skips where it is absent. ``pytorch_networks`` can then be imported as well."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    import pytorch_networks

    return pytorch_networks.torch


@pytest.fixture(scope="module")
def untraced():
    """Functions run without graphs, which take longer to trace than a few steps do."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def traced(untraced):
    """Functions run as graphs, in a module whose other tests do without."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(False)
    yield
    tf.config.run_functions_eagerly(True)
