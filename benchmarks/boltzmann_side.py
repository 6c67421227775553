"""Boltzmann machines: this project's and scikit-learn's training, and annealed sampling."""

import time

import numpy as np
from cases import Timing
from sklearn.neural_network import BernoulliRBM as ScikitRBM

from ann_keras import data
from ann_keras.evaluation import ais
from ann_keras.models.dbm import DBM
from ann_keras.models.rbm import BernoulliRBM

UNITS = 200  # hidden ones of the RBM that is trained
ANNEALED_UNITS = 500  # of the RBM that is annealed, with 100 chains
TEMPERATURES = 10_000


def rows(case):
    """Digits of a case (n, 784) in [0, 1], float32."""
    (images, _), _ = data.mnist.load("sample")
    return data.mnist.scale(images[: case.rows]).reshape(-1, 784)


def train_rbm(case, seed):
    """Passes of our RBM over the digits, without monitoring, as scikit-learn's; a ``Timing``."""
    x = rows(case)
    rbm = BernoulliRBM(
        UNITS, case.learning_rate, case.batch_size, 1, seed, warm_start=True, monitor=case.monitor
    )
    begin = time.perf_counter()
    rbm.fit(x)
    built = time.perf_counter()
    for _ in range(case.epochs):
        rbm.fit(x)
    return Timing(time.perf_counter() - built, -rbm.score_samples(x).mean(), built - begin)


def train_scikit_rbm(case, seed):
    """The same by scikit-learn; a ``Timing``."""
    x = rows(case)
    rbm = ScikitRBM(UNITS, learning_rate=case.learning_rate, batch_size=case.batch_size,
                    n_iter=case.epochs, random_state=seed)
    begin = time.perf_counter()
    rbm.fit(x)
    return Timing(time.perf_counter() - begin, -rbm.score_samples(x).mean())


def train_dbm(case, seed):
    """Joint epochs of the DBM 784-512-1024; a ``Timing``."""
    x, machine = rows(case), DBM(seed=seed)
    options = {"batch_size": case.batch_size, "learning_rate": case.learning_rate,
               "mean_field_updates": 10, "gibbs_steps": 5}
    begin = time.perf_counter()
    machine.fit(x, **options)
    built = time.perf_counter()
    machine.fit(x, epochs=case.epochs, **options)
    seconds = time.perf_counter() - built
    return Timing(seconds, -machine.bound(x[:500], 0.0).mean(), built - begin)


def anneal(case, seed):
    """An estimate of log Z of an RBM of random weights; a ``Timing``."""
    random = np.random.default_rng(seed)
    machine = ais.Machine(
        random.normal(0, 0.1, (ANNEALED_UNITS, 784)), np.zeros(ANNEALED_UNITS), np.zeros(784),
        np.zeros(ANNEALED_UNITS), np.zeros(784),
    )
    begin = time.perf_counter()
    ais.forward(machine, temperatures=10, seed=seed)
    built = time.perf_counter()
    found = ais.forward(machine, temperatures=TEMPERATURES, seed=seed)
    return Timing(time.perf_counter() - built, found.log_partition, built - begin)
