"""Annealed importance sampling and exact log Z, against enumeration."""

import re

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from test_rbm import normal, states

from ann_keras.evaluation import ais
from ann_keras.models import boltzmann
from ann_keras.models.dbm import DBM
from ann_keras.models.rbm import BernoulliRBM

MEANS = np.linspace(0.1, 0.8, 12)


def rbm_machine(units=8, pixels=12, scale=0.7, seed=0):
    rbm = BernoulliRBM(units)
    rbm.build((None, pixels))
    rbm.set_weights(normal(seed, (units, pixels), units, pixels, scale=scale))
    return rbm


def dbm_machine(sizes=(12, 9, 6), scale=0.7, seed=0):
    dbm = DBM(sizes)
    v, first, second = sizes
    dbm.set_weights(normal(seed, (v, first), (first, second), *sizes, scale=scale))
    return dbm


KINDS = {"RBM": lambda **options: ais.of_rbm(rbm_machine(**options), MEANS),
         "DBM": lambda **options: ais.of_dbm(dbm_machine(**options), MEANS)}
kinds = pytest.mark.parametrize("kind", KINDS)


def exact(machine):
    return boltzmann.log_partition(machine.weights, machine.x_bias, machine.y_bias)


def marginal(machine):
    """log p*(x) of all x, in the order of ``states``."""
    x = states(len(machine.x_bias))
    return x @ machine.x_bias + np.logaddexp(0, x @ machine.weights + machine.y_bias).sum(1)


def samples(machine, number, seed=0):
    """Exact ones, of x."""
    logs = marginal(machine)
    chances = np.exp(logs - logsumexp(logs))
    chosen = np.random.default_rng(seed).choice(len(logs), number, p=chances)
    return states(len(machine.x_bias))[chosen]


@pytest.mark.parametrize("units, pixels", [(3, 6), (6, 3)])
def test_log_partition_of_an_rbm(units, pixels):
    weights, hidden, visible = rbm_machine(units, pixels, scale=1.5).get_weights()
    h, v = states(units), states(pixels)
    exponents = (h @ hidden)[:, None] + v @ visible + h @ weights @ v.T
    total = boltzmann.log_partition(weights, hidden, visible)
    assert isinstance(total, float) and total == pytest.approx(logsumexp(exponents), abs=1e-6)


@pytest.mark.parametrize("sizes", [(5, 3, 4), (3, 6, 2)])
def test_log_partition_of_a_dbm(sizes):
    dbm = dbm_machine(sizes, scale=1.5)
    first, second = dbm.kernels
    v, hidden, top = (states(units) for units in sizes)
    middle = hidden @ dbm.biases[1]
    below = (v @ dbm.biases[0])[:, None] + v @ first @ hidden.T
    above = top @ dbm.biases[2] + hidden @ second @ top.T
    exponents = below[:, :, None] + middle[None, :, None] + above[None]
    machine = ais.of_dbm(dbm, np.full(sizes[0], 0.5))
    assert exact(machine) == pytest.approx(logsumexp(exponents), abs=1e-6)


def test_log_partition_of_many_states():
    # Pairs that know nothing of each other, in more states than are summed at once.
    weights, first, second = (values.astype(float) for values in normal(0, 17, 17, 17))
    expected = np.log(1 + np.exp(first) + np.exp(second) + np.exp(first + second + weights)).sum()
    found = boltzmann.log_partition(np.diag(weights), first, second)
    assert found == pytest.approx(expected, abs=1e-9)


def test_log_partition_of_large_weights_does_not_overflow():
    assert boltzmann.log_partition([[2000.0]], [0.0], [0.0]) == pytest.approx(2000)


def test_binary_states_are_all_of_them():
    found = boltzmann.binary_states(4)
    assert found.shape == (16, 4) and found.dtype == float
    assert {tuple(row) for row in found} == {tuple(row) for row in states(4)}


