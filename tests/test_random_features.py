"""Random features stand for the Gaussian kernel, and their readout is ridge regression."""

import keras
import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from ann_keras.layers.random_features import OrthogonalFourierFeatures
from ann_keras.models.random_features import random_feature_network
from ann_keras.training.ridge import fit_readout

INPUTS = 6


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def features(x, pairs, gamma, seed=0):
    return OrthogonalFourierFeatures(pairs, gamma, seed, dtype="float64")(x).numpy()


def kernel(x, gamma):
    return np.exp(-gamma * ((x[:, None] - x) ** 2).sum(axis=-1))


def frequencies(inputs, pairs, gamma=0.5, seed=0):
    layer = OrthogonalFourierFeatures(pairs, gamma, seed, dtype="float64")
    layer.build((None, inputs))
    (weight,) = layer.get_weights()
    return weight


@pytest.mark.parametrize("gamma", [0.02, 0.3])
def test_inner_products_approach_the_gaussian_kernel(gamma):
    x = normal(12, INPUTS)
    exact, errors = kernel(x, gamma), []
    assert np.median(exact) > 0.01 and exact.min() < 0.7
    for pairs in (30, 480, 7680):
        errors.append(np.mean([
            np.sqrt(np.mean((phi @ phi.T - exact) ** 2))
            for phi in (features(x, pairs, gamma, seed) for seed in range(8))
        ]))
    assert errors[0] > 2.5 * errors[1] and errors[1] > 2.5 * errors[2]  # as 1/√pairs: fourfold
    assert errors[2] < 0.01


def test_inner_products_are_unbiased():
    x, gamma, seeds = normal(6, INPUTS), 0.1, 400
    products = np.array([phi @ phi.T for phi in (features(x, 7, gamma, s) for s in range(seeds))])
    above = np.triu_indices(6, 1)
    mistakes = (products.mean(axis=0) - kernel(x, gamma))[above]
    standard_errors = products.std(axis=0)[above] / seeds**0.5
    assert np.abs(mistakes / standard_errors).max() < 4.5
    np.testing.assert_allclose(products[:, range(6), range(6)], 1)  # cos² + sin²


def test_orthogonal_blocks_err_less_than_independent_frequencies():
    x, gamma = normal(10, INPUTS), 0.05
    exact = kernel(x, gamma)
    errors = {"orthogonal": [], "independent": []}
    for seed in range(40):
        phi = features(x, INPUTS, gamma, seed)
        phase = x @ normal(INPUTS, INPUTS, seed=1000 + seed) * np.sqrt(2 * gamma)
        plain = np.hstack([np.cos(phase), np.sin(phase)]) / INPUTS**0.5
        errors["orthogonal"].append(np.mean((phi @ phi.T - exact) ** 2))
        errors["independent"].append(np.mean((plain @ plain.T - exact) ** 2))
    assert np.mean(errors["orthogonal"]) < 0.8 * np.mean(errors["independent"])


@pytest.mark.parametrize("inputs, pairs", [(5, 15), (5, 13), (5, 3), (1, 4)])
def test_frequencies_are_orthogonal_within_a_block(inputs, pairs):
    columns = frequencies(inputs, pairs)
    assert columns.shape == (inputs, pairs)
    directions = columns / np.linalg.norm(columns, axis=0)
    gram = directions.T @ directions
    for block in range(0, pairs, inputs):
        inside = gram[block : block + inputs, block : block + inputs]
        np.testing.assert_allclose(inside, np.eye(len(inside)), atol=1e-12)
    if inputs > 1 and pairs > inputs:
        assert np.abs(gram[:inputs, inputs : 2 * inputs]).max() > 0.1


def test_lengths_and_directions_are_those_of_normal_frequencies():
    gamma, pairs = 0.3, 20_000
    columns = frequencies(INPUTS, pairs, gamma)
    squares = (columns**2).sum(axis=0) / (2 * gamma)  # chi-square of INPUTS degrees of freedom
    assert squares.mean() == pytest.approx(INPUTS, abs=5 * (2 * INPUTS / pairs) ** 0.5)
    assert squares.var() == pytest.approx(2 * INPUTS, rel=0.1)
    covariance = columns @ columns.T / pairs
    np.testing.assert_allclose(covariance, 2 * gamma * np.eye(INPUTS), atol=0.03)


def test_seeds_repeat_and_differ():
    np.testing.assert_array_equal(frequencies(4, 10, seed=1), frequencies(4, 10, seed=1))
    assert (frequencies(4, 10, seed=1) != frequencies(4, 10, seed=2)).all()
    keras.utils.set_random_seed(0)
    first = frequencies(4, 10)
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(frequencies(4, 10), first)


def test_cosines_then_sines_of_the_frequencies():
    x, layer = normal(3, 2, 4), OrthogonalFourierFeatures(5, 0.2, dtype="float64")
    outputs = layer(x)
    phase = x @ layer.get_weights()[0]
    expected = np.concatenate([np.cos(phase), np.sin(phase)], -1) / 5**0.5
    np.testing.assert_allclose(outputs, expected, atol=1e-12)
    assert layer.compute_output_shape((None, 2, 4)) == (None, 2, 10)


