"""Keras layers that anyone may drop into a model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={
        "attention", "fourier", "initializers", "lstm", "normalization", "random_features",
    },
)
