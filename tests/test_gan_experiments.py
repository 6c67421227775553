"""Training runs of the GANs and the scoreboard: interruptions, schedules, what the scores say."""

import keras
import numpy as np
import pytest

from ann_keras.errors import UserError
from ann_keras.experiments import boltzmann, gan, samples
from ann_keras.models import gan as networks, weights

SMALL = {
    "backbone": "dense", "corrected": False, "discriminator_steps": 1, "batch_size": 32,
    "watched": 2, "seed": 0, "source": "sample", "images": 64, "samples": 12, "judge_epochs": 1,
    "keep": True,
}


class Board:
    """A scoreboard that scores by the mean grey and counts how often it is asked."""

    asked = 0

    def score(self, images):
        self.asked += 1
        assert images.shape[1] == 784
        return {name: float(images.mean()) for name in gan.WATCHED} | {"classes": np.ones(10) / 10}


@pytest.fixture(scope="module")
def whole():
    board = Board()
    return gan.train(board, epochs=5, **SMALL), board


def test_a_run_gives_what_it_says(whole):
    run, board = whole
    assert len(run["generator_loss"]) == len(run["discriminator_loss"]) == 5
    assert run["watched_epochs"] == [1, 2, 4, 5] and board.asked == 4
    for name in gan.WATCHED:
        assert len(run[f"watched_{name}"]) == 4
        assert run[f"watched_{name}"][-1] == run[f"score_{name}"]
    assert run["images"].shape == (12, 784) and run["images"].dtype == np.uint8
    assert run["walks"].shape == (gan.WALKS, gan.STOPS, 784)
    for kind in ("real", "fake"):
        assert ((run[f"{kind}_probability"] > 0) & (run[f"{kind}_probability"] < 1)).all()
    network = networks.GAN()
    for part in ("generator", "discriminator"):
        assert run[part].size == getattr(network, part).count_params()


def test_a_run_that_was_interrupted_is_the_same(whole, tmp_path):
    gan.train(Board(), epochs=3, checkpoint=str(tmp_path / "c"), **SMALL)
    resumed = gan.train(Board(), epochs=5, checkpoint=str(tmp_path / "c"), **SMALL)
    assert resumed.keys() == whole[0].keys()
    for name in resumed:
        tolerance = 1 if name in ("images", "walks") else 1e-5
        if name == "seconds":
            continue
        np.testing.assert_allclose(resumed[name], whole[0][name], rtol=1e-5, atol=tolerance,
                                   err_msg=name)


def test_d13_is_the_dropout_alone(whole):
    found = gan.without_dropout(whole[0], "sample")
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(
        ("real", "fake", "real_plain", "fake_plain"), (1000,)
    )
    network = networks.GAN(corrected=True)
    weights.restore(network.discriminator, whole[0]["discriminator"])
    digits = boltzmann.digits("sample")[0][:1000].reshape(-1, 28, 28, 1)
    logits = np.asarray(network.discriminator(digits, training=False))[:, 0]
    np.testing.assert_allclose(found["real_plain"], 1 / (1 + np.exp(-logits)), rtol=1e-4)
    again = gan.without_dropout(whole[0], "sample")
    for kind in ("real", "fake"):
        assert (again[f"{kind}_plain"] == found[f"{kind}_plain"]).all()
        assert (again[kind] == found[kind]).all(), "a run is repeatable"
        assert (found[kind] != found[f"{kind}_plain"]).any()


def test_the_learning_rate_is_that_of_both_networks(whole):
    still = gan.train(Board(), epochs=1, learning_rate=0.0, **SMALL)
    keras.utils.set_random_seed(SMALL["seed"])
    initial = networks.GAN()
    for part in ("generator", "discriminator"):
        assert (still[part] == weights.flatten(getattr(initial, part))).all()
        assert (whole[0][part] != still[part]).mean() > 0.9


def test_a_second_training_goes_on_from_the_first(whole):
    still = gan.train(Board(), epochs=1, start=whole[0], learning_rate=0.0, **SMALL | {"seed": 9})
    for part in ("generator", "discriminator"):
        assert (still[part] == whole[0][part]).all()