def test_machines_hold_the_models_energy():
    rbm, dbm = rbm_machine(), dbm_machine()
    machine = ais.of_rbm(rbm, MEANS)
    np.testing.assert_array_equal(machine.weights, rbm.components_)
    np.testing.assert_allclose(expit(machine.y_base), MEANS, atol=1e-6)
    assert not machine.x_base.any() and len(machine.x_base) == 8
    machine = ais.of_dbm(dbm, MEANS)
    assert machine.weights.shape == (9, 18) and not machine.x_base.any()
    np.testing.assert_allclose(expit(machine.y_base), [*MEANS, *[0.5] * 6], atol=1e-6)
    black = ais.of_rbm(rbm, np.zeros(12)).y_base
    assert np.isfinite(black).all() and (black < -9).all()


@kinds
def test_forward_and_reverse_find_log_z(kind):
    machine = KINDS[kind]()
    truth = exact(machine)
    up = ais.forward(machine, chains=400, temperatures=1000)
    down = ais.reverse(machine, samples(machine, 400), temperatures=1000)
    for estimate in (up, down):
        assert abs(estimate.log_partition - truth) < 0.05
        assert estimate.low <= estimate.log_partition <= estimate.high
        assert estimate.low <= truth <= estimate.high < estimate.low + 0.1
        assert estimate.log_weights.shape == (400,)
    assert up.log_partition == pytest.approx(logsumexp(up.log_weights) - np.log(400), abs=1e-9)
    assert down.log_partition == pytest.approx(
        np.log(400) - logsumexp(-down.log_weights), abs=1e-9
    )


@kinds
def test_few_temperatures_bracket_log_z(kind):
    # Each chain alone: too low on average from below, too high from above, and by how much
    # falls with the number of temperatures.
    machine = KINDS[kind](scale=1.0)
    truth, start = exact(machine), samples(machine, 4000)
    gaps = []
    for temperatures in (5, 40):
        up = ais.forward(machine, chains=4000, temperatures=temperatures).log_weights.mean()
        down = ais.reverse(machine, start, temperatures=temperatures).log_weights.mean()
        assert up < truth < down
        gaps.append(down - up)
    assert gaps[1] < gaps[0] / 3


@kinds
@pytest.mark.parametrize("temperatures", [2, 3, 10])
def test_estimates_are_unbiased_at_any_number_of_temperatures(kind, temperatures):
    machine = KINDS[kind](scale=0.4)
    truth = exact(machine)
    up = ais.forward(machine, chains=40_000, temperatures=temperatures, seed=1)
    down = ais.reverse(machine, samples(machine, 40_000), temperatures=temperatures, seed=1)
    assert up.log_partition == pytest.approx(truth, abs=0.05)
    assert down.log_partition == pytest.approx(truth, abs=0.05)
    assert up.low <= truth <= up.high and down.low <= truth <= down.high


def test_two_temperatures_are_plain_importance_sampling():
    machine = KINDS["RBM"]()
    x = states(8)
    base = np.logaddexp(0, machine.y_base).sum() + 8 * np.log(2)
    possible = marginal(machine) - np.logaddexp(0, machine.y_base).sum() + base
    found = ais.forward(machine, chains=200, temperatures=2).log_weights
    assert len(x) == 256 and np.abs(possible[:, None] - found).min(0).max() < 1e-4
    start = samples(machine, 200)
    found = ais.reverse(machine, start, temperatures=2).log_weights
    assert np.abs(possible[:, None] - found).min(0).max() < 1e-4


@kinds
def test_the_base_does_not_matter_in_the_limit(kind):
    model = {"RBM": rbm_machine, "DBM": dbm_machine}[kind]()
    of = {"RBM": ais.of_rbm, "DBM": ais.of_dbm}[kind]
    found = [
        ais.forward(of(model, means), chains=300, temperatures=1500).log_partition
        for means in (MEANS, np.full(12, 0.5))
    ]
    assert found[0] == pytest.approx(found[1], abs=0.05)
    biased = of(model, MEANS)._replace(x_base=np.linspace(-1, 1, len(biases_of_x(model))))
    found.append(ais.forward(biased, chains=300, temperatures=1500).log_partition)
    down = ais.reverse(biased, samples(biased, 300), temperatures=1500).log_partition
    assert [*found, down] == pytest.approx([exact(biased)] * 4, abs=0.05)


