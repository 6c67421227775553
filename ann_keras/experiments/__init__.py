"""Protocols that several tasks share: one training run from data to numbers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={
        "ablation", "autoencoder", "boltzmann", "comparison", "convnet", "dbm", "decoding",
        "filters", "forecasting", "gallery", "gan", "grid", "hopfield", "labels", "laser",
        "recall", "recipe", "regression", "restoration", "samples", "settings", "surface",
        "transformer", "vae",
    },
)
