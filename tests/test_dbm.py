"""The deep Boltzmann machine, against NumPy and enumeration of tiny ones."""

import re

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, logsumexp
from test_rbm import PLAIN, Reference, SameNumbers, assert_same, binary, histogram, normal, states

from ann_keras.evaluation import ais
from ann_keras.models import boltzmann, contrastive, variational
from ann_keras.models.dbm import DBM
from ann_keras.models.variational import JointLearner

pytestmark = pytest.mark.usefixtures("untraced")

SIZES = 5, 4, 3
JOINT = {"learning_rate": 1.0, "momentum": 0.0, "weight_decay": 0.0, "mean_field_updates": 100,
         "gibbs_steps": 1, "max_norm": np.inf, "centering": False}


def random_parameters(seed=0, scale=1.0, sizes=SIZES):
    v, first, second = sizes
    return normal(seed, (v, first), (first, second), *sizes, scale=scale)


def machine(seed=0, scale=1.0, sizes=SIZES, **options):
    dbm = DBM(sizes, **options)
    dbm.set_weights(random_parameters(seed, scale, sizes))
    return dbm


def log_joint(parameters):
    """−E of all states, array (2^v, 2^h₁, 2^h₂), each in the order of ``states``."""
    first, second, *biases = (np.asarray(value, float) for value in parameters)
    v, h, top = (states(len(bias)) for bias in biases)
    below = (v @ biases[0])[:, None] + h @ biases[1] + v @ first @ h.T
    above = top @ biases[2] + h @ second @ top.T
    return below[:, :, None] + above[None]


def joint(parameters):
    logs = log_joint(parameters)
    return np.exp(logs - logsumexp(logs))


def particles(parameters, number):
    """Exact samples of v and h₂, float32."""
    table = joint(parameters)
    chosen = np.random.default_rng(0).choice(table.size, number, p=table.ravel())
    v, _, top = np.unravel_index(chosen, table.shape)
    sizes = [len(bias) for bias in parameters[2:]]
    return [tf.constant(states(size)[index], tf.float32)
            for size, index in ((sizes[0], v), (sizes[2], top))]


def moments(parameters):
    """⟨v h₁ᵀ⟩, ⟨h₁ h₂ᵀ⟩, ⟨v⟩, ⟨h₁⟩ and ⟨h₂⟩ of the machine."""
    table = joint(parameters)
    v, h, top = (states(len(bias)) for bias in parameters[2:])
    return [v.T @ table.sum(2) @ h, h.T @ table.sum(0) @ top, table.sum((1, 2)) @ v,
            table.sum((0, 2)) @ h, table.sum((0, 1)) @ top]


def averages(v, hidden, top):
    number = len(v)
    return [v.T @ hidden / number, hidden.T @ top / number, v.mean(0), hidden.mean(0), top.mean(0)]


def fixed_point(parameters, v, updates=300):
    """Mean field in NumPy."""
    first, second, _, bias, top_bias = (np.asarray(value, float) for value in parameters)
    hidden = expit(2 * v @ first + bias)
    top = expit(hidden @ second + top_bias)
    for _ in range(updates):
        hidden = expit(v @ first + top @ second.T + bias)
        top = expit(hidden @ second + top_bias)
    return hidden, top


def joint_learner(parameters, number=None, offset=None):
    """A ``JointLearner`` with exact particles, or from zeros."""
    sizes = [len(bias) for bias in parameters[2:]]
    chains = [tf.zeros((50, sizes[0])), tf.zeros((50, sizes[2]))]
    if number:
        chains = particles(parameters, number)
    offset = np.full(sizes[0], 0.5) if offset is None else offset
    variables = [tf.Variable(value) for value in parameters]
    return JointLearner(variables, *chains, tf.constant(offset, tf.float32))


def changes(learner, parameters):
    return [new.numpy() - old for new, old in zip(learner.parameters, parameters, strict=True)]


# Mean field and the bound