def biases_of_x(model):
    return model.biases[1] if isinstance(model, DBM) else model.intercept_hidden_


def test_a_machine_that_is_its_base_has_no_scatter():
    x_bias, y_bias = normal(3, 4, 6)
    machine = ais.Machine(np.zeros((4, 6)), x_bias, y_bias, x_bias, y_bias)
    for estimate in (
        ais.forward(machine, chains=50, temperatures=20),
        ais.reverse(machine, samples(machine, 50), temperatures=20),
    ):
        np.testing.assert_allclose(estimate.log_weights, exact(machine), atol=1e-5)
        assert estimate.high - estimate.low < 1e-5


def test_ends_are_three_standard_errors_of_the_mean_weight():
    machine = KINDS["RBM"](scale=0.5)
    up = ais.forward(machine, chains=50, temperatures=5)
    down = ais.reverse(machine, samples(machine, 50), temperatures=5)
    for sign, estimate in ((1, up), (-1, down)):
        weights = np.exp(sign * estimate.log_weights)
        error = 3 * weights.std(ddof=1) / np.sqrt(50)
        ends = sorted(sign * np.log(weights.mean() + np.array([-error, error])))
        np.testing.assert_allclose([estimate.low, estimate.high], ends, atol=1e-9)
    wild = ais.forward(KINDS["RBM"](scale=2.0), chains=3, temperatures=2)
    assert wild.low == -np.inf and np.isfinite(wild.high), "the error exceeds the mean"


def test_the_seed_decides():
    machine = KINDS["DBM"]()
    start = samples(machine, 20)
    for act in (
        lambda seed: ais.forward(machine, chains=20, temperatures=20, seed=seed),
        lambda seed: ais.reverse(machine, start, temperatures=20, seed=seed),
    ):
        one, same, other = (act(seed).log_weights for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert np.abs(one - other).max() > 1e-3
        assert len(np.unique(one)) == 20, "chains are independent"


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda machine: ais.forward(machine, chains=1), "two chains and temperatures or more"),
        (lambda machine: ais.forward(machine, temperatures=1), "or more, got 100, 1"),
        (lambda machine: ais.reverse(machine, np.zeros((1, 8))), "or more, got 1, 10000"),
        (lambda machine: ais.reverse(machine, np.zeros((5, 8)), temperatures=1), "got 5, 1"),
        (lambda machine: ais.reverse(machine, np.zeros((5, 12))),
         "states must have shape (chains, 8), got (5, 12)"),
        (lambda machine: ais.reverse(machine, np.zeros(8)), "(chains, 8), got (8,)"),
        (lambda machine: ais.of_rbm(rbm_machine(), MEANS[:4]),
         "12 pixels need as many means, got shape (4,)"),
        (lambda machine: ais.of_dbm(dbm_machine(), 0.5), "12 pixels need as many means"),
        (lambda machine: boltzmann.binary_states(23), "23 units have too many states"),
        (lambda machine: boltzmann.log_partition(np.zeros((23, 24)), np.zeros(23), np.zeros(24)),
         "22 at most"),
    ],
)
def test_errors(act, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        act(KINDS["RBM"]())
    assert "\n" not in str(caught.value)


def test_resampled_ends_are_samples_of_the_machine():
    random = np.random.default_rng(5)
    machine = ais.Machine(
        random.normal(size=(3, 6)), random.normal(size=3), random.normal(size=6), np.zeros(3),
        np.zeros(6),
    )
    found = ais.forward(machine, chains=4_000, temperatures=50)
    states = boltzmann.binary_states(3)
    logs = states @ machine.x_bias
    logs += np.logaddexp(0, states @ machine.weights + machine.y_bias).sum(axis=1)
    expected = np.exp(logs - logs.max())
    number = found.resample() @ [1, 2, 4]
    shares = np.bincount(number.astype(int), minlength=8) / 4_000
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.035)
