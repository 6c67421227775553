"""Boltzmann machines: this project's and scikit-learn's training, and annealed sampling.

Functions of a case and a seed give a ``Timing``.
"""

import numpy as np
from cases import SCIKIT_LEARN_DOUBLE, UNMONITORED, Timing, timed
from sklearn.neural_network import BernoulliRBM as ScikitRBM

from ann_keras import data
from ann_keras.evaluation import ais
from ann_keras.models.dbm import DBM
from ann_keras.models.rbm import BernoulliRBM

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
    x = _digits(case).astype(np.float64 if case.peer == SCIKIT_LEARN_DOUBLE else np.float32)
    rbm = ScikitRBM(UNITS, learning_rate=case.learning_rate, batch_size=case.batch_size,
                    n_iter=case.epochs, random_state=seed)
    seconds, _ = timed(lambda: rbm.fit(x))
    return Timing(seconds, -float(rbm.score_samples(x).mean()))


def _train_rbm(case, seed, monitor):
    x = _digits(case)
    rbm = BernoulliRBM(UNITS, case.learning_rate, case.batch_size, 1, seed, warm_start=True,
                       monitor=monitor)
    building, _ = timed(lambda: rbm.fit(x))
    seconds, _ = timed(lambda: [rbm.fit(x) for _ in range(case.epochs)])
    return Timing(seconds, -float(rbm.score_samples(x).mean()), building)


def train_dbm(case, seed):
    x, machine = _digits(case), DBM(seed=seed)
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


def _digits(case):
    rows, _, _ = data.mnist.rows("sample")
    return rows[: case.rows]
