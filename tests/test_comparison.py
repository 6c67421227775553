"""Samples that task 4.2.6 takes of Boltzmann machines and of the mixture."""

import json

import numpy as np
import pytest

from ann_keras.data import mnist
from ann_keras.experiments import boltzmann, comparison, settings
from ann_keras.models.mixture import BernoulliMixture
from ann_keras.models.rbm import BernoulliRBM

GAN = settings.GAN(source="sample", samples=40, judge_epochs=1, seeds=1)


class Board:
    """Stands for the scoreboard: keeps what it is shown."""

    def score(self, images):
        self.images = images
        return {"frechet": 1.0, "classes": np.full(10, 0.1)}


class Task:
    """Stands for a task: calls what it is given, with settings that a key can be made of."""

    seeds = [0]

    def run(self, name, compute, **arguments):
        json.dumps(arguments)
        self.name = name
        return compute(**arguments)


def test_chains_end_as_probabilities_and_states_of_the_machine_decide():
    machine = BernoulliRBM(3, random_state=0)
    machine.build((None, 784))
    bias = np.where(np.arange(784) < 392, 3.0, -3.0)
    machine.set_weights([np.zeros((3, 784)), np.zeros(3), bias])
    task, board = Task(), Board()
    found = comparison.chains(task, "RBM", machine, board, GAN, weights="a", steps=2)
    expected = 1 / (1 + np.exp(-bias))
    np.testing.assert_allclose(board.images, np.tile(expected, (40, 1)), atol=1e-6)
    assert found["images"].shape == (comparison.SHOWN, 784)
    assert found["images"].dtype == np.uint8
    assert found["score_frechet"] == 1.0 and task.name == "samples of RBM"


def test_mixture_is_scored_by_its_likelihood_of_drawn_pixels(monkeypatch):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 28, 28)).astype(np.uint8)
    labels = np.arange(60) % 10
    monkeypatch.setattr(
        mnist, "load", lambda source: ((images[:40], labels[:40]), (images[40:], labels[40:]))
    )
    board = Board()
    (found,) = comparison.mixtures(Task(), board, GAN, components=4)
    rows, test_rows = (part.reshape(-1, 784) / 255 for part in (images[:40], images[40:]))
    mixture = BernoulliMixture(4, random_state=0).fit(rows)
    drawn = boltzmann.drawn(mnist.scale(images[40:]).reshape(-1, 784))
    assert found["log_likelihood"] == pytest.approx(mixture.score(drawn), rel=1e-5)
    assert len(board.images) == 40 and 0 < board.images.min() and board.images.max() < 1
    assert abs(drawn.mean() - test_rows.mean()) < 0.02


def test_drawn_pixels_are_white_as_often_as_they_are_grey():
    rows = np.tile(np.array([0, 0.2, 0.9, 1], np.float32), (20_000, 1))
    drawn = boltzmann.drawn(rows)
    assert set(np.unique(drawn)) == {0, 1} and drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), rows[0], atol=0.01)
    assert drawn[:, 0].max() == 0 and drawn[:, 3].min() == 1
    assert (boltzmann.drawn(rows) == drawn).all(), "one draw, the same for every model"
    assert (boltzmann.drawn(rows, (0, 1)) != drawn).any()
