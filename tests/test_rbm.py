"""The restricted Boltzmann machine, against scikit-learn's, NumPy and enumeration."""

import itertools
import pickle
import re

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, logsumexp, softmax
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM as Peer
from sklearn.pipeline import make_pipeline

from ann_keras.models import boltzmann, contrastive
from ann_keras.models.contrastive import ContrastiveDivergence
from ann_keras.models.rbm import BernoulliRBM

pytestmark = pytest.mark.usefixtures("untraced")

PLAIN = {"learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.0, "gibbs_steps": 1,
         "persistent": True, "centering": False}


def states(units):
    return np.array(list(itertools.product((0.0, 1.0), repeat=units)))


def binary(seed, number, pixels):
    return (np.random.default_rng(seed).random((number, pixels)) < 0.5).astype(np.float32)


def normal(seed, *shapes, scale=1.0):
    generator = np.random.default_rng(seed)
    return [generator.normal(0, scale, shape).astype(np.float32) for shape in shapes]


def machine(units=4, pixels=6, seed=0, scale=1.0, **settings):
    """A machine with random weights and biases."""
    rbm = BernoulliRBM(units, random_state=seed, **settings)
    rbm.build((None, pixels))
    rbm.set_weights(normal(seed, (units, pixels), units, pixels, scale=scale))
    return rbm


def peer(rbm, random_state=None):
    """scikit-learn's machine with the same weights."""
    other = Peer(rbm.n_components, random_state=random_state)
    other.components_, other.intercept_hidden_, other.intercept_visible_ = (
        weight.astype(float) for weight in rbm.get_weights()
    )
    other.n_features_in_ = rbm.n_features_in_
    return other


def joint(weights, hidden_bias, visible_bias):
    """Exact P(v, h), array (2^pixels, 2^units), v and h in the order of ``states``."""
    v, h = states(len(visible_bias)), states(len(hidden_bias))
    exponents = (v @ visible_bias)[:, None] + h @ hidden_bias + v @ np.transpose(weights) @ h.T
    return softmax(exponents.astype(float), axis=None)


def histogram(rows):
    """Shares of all states among binary rows, in the order of ``states``."""
    places = 2 ** np.arange(rows.shape[1])[::-1]
    counts = np.bincount(rows.astype(int) @ places, minlength=2 ** rows.shape[1])
    return counts / len(rows)


def exact_gradient(parameters, data):
    """⟨h vᵀ⟩, ⟨h⟩ and ⟨v⟩ of the data, weighted by ``data`` (2^pixels,), minus the machine's."""
    weights, hidden_bias, visible_bias = parameters
    table = joint(*parameters)
    v, h = states(len(visible_bias)), states(len(hidden_bias))
    means = expit(v @ weights.T + hidden_bias)
    return [
        means.T @ (data[:, None] * v) - h.T @ table.T @ v,
        data @ means - table.sum(0) @ h,
        data @ v - table.sum(1) @ v,
    ]


