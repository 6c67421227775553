"""Scores of samples, as the tasks on generative models take them, timed against a limit.

The convnet has random weights and the digits come from the sample of MNIST, moved by some pixels
where more are asked for: how good samples are is no matter here.
"""

import keras
import numpy as np
from cases import Timing, timed

from ann_keras import data, models
from ann_keras.evaluation.labels import Judge
from ann_keras.evaluation.scoreboard import Scoreboard


def run(case, seed):
    """Score ``case.rows`` samples against as many digits; a ``Timing``.

    Building is what a scoreboard does once: tracing the convnet, its features of the digits and
    their neighbourhoods.
    """
    keras.utils.set_random_seed(seed)
    board, samples = _Scoreboard(case.rows), noisy_digits(case.rows, seed)
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


def noisy_digits(rows, seed):
    """Digits with grey specks, as samples have them, (rows, 784) in [0, 1]."""
    random = np.random.default_rng(seed)
    specks = random.random((rows, 784), np.float32) * (random.random((rows, 784)) < 0.02)
    return np.maximum(digits(rows, first=-3), specks)


class _Scoreboard(Scoreboard):
    """A scoreboard of digits that need not be a training set, and of an untrained judge."""

    def __init__(self, number):
        self._rows, self.number = digits(number), number
        weights = models.weights.flatten(models.cnn.pooled_convnet())
        self.judge = Judge({"weights": weights, "test_accuracy": np.nan})
