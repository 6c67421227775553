"""Settings that several scripts share, with the report's values; nothing here imports Keras.

A script's settings inherit from one of the classes and its presets start from the dicts, so that
what one task trains another can take.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RBM:
    iterations: int = 30  # report
    batch_size: int = 10  # report
    source: Literal["full", "sample"] = "full"  # report


RBM_QUICK = {"iterations": 12, "source": "sample"}
RBM_SMOKE = RBM_QUICK | {"iterations": 2}


@dataclass(frozen=True)
class DBM(RBM):
    layers: tuple[int, int, int] = (784, 512, 1024)  # report
    pretraining_epochs: tuple[int, int] = (20, 20)  # ours; report 64 and 120
    joint_epochs: int = 60  # ours; report up to 500
    joint_rate: float = 0.005  # ours: falls to zero; report 0.002
    mean_field_updates: int = 10  # ours; report 50
    gibbs_steps: int = 5  # ours, of the persistent chains


DBM_QUICK = RBM_QUICK | {
    "layers": (784, 64, 128), "pretraining_epochs": (5, 5), "joint_epochs": 10,
}
DBM_SMOKE = DBM_QUICK | RBM_SMOKE | {
    "layers": (784, 20, 30), "pretraining_epochs": (1, 1), "joint_epochs": 2,
}


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
GAN_PRESETS = {"smoke": GAN(**GAN_SMOKE), "quick": GAN(**GAN_QUICK), "report": GAN()}


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
    "latent_dim": 50, "hidden_dim": 400, "epochs": 15, "batch_size": 100, "source": "sample",
    "samples": 1_000, "judge_epochs": 8, "seeds": 1,
}
VAE_SMOKE = VAE_QUICK | {
    "latent_dim": 5, "hidden_dim": 20, "epochs": 2, "batch_size": 500, "samples": 100,
    "judge_epochs": 1,
}
