"""One network of the report a module: its ``Recipe``, whose defaults are the report's, and
``train``."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={"augmented_convnet", "autoencoder", "convnet", "dbm", "fields", "gan", "hopfield",
                "mixture", "rbm", "regression", "strided_convnet", "surface", "timeseries",
                "transformer", "vae"},
)