def test_other_starts_differ_in_weights_and_noise_alone():
    few = {"epochs": 1, "batch_size": 32, "seed": 0, "source": "sample", "images": 64}
    found = {
        (start, noise): gan.first_losses(start, noise, **few)["generator_loss"][0]
        for start in ("PyTorch", "Glorot") for noise in ("normal", "uniform")
    }
    assert len(set(found.values())) == 4
    same = gan.train(Board(), epochs=1, **SMALL)
    assert found["PyTorch", "normal"] == pytest.approx(same["generator_loss"][0], rel=1e-5)


def test_few_samples_are_enough_for_walks():
    run = gan.train(Board(), epochs=1, **SMALL | {"samples": 6})
    assert run["walks"].shape == (gan.WALKS, gan.STOPS, 784) and len(run["images"]) == 6


def test_seeds_and_settings_matter(whole):
    other = gan.train(Board(), epochs=1, **SMALL | {"seed": 1, "keep": False})
    assert other["generator_loss"][0] != whole[0]["generator_loss"][0]
    assert "generator" not in other
    corrected = gan.train(Board(), epochs=1, **SMALL | {"corrected": True})
    assert corrected["generator_loss"][0] != whole[0]["generator_loss"][0]


def test_a_loss_that_is_no_number_stops_the_run(monkeypatch, tmp_path):
    folder = tmp_path / "c"
    gan.train(Board(), epochs=2, checkpoint=str(folder), **SMALL)
    monkeypatch.setattr(networks, "generator_loss", lambda logits: np.nan * logits[0, 0])
    with pytest.raises(UserError, match="not finite after epoch 3"):
        gan.train(Board(), epochs=4, checkpoint=str(folder), **SMALL)
    monkeypatch.undo()
    resumed = gan.train(Board(), epochs=3, checkpoint=str(folder), **SMALL)
    assert np.isfinite(resumed["generator_loss"]).all() and len(resumed["generator_loss"]) == 3


def test_walks_go_from_one_sample_to_the_next_on_a_circle():
    noise = np.random.default_rng(0).normal(size=(2 * gan.WALKS, 10))
    walks = gan._walks(noise).reshape(gan.WALKS, gan.STOPS, 10)
    np.testing.assert_allclose(walks[:, 0], noise[::2])
    np.testing.assert_allclose(walks[:, -1], noise[1::2], atol=1e-12)
    equal = gan._walks(np.eye(10)[[0, 1] * gan.WALKS])
    np.testing.assert_allclose(np.linalg.norm(equal, axis=1), 1)


def test_background_is_what_lies_away_from_strokes():
    image = np.zeros((28, 28), np.float32)
    image[14, 14] = 1
    image[14, 12] = image[16, 16] = 0.4  # two pixels off: an edge
    assert samples.background(image.reshape(1, 784))[0] == 0
    image[14, 11] = 0.4  # three pixels off
    away = 28 * 28 - 25
    assert samples.background(image.reshape(1, 784))[0] == pytest.approx(0.4 / away)
    assert samples.background(np.ones((1, 784)))[0] == 0
    grey = samples.background(np.full((2, 784), 0.3))
    np.testing.assert_allclose(grey, 0.3, rtol=1e-6)


class Task:
    """A task that keeps nothing."""

    def run(self, name, compute, *, of=None, **settings):
        return compute(**settings)


@pytest.fixture(scope="module")
def board():
    return samples.Scoreboard(Task(), epochs=1, source="sample", number=300)


def test_the_scoreboard_knows_digits_from_noise(board):
    floor = board.floor(Task())
    noise = board.score(np.random.default_rng(0).random((300, 784), np.float32))
    assert floor["frechet"] < noise["frechet"] / 3
    assert floor["coverage"] > 0.5 > noise["coverage"]
    assert floor["noisy"] < 0.1
    one = board.score(np.repeat(board._test_rows[:1], 300, axis=0))
    assert one["diversity"] == 0 and one["recall"] < 0.2 and one["classes"].max() == 1


def test_the_scoreboard_refuses_what_cannot_be_scored():
    for number in (5, 1_001):
        with pytest.raises(UserError, match="cannot be"):
            samples.Scoreboard(Task(), epochs=1, source="sample", number=number)


def test_the_scoreboard_scores_as_many_samples_as_digits(board):
    with pytest.raises(ValueError, match="300 images are scored at a time, got 299"):
        board.score(np.zeros((299, 784), np.float32))
