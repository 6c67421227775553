"""What was run, found by its content, and where runs are computed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules={"engine", "run", "store", "worker"}
)
