"""Protocols that several tasks share: one training run from data to numbers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={
        "ablation", "autoencoder", "boltzmann", "convnet", "dbm",
        "filters", "gallery", "gan", "grid", "labels",
        "recipe", "restoration", "samples", "settings",
        "transformer",
    },
)
