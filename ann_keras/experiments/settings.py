"""Settings that several scripts share, with the report's values; nothing here imports Keras.

A script's settings inherit from one of the classes and its presets start from the dicts, so that
what one task trains another can take.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class GAN:
    epochs: int = 50  # report
    batch_size: int = 512  # report
    source: Literal["full", "sample"] = "full"  # report
    images: int | None = None  # training images, the first ones; report: all
    samples: int = 10_000  # ours: that are scored
    watched: int = 10  # ours: epochs between scores
    judge_epochs: int = 10  # ours: of the labelling convnet
    seeds: int = 3  # ours; the report shows one run


GAN_QUICK = {
    "epochs": 15, "batch_size": 128, "source": "sample", "samples": 1_000, "watched": 5,
    "judge_epochs": 8, "seeds": 1,
}
GAN_SMOKE = GAN_QUICK | {"epochs": 1, "images": 256, "samples": 100, "judge_epochs": 1}


@dataclass(frozen=True)
class VAE:
    latent_dim: int = 300  # report
    hidden_dim: int = 1024  # report
    epochs: int = 100  # report
    batch_size: int = 3_000  # report
    learning_rate: float = 1e-3  # report
    source: Literal["full", "sample"] = "full"  # report
    samples: int = 10_000  # ours: that are scored
    judge_epochs: int = 10  # ours: of the labelling convnet
    seeds: int = 3  # ours; the report shows one run


VAE_QUICK = {
    "epochs": 20, "batch_size": 100, "source": "sample", "samples": 1_000, "judge_epochs": 8,
    "seeds": 1,
}
VAE_SMOKE = VAE_QUICK | {
    "latent_dim": 5, "hidden_dim": 20, "epochs": 2, "batch_size": 500, "samples": 100,
    "judge_epochs": 1,
}
