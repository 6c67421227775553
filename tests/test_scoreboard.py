"""The scoreboard of samples: what its scores say."""

import keras
import numpy as np
import pytest

from ann_keras import data, models
from ann_keras.errors import UserError
from ann_keras.evaluation import scoreboard


@pytest.fixture(scope="module")
def labelling():
    """A convnet that was not trained: even so its features tell digits from noise."""
    keras.utils.set_random_seed(0)
    network = models.cnn.pooled_convnet()
    return {"weights": models.weights.flatten(network), "test_accuracy": 0.1}


@pytest.fixture(scope="module")
def board(labelling):
    return scoreboard.board(labelling, "sample", 300)


def test_the_scoreboard_knows_digits_from_noise(board, labelling):
    floor = scoreboard.floor(labelling, "sample", 300)
    noise = board.score(np.random.default_rng(0).random((300, 784), np.float32))
    assert floor["frechet"] < noise["frechet"] / 3
    assert floor["coverage"] > 0.5 > noise["coverage"]
    assert floor["noisy"] < 0.1
    digits, _ = data.mnist.test_rows("sample", 1)
    one = board.score(np.repeat(digits, 300, axis=0))
    assert one["diversity"] == 0 and one["recall"] < 0.2 and one["classes"].max() == 1


def test_the_scoreboard_is_made_once_for_each_convnet_and_number(board, labelling):
    assert scoreboard.board(dict(labelling), "sample", 300) is board
    assert scoreboard.board(labelling, "sample", 301).number == 301
    other = labelling | {"weights": 2 * labelling["weights"]}
    assert (scoreboard.board(other, "sample", 300).judge.probabilities(np.ones((1, 784)))
            != board.judge.probabilities(np.ones((1, 784)))).any()


def test_the_scoreboard_refuses_what_cannot_be_scored():
    for number in (5, 1_001):
        with pytest.raises(UserError, match="cannot be"):
            scoreboard.Scoreboard(None, "sample", number)


def test_the_scoreboard_scores_as_many_samples_as_digits(board):
    with pytest.raises(ValueError, match="300 images are scored at a time, got 299"):
        board.score(np.zeros((299, 784), np.float32))


def test_building_the_judge_takes_no_part_in_training(labelling):
    """``gan.train`` makes its scoreboard before it sets the seed."""
    keras.utils.set_random_seed(0)
    first = models.weights.flatten(models.gan.GAN().discriminator)
    scoreboard.board(labelling, "sample", 302)
    keras.utils.set_random_seed(0)
    assert (models.weights.flatten(models.gan.GAN().discriminator) == first).all()


def test_background_is_what_lies_away_from_strokes():
    image = np.zeros((28, 28), np.float32)
    image[14, 14] = 1
    image[14, 12] = image[16, 16] = 0.4  # two pixels off: an edge
    assert scoreboard.background(image.reshape(1, 784))[0] == 0
    image[14, 11] = 0.4  # three pixels off
    away = 28 * 28 - 25
    assert scoreboard.background(image.reshape(1, 784))[0] == pytest.approx(0.4 / away)
    assert scoreboard.background(np.ones((1, 784)))[0] == 0
    grey = scoreboard.background(np.full((2, 784), 0.3))
    np.testing.assert_allclose(grey, 0.3, rtol=1e-6)


def test_quality_of_samples():
    sure, unsure = np.eye(10)[[3, 3]], np.full((2, 10), 0.1)
    images = np.zeros((4, 784))
    images[0, 29 * 14 : 29 * 14 + 3] = 1.0
    images[1, [0, 400, 700]] = 1.0
    images[2] = 0.4
    found = scoreboard.quality(np.concatenate([sure, unsure]), images)
    assert found["confident"] == 0.5 and found["grey"] == 0.25
    assert found["specks"] == 0.5  # two too many in one of four images
    assert found["diversity"] == pytest.approx(np.log(2) / np.log(10))