def test_only_the_readout_is_trainable():
    model = random_feature_network(4, 10)
    assert model.input_shape == (None, 4) and model.output_shape == (None, 1)
    assert [w.shape for w in model.trainable_weights] == [(20, 1)]
    assert [w.shape for w in model.non_trainable_weights] == [(4, 10)]
    assert {w.dtype for w in model.weights} == {"float64"}


def test_the_layer_is_made_again_from_its_settings():
    layer = OrthogonalFourierFeatures(9, 0.2, 5, dtype="float64", name="waves")
    again = OrthogonalFourierFeatures.from_config(layer.get_config())
    assert (again.pairs, again.gamma, again.seed, again.name) == (9, 0.2, 5, "waves")
    assert not again.trainable
    x = normal(3, 4)
    np.testing.assert_array_equal(again(x), layer(x))


def test_a_saved_network_is_the_same(tmp_path):
    model = random_feature_network(4, 10, gamma=0.2, seed=3)
    fit_readout(model, normal(30, 4), normal(30, seed=1), penalty=0.1)
    model.save(tmp_path / "features.keras")
    loaded = keras.models.load_model(tmp_path / "features.keras")
    x = normal(5, 4, seed=2)
    np.testing.assert_array_equal(loaded(x), model(x))
    assert [w.shape for w in loaded.trainable_weights] == [(20, 1)]


@pytest.mark.parametrize("build, words", [
    (lambda: OrthogonalFourierFeatures(0, 0.1), "must be positive, got 0 and 0.1"),
    (lambda: OrthogonalFourierFeatures(5, 0.0), "must be positive, got 5 and 0.0"),
    (lambda: OrthogonalFourierFeatures(5, -1.0), "must be positive"),
    (lambda: random_feature_network(0, 5), "lag must be positive, got 0"),
    (lambda: random_feature_network(4, -5), "must be positive, got -5"),
])
def test_errors(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def plain_network(inputs, outputs=1):
    """Dense readout on the inputs themselves."""
    x = keras.Input((inputs,), dtype="float64")
    return keras.Model(x, keras.layers.Dense(outputs, use_bias=False, dtype="float64")(x))


@pytest.mark.parametrize("penalty", [1e-6, 1e-2, 10.0])
@pytest.mark.parametrize("rows", [4, 7, 8, 50])
@pytest.mark.parametrize("outputs", [1, 3])
def test_the_readout_is_ridge_regression(rows, penalty, outputs):
    x = normal(rows, 7) + 1  # no zero means: an intercept would show
    y = np.squeeze(normal(rows, outputs, seed=1) + 2)
    model = plain_network(7, outputs)
    fit_readout(model, x, y, penalty=penalty)
    expected = Ridge(alpha=penalty, fit_intercept=False, solver="svd").fit(x, y).coef_
    (weights,) = model.get_weights()
    np.testing.assert_allclose(weights.T, np.reshape(expected, (outputs, 7)), atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize("rows", [15, 60])  # fewer and more than the 40 columns
def test_the_readout_of_a_network_minimises_its_penalised_error(rows):
    x, y, penalty = normal(rows, 4), normal(rows, seed=1), 0.05
    model = random_feature_network(4, 20, gamma=0.2)
    before = model.get_weights()[0]
    fit_readout(model, x, y, penalty=penalty)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    matrix, weights = model.layers[1](x).numpy(), model.get_weights()[1]
    # Half the gradient of the penalised error.
    slope = matrix.T @ (matrix @ weights - y[:, None]) + penalty * weights
    np.testing.assert_allclose(slope, 0, atol=1e-10)
    np.testing.assert_allclose(model(x), matrix @ weights, atol=1e-12)


def test_a_larger_penalty_gives_smaller_weights():
    x, y, norms = normal(30, 7), normal(30, seed=1), []
    for penalty in (0.01, 1.0, 100.0):
        model = plain_network(7)
        fit_readout(model, x, y, penalty=penalty)
        norms.append(np.linalg.norm(model.get_weights()[0]))
    assert norms[0] > norms[1] > norms[2] > 0


@pytest.mark.parametrize("layer, penalty, words", [
    (lambda: keras.layers.Dense(1), 1.0, "Dense without bias"),
    (lambda: keras.layers.Dense(1, use_bias=False, activation="relu"), 1.0, "Dense without bias"),
    (lambda: keras.layers.Rescaling(2.0), 1.0, "must be Dense"),
    (lambda: keras.layers.Dense(1, use_bias=False), 0, "penalty must be positive, got 0"),
    (lambda: keras.layers.Dense(1, use_bias=False), -1e-3, "penalty must be positive"),
])
def test_errors_of_fit_readout(layer, penalty, words):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer()(inputs))
    before = model.get_weights()
    with pytest.raises(ValueError, match=words):
        fit_readout(model, normal(5, 3), normal(5), penalty=penalty)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_on_many_pairs_the_network_is_kernel_ridge():
    x, gamma, penalty = normal(60, INPUTS), 0.1, 0.01
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2]
    new = normal(20, INPUTS, seed=1)
    expected = KernelRidge(kernel="rbf", gamma=gamma, alpha=penalty).fit(x, y).predict(new)
    errors = []
    for pairs in (64, 1024, 16_384):
        model = random_feature_network(INPUTS, pairs, gamma=gamma)
        fit_readout(model, x, y, penalty=penalty)
        errors.append(np.sqrt(np.mean((model(new).numpy()[:, 0] - expected) ** 2)))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert errors[2] < 0.06 * expected.std()