class Numbers:
    """Injected uniform random numbers: a stream that can be replayed."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def __call__(self, shape):
        return tf.constant(self.generator.random(tuple(np.array(shape)), np.float32))


class Replay(np.random.RandomState):
    """The stream of ``Numbers`` for scikit-learn."""

    def __init__(self, numbers):
        super().__init__(0)
        self.numbers = numbers

    def uniform(self, size):
        return np.array(self.numbers(size))


class SameNumbers:
    """In the place of ``Uniforms``: for a shape always the same numbers, also inside a graph."""

    def __init__(self, seed=None):
        pass

    def __call__(self, shape):
        return tf.random.stateless_uniform(shape, [3, 5])


class Reference:
    """``ContrastiveDivergence`` in NumPy; centring as Melchior et al.'s Algorithm 1 has it."""

    def __init__(self, parameters, chains, bottom_up=1, top_down=1):
        self.parameters = [np.array(value, float) for value in parameters]
        self.velocities = [np.zeros_like(value) for value in self.parameters]
        units, pixels = self.parameters[0].shape
        self.chains = np.zeros((chains, units))
        self.pixel_offset, self.unit_offset = np.zeros(pixels), np.zeros(units)
        self.bottom_up, self.top_down = bottom_up, top_down

    def update(self, v, uniform, *, learning_rate, momentum, weight_decay, gibbs_steps, persistent,
               centering, binarize=False):
        def draw(means):
            return (np.array(uniform(means.shape)) < means).astype(float)

        def hiddens(v):
            return expit(self.bottom_up * v @ weights.T + hidden_bias)

        weights, hidden_bias, visible_bias = self.parameters
        v = draw(v) if binarize else np.array(v, float)
        positive = hiddens(v)
        h = self.chains if persistent else draw(positive)
        for _ in range(gibbs_steps):
            visible = draw(expit(self.top_down * h @ weights + visible_bias))
            negative = hiddens(visible)
            h = draw(negative)
        if persistent:
            self.chains = h
        if centering:
            assert not (momentum or weight_decay), "the algorithm has neither"
            self.pixel_offset += 0.01 * (v.mean(0) - self.pixel_offset)
            self.unit_offset += 0.01 * (positive.mean(0) - self.unit_offset)
        mu, nu = (self.pixel_offset, self.unit_offset) if centering else (0, 0)
        gradient = [
            (positive - nu).T @ (v - mu) / len(v)
            - (negative - nu).T @ (visible - mu) / len(visible),
            positive.mean(0) - negative.mean(0),
            v.mean(0) - visible.mean(0),
        ]
        if centering:
            # To the biases of the centred machine, one step there, and back.
            centred = weights, hidden_bias + weights @ mu, visible_bias + nu @ weights
            new, hidden, visible = (
                value + learning_rate * step for value, step in zip(centred, gradient)
            )
            self.parameters = [new, hidden - new @ mu, visible - nu @ new]
            return
        gradient[0] = gradient[0] - weight_decay * weights
        for index, step in enumerate(gradient):
            velocity = momentum * self.velocities[index] + learning_rate * step
            self.velocities[index] = velocity
            self.parameters[index] = self.parameters[index] + velocity


def learner(parameters, chains, **options):
    variables = [tf.Variable(value) for value in parameters]
    return ContrastiveDivergence(*variables, chains, **options)


def assert_same(parameters, expected, atol=1e-5):
    for value, other in zip(parameters, expected, strict=True):
        value = value.numpy() if isinstance(value, tf.Variable) else value
        np.testing.assert_allclose(value, other, atol=atol)


# Same weights, same numbers as scikit-learn


def test_probabilities_and_free_energy_are_scikit_learns():
    rbm = machine(5, 9)
    other = peer(rbm)
    for rows in (binary(1, 20, 9), np.random.default_rng(1).random((20, 9))):
        np.testing.assert_allclose(rbm.transform(rows), other.transform(rows), atol=1e-5)
        np.testing.assert_allclose(rbm.free_energy(rows), other._free_energy(rows), atol=1e-5)
        np.testing.assert_array_equal(rbm(rows).numpy(), rbm.transform(rows))
    assert rbm.transform(rows).shape == (20, 5)


