"""Boltzmann machines, ours and scikit-learn's, annealed sampling, and scores of samples.

Functions of a case and a seed give a ``Timing``.
"""

import keras
import numpy as np
from cases import SCIKIT_LEARN_DOUBLE, UNMONITORED, Timing, timed
from sklearn.neural_network import BernoulliRBM as ScikitRBM

from ann_keras import data, models
from ann_keras.evaluation import ais
from ann_keras.evaluation.labels import Judge
from ann_keras.evaluation.scoreboard import Scoreboard

UNITS = 200  # hidden ones of the RBM that is trained
ANNEALED_UNITS = 500  # of the RBM that is annealed, with 100 chains
TEMPERATURES = 10_000


def train_rbm(case, seed):
    """Ours; with pseudo-likelihood where the peer is the same without."""
    return _train_rbm(case, seed, monitor=case.peer == UNMONITORED)


def train_peer(case, seed):
    """scikit-learn's RBM, or ours without pseudo-likelihood."""
    if case.peer == UNMONITORED:
        return _train_rbm(case, seed, monitor=False)
    # Pixels divided by 255 are float64 in NumPy, and stay so in scikit-learn.
    x = digits(case.rows).astype(np.float64 if case.peer == SCIKIT_LEARN_DOUBLE else np.float32)
    rbm = ScikitRBM(UNITS, learning_rate=case.learning_rate, batch_size=case.batch_size,
                    n_iter=case.epochs, random_state=seed)
    seconds, _ = timed(lambda: rbm.fit(x))
    return Timing(seconds, -float(rbm.score_samples(x).mean()))


def _train_rbm(case, seed, monitor):
    x = digits(case.rows)
    rbm = models.rbm.BernoulliRBM(UNITS, case.learning_rate, case.batch_size, 1, seed,
                                  warm_start=True, monitor=monitor)
    building, _ = timed(lambda: rbm.fit(x))
    seconds, _ = timed(lambda: [rbm.fit(x) for _ in range(case.epochs)])
    return Timing(seconds, -float(rbm.score_samples(x).mean()), building)


def train_dbm(case, seed):
    x, machine = digits(case.rows), models.dbm.DBM(seed=seed)
    options = {"batch_size": case.batch_size, "learning_rate": case.learning_rate,
               "mean_field_updates": 10, "gibbs_steps": 5}
    building, _ = timed(lambda: machine.fit(x, **options))
    seconds, _ = timed(lambda: machine.fit(x, epochs=case.epochs, **options))
    return Timing(seconds, -float(machine.bound(x[:500], 0.0).mean()), building)


def anneal(case, seed):
    random = np.random.default_rng(seed)
    machine = ais.Machine(
        random.normal(0, 0.1, (ANNEALED_UNITS, 784)), np.zeros(ANNEALED_UNITS), np.zeros(784),
        np.zeros(ANNEALED_UNITS), np.zeros(784),
    )
    building, _ = timed(lambda: ais.forward(machine, temperatures=10, seed=seed))
    seconds, found = timed(lambda: ais.forward(machine, temperatures=TEMPERATURES, seed=seed))
    return Timing(seconds, float(found.log_partition), building)


def score(case, seed):
    """Score ``case.rows`` digits with grey specks, as samples have them, against as many digits.

    How good samples are is no matter here. Building is what a scoreboard does once: tracing the
    convnet, its features of the digits and their neighbourhoods.
    """
    keras.utils.set_random_seed(seed)
    board, random = _Scoreboard(case.rows), np.random.default_rng(seed)
    specks = random.random((case.rows, 784), np.float32)
    specks *= random.random((case.rows, 784)) < 0.02
    samples = np.maximum(digits(case.rows, first=-3), specks)
    building, _ = timed(lambda: board.score(samples))
    seconds, scores = timed(lambda: board.score(samples))
    return Timing(seconds, scores["frechet"], building)


def digits(rows, first=0):
    """Digits (rows, 784) in [0, 1], all different: each copy of the sample is moved on.

    first: pixels by which the first copy is.
    """
    (images, _), _ = data.mnist.load("sample")
    copies = -(-rows // len(images))
    # To the right, where the next ones lie in the same row.
    moved = [np.roll(images, first + step, axis=2) for step in range(copies)]
    return data.mnist.scale(np.concatenate(moved)[:rows]).reshape(-1, 784)


class _Scoreboard(Scoreboard):
    """A scoreboard of digits that need not be a training set, and of an untrained judge."""

    def __init__(self, number):
        self._rows, self.number = digits(number), number
        weights = models.weights.flatten(models.cnn.pooled_convnet())
        self.judge = Judge({"weights": weights, "test_accuracy": np.nan})
