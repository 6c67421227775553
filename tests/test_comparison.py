"""Samples that task 4.2.6 takes of Boltzmann machines and of the mixture."""

from dataclasses import is_dataclass, replace

import numpy as np
import pytest
import task_4_2_4
import task_4_2_6

from ann_keras import data, models
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import dbm, mixture, rbm
from ann_keras.recipes.fields import one_source
from ann_keras.runs.run import Finished, Run


class Board:
    """A scoreboard that keeps what it is shown."""

    def score(self, images):
        self.images = images
        return {"frechet": 1.0, "classes": np.full(10, 0.1)}


@pytest.fixture(autouse=True)
def board(monkeypatch):
    board = Board()
    monkeypatch.setattr(scoreboard, "board", lambda *_: board)
    return board


def finished(function, recipe, values):
    return Finished(values, Run(function, recipe=recipe, seed=0), 0.0)


def test_chains_end_as_probabilities(board):
    bias = np.where(np.arange(784) < 392, 3.0, -3.0)
    expected = 1 / (1 + np.exp(-bias))
    for module, recipe, weights in (
        (rbm, rbm.Recipe(components=3), [np.zeros((3, 784)), np.zeros(3), bias]),
        (dbm, dbm.Recipe(layers=(784, 3, 2)),
         [np.zeros((784, 3)), np.zeros((3, 2)), bias, np.zeros(3), np.zeros(2)]),
    ):
        flat = np.concatenate([part.ravel() for part in weights]).astype(np.float32)
        run = finished(module.train, recipe, {"weights": flat})
        found = task_4_2_6.sample_chains(run, None, samples=40, steps=2)
        np.testing.assert_allclose(board.images, np.tile(expected, (40, 1)), atol=1e-6)
        assert found["images"].shape == (10, 784)
        assert found["images"].dtype == np.uint8 and found["score_frechet"] == 1.0


def test_mixture_is_scored_by_its_likelihood_of_drawn_pixels(board, monkeypatch):
    random = np.random.default_rng(0)
    rows, test_rows = random.random((40, 784), np.float32), random.random((20, 784), np.float32)
    monkeypatch.setattr(data.mnist, "rows", lambda source: (rows, test_rows, None))
    recipe = mixture.Recipe(components=4, epochs=3)
    found = mixture.train(recipe, 0)
    same = models.mixture.BernoulliMixture(4, 3, random_state=0).fit(rows)
    assert found["log_likelihood"] == pytest.approx(same.score(data.mnist.drawn(test_rows)))
    scored = mixture.score(finished(mixture.train, recipe, found), None, 40)
    np.testing.assert_array_equal(board.images, same.sample(40, probabilities=True))
    assert scored["score_frechet"] == 1.0 and scored["images"].shape == (10, 784)


def test_drawn_pixels_are_white_as_often_as_they_are_grey():
    rows = np.tile(np.array([0, 0.2, 0.9, 1], np.float32), (20_000, 1))
    drawn = data.mnist.drawn(rows)
    assert set(np.unique(drawn)) == {0, 1} and drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), rows[0], atol=0.01)
    assert drawn[:, 0].max() == 0 and drawn[:, 3].min() == 1
    assert (data.mnist.drawn(rows) == drawn).all(), "one draw, the same for every model"
    assert (data.mnist.drawn(rows, (0, 1)) != drawn).any()


def test_the_settings_that_are_kept_are_those_of_the_runs():
    presets = task_4_2_6.PRESETS
    assert {settings.dbm.binarization for settings in presets.values()} == {"draw"}
    flat = task_4_2_4.PRESETS["report"]
    flat = replace(flat, recipe=replace(flat.recipe, source="sample"))
    for settings in (replace(presets["report"], source="sample"), flat):
        parts = vars(one_source(settings)).values()
        assert {part.source for part in parts if is_dataclass(part)} == {"sample"}
