"""A stacked autoencoder's pre-training alone, and what its decoders make of noise."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from ann_keras import data
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import autoencoder
from ann_keras.runs.run import Finished, Run
from ann_keras.training import compiled

SMALL = autoencoder.Pretraining((12, 5), images=300, pretraining_epochs=2, source="sample")


class Board:
    """A scoreboard that keeps what it is shown."""

    def score(self, images):
        self.images = images
        return {"frechet": float(images.mean())}


@pytest.fixture
def board(monkeypatch):
    board = Board()
    monkeypatch.setattr(scoreboard, "board", lambda *_: board)
    return board


def pretrain(recipe, seed=2):
    values = {name: np.asarray(value)
              for name, value in autoencoder.pretrain(recipe, seed).items()}
    return Finished(values, Run(autoencoder.pretrain, recipe=recipe, seed=seed), 0.0)


def test_noise_has_the_moments_it_should():
    random = np.random.default_rng(0)
    mixing = np.array([[1.0, 0.0], [0.8, 0.1], [0.0, 0.3]])
    codes = (0.5 + random.normal(size=(400, 2)) @ mixing.T).astype(np.float32)
    found = autoencoder.noise(codes, 40_000, random)
    assert all(drawn.shape == (40_000, 3) for drawn in found.values())
    np.testing.assert_allclose(found["fitted"].mean(axis=0), codes.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(np.cov(found["fitted"].T), np.cov(codes.T), atol=0.03)
    np.testing.assert_allclose(np.cov(found["normal"].T), np.eye(3), atol=0.03)
    assert abs(found["normal"].mean()) < 0.01
    assert 0 <= found["uniform"].min() < 0.01 and 0.99 < found["uniform"].max() <= 1


@pytest.mark.parametrize("loss, name", [("mse", "squared_error"),
                                        ("binary_crossentropy", "cross_entropy")])
def test_the_loss_is_read_off_the_model(loss, name):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(6, "sigmoid")])
    model.compile("sgd", loss)
    found = autoencoder.losses(model, np.random.default_rng(0).random((30, 6), dtype=np.float32))
    assert found["logged"] == pytest.approx(found[name], rel=1e-4)
    assert abs(found["squared_error"] - found["cross_entropy"]) > 0.1


def test_the_stack_is_pretrained_as_asked_and_decodes_every_kind(monkeypatch, board):
    phases, fit = [], compiled.fit

    def watched(model, x, y, **options):
        rate = float(model.optimizer.learning_rate)
        phases.append((model.name, type(model.optimizer).__name__, round(rate, 6), len(x),
                       options["epochs"], options["batch_size"], options["seed"]))
        return fit(model, x, y, **options)

    monkeypatch.setattr(compiled, "fit", watched)
    run = pretrain(SMALL)
    assert phases == [("autoencoder_1", "SGD", 0.1, 300, 2, 128, 2001),
                      ("autoencoder_2", "SGD", 0.1, 300, 2, 128, 2002)]
    rows = data.mnist.rows("sample")[1]
    stack = autoencoder.stack_of(run)
    seen = stack.decode(stack.encode(rows))
    assert run["error"] == pytest.approx(np.mean((seen - rows) ** 2), rel=1e-5)
    assert run["logged"] == pytest.approx(run["squared_error"], rel=1e-4)
    shown = {}
    for kind in autoencoder.CODES:
        found = autoencoder.score(run, None, 40, kind)
        shown[kind] = board.images
        assert board.images.shape == (40, 784)
        assert found["score_frechet"] == pytest.approx(board.images.mean())
        np.testing.assert_allclose(found["images"] / 255, board.images[:10], atol=0.003)
    np.testing.assert_allclose(shown["codes"], seen[:40], atol=1e-6)
    for kind in ("normal", "uniform", "fitted"):
        autoencoder.score(run, None, 40, kind)
        np.testing.assert_array_equal(board.images, shown[kind], "a run is repeatable")


def test_an_adam_stack_learns_from_all_images(board):
    wide = replace(SMALL, hidden_units=(24, 12), pretraining_epochs=6)
    adam = replace(wide, images=None, pretraining_optimizer="adam", pretraining_rate=0.01)
    runs, contrast = [pretrain(replace(wide, pretraining_rate=0.01), 0), pretrain(adam, 0)], []
    for run in runs:
        autoencoder.score(run, None, 40, "codes")
        contrast.append(np.std(board.images, axis=0).mean())
    assert contrast[1] > 10 * contrast[0], "published pre-training tells digits apart little"
    assert runs[1]["error"] < 0.75 * runs[0]["error"]
