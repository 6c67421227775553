"""What the benchmarks time: the cases by name, and what one timed run gives.

Nothing here imports TensorFlow or PyTorch, so that ``--help`` answers at once.
"""

import time
from dataclasses import dataclass, replace
from typing import NamedTuple

PYTORCH = "PyTorch eager"
KERAS_FIT = "Keras model.fit"
KERAS_PREDICT = "Keras model.predict in a loop"
SCIKIT_LEARN = "scikit-learn, float32"
SCIKIT_LEARN_DOUBLE = "scikit-learn, float64"
UNMONITORED = "itself, unmonitored"
LIMIT = "a limit in seconds"


@dataclass(frozen=True)
class Case:
    """One piece of work, done by this project and by a peer from the same initial weights.

    Networks: "surface" (2-50-50-1, the 40 × 40 grid); "nar_mlp" and "nar_lstm" (windows of the
    laser series, for the LSTM as one sequence); on the MNIST sample "convnet" (Table 1),
    "strided_convnet" (task 3.2.2), "vit" (128/8/128), "autoencoder" (784-256-784),
    "autoencoder_classifier" (784-256-64-10), "rbm" (784-200), "dbm" (784-512-1024), "gan" and
    "conv_gan" (dense and convolutional, as published) and "vae" (784-1024-300-1024-784); "ais" is
    annealed importance sampling of an RBM 784-500, "scoreboard" the scores of samples on the
    features of a convnet.
    """

    title: str  # for the table
    network: str
    optimizer: str | None  # "sgd", "adam", "lbfgs", "pcd"; None: nothing is trained
    epochs: int  # timed in a round (iterations of L-BFGS, steps of a forecast)
    target: float | None  # the highest ratio that the project allows itself, if any
    learning_rate: float = 0.0  # L-BFGS uses none
    momentum: float = 0.0  # Nesterov's
    beta_1: float = 0.9  # Adam's
    batch_size: int = 1600  # rows a step; L-BFGS takes all rows
    rows: int = 1600  # of training data; "scoreboard" has as many samples as digits
    published_epochs: int = 2500  # that the report's run has; the table's seconds are scaled to it
    peer: str = PYTORCH  # whose code it is compared with
    memory: int = 100  # pairs that L-BFGS keeps, on both sides; PyTorch's default
    limit: float = 0.0  # seconds for all published epochs, where ``LIMIT`` stands for a peer
    jit_compile: bool = False  # of our side, as the scripts set it


class Timing(NamedTuple):
    """What one side of a round gives."""

    seconds: float  # for the timed epochs, without tracing, compiling and the first epoch
    # Mean over the last epoch (L-BFGS: after the last iteration; a forecast: its last value; GANs:
    # the sum of both losses; the VAE: the negative ELBO; Boltzmann machines: the negative
    # pseudo-likelihood, bound or log Z; samples: their Fréchet distance).
    loss: float
    build_seconds: float = 0.0  # of tracing, compiling and the first epoch, where there are
    threads: int | None = None  # that PyTorch was given; the Keras side uses all cores


