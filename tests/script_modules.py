"""The scripts as modules, for tests of what is inside them."""

import functools
import importlib.util
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


@functools.cache
def load(task):
    """The module of a task's script, such as that of "1.4.2"."""
    name = f"task_{task.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
