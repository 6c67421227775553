"""The report's networks as Keras models, one family per file."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={
        "autoencoder", "boltzmann", "cnn", "contrastive", "dbm", "gan", "hopfield", "lstm",
        "mixture", "mlp", "random_features", "rbm", "vae", "variational", "vit", "weights",
    },
)
