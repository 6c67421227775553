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
class ScoredDBM(DBM):
    temperatures: int = 10_000  # ours: of annealed importance sampling
    seeds: int = 1  # the report shows one machine


SCORED_DBM_PRESETS = {
    "smoke": ScoredDBM(**DBM_SMOKE, temperatures=50),
    "quick": ScoredDBM(**DBM_QUICK, temperatures=500),
    "report": ScoredDBM(),
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
    "epochs": 8, "batch_size": 128, "source": "sample", "samples": 1_000, "watched": 4,
    "judge_epochs": 8, "seeds": 1,
}
GAN_SMOKE = GAN_QUICK | {"epochs": 1, "images": 256, "samples": 100, "judge_epochs": 1}
DENSE_GANS = (
    "dense GAN, as published", "dense GAN, corrected", "dense GAN, corrected, lower rate",
)


@dataclass(frozen=True)
class CorrectedGAN(GAN):
    lower_rate: float = 2e-4  # of a steadier one, from the DCGAN paper; report 1e-3


CORRECTED_GAN_PRESETS = {
    "smoke": CorrectedGAN(**GAN_SMOKE), "quick": CorrectedGAN(**GAN_QUICK),
    "report": CorrectedGAN(),
}


@dataclass(frozen=True)
class ConvGAN(CorrectedGAN):
    conv_epochs: int = 10  # ours: of the convolutional GAN; report 50
    conv_images: int | None = None  # ours: training images of it; report: all
    conv_seeds: int = 1  # ours


CONV_GAN_PRESETS = {
    "smoke": ConvGAN(**GAN_SMOKE, conv_epochs=1, conv_images=128),
    "quick": ConvGAN(**GAN_QUICK, conv_epochs=2, conv_images=512),
    "report": ConvGAN(),
}


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
VAE_PRESETS = {"smoke": VAE(**VAE_SMOKE), "quick": VAE(**VAE_QUICK), "report": VAE()}


@dataclass(frozen=True)
class BinaryVAE(VAE):
    images: int = 10_000  # ours: test images whose likelihood is estimated
    codes: int = 5_000  # of each, as in the literature
    binary_latent_dim: int = 50  # ours, as all of the model of binary pixels
    binary_hidden_dim: tuple[int, ...] = (500, 500)  # ours
    binary_epochs: int = 200  # ours
    binary_batch_size: int = 128  # ours
    seeds: int = 1  # ours; likelihoods take half an hour a seed


BINARY_VAE_PRESETS = {
    "smoke": BinaryVAE(
        **VAE_SMOKE, images=10, codes=10, binary_latent_dim=5, binary_hidden_dim=(20, 20),
        binary_epochs=1, binary_batch_size=500,
    ),
    "quick": BinaryVAE(
        **VAE_QUICK, images=50, codes=500, binary_hidden_dim=(200, 200), binary_epochs=15,
        binary_batch_size=100,
    ),
    "report": BinaryVAE(),
}


@dataclass(frozen=True)
class Decoding(VAE):
    hidden_units: tuple[int, ...] = (256, 64)  # report: of the stacked autoencoder
    pretraining_images: int = 6_000  # report
    pretraining_epochs: int = 20  # report
    pretraining_batch_size: int = 128  # report
    pretraining_rate: float = 0.1  # report
    adam_epochs: int = 50  # ours: of each layer, on all images
    adam_rate: float = 1e-3  # ours


DECODING_PRESETS = {
    "smoke": Decoding(**VAE_SMOKE, hidden_units=(20, 10), pretraining_images=500,
                      pretraining_epochs=1, adam_epochs=1),
    "quick": Decoding(**VAE_QUICK, adam_epochs=15),
    "report": Decoding(),
}
