"""Trainings and scores of the GANs: interruptions, what the recipe changes, second trainings."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import task_4_2_1

from ann_keras import data
from ann_keras.errors import UserError
from ann_keras.evaluation import scoreboard
from ann_keras.models import gan as networks, weights
from ann_keras.recipes import gan
from ann_keras.runs.run import Finished, Run

pytestmark = pytest.mark.usefixtures("untraced")

SMALL = gan.Recipe(epochs=3, batch_size=16, source="sample", images=32, watched=2,
                   watched_samples=12)
ONCE = replace(SMALL, epochs=1)


class Board:
    """A scoreboard that scores by the mean grey and counts how often it is asked."""

    asked = 0

    def score(self, images):
        self.asked += 1
        assert images.shape[1] == 784
        return {name: float(images.mean()) for name in gan.WATCHED} | {"classes": np.ones(10) / 10}


@pytest.fixture(scope="module", autouse=True)
def board():
    board = Board()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoreboard, "board", lambda *_: board)
        yield board


def train(recipe, seed=0, **options):
    found = gan.train(recipe, seed, **options)
    values = {name: np.asarray(value) for name, value in found.items()}
    return Finished(values, Run(gan.train, recipe=recipe, seed=seed), 0.0)


@pytest.fixture(scope="module")
def whole(board):
    run = train(SMALL, monitor="convnet")
    assert board.asked == 3
    return run


def test_a_run_gives_what_it_says(whole):
    assert len(whole["generator_loss"]) == len(whole["discriminator_loss"]) == 3
    assert whole["watched_epochs"].tolist() == [1, 2, 3]
    network = networks.GAN()
    for part in ("generator", "discriminator"):
        assert whole[part].size == getattr(network, part).count_params()


def test_scores_are_those_of_the_last_epoch(whole):
    found = gan.score(whole, "convnet", 12)
    for name in gan.WATCHED:
        assert len(whole[f"watched_{name}"]) == 3
        assert whole[f"watched_{name}"][-1] == found[f"score_{name}"]
    assert found["images"].shape == (12, 784) and found["images"].dtype == np.uint8
    assert found["walks"].shape == (gan.WALKS, gan.STOPS, 784)
    for kind in ("real", "fake"):
        assert ((found[f"{kind}_probability"] > 0) & (found[f"{kind}_probability"] < 1)).all()
    few = gan.score(whole, "convnet", 6)
    assert few["walks"].shape == (gan.WALKS, gan.STOPS, 784) and len(few["images"]) == 6


def test_the_curves_of_tensorboard_hold_scores_that_are_there(monkeypatch, tmp_path):
    monkeypatch.setenv("ANN_KERAS_TENSORBOARD", str(tmp_path))
    run = train(replace(SMALL, epochs=3, watched=9, images=16), monitor="convnet")
    assert run["watched_epochs"].tolist() == [1, 3] and list(tmp_path.rglob("events*"))


def test_a_run_that_was_interrupted_is_the_same(whole, tmp_path):
    train(replace(SMALL, epochs=2), checkpoint=str(tmp_path / "c"), monitor="convnet")
    resumed = train(SMALL, checkpoint=str(tmp_path / "c"), monitor="convnet")
    assert resumed.keys() == whole.keys()
    for name in resumed.keys() - {"seconds"}:
        np.testing.assert_allclose(resumed[name], whole[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_scores_along_training_change_nothing_but_themselves(whole):
    plain = train(SMALL)
    assert whole.keys() - plain.keys() == {f"watched_{n}" for n in ("epochs", *gan.WATCHED)}
    for name in plain.keys() - {"seconds"}:
        np.testing.assert_array_equal(plain[name], whole[name])


def test_d13_is_the_dropout_alone(whole):
    found = task_4_2_1.without_dropout(whole)
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(
        ("real", "fake", "real_plain", "fake_plain"), (1000,)
    )
    network = networks.GAN(corrected=True)
    weights.restore(network.discriminator, whole["discriminator"])
    digits = data.mnist.rows("sample")[0][:1000].reshape(-1, 28, 28, 1)
    logits = np.asarray(network.discriminator(digits, training=False))[:, 0]
    np.testing.assert_allclose(found["real_plain"], 1 / (1 + np.exp(-logits)), rtol=1e-4)
    again = task_4_2_1.without_dropout(whole)
    for kind in ("real", "fake"):
        assert (again[f"{kind}_plain"] == found[f"{kind}_plain"]).all()
        assert (again[kind] == found[kind]).all(), "a run is repeatable"
        assert (found[kind] != found[f"{kind}_plain"]).any()


def test_the_learning_rate_is_that_of_both_networks(whole):
    still = train(replace(ONCE, learning_rate=0.0))
    keras.utils.set_random_seed(0)
    initial = networks.GAN()
    for part in ("generator", "discriminator"):
        assert (still[part] == weights.flatten(getattr(initial, part))).all()
        assert (whole[part] != still[part]).mean() > 0.9


def test_a_second_training_goes_on_from_the_first(whole):
    still = train(replace(ONCE, learning_rate=0.0), seed=9, start=whole)
    for part in ("generator", "discriminator"):
        assert (still[part] == whole[part]).all()


def test_whatever_a_recipe_says_changes_the_training(whole):
    changes = {
        "noise": "uniform", "initial_weights": "glorot", "corrected": True, "beta_1": 0.9,
        "discriminator_steps": 2, "learning_rate": 1e-4, "latent_dim": 5, "epsilon": 1e-2,
    }
    first = {name: train(replace(ONCE, **{name: value}))["generator_loss"][0]
             for name, value in changes.items()}
    assert len({whole["generator_loss"][0], *first.values()}) == len(changes) + 1
    assert train(ONCE, seed=1)["generator_loss"][0] != whole["generator_loss"][0]


def test_a_loss_that_is_no_number_stops_the_run(monkeypatch, tmp_path):
    folder = str(tmp_path / "c")
    train(replace(SMALL, epochs=2), checkpoint=folder)
    monkeypatch.setattr(networks, "generator_loss", lambda logits: np.nan * logits[0, 0])
    with pytest.raises(UserError, match="not finite after epoch 3"):
        train(SMALL, checkpoint=folder)
    monkeypatch.undo()
    resumed = train(SMALL, checkpoint=folder)
    assert np.isfinite(resumed["generator_loss"]).all() and len(resumed["generator_loss"]) == 3


def test_walks_go_from_one_sample_to_the_next_on_a_circle():
    noise = np.random.default_rng(0).normal(size=(2 * gan.WALKS, 10))
    walks = gan._walks(noise).reshape(gan.WALKS, gan.STOPS, 10)
    np.testing.assert_allclose(walks[:, 0], noise[::2])
    np.testing.assert_allclose(walks[:, -1], noise[1::2], atol=1e-12)
    equal = gan._walks(np.eye(10)[[0, 1] * gan.WALKS])
    np.testing.assert_allclose(np.linalg.norm(equal, axis=1), 1)