def test_parameters_of_the_published_machine():
    dbm = DBM()
    assert dbm.count_params() == 928_016
    assert [kernel.shape for kernel in dbm.kernels] == [(784, 512), (512, 1024)]
    assert dbm.kernels[0].std() == pytest.approx(0.01, rel=0.01)
    assert not any(bias.any() for bias in dbm.biases)


def test_mean_field_is_a_fixed_point():
    dbm, rows = machine(), binary(0, 20, 5)
    first, second = dbm.kernels
    hidden, top = dbm.mean_field(rows, updates=300, tolerance=0)
    more = dbm.mean_field(rows, updates=301, tolerance=0)
    assert max(np.abs(a - b).max() for a, b in zip((hidden, top), more)) < 1e-5
    _, bias, top_bias = dbm.biases
    np.testing.assert_allclose(hidden, expit(rows @ first + top @ second.T + bias), atol=1e-5)
    np.testing.assert_allclose(top, expit(hidden @ second + top_bias), atol=1e-5)
    assert_same((hidden, top), fixed_point(dbm.get_weights(), rows))


@pytest.mark.parametrize("updates", [0, 1, 3])
def test_mean_field_updates_are_their_formulas(updates):
    dbm, rows = machine(), np.random.default_rng(0).random((20, 5)).astype(np.float32)
    assert_same(
        dbm.mean_field(rows, updates, 0), fixed_point(dbm.get_weights(), rows, updates), 1e-6
    )


def test_mean_field_stops_within_the_tolerance():
    dbm, rows = machine(scale=2.0), binary(0, 20, 5)
    steps = [dbm.mean_field(rows, updates, 0) for updates in range(30)]
    sizes = [max(np.abs(a - b).max() for a, b in zip(*pair)) for pair in zip(steps, steps[1:])]
    assert sizes[0] > 0.1
    for tolerance in (0.1, 0.01):
        stop = next(index for index, size in enumerate(sizes) if size <= tolerance) + 1
        assert_same(dbm.mean_field(rows, 30, tolerance), steps[stop], 1e-7)
        assert sizes[stop - 1] > 1e-5, "not yet at rest"


