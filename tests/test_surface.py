"""The surface of task 1.3: its closed form, its grid, its noise, and the network that fits it."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from ann_keras import models, recipes
from ann_keras.data import surface

TINY = recipes.surface.Recipe(hidden_units=(8, 8), epochs=2, jit_compile=False)


@pytest.fixture
def eager():
    """Without graphs, which take longer to trace than a few steps do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def ring(z):
    """Radius at which 0.8 r² = z."""
    return np.sqrt(z / 0.8)


@pytest.mark.parametrize(
    "radius, expected",
    [
        (ring(np.pi / 2), (0.8 / (np.pi / 2)) ** 0.9),  # crest: the sine is 1
        (ring(3 * np.pi / 2), -((0.8 / (3 * np.pi / 2)) ** 0.9)),  # trough: the sine is -1
        (ring(np.pi), 0),
        (1, np.sin(0.8)),
        (0, 0),
    ],
)
def test_height_by_hand_in_every_direction(radius, expected):
    angles = np.linspace(0, 2 * np.pi, 9)
    heights = surface.height(radius * np.cos(angles), radius * np.sin(angles))
    np.testing.assert_allclose(heights, expected, atol=1e-12)


def test_height_approaches_its_limit_at_the_origin():
    radii = 10.0 ** -np.arange(1, 8)
    # sin(0.8 s) / s^0.9 tends to 0.8 s^0.1, s = r²: to zero, but slowly.
    np.testing.assert_allclose(surface.height(radii, 0), 0.8 * radii**0.2, rtol=1e-4)
    assert surface.height(0, 0) == 0


def test_height_at_the_origin_warns_of_nothing():
    with np.errstate(all="raise"):
        np.testing.assert_allclose(surface.height([0, 1], [0, 0]), [0, np.sin(0.8)])


def test_grid_is_regular_and_reaches_the_corners():
    points = surface.grid()
    assert points.shape == (1600, 2)
    # Rows of 40 points from left to right, the lowest row first.
    assert points[[0, 39, 1560, 1599]].tolist() == [[-3, -3], [3, -3], [-3, 3], [3, 3]]
    for axis in points.T:
        values, counts = np.unique(axis, return_counts=True)
        assert counts.tolist() == [40] * 40
        np.testing.assert_allclose(values, -3 + 6 * np.arange(40) / 39, atol=1e-12)
    assert len(np.unique(points, axis=0)) == 1600


def test_samples_have_clean_heights_beside_noisy_ones():
    x, noisy, clean = surface.samples(noise=0.3, number=7)
    assert x.shape == (49, 2) and noisy.shape == clean.shape == (49, 1)
    assert {array.dtype for array in (x, noisy, clean)} == {np.dtype("float32")}
    np.testing.assert_allclose(x, surface.grid(7), atol=1e-6)
    np.testing.assert_allclose(clean[:, 0], surface.height(*surface.grid(7).T), atol=1e-6)
    assert (noisy != clean).all()


def test_without_noise_both_are_equal():
    _, noisy, clean = surface.samples()
    np.testing.assert_array_equal(noisy, clean)


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_noise_is_normal_with_the_given_deviation(noise):
    _, noisy, clean = surface.samples(noise=noise, seed=3, number=100)
    errors = (noisy - clean)[:, 0] / noise
    assert abs(errors.mean()) < 5 / np.sqrt(errors.size)
    assert errors.std() == pytest.approx(1, abs=5 / np.sqrt(2 * errors.size))
    assert (np.abs(errors) < 1).mean() == pytest.approx(0.6827, abs=5 * 0.0047)
    neighbours = np.corrcoef(errors[:-1], errors[1:])[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(errors.size)


def test_noise_is_decided_by_the_seed_and_scales():
    _, noisy, clean = surface.samples(noise=0.5, seed=1)
    np.testing.assert_array_equal(surface.samples(noise=0.5, seed=1)[1], noisy)
    np.testing.assert_array_equal(surface.samples(noise=0.5, seed=2)[2], clean)
    assert (surface.samples(noise=0.5, seed=2)[1] != noisy).all()
    doubled = surface.samples(noise=1.0, seed=1)[1]
    np.testing.assert_allclose(doubled - clean, 2 * (noisy - clean), atol=1e-6)


def test_gradient_and_lbfgs_start_from_the_same_network(eager):
    recipe = replace(TINY, noise=0.2, memory=10)
    slow = recipes.surface.train(replace(recipe, learning_rate=1e-12), seed=3)
    lbfgs = replace(recipe, optimizer="lbfgs", epochs=8)
    fast, again = (recipes.surface.train(lbfgs, seed=3) for _ in range(2))
    np.testing.assert_array_equal(fast["loss"], again["loss"])
    assert slow["loss"][0] == pytest.approx(slow["loss"][1], rel=1e-5)
    assert fast["loss"][-1] < fast["loss"][0] < slow["loss"][0]


def test_last_batch_loss_is_not_the_epoch_mean(eager):
    recipe = replace(TINY, learning_rate=0.1)
    batches = recipes.surface.train(replace(recipe, batch_size=40), seed=0)
    whole = recipes.surface.train(recipe, seed=0)
    assert batches["last_batch_mse"][0] != pytest.approx(batches["loss"][0], rel=1e-3)
    assert whole["last_batch_mse"] == pytest.approx(whole["loss"], rel=1e-5)
    assert (batches["steps_per_epoch"], whole["steps_per_epoch"]) == (40, 1)


def test_weights_are_those_of_the_score(eager):
    result = recipes.surface.train(replace(TINY, optimizer="adam", noise=0.3), seed=1)
    model = models.mlp.surface_mlp(8, 8)
    models.weights.restore(model, result["weights"])
    x, _, clean = surface.samples()
    assert np.mean((model(x).numpy() - clean) ** 2) == pytest.approx(result["test_mse"], rel=1e-5)