def test_pseudo_likelihood_is_scikit_learns_of_some_pixel():
    class EachPixel(np.random.RandomState):
        def randint(self, low, high, size):
            return np.tile(np.arange(high), size // high)

    rbm = machine(5, 9)
    rows = np.concatenate([binary(1, 300, 9), np.random.default_rng(1).random((300, 9))])
    rows = rows.astype(np.float32)
    table = peer(rbm, EachPixel(0)).score_samples(np.repeat(rows, 9, axis=0)).reshape(600, 9)
    scores = rbm.score_samples(rows)
    distances = np.abs(table - scores[:, None])
    assert scores.shape == (600,) and distances.min(1).max() < 1e-4
    np.testing.assert_allclose(scores, table[np.arange(600), distances.argmin(1)], rtol=1e-5)
    chosen = np.bincount(distances.argmin(1), minlength=9)
    assert chosen.min() > 40 and chosen.max() < 95, "each pixel about 67 times"
    np.testing.assert_array_equal(rbm.score_samples(rows), scores)  # random_state is a number


def test_updates_are_scikit_learns():
    parameters, rows = normal(2, (4, 6), 4, 6), np.random.default_rng(3).random((40, 6))
    rows = rows.astype(np.float32)
    mine, other = learner(parameters, 10), Peer(4, learning_rate=0.1)
    other.components_, other.intercept_hidden_, other.intercept_visible_ = (
        value.astype(float) for value in parameters
    )
    other.h_samples_ = np.zeros((10, 4))
    numbers, replay = Numbers(4), Replay(Numbers(4))
    for batch in np.split(rows, 4) * 3:
        mine.update(tf.constant(batch), numbers, **PLAIN, plain=True)
        other._fit(batch.astype(float), replay)
        assert_same(mine.parameters, [
            other.components_, other.intercept_hidden_, other.intercept_visible_
        ])
        np.testing.assert_array_equal(mine.chains.numpy(), other.h_samples_)
    assert np.abs(mine.parameters[0].numpy() - parameters[0]).max() > 0.1


def test_fit_is_scikit_learns(monkeypatch):
    monkeypatch.setattr(contrastive, "Uniforms", SameNumbers)
    monkeypatch.setattr(Peer, "score_samples", lambda self, X: np.zeros(len(X)))
    rows = binary(0, 40, 6)
    replay = Replay(SameNumbers())
    replay.seed(7)
    other = Peer(4, learning_rate=0.2, n_iter=3, random_state=replay).fit(rows)
    rbm = BernoulliRBM(4, learning_rate=0.2, n_iter=3, random_state=7).fit(rows)
    assert_same(rbm.get_weights(), [
        other.components_, other.intercept_hidden_, other.intercept_visible_
    ])
    np.testing.assert_array_equal(rbm.h_samples_, other.h_samples_)
    assert_same(
        [rbm.components_, rbm.intercept_hidden_, rbm.intercept_visible_], rbm.get_weights(), 0
    )


def test_initial_weights_are_scikit_learns():
    rows = binary(0, 10, 6)
    mine, other = (
        kind(4, learning_rate=1e-20, random_state=3) for kind in (BernoulliRBM, Peer)
    )
    mine.partial_fit(rows)
    other.partial_fit(rows)
    np.testing.assert_allclose(mine.components_, other.components_, atol=1e-8)
    np.testing.assert_allclose(mine.intercept_hidden_, 0, atol=1e-15)
    np.testing.assert_allclose(mine.intercept_visible_, 0, atol=1e-15)


# Updates against NumPy


@pytest.mark.parametrize(
    "options",
    [
        {"persistent": False},
        {"persistent": False, "gibbs_steps": 3},
        {"gibbs_steps": 4},
        {"momentum": 0.7},
        {"weight_decay": 0.3},
        {"momentum": 0.5, "weight_decay": 0.1, "persistent": False},
        {"centering": True},
        {"centering": True, "persistent": False, "gibbs_steps": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("factors", [(1, 1), (2, 1), (1, 2)], ids=str)
def test_updates_are_their_formulas(options, factors):
    options = PLAIN | options
    parameters, rows = normal(5, (4, 6), 4, 6), np.random.default_rng(6).random((35, 6))
    factors = dict(zip(("bottom_up", "top_down"), factors))
    mine, other = learner(parameters, 8, **factors), Reference(parameters, 8, **factors)
    numbers, replay = Numbers(7), Numbers(7)
    mine.pixel_offset.assign(rows.mean(0))
    other.pixel_offset, other.unit_offset = rows.mean(0), np.full(4, 0.5)
    for batch in np.split(rows, 5):  # of another size than the chains have
        mine.update(tf.constant(batch, tf.float32), numbers, **options)
        other.update(batch.astype(np.float32), replay, **options)
    assert_same(mine.parameters, other.parameters)
    np.testing.assert_array_equal(mine.chains.numpy(), other.chains)


def test_without_momentum_and_decay_the_short_update_is_the_same():
    results = []
    for plain in (True, False):
        mine, numbers = learner(normal(5, (4, 6), 4, 6), 8), Numbers(1)
        for _ in range(3):
            mine.update(tf.constant(binary(2, 8, 6)), numbers, **PLAIN, plain=plain)
        results.append([value.numpy() for value in mine.parameters])
    assert_same(*results, atol=1e-7)


def test_centring_with_offsets_of_zero_is_the_plain_gradient(monkeypatch):
    monkeypatch.setattr(boltzmann, "OFFSET_RATE", 0.0)
    results = []
    for centering in (False, True):
        mine = learner(normal(5, (4, 6), 4, 6), 8)  # the offset of the pixels is zero
        mine._unit_offset.assign(np.zeros(4))
        mine.update(tf.constant(binary(2, 8, 6)), Numbers(1), **PLAIN | {"centering": centering})
        results.append([value.numpy() for value in mine.parameters])
    assert_same(*results, atol=1e-6)


def test_a_pass_takes_every_row_once_also_of_a_smaller_last_batch(monkeypatch):
    monkeypatch.setattr(contrastive, "Uniforms", SameNumbers)
    rows, parameters = np.random.default_rng(1).random((23, 6)), normal(5, (4, 6), 4, 6)
    mine, other = learner(parameters, 5), Reference(parameters, 5)
    mine.pass_over(tf.constant(rows, tf.float32), tf.constant([1, 2]), batch_size=5, shuffle=False,
                   **PLAIN)
    for start in range(0, 23, 5):
        other.update(rows[start : start + 5], SameNumbers(), **PLAIN)
    assert_same(mine.parameters, other.parameters)


def test_shuffled_rows_are_the_same_rows_in_another_order():
    # Pixels that the machine never draws: their biases gain a row's share, 1/2, once each.
    quiet = [np.zeros((3, 6), np.float32), np.zeros(3, np.float32), np.full(6, -100, np.float32)]
    mine = learner(quiet, 2)
    for number, seed in enumerate((1, 2), start=1):
        mine.pass_over(tf.eye(6), tf.constant([seed, 0]), batch_size=2, shuffle=True,
                       **PLAIN | {"learning_rate": 1.0})
        np.testing.assert_allclose(mine.parameters[2].numpy(), -100 + 0.5 * number, atol=1e-4)
    rows, results = binary(0, 20, 6), []
    for seed, shuffle in ((1, False), (1, True), (2, True)):
        mine = learner(normal(5, (4, 6), 4, 6), 1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(contrastive, "Uniforms", SameNumbers)
            mine.pass_over(tf.constant(rows), tf.constant([seed, 0]), batch_size=1,
                           shuffle=shuffle, **PLAIN)
        results.append(mine.parameters[0].numpy())
    assert np.abs(results[0] - results[1]).max() > 1e-4
    assert np.abs(results[2] - results[1]).max() > 1e-4


def test_binarized_pixels_are_drawn_by_their_value():
    quiet = [np.zeros((3, 2), np.float32), np.zeros(3, np.float32), np.full(2, -100, np.float32)]
    changes = []
    for binarize in (True, False):
        mine = learner(quiet, 1)
        rows = tf.tile([[0.3, 0.8]], [5000, 1])
        mine.pass_over(rows, tf.constant([0, 0]), batch_size=5000, shuffle=False,
                       **PLAIN | {"learning_rate": 1.0, "binarize": binarize})
        changes.append(mine.parameters[2].numpy() + 100)
    np.testing.assert_allclose(changes, [[0.3, 0.8]] * 2, atol=0.03)
    assert np.abs(changes[0] - [0.3, 0.8]).max() > 1e-4, "by chance, not exactly"


def test_no_random_number_is_used_twice(monkeypatch):
    seen = []

    class Recorder(boltzmann.Uniforms):
        def __call__(self, shape):
            numbers = super().__call__(shape)
            seen.append(tuple(numbers.numpy().ravel()[:5]))
            return numbers

    monkeypatch.setattr(contrastive, "Uniforms", Recorder)
    for persistent in (True, False):
        seen.clear()
        learner(normal(5, (6, 6), 6, 6), 5).pass_over(
            tf.constant(binary(0, 23, 6)), tf.constant([11, 12]), batch_size=5, shuffle=True,
            **PLAIN | {"gibbs_steps": 2, "binarize": True, "persistent": persistent}
        )
        assert len(seen) == 5 * (5 if persistent else 6) and len(set(seen)) == len(seen)


# Exact, by enumeration


def test_free_energy_is_the_sum_over_hidden_states():
    rbm = machine(4, 6, scale=1.5)
    v, h = states(6), states(4)
    energies = (-(v @ rbm.intercept_visible_)[:, None] - h @ rbm.intercept_hidden_
                - v @ rbm.components_.T @ h.T)
    expected = -logsumexp(-energies, axis=1)
    np.testing.assert_allclose(rbm.free_energy(v), expected, rtol=1e-5, atol=1e-5)
    likelihood = rbm.log_likelihood(v)
    assert np.exp(likelihood).sum() == pytest.approx(1, abs=1e-5)
    table = joint(*rbm.get_weights())
    np.testing.assert_allclose(likelihood, np.log(table.sum(1)), atol=1e-4)


@pytest.mark.parametrize("units, pixels", [(3, 5), (5, 3)])
def test_gradient_of_the_likelihood(units, pixels):
    rbm = machine(units, pixels, seed=1)
    rows, parameters = binary(2, 7, pixels), rbm.get_weights()
    expected = exact_gradient(parameters, histogram(rows))
    for index, gradient in enumerate(expected):
        for place in np.ndindex(gradient.shape):
            values = []
            for change in (0.02, -0.02):
                moved = [value.copy() for value in parameters]
                moved[index][place] += change
                rbm.set_weights(moved)
                values.append(rbm.log_likelihood(rows).mean())
            slope = (values[0] - values[1]) / 0.04
            assert slope == pytest.approx(gradient[place], abs=1e-3)


def chains_at_equilibrium(parameters, number):
    table = joint(*parameters).sum(0)
    chosen = np.random.default_rng(0).choice(len(table), number, p=table)
    return states(len(parameters[1]))[chosen].astype(np.float32)


def test_an_update_at_equilibrium_expects_the_gradient():
    parameters, rows = normal(1, (3, 5), 3, 5), binary(2, 7, 5)
    mine = learner(parameters, 40_000)
    mine.chains.assign(chains_at_equilibrium(parameters, 40_000))
    mine.update(tf.constant(rows), Numbers(0), **PLAIN | {"learning_rate": 1.0})
    changes = [new.numpy() - old for new, old in zip(mine.parameters, parameters)]
    assert_same(changes, exact_gradient(parameters, histogram(rows)), atol=0.012)


def test_persistent_chains_find_the_gradient(traced):
    # From zeros, far from what the machine does: only chains that go on get there.
    parameters, rows = normal(1, (3, 5), 3, 5, scale=1.5), binary(2, 7, 5)
    mine, rate = learner(parameters, 2000), 1e-3
    graph = tf.function(lambda seed: mine.update(
        tf.constant(rows), boltzmann.Uniforms(seed), **PLAIN | {"learning_rate": rate}
    ))
    for index in range(250):
        if index == 50:
            for variable, value in zip(mine.parameters, parameters):
                variable.assign(value)
        graph(tf.constant([index, 0]))
    changes = [
        (new.numpy() - old) / (200 * rate) for new, old in zip(mine.parameters, parameters)
    ]
    # The gradient changes by a few percent on the way.
    assert_same(changes, exact_gradient(parameters, histogram(rows)), atol=0.04)


def test_the_centred_gradient_ascends():
    parameters, rows = normal(1, (3, 5), 3, 5), binary(2, 7, 5)
    mine = learner(parameters, 40_000)
    mine.pixel_offset.assign(rows.mean(0))
    mine.chains.assign(chains_at_equilibrium(parameters, 40_000))
    mine.update(
        tf.constant(rows), Numbers(0), **PLAIN | {"learning_rate": 0.01, "centering": True}
    )
    steps = [(new.numpy() - old) / 0.01 for new, old in zip(mine.parameters, parameters)]
    gradient = exact_gradient(parameters, histogram(rows))
    assert sum(np.sum(step * slope) for step, slope in zip(steps, gradient)) > 0.05
    weights, hidden, visible = gradient
    pixel_offset = rows.mean(0)
    unit_offset = 0.99 * 0.5 + 0.01 * expit(rows @ parameters[0].T + parameters[1]).mean(0)
    weights = weights - np.outer(hidden, pixel_offset) - np.outer(unit_offset, visible)
    expected = weights, hidden - weights @ pixel_offset, visible - unit_offset @ weights
    assert_same(steps, expected, atol=0.015)
    assert np.abs(gradient[2] - expected[2]).max() > 0.05, "another direction than the plain one"


@pytest.mark.parametrize(
    "settings",
    [{"method": "cd", "gibbs_steps": 2}, {"centering": True},
     {"momentum": 0.5, "weight_decay": 1e-4, "shuffle": True}],
    ids=str,
)
def test_training_raises_the_likelihood(settings, traced):
    # Bars and stripes of 3 by 3 pixels: 14 images, at best a likelihood of -log 14 each.
    bars = [np.repeat(state, 3) for state in states(3)]
    stripes = [np.tile(state, 3) for state in states(3)[1:-1]]
    images = np.tile(bars + stripes, (20, 1))
    # Slowly: 14 chains that do not mix as fast as the weights grow would spoil it.
    rbm = BernoulliRBM(8, 0.03, batch_size=14, n_iter=1, random_state=0, **settings).fit(images)
    before = rbm.log_likelihood(images).mean()
    assert before == pytest.approx(-9 * np.log(2), abs=0.3)
    rbm.set_params(n_iter=250).fit(images)
    assert rbm.log_likelihood(images).mean() > -5.4
    assert rbm.pseudo_likelihood_[-1] > rbm.pseudo_likelihood_[0]


# Chains


def test_one_gibbs_step():
    rbm = machine(3, 4, scale=1.5)
    start = np.array([1, 0, 0, 1])
    table = joint(*rbm.get_weights())
    hidden = table[9] / table[9].sum()
    expected = (table / table.sum(0)) @ hidden
    found = rbm.gibbs(np.tile(start, (30_000, 1)))
    assert found.dtype == bool
    np.testing.assert_allclose(histogram(found), expected, atol=0.015)
    assert (rbm.gibbs(binary(0, 50, 4)) != rbm.gibbs(binary(0, 50, 4))).any()
    free = rbm.reconstruct(np.tile(start, (30_000, 1)))
    np.testing.assert_allclose(histogram(free), expected, atol=0.015)
    means = rbm.reconstruct(np.tile(start, (30_000, 1)), probabilities=True)
    np.testing.assert_allclose(means.mean(0), expected @ states(4), atol=0.01)
    assert np.unique(means.round(5), axis=0).shape[0] == 8, "one for each hidden state"


def test_samples_follow_the_machine():
    rbm = machine(3, 5, scale=1.2)
    table = joint(*rbm.get_weights()).sum(1)
    found = rbm.sample(30_000, steps=60)
    assert found.shape == (30_000, 5) and set(np.unique(found)) == {0, 1}
    np.testing.assert_allclose(histogram(found), table, atol=0.015)
    means = rbm.sample(30_000, steps=60, probabilities=True)
    np.testing.assert_allclose(means.mean(0), table @ states(5), atol=0.015)


def test_clamped_chains_sample_the_other_pixels():
    rbm = machine(3, 5, scale=1.2)
    known = np.array([True, False, True, False, False])
    start = np.array([1.0, 0, 0, 1, 1])
    table = joint(*rbm.get_weights()).sum(1)
    fits = (states(5)[:, known] == start[known]).all(1)
    expected = np.where(fits, table, 0) / table[fits].sum()
    rows = np.tile(start, (30_000, 1))
    for mask in (known, np.tile(known, (30_000, 1))):
        found = rbm.reconstruct(rows, mask, steps=60)
        np.testing.assert_allclose(histogram(found), expected, atol=0.015)
    means = rbm.reconstruct(rows, known, steps=60, probabilities=True)
    np.testing.assert_array_equal(means[:, known], rows[:, known])
    np.testing.assert_allclose(means.mean(0), expected @ states(5), atol=0.015)


def test_known_pixels_stay_each_images_own():
    rbm, rows = machine(4, 6), np.random.default_rng(0).random((30, 6)).astype(np.float32)
    known = np.random.default_rng(1).random((30, 6)) < 0.5
    for probabilities in (False, True):
        found = rbm.reconstruct(rows, known, steps=5, probabilities=probabilities)
        np.testing.assert_array_equal(found[known], rows[known])
        assert (found[~known] != rows[~known]).all()
    assert set(np.unique(rbm.reconstruct(rows, steps=2))) == {0, 1}
    np.testing.assert_array_equal(rbm.reconstruct(rows, np.ones(6, bool), 3), rows)


# The estimator


def test_random_state_decides():
    rows = binary(0, 30, 6)
    one, same, other = (
        BernoulliRBM(4, n_iter=3, random_state=seed).fit(rows) for seed in (1, 1, 2)
    )
    assert_same(one.get_weights(), same.get_weights(), 0)
    assert one.pseudo_likelihood_ == same.pseudo_likelihood_
    np.testing.assert_array_equal(one.sample(20, 3), same.sample(20, 3))
    assert np.abs(one.components_ - other.components_).max() > 1e-3
    one.fit(rows)  # anew: nothing of the first fit remains, but a chain's steps
    assert_same(one.get_weights(), same.get_weights(), 0)
    generator = np.random.RandomState(1)
    assert_same(
        BernoulliRBM(4, n_iter=3, random_state=generator).fit(rows).get_weights(),
        same.get_weights(), 0,
    )


def test_warm_start_goes_on():
    rows = binary(0, 30, 6)
    rbm = BernoulliRBM(4, n_iter=2, random_state=0, warm_start=True).fit(rows)
    before = rbm.components_
    rbm.set_params(learning_rate=1e-20, n_iter=3).fit(rows)
    np.testing.assert_array_equal(rbm.components_, before)
    assert len(rbm.pseudo_likelihood_) == 5
    whole = BernoulliRBM(4, n_iter=4, random_state=0).fit(rows)
    halves = BernoulliRBM(4, n_iter=2, random_state=0, warm_start=True).fit(rows).fit(rows)
    assert_same(halves.get_weights(), whole.get_weights(), 0)
    with pytest.raises(ValueError, match="X has 5 features, but BernoulliRBM is expecting 6"):
        rbm.fit(rows[:, :5])
    whole.set_params(n_iter=1).fit(rows)
    assert len(whole.pseudo_likelihood_) == 1


def test_fit_of_another_size_makes_another_machine():
    rows = binary(0, 30, 6)
    rbm = BernoulliRBM(4, n_iter=2, random_state=0).fit(rows)
    for settings, width in (
        ({}, 5), ({"n_components": 3}, 5), ({"batch_size": 6}, 5), ({"batch_size": 7}, 6)
    ):
        rbm.set_params(**settings).fit(rows[:, :width])
        expected = clone(rbm).fit(rows[:, :width])
        assert_same(rbm.get_weights(), expected.get_weights(), 0)
        assert rbm.count_params() == expected.count_params() and rbm.n_features_in_ == width
        np.testing.assert_array_equal(rbm.h_samples_, expected.h_samples_)


def test_partial_fit_updates_once():
    rows = binary(0, 10, 6)
    rbm = BernoulliRBM(4, random_state=0)
    assert rbm.partial_fit(rows) is rbm and rbm.pseudo_likelihood_ == []
    first, chains = rbm.components_, rbm.h_samples_
    rbm.partial_fit(rows)
    assert np.abs(rbm.components_ - first).max() > 0 and (rbm.h_samples_ != chains).any()
    with pytest.raises(ValueError, match="X has 5 features, but BernoulliRBM is expecting 6"):
        rbm.partial_fit(rows[:, :5])


def test_pseudo_likelihood_of_training_is_the_mean_score(capsys):
    rows = binary(0, 400, 6)
    rbm = BernoulliRBM(4, 0.5, n_iter=2, random_state=0, verbose=1).fit(rows)
    assert rbm.pseudo_likelihood_[-1] == pytest.approx(rbm.score_samples(rows).mean(), abs=0.2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"iteration 2: pseudo-likelihood {rbm.pseudo_likelihood_[1]:.2f}"
    assert len(lines) == 2


def test_parameters_of_the_published_machine():
    rbm = BernoulliRBM()
    rbm.build((None, 784))
    assert rbm.count_params() == 157_784
    assert rbm.components_.shape == (200, 784)


def test_scikit_learn_clones_and_prints_it():
    rbm = BernoulliRBM(7, 0.05, centering=True)
    assert repr(rbm) == "BernoulliRBM(centering=True, learning_rate=0.05, n_components=7)"
    copy = clone(rbm)
    assert copy is not rbm and copy.get_params() == rbm.get_params()
    assert copy.set_params(n_components=3, momentum=0.5).n_components == 3
    assert set(Peer().get_params()) <= set(rbm.get_params())
    defaults = {name: BernoulliRBM().get_params()[name] for name in ("n_iter", "batch_size")}
    assert defaults == {"n_iter": 30, "batch_size": 10}


def test_pipeline_with_logistic_regression(traced):
    digits = load_digits()
    x, labels = digits.data / 16, digits.target
    scores = []
    for kind in (Peer, BernoulliRBM):
        model = make_pipeline(
            kind(64, learning_rate=0.05, n_iter=20, random_state=0),
            LogisticRegression(max_iter=1000),
        )
        scores.append(model.fit(x[:1300], labels[:1300]).score(x[1300:], labels[1300:]))
    assert scores[1] > max(0.8, scores[0] - 0.03)
    rbm = clone(model[0])
    np.testing.assert_allclose(rbm.fit_transform(x[:1300]), model[0].transform(x[:1300]))


def test_saved_weights_of_another_shape_are_refused(tmp_path):
    machine(4, 6).save_weights(tmp_path / "rbm.weights.h5")
    with pytest.raises(ValueError, match="(?i)shape"):
        machine(4, 5).load_weights(tmp_path / "rbm.weights.h5")


@pytest.mark.parametrize(
    "method", ["transform", "gibbs", "score_samples", "free_energy", "log_likelihood",
               "reconstruct"]
)
def test_nothing_before_fit(method):
    with pytest.raises(NotFittedError, match="BernoulliRBM instance is not fitted yet"):
        getattr(BernoulliRBM(3), method)(binary(0, 5, 6))
    with pytest.raises(NotFittedError):
        BernoulliRBM(3).sample(2)
    for name in ("components_", "intercept_hidden_", "intercept_visible_", "h_samples_"):
        assert not hasattr(BernoulliRBM(3), name)


ROWS = binary(0, 12, 6)


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: BernoulliRBM(3).fit(ROWS * 255), r"pixels must lie in [0, 1], found 0 to 255"),
        (lambda: machine().transform(ROWS - 0.5), r"in [0, 1], found -0.5 to 0.5"),
        (lambda: BernoulliRBM(3).fit(ROWS * np.nan), "X contains NaN"),
        (lambda: machine().score_samples(ROWS * np.nan), "X contains NaN"),
        (lambda: BernoulliRBM(3).fit(ROWS[0]), "Expected 2D array, got 1D array instead"),
        (lambda: machine().sample(0), "0 sample(s)"),
        (lambda: machine().transform(ROWS[:, :4]),
         "X has 4 features, but BernoulliRBM is expecting 6 features as input"),
        (lambda: machine().gibbs(ROWS[:, :4]), "X has 4 features"),
        (lambda: machine().reconstruct(ROWS[:, :4]), "X has 4 features"),
        (lambda: machine().reconstruct(ROWS, steps=0), "at least one step, got 0"),
        (lambda: machine().reconstruct(ROWS, np.ones(4, bool)), "broadcast"),
        (lambda: BernoulliRBM(0).fit(ROWS), "n_components must be positive, got 0"),
        (lambda: BernoulliRBM(3, 0).fit(ROWS), "learning_rate must be positive, got 0"),
        (lambda: BernoulliRBM(3, np.nan).fit(ROWS), "learning_rate must be positive, got nan"),
        (lambda: BernoulliRBM(3, batch_size=-1).partial_fit(ROWS), "batch_size must be positive"),
        (lambda: BernoulliRBM(3, gibbs_steps=0).fit(ROWS), "gibbs_steps must be positive, got 0"),
        (lambda: BernoulliRBM(3, momentum=1).fit(ROWS), "momentum must lie in [0, 1)"),
        (lambda: BernoulliRBM(3, weight_decay=-1).fit(ROWS), "weight_decay be at least 0"),
        (lambda: BernoulliRBM(3, method="ml").fit(ROWS), "must be \"pcd\" or \"cd\", got 'ml'"),
        (lambda: machine(23, 24).log_likelihood(np.zeros((1, 24))), "23 units have too many"),
    ],
)
def test_errors(act, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        act()


def test_a_failed_fit_leaves_no_machine():
    rbm = BernoulliRBM(3, batch_size=0)
    for rows in (ROWS, ROWS * 2):
        with pytest.raises(ValueError):
            rbm.fit(rows)
    assert not rbm.built
    with pytest.raises(NotFittedError):
        rbm.transform(ROWS)


def test_keras_predicts_and_pickles_like_transform():
    rbm = BernoulliRBM(4, n_iter=1, random_state=0).fit(ROWS)
    np.testing.assert_allclose(rbm.predict(ROWS, verbose=0), rbm.transform(ROWS), atol=1e-6)
    other = pickle.loads(pickle.dumps(rbm))
    np.testing.assert_array_equal(other.transform(ROWS), rbm.transform(ROWS))