def test_features_are_ten_mean_field_updates():
    dbm, rows = machine(), binary(0, 20, 5)
    expected = dbm.mean_field(rows, 10, 0)[1]
    np.testing.assert_allclose(dbm(rows).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(dbm.predict(rows, verbose=0), expected, atol=1e-6)


def test_bound_is_its_definition():
    dbm, rows = machine(), states(5)
    logs = log_joint(dbm.get_weights())
    h, top = states(4), states(3)
    for updates in (0, 2, 50):
        means = dbm.mean_field(rows, updates, 0)
        first, second = (
            np.exp(np.log(m) @ s.T + np.log(1 - m) @ (1 - s).T)
            for m, s in zip((m.astype(float) for m in means), (h, top))
        )
        guess = first[:, :, None] * second[:, None]
        expected = (guess * (logs - np.log(guess))).sum((1, 2)) - logsumexp(logs)
        found = dbm.bound(rows, logsumexp(logs), updates=updates, tolerance=0)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_no_update_lowers_the_bound():
    dbm, rows = machine(scale=1.5), states(5)
    bounds = np.array([dbm.bound(rows, 0, updates, 0) for updates in range(12)])
    assert np.diff(bounds, axis=0).min() > -1e-5
    assert (bounds[-1] - bounds[0]).max() > 0.01


@pytest.mark.parametrize("scale, gap", [(0.1, 0.003), (0.5, 0.2), (2.0, 10)])
def test_bound_lies_below_the_exact_likelihood(scale, gap):
    dbm = machine(scale=scale)
    logs = log_joint(dbm.get_weights())
    exact = logsumexp(logs, axis=(1, 2)) - logsumexp(logs)
    total = ais.of_dbm(dbm, np.full(5, 0.5))
    total = boltzmann.log_partition(total.weights, total.x_bias, total.y_bias)
    bound = dbm.bound(states(5), total, updates=300, tolerance=0)
    assert bound.shape == (32,) and bound.dtype == float
    assert (bound <= exact + 1e-5).all() and (exact - bound).max() < gap
    assert scale < 1 or (exact - bound).max() > 0.01


# Chains


def test_samples_follow_the_machine():
    dbm = machine()
    table = joint(dbm.get_weights()).sum((1, 2))
    found = dbm.sample(30_000, 60)
    assert found.shape == (30_000, 5) and set(np.unique(found)) == {0, 1}
    np.testing.assert_allclose(histogram(found), table, atol=0.015)
    means = dbm.sample(30_000, 60, probabilities=True)
    assert means.min() > 0 and means.max() < 1 and len(np.unique(means.round(5))) > 16
    np.testing.assert_allclose(means.mean(0), table @ states(5), atol=0.015)


def test_all_layers_of_the_chains_follow_the_machine():
    parameters = random_parameters()
    v, top = particles(parameters, 30_000)
    for start in ((v, top), (tf.zeros_like(v), tf.zeros_like(top))):
        found = variational.gibbs(parameters, *start, tf.constant(60), tf.constant([1, 2]))
        v, hidden, top, _ = (values.numpy() for values in found)
        assert_same(averages(v, hidden, top), moments(parameters), atol=0.015)
        np.testing.assert_allclose(
            histogram(np.concatenate([v, hidden, top], 1)), joint(parameters).ravel(), atol=0.01
        )


def test_one_step_from_images():
    dbm = machine()
    first, second = (kernel.astype(float) for kernel in dbm.kernels)
    visible_bias, bias, _ = dbm.biases
    start = np.array([[1.0, 0, 1, 1, 0]])
    chance = expit(start @ first + dbm.mean_field(start)[1] @ second.T + bias)[0]
    h = states(4)
    hidden = np.prod(np.where(h == 1, chance, 1 - chance), axis=1)
    means = expit(h @ first.T + visible_bias)
    expected = [
        hidden @ np.prod(np.where(state == 1, means, 1 - means), axis=1) for state in states(5)
    ]
    rows = np.tile(start, (30_000, 1))
    np.testing.assert_allclose(histogram(dbm.sample(rows, 1)), expected, atol=0.015)
    found = dbm.sample(rows, 1, probabilities=True)
    np.testing.assert_allclose(found.mean(0), hidden @ means, atol=0.015)
    assert len(np.unique(found.round(5), axis=0)) == 16, "one for each state of the layer above"


def test_filters():
    dbm = machine()
    first, second = dbm.kernels
    assert dbm.filters(1).shape == (4, 5) and dbm.filters(2).shape == (3, 5)
    np.testing.assert_array_equal(dbm.filters(1)[2], first[:, 2])
    expected = sum(second[unit, 1] * first[:, unit] for unit in range(4))
    np.testing.assert_allclose(dbm.filters(2)[1], expected, rtol=1e-5)


# Joint training


def test_an_update_expects_the_bounds_gradient():
    parameters, rows = random_parameters(), binary(2, 7, 5)
    learner = joint_learner(parameters, 40_000)
    learner.update(tf.constant(rows), tf.constant([1, 2]), **JOINT)
    data = averages(rows, *fixed_point(parameters, rows, 100))
    expected = [mine - theirs for mine, theirs in zip(data, moments(parameters))]
    assert_same(changes(learner, parameters), expected, atol=0.012)


def test_the_expected_update_is_the_slope_of_the_bound():
    parameters, rows = random_parameters(scale=0.7), binary(2, 7, 5)
    data = averages(rows, *fixed_point(parameters, rows))
    gradient = [mine - theirs for mine, theirs in zip(data, moments(parameters))]
    dbm = DBM(SIZES)
    for index, slopes in enumerate(gradient):
        place = tuple(np.array(slopes.shape) - 1)
        bounds = []
        for change in (0.02, -0.02):
            moved = [value.copy() for value in parameters]
            moved[index][place] += change
            dbm.set_weights(moved)
            total = logsumexp(log_joint(moved))
            bounds.append(dbm.bound(rows, total, 300, 0).mean())
        assert (bounds[0] - bounds[1]) / 0.04 == pytest.approx(slopes[place], abs=1e-3)


def test_chains_persist(traced):
    # From zeros, far from what the machine does: only chains that go on get there.
    parameters = random_parameters(seed=1, scale=1.5)
    learner, rows = joint_learner(parameters, 3000), tf.constant(binary(2, 7, 5))
    for chain in learner.chains:
        chain.assign(tf.zeros_like(chain))
    graph = tf.function(lambda seed: learner.update(rows, seed, **JOINT | {"learning_rate": 0.0}))
    for index in range(150):
        graph(tf.constant([index, 8 * index]))
    v, top = (chain.numpy() for chain in learner.chains)
    expected = moments(parameters)
    np.testing.assert_allclose(v.mean(0), expected[2], atol=0.05)
    np.testing.assert_allclose(top.mean(0), expected[4], atol=0.05)
    assert_same(changes(learner, parameters), [0 * value for value in parameters], atol=0)


def test_the_centred_update():
    # Expanded: ⟨(x−μ)(y−ν)⟩ of the data minus the machine's, from the plain update's terms.
    parameters, rows = random_parameters(), binary(2, 7, 5)
    start = np.linspace(0.1, 0.9, 5)
    steps = []
    for centering in (False, True):
        learner = joint_learner(parameters, 50, start)
        learner.update(
            tf.constant(rows), tf.constant([1, 2]), **JOINT | {"centering": centering}
        )
        steps.append(changes(learner, parameters))
    means = rows.mean(0), *(m.mean(0) for m in fixed_point(parameters, rows, 100))
    below, middle, above = (
        0.99 * old + 0.01 * new for old, new in zip((start, 0.5, 0.5), means)
    )
    first, second, visible, hidden, top = steps[0]
    first = first - np.outer(below, hidden) - np.outer(visible, middle)
    second = second - np.outer(middle, top) - np.outer(hidden, above)
    expected = [
        first, second, visible - first @ middle, hidden - below @ first - second @ above,
        top - middle @ second,
    ]
    assert_same(steps[1], expected)
    assert np.abs(steps[1][0] - steps[0][0]).max() > 0.02


def test_momentum_and_decay():
    parameters, rows = random_parameters(), tf.constant(binary(2, 7, 5))
    steps = []
    for decay in (0.0, 0.3):
        learner = joint_learner(parameters, 50)
        learner.update(
            rows, tf.constant([1, 2]), **JOINT | {"weight_decay": decay, "learning_rate": 0.1}
        )
        steps.append(changes(learner, parameters))
    for index, (plain, decayed) in enumerate(zip(*steps)):
        expected = -0.03 * parameters[index] if index < 2 else 0 * plain
        np.testing.assert_allclose(decayed - plain, expected, atol=1e-6)
    learner.update(
        rows, tf.constant([3, 4]), **JOINT | {"momentum": 0.5, "learning_rate": 0.0}
    )
    assert_same(changes(learner, parameters), [1.5 * step for step in steps[1]], atol=1e-6)


def test_a_norm_is_cut_to_its_maximum():
    parameters, rows = random_parameters(), tf.constant(binary(2, 7, 5))
    parameters[0][:, 0], parameters[1][:, 1] = 0.01, 0.0
    results = []
    for limit in (np.inf, 1e9, 0.5):
        learner = joint_learner(parameters, 50)
        learner.update(
            rows, tf.constant([1, 2]),
            **JOINT | {"max_norm": tf.constant(limit, tf.float32), "learning_rate": 1e-3},
        )
        results.append([value.numpy() for value in learner.parameters])
    assert_same(results[0], results[1], atol=0)
    for free, cut in zip(results[0][:2], results[2]):
        norms = np.linalg.norm(free, axis=0)
        np.testing.assert_allclose(cut, free * np.minimum(1, 0.5 / norms), atol=1e-6)
        assert norms.min() < 0.5 < norms.max()
    assert_same(results[0][2:], results[2][2:], atol=0)
    silent = joint_learner([0 * value for value in parameters], 50)
    silent.update(rows, tf.constant([1, 2]), **JOINT | {"learning_rate": 0.0})
    assert all(np.isfinite(value.numpy()).all() for value in silent.parameters)


def test_fit_keeps_norms_and_takes_whole_numbers():
    dbm = machine(scale=2.0)
    assert dbm.fit(binary(0, 23, 5), batch_size=5, learning_rate=1, momentum=0, max_norm=1) is dbm
    for kernel in dbm.kernels:
        assert np.linalg.norm(kernel, axis=0).max() < 1 + 1e-5


def test_no_random_number_is_used_twice(monkeypatch):
    seen = []

    class Recorder(boltzmann.Uniforms):
        def __call__(self, shape):
            numbers = super().__call__(shape)
            seen.append(tuple(numbers.numpy().ravel()[:6]))
            return numbers

    monkeypatch.setattr(variational, "Uniforms", Recorder)
    learner = joint_learner(random_parameters(sizes=(6, 6, 6)), 5)
    learner.pass_over(
        tf.constant(binary(0, 23, 6)), tf.constant([11, 12]), batch_size=5,
        **JOINT | {"gibbs_steps": 3, "mean_field_updates": 1},
    )
    assert len(seen) == 5 * (1 + 3 * 3) and len(set(seen)) == len(seen)


def test_a_pass_takes_every_row_once_in_some_order():
    # Pixels that the machine never draws: their biases gain a row's share, 1/2, once each.
    quiet = [np.zeros_like(value) for value in random_parameters(sizes=(6, 3, 2))]
    quiet[2] -= 100
    dbm = DBM((6, 3, 2))
    dbm.set_weights(quiet)
    dbm.fit(np.eye(6), batch_size=2, learning_rate=1.0, gibbs_steps=1)
    np.testing.assert_allclose(dbm.biases[0], -99.5, atol=1e-4)
    dbm.fit(np.tile([[0.3] * 6], (4000, 1)), batch_size=4000, learning_rate=1.0, epochs=2)
    np.testing.assert_allclose(dbm.biases[0], -98.9, atol=0.05)
    assert len(np.unique(dbm.biases[0])) > 1, "drawn from the rows"


# Pre-training


@pytest.mark.parametrize("layer", [1, 2])
def test_pretraining_doubles_what_is_missing(layer, monkeypatch):
    monkeypatch.setattr(contrastive, "Uniforms", SameNumbers)
    dbm = machine(scale=0.8)
    before = dbm.get_weights()
    first, second, visible, bias, top = before
    rows = np.tile(np.random.default_rng(0).random((1, 5)), (30, 1)).astype(np.float32)
    if layer == 1:
        other, data = Reference((first.T, bias, visible), 1, bottom_up=2), rows
    else:
        other = Reference((second.T, top, bias), 1, top_down=2)
        data = expit(2 * rows @ first + bias)
    options = {"learning_rate": 0.2, "momentum": 0.5, "weight_decay": 0.01, "gibbs_steps": 2}
    for calls in (2, 3):  # the second call goes on, with the velocity of the first
        assert dbm.pretrain(layer, rows, epochs=calls, batch_size=30, **options) is dbm
        for _ in range(calls):
            other.update(data, SameNumbers(),
                         **PLAIN | options | {"persistent": False, "binarize": True})
        found = dbm.get_weights()
        weights, upper, lower = other.parameters
        expected = list(before)
        if layer == 1:
            expected[0], expected[3], expected[2] = weights.T, upper, lower
        else:  # W₁ and its biases stay
            expected[1], expected[4] = weights.T, upper
        assert_same(found, expected)
    assert np.abs(weights.T - before[layer - 1]).max() > 0.1


def test_pretraining_goes_on_from_what_fit_left():
    rows = binary(0, 30, 5)
    dbm = machine().pretrain(1, rows).pretrain(2, rows)
    dbm.fit(rows, learning_rate=0.5, epochs=3)
    fitted = dbm.get_weights()
    for layer in (1, 2):
        dbm.pretrain(layer, rows, learning_rate=1e-12)
    assert_same(dbm.get_weights(), fitted, atol=1e-6)


def test_training_raises_the_likelihood(traced):
    images = np.tile(np.repeat([[1.0, 0, 0, 1], [0, 1, 1, 0]], 2, axis=1), (20, 1))

    def likelihood():
        logs = log_joint(dbm.get_weights())
        places = images[:2].astype(int) @ 2 ** np.arange(8)[::-1]
        return (logsumexp(logs, axis=(1, 2)) - logsumexp(logs))[places].mean()

    dbm = DBM((8, 4, 3), particles=40)
    values = [likelihood()]
    dbm.pretrain(1, images, epochs=200, batch_size=20, learning_rate=0.1)
    dbm.pretrain(2, images, epochs=200, batch_size=20, learning_rate=0.1)
    values.append(likelihood())
    dbm.fit(images, epochs=300, batch_size=40, learning_rate=0.05)
    values.append(likelihood())
    assert values[0] == pytest.approx(-8 * np.log(2), abs=0.1)
    assert values[0] + 0.5 < values[1] < values[2] - 0.3
    assert values[2] < np.log(0.5)


def test_the_seed_decides():
    rows, results = binary(0, 30, 5), []
    for seed in (1, 1, 2):
        dbm = DBM(SIZES, seed=seed, particles=10)
        dbm.pretrain(1, rows, batch_size=10).pretrain(2, rows, batch_size=10)
        dbm.fit(rows, batch_size=10)
        results.append([*dbm.get_weights(), dbm.sample(20, 3)])
    assert_same(results[0], results[1], atol=0)
    assert np.abs(results[0][0] - results[2][0]).max() > 1e-3


def test_saved_weights_of_another_shape_are_refused(tmp_path):
    machine().save_weights(tmp_path / "dbm.weights.h5")
    with pytest.raises(ValueError, match="(?i)shape"):
        machine(sizes=(5, 4, 2)).load_weights(tmp_path / "dbm.weights.h5")


ROWS = binary(0, 12, 5)


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: DBM((5, 4)), "three layers of two units or more"),
        (lambda: DBM((5, 4, 1)), "got (5, 4, 1) and 100"),
        (lambda: DBM((5, 4, 3), particles=0), "and particles, got (5, 4, 3) and 0"),
        (lambda: machine().pretrain(3, ROWS), "layers 1 and 2 are trained, got 3"),
        (lambda: machine().filters(0), "hidden layers are 1 and 2, got 0"),
        (lambda: machine().sample(3, 0), "at least one step, got 0"),
        (lambda: machine().sample(ROWS[:, :4], 1),
         "images must be rows of shape (n, 5), got (12, 4)"),
        (lambda: machine().mean_field(ROWS[0]), "rows of shape (n, 5), got (5,)"),
        (lambda: machine().fit(ROWS * 255), "pixels must lie in [0, 1], found 0 to 255"),
        (lambda: machine().pretrain(1, ROWS * np.nan), "in [0, 1], found nan"),
        (lambda: machine().bound(ROWS - 1, 0), "in [0, 1], found -1 to 0"),
        (lambda: machine().fit(ROWS, batch_size=0), "batch_size must be positive, got 0"),
        (lambda: machine().fit(ROWS, gibbs_steps=0), "gibbs_steps must be positive, got 0"),
        (lambda: machine().fit(ROWS, max_norm=0), "max_norm must be positive, got 0"),
        (lambda: machine().pretrain(1, ROWS, batch_size=0), "batch_size must be positive"),
        (lambda: machine().pretrain(2, ROWS, learning_rate=-1), "learning_rate must be positive"),
    ],
)
def test_errors(act, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        act()
    assert "\n" not in str(caught.value)
