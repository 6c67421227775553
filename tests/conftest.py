"""What all tests share: a quiet TensorFlow; PyTorch and shared data where they are there."""

import importlib.util
import logging
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported
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