def timed(work):
    """Seconds that a function takes, and what it gives."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


_RBM = Case(
    "RBM of 200 units, PCD, batch 10, 4,000 digits", "rbm", "pcd", learning_rate=0.1,
    batch_size=10, rows=4000, epochs=3, published_epochs=30, target=0.35, peer=SCIKIT_LEARN,
)
_RBM_IN_LARGE_BATCHES = replace(
    _RBM, title="RBM of 200 units, PCD, batch 100, 4,000 digits", batch_size=100, epochs=20,
    target=0.25,
)
_SURFACE_ADAM = Case(
    "surface network, Adam, batch 400", "surface", "adam", learning_rate=1e-3, batch_size=400,
    epochs=1000, target=0.5, jit_compile=True,
)
_CLOSED_LOOP_MLP = Case("NAR MLP, closed loop of 100 steps", "nar_mlp", None, epochs=100,
                        published_epochs=100, target=0.005, peer=KERAS_PREDICT)
CASES = {
    "surface_sgd": Case("surface network, SGD, batch 40", "surface", "sgd", learning_rate=0.1,
                        batch_size=40, epochs=300, target=0.25, jit_compile=True),
    "surface_nesterov": Case("surface network, Nesterov SGD, batch 400", "surface", "sgd",
                             learning_rate=0.1, momentum=0.9, batch_size=400, epochs=1000,
                             target=0.5, jit_compile=True),
    "surface_adam": _SURFACE_ADAM,
    "surface_lbfgs": Case("surface network, L-BFGS, full batch", "surface", "lbfgs", epochs=300,
                          target=1.0),
    "convnet_adam": Case("pooled convnet, Adam, batch 128, 4,000 digits", "convnet", "adam",
                         learning_rate=1e-3, batch_size=128, rows=4000, epochs=4,
                         published_epochs=15, target=0.7),
    "strided_convnet_adam": Case("strided convnet, Adam, batch 100, 4,000 digits",
                                 "strided_convnet", "adam", learning_rate=1e-3, batch_size=100,
                                 rows=4000, epochs=3, published_epochs=20, target=0.8),
    "autoencoder_pretraining": Case("autoencoder 784-256-784, SGD, batch 128, 4,000 digits",
                                    "autoencoder", "sgd", learning_rate=0.1, batch_size=128,
                                    rows=4000, epochs=20, published_epochs=20, target=1.0),
    "autoencoder_fine_tuning": Case(
        "stacked autoencoder's classifier, SGD, batch 128, 4,000 digits",
        "autoencoder_classifier", "sgd", learning_rate=1.0, batch_size=128, rows=4000, epochs=50,
        published_epochs=50, target=1.0,
    ),
    "vit_adam": Case("vision transformer 128/8/128, Adam, batch 128, 1,536 digits", "vit", "adam",
                     learning_rate=1e-3, batch_size=128, rows=1536, epochs=2, published_epochs=20,
                     target=1.0, jit_compile=True),
    "nar_mlp": Case("NAR MLP, Adam, batch 32, 690 windows", "nar_mlp", "adam", learning_rate=0.01,
                    batch_size=32, rows=690, epochs=200, published_epochs=600, target=0.3,
                    jit_compile=True),
    "nar_lstm": Case("NAR LSTM, Adam, one sequence of 690 steps", "nar_lstm", "adam",
                     learning_rate=1e-3, batch_size=1, rows=690, epochs=50, published_epochs=450,
                     target=2.0),
    "closed_loop_mlp": _CLOSED_LOOP_MLP,
    "closed_loop_lstm": replace(_CLOSED_LOOP_MLP, title="NAR LSTM, closed loop of 100 steps",
                                network="nar_lstm"),
    "rbm_batch_10": _RBM,
    "rbm_batch_10_double": replace(_RBM, peer=SCIKIT_LEARN_DOUBLE),
    "rbm_batch_100": _RBM_IN_LARGE_BATCHES,
    "rbm_batch_100_double": replace(_RBM_IN_LARGE_BATCHES, peer=SCIKIT_LEARN_DOUBLE),
    "rbm_monitored": replace(_RBM,
                             title="RBM of 200 units, PCD, batch 10, with pseudo-likelihood",
                             epochs=5, target=1.1, peer=UNMONITORED),
    "dbm_epoch": Case(
        "DBM, joint epoch of 60,000 (from 4,000 digits)", "dbm", "pcd", learning_rate=0.002,
        batch_size=100, rows=4000, epochs=1, published_epochs=15, target=1.0, peer=LIMIT,
        limit=60.0,
    ),
    "ais": Case("annealed sampling of an RBM, 100 chains, 10,000 temperatures", "ais", None,
                epochs=1, published_epochs=1, target=1.0, peer=LIMIT, limit=60.0),
    "gan": Case("dense GAN, Adam, batch 512, 3,584 digits", "gan", "adam", learning_rate=1e-3,
                beta_1=0.5, batch_size=512, rows=3584, epochs=5, published_epochs=50, target=0.9),
    "conv_gan": Case("convolutional GAN, Adam, batch 512, 512 digits", "conv_gan", "adam",
                     learning_rate=1e-3, beta_1=0.5, batch_size=512, rows=512, epochs=2,
                     published_epochs=50, target=1.0),
    "vae": Case("VAE 784-1024-300-1024-784, Adam, batch 3000, 3,000 digits", "vae", "adam",
                learning_rate=1e-3, beta_1=0.5, batch_size=3000, rows=3000, epochs=10,
                published_epochs=100, target=1.0),
    "scoreboard": Case("scores of 10,000 samples against 10,000 digits", "scoreboard", None,
                       rows=10_000, epochs=1, published_epochs=1, target=1.0, peer=LIMIT,
                       limit=20.0),
    "surface_adam_keras_fit": replace(_SURFACE_ADAM, epochs=300, target=None, peer=KERAS_FIT),
}
