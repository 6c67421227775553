"""Where numbers come in: one module per data set, each returning NumPy arrays."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules={"mnist", "regression", "santafe", "surface"}
)
