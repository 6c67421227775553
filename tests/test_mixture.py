"""The mixture of Bernoullis: exact sums, ascent of the likelihood, recovery of known parts."""

import itertools

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from ann_keras.models.mixture import BernoulliMixture


def rows(seed=0, number=400):
    """Binary rows (number, 6) of two known products, with shares 0.3 and 0.7."""
    random = np.random.default_rng(seed)
    means = np.array([[0.9, 0.9, 0.9, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.8, 0.8, 0.8]])
    part = (random.random(number) < 0.7).astype(int)
    return (random.random((number, 6)) < means[part]).astype(np.float32), means


def fitted(**options):
    return BernoulliMixture(**{"n_components": 2, "random_state": 0} | options).fit(rows()[0])


def test_probabilities_of_all_states_sum_to_one():
    states = np.array(list(itertools.product([0, 1], repeat=6)), np.float32)
    assert np.exp(fitted().score_samples(states)).sum() == pytest.approx(1, abs=1e-5)


def test_log_likelihood_is_that_of_the_definition():
    mixture, x = fitted(), rows()[0][:5]
    products = np.where(x[:, np.newaxis] > 0, mixture.means_, 1 - mixture.means_).prod(axis=2)
    np.testing.assert_allclose(
        mixture.score_samples(x), np.log(products @ mixture.weights_), rtol=1e-5
    )
    assert mixture.score(x) == pytest.approx(mixture.score_samples(x).mean())


def test_likelihood_does_not_fall():
    curve = np.array(fitted(max_iter=40, n_components=3).log_likelihood_)
    # With the pixels' prior it is the posterior that rises; on 400 rows they are near.
    assert (np.diff(curve) > -2e-3).all() and curve[-1] > curve[0]


def test_known_parts_are_found():
    x, means = rows(number=5_000)
    mixture = BernoulliMixture(2, random_state=1).fit(x)
    order = np.argsort(mixture.weights_)
    np.testing.assert_allclose(mixture.weights_[order], [0.3, 0.7], atol=0.03)
    np.testing.assert_allclose(mixture.means_[order], means, atol=0.04)


def test_samples_have_the_mixtures_moments():
    mixture = fitted()
    drawn = mixture.sample(20_000)
    assert set(np.unique(drawn)) == {0, 1} and drawn.shape == (20_000, 6)
    expected = mixture.weights_ @ mixture.means_
    np.testing.assert_allclose(drawn.mean(axis=0), expected, atol=0.02)
    second = np.einsum("k,ki,kj->ij", mixture.weights_, mixture.means_, mixture.means_)
    pairs = drawn.T @ drawn / len(drawn)
    away = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(pairs[away], second[away], atol=0.02)
    grey = mixture.sample(50, probabilities=True)
    assert all(any(np.allclose(row, mean) for mean in mixture.means_) for row in grey)


def test_repeatable():
    np.testing.assert_array_equal(fitted().means_, fitted().means_)
    assert not np.allclose(fitted().means_, fitted(random_state=5, max_iter=1).means_)


def test_bad_input():
    with pytest.raises(NotFittedError):
        BernoulliMixture().score_samples(np.zeros((1, 6)))
    with pytest.raises(NotFittedError):
        BernoulliMixture().sample()
    with pytest.raises(ValueError, match="lie in"):
        BernoulliMixture(2).fit(2 * rows()[0])
    with pytest.raises(ValueError, match="components"):
        BernoulliMixture(500).fit(rows()[0])
    with pytest.raises(ValueError, match="features"):
        fitted().score_samples(np.zeros((1, 5)))
