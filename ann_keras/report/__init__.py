"""What the published report says and how our runs compare with it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules={"decide", "published", "site", "tables", "task"}
)
