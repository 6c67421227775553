"""Hopfield networks: what the rules store, energies, equilibria, and the tasks' simulations."""

import itertools
import time

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from script_modules import load

from ann_keras.data import mnist
from ann_keras.models.hopfield import (
    RULES, SAMPLING_TIME, TAU, Hopfield, equilibria, low_rank_step,
)
from ann_keras.recipes import hopfield as recipes
from ann_keras.runs.run import Results

PATTERNS_2D = [[1, 1], [-1, -1], [1, -1]]
PATTERNS_3D = [[1, 1, 1], [-1, -1, 1], [1, -1, -1]]
HADAMARD = scipy.linalg.hadamard(8)

few_examples = settings(max_examples=20, deadline=None)


def signs(seed, number, units):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (number, units))


def states(seed, number, units):
    return np.random.default_rng(seed).uniform(-1, 1, (number, units))


def by_hand(kernel, bias):
    """A saturating network with a given kernel and bias."""
    kernel = np.array(kernel, float)
    network = Hopfield(np.ones((2, len(kernel))))
    network.kernel.assign(kernel)
    network.bias.assign(bias)
    return network


@few_examples
@given(seed=st.integers(0, 10**6), number=st.integers(2, 5), units=st.integers(1, 9))
def test_lssm_is_the_sampled_linear_system(seed, number, units):
    patterns = signs(seed, number, units)
    differences = (patterns[:-1] - patterns[-1]).T
    left, values, _ = np.linalg.svd(differences)
    rank = np.count_nonzero(values > 1e-9)
    inside, outside = left[:, :rank], left[:, rank:]
    system = inside @ inside.T - TAU * outside @ outside.T
    constant = patterns[-1] - system @ patterns[-1]
    # expm of the augmented matrix holds the state's and the constant's part.
    augmented = np.zeros((units + 1, units + 1))
    augmented[:-1] = np.column_stack([system, constant])
    whole = scipy.linalg.expm(SAMPLING_TIME * augmented)
    network = Hopfield(patterns)
    np.testing.assert_allclose(network.kernel.numpy(), whole[:-1, :-1], atol=1e-12)
    np.testing.assert_allclose(network.bias.numpy(), whole[:-1, -1], atol=1e-12)


def test_hebb_and_projection_are_their_formulas():
    patterns = signs(0, 4, 30)
    hebb = patterns.T @ patterns / 30
    np.fill_diagonal(hebb, 0)
    np.testing.assert_allclose(Hopfield(patterns, "hebb").kernel.numpy(), hebb, atol=1e-15)
    projector = np.linalg.pinv(patterns) @ patterns
    network = Hopfield(patterns, "projection")
    np.testing.assert_allclose(network.kernel.numpy(), projector, atol=1e-12)
    assert not network.bias.numpy().any()


def test_networks_of_the_report():
    flat = Hopfield(PATTERNS_2D)
    np.testing.assert_allclose(flat.kernel.numpy(), np.exp(0.15) * np.eye(2), rtol=1e-15)
    assert flat.kernel.numpy()[0, 1] == 0  # exactly: starts on an axis stay on it
    np.testing.assert_array_equal(flat.bias.numpy(), [0, 0])
    normal = np.array([1, -1, 1]) / np.sqrt(3)  # of the plane through the 3-D targets
    cubic = Hopfield(PATTERNS_3D)
    np.testing.assert_allclose(cubic.kernel.numpy() @ normal, np.exp(-1.5) * normal, atol=1e-12)
    assert not cubic.trainable_weights and len(cubic.weights) == 2


@few_examples
@given(seed=st.integers(0, 10**6), number=st.integers(2, 5), units=st.integers(1, 8))
@pytest.mark.parametrize("rule", ["lssm", "projection"])
def test_patterns_are_fixed_points(rule, seed, number, units):
    patterns = signs(seed, number, units)
    np.testing.assert_array_equal(Hopfield(patterns, rule)(patterns).numpy(), patterns)


@pytest.mark.parametrize("patterns", [HADAMARD[:1], HADAMARD[1:4], HADAMARD[2:7]])
def test_hebb_stores_orthogonal_patterns(patterns):
    np.testing.assert_array_equal(Hopfield(patterns, "hebb")(patterns).numpy(), patterns)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_simulation_is_the_model_step_by_step(rule, dtype):
    network = Hopfield(signs(1, 3, 12), rule, dtype=dtype)
    starts = states(2, 20, 12)
    path, energies = network.simulate(starts, 6)
    assert path.shape == (7, 20, 12) and energies.shape == (7, 20)
    assert path.dtype == energies.dtype == dtype
    np.testing.assert_array_equal(path[0], starts.astype(dtype))
    for before, after in itertools.pairwise(path):
        np.testing.assert_allclose(after, network(before).numpy(), atol=1e-6)
    for state, energy in zip(path, energies):
        np.testing.assert_allclose(energy, network.energy(state), rtol=1e-5, atol=1e-5)


def test_energy_is_its_formula():
    network = Hopfield(PATTERNS_3D)
    kernel, bias = network.kernel.numpy(), network.bias.numpy()
    for state, energy in zip(states(3, 5, 3), network.energy(states(3, 5, 3))):
        expected = -state @ kernel @ state / 2 - state @ bias + state @ state / 2
        assert energy == pytest.approx(expected, abs=1e-12)


@few_examples
@given(seed=st.integers(0, 10**6), number=st.integers(2, 5), units=st.integers(1, 12),
       synchronous=st.booleans())
def test_energy_never_rises_in_lssm(seed, number, units, synchronous):
    network = Hopfield(signs(seed, number, units))
    _, energies = network.simulate(states(seed, 10, units), 30, synchronous=synchronous)
    assert np.diff(energies, axis=0).max() <= 1e-12


@few_examples
@given(seed=st.integers(0, 10**6), number=st.integers(1, 5), units=st.integers(1, 12))
@pytest.mark.parametrize("rule", ["hebb", "projection"])
def test_energy_never_rises_in_sweeps_of_sign_units(rule, seed, number, units):
    network = Hopfield(signs(seed, number, units), rule)
    path, energies = network.simulate(signs(seed + 1, 10, units), 30, synchronous=False, seed=seed)
    assert np.diff(energies, axis=0).max() <= 1e-9
    np.testing.assert_array_equal(path[-1], network(path[-1]).numpy())  # settled by then


def test_a_sweep_updates_one_unit_at_a_time_in_its_own_order():
    network = Hopfield(signs(4, 2, 5), "projection")
    starts = signs(5, 6, 5)
    path, _ = network.simulate(starts, 1, synchronous=False, seed=7)
    kernel, state = network.kernel.numpy(), starts.copy()
    for unit in np.random.default_rng(7).permutation(5):
        inputs = state @ kernel[unit]
        quiet = np.abs(inputs) < 1e-9
        state[:, unit] = np.where(quiet, state[:, unit], np.sign(inputs))
    np.testing.assert_array_equal(path[1], state)
    big = Hopfield(signs(4, 3, 40), "hebb")
    one, other = (
        big.simulate(signs(5, 20, 40), 1, synchronous=False, seed=seed)[0] for seed in (0, 1)
    )
    assert (one != other).any()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_silent_sign_units_keep_their_state(dtype):
    # 1/n has no finite binary form here: the sums are zero but for rounding.
    patterns = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, -1, -1, -1]])
    network = Hopfield(patterns, "hebb", dtype=dtype)
    state = np.array([[1.0, -1, 1, 1, -1, 1]])
    inputs = (patterns.T @ patterns - 2 * np.eye(6)) @ state[0]
    assert (inputs == 0).any() and (inputs != 0).any()
    expected = np.where(inputs == 0, state[0], np.sign(inputs))
    np.testing.assert_array_equal(network(state).numpy()[0], expected)
    np.testing.assert_array_equal(network.simulate(state, 1)[0][1, 0], expected)


def kinds(network):
    return {tuple(np.round(e.state, 6)): (e.kind, round(e.multiplier, 6))
            for e in equilibria(network)}


def test_equilibria_of_the_two_dimensional_network():
    found = kinds(Hopfield(PATTERNS_2D))
    growth = round(np.exp(0.15), 6)
    expected = {}
    for state in itertools.product((-1, 0, 1), repeat=2):
        kind = ("stable", "saddle", "source")[state.count(0)]
        expected[state] = kind, growth if 0 in state else 0
    assert found == expected


def test_equilibria_of_the_three_dimensional_network():
    found = equilibria(Hopfield(PATTERNS_3D))
    stable = sorted(e.state.tolist() for e in found if e.kind == "stable")
    assert stable == sorted(PATTERNS_3D)
    saddles = [e for e in found if e.kind != "stable"]
    assert len(saddles) == 4 and {e.kind for e in saddles} == {"saddle"}
    # In the middle: 1.1 times as far out as the plane, where tau and 1 hold each other.
    middle = 1.1 / 3 * np.array([1, -1, 1])
    assert min(np.abs(e.state - middle).max() for e in saddles) < 1e-12


@pytest.mark.parametrize(
    "kernel, bias, expected",
    [
        ([[2]], [0], {(-1,): ("stable", 0), (0,): ("source", 2), (1,): ("stable", 0)}),
        ([[0.5]], [0.25], {(0.5,): ("stable", 0.5)}),
        ([[0.5]], [3], {(1,): ("stable", 0)}),
        # Held with an input of exactly 1: stable or not by what happens inside.
        ([[0.5]], [0.5], {(1,): ("stable", 0.5)}),
        ([[2]], [-1], {(-1,): ("stable", 0), (1,): ("source", 2)}),
        ([[0, 2], [2, 0]], [0, 0],
         {(1, 1): ("stable", 0), (-1, -1): ("stable", 0), (0, 0): ("source", 2)}),
        # A negative multiplier beyond 1 is unstable too: the state swings.
        ([[-2]], [0], {(0,): ("source", 2)}),
    ],
)
def test_equilibria_by_hand(kernel, bias, expected):
    assert kinds(by_hand(kernel, bias)) == expected


@pytest.mark.parametrize(
    "kernel, bias, face",
    [
        ([[1]], [0], r"\[0\]"),
        ([[1]], [0.5], r"\[0\]"),
        ([[1, 0], [0, 2]], [0, 0], r"\[ ?0 -1\]"),
        ([[1.5, 0.5], [0.5, 1.5]], [0, 0], r"\[0 0\]"),
    ],
)
def test_singular_equations_are_reported(kernel, bias, face):
    with pytest.raises(ValueError, match=f"no single equilibrium solves the face {face}"):
        equilibria(by_hand(kernel, bias))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), number=st.integers(2, 4), units=st.integers(1, 5))
def test_equilibria_agree_with_simulation(seed, number, units):
    network = Hopfield(signs(seed, number, units))
    found = equilibria(network)
    points = np.array([e.state for e in found])
    np.testing.assert_allclose(network(points).numpy(), points, atol=1e-9)
    ends = network.simulate(states(seed, 60, units), 600)[0][-1]
    stable = points[[e.kind == "stable" for e in found]]
    distances = np.abs(ends[:, None] - stable).max(-1)
    assert distances.min(1).max() < 1e-6, "every start ends at a listed stable equilibrium"
    beside = np.random.default_rng(seed).normal(size=(20, units))
    for equilibrium in found:
        starts = np.clip(equilibrium.state + 1e-4 * beside, -1, 1)
        moved = np.abs(network.simulate(starts, 600)[0][-1] - equilibrium.state).max(1)
        if equilibrium.kind == "stable":
            assert moved.max() < 1e-6
        else:
            assert moved.max() > 0.01


def test_ten_units_are_enumerated():
    found = equilibria(Hopfield(signs(0, 2, 10)))
    assert sum(e.kind == "stable" for e in found) >= 2


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: Hopfield([[1, -1], [1]]), "inhomogeneous"),
        (lambda: Hopfield([1, -1]), r"must be rows of -1 and 1, \(p, n\), got shape \(2,\)"),
        (lambda: Hopfield(np.ones((0, 3))), r"got shape \(0, 3\)"),
        (lambda: Hopfield(np.ones((2, 3, 1))), r"got shape \(2, 3, 1\)"),
        (lambda: Hopfield([["a", "b"]]), "could not convert"),
        (lambda: Hopfield([[1, 0.5], [1, 1]]), "must be rows of -1 and 1"),
        (lambda: Hopfield([[1, np.nan], [1, 1]]), "must be rows of -1 and 1"),
        (lambda: Hopfield([[1, np.inf]], "hebb"), "must be rows of -1 and 1"),
        (lambda: Hopfield([[1, -1]]), "rule lssm needs at least 2 patterns, got 1"),
        (lambda: Hopfield(PATTERNS_2D, "storkey"),
         "unknown rule 'storkey': choose one of lssm, hebb, projection"),
        (lambda: Hopfield(PATTERNS_2D).simulate(np.ones((1, 2)), 0),
         "needs at least 1 step, got 0"),
        (lambda: Hopfield(PATTERNS_2D).simulate(np.ones((1, 3)), 5),
         r"states of shape \(1, 3\), but the network takes \(batch, 2\)"),
        (lambda: Hopfield(PATTERNS_2D).simulate(np.ones(2), 5), r"states of shape \(2,\)"),
        (lambda: Hopfield(PATTERNS_2D).energy([[0, np.nan]]), "states must be finite"),
        (lambda: Hopfield(PATTERNS_2D).simulate([[0, np.inf]], 1), "states must be finite"),
        (lambda: equilibria(Hopfield(PATTERNS_2D, "hebb")), "rule lssm only, not for hebb"),
        (lambda: equilibria(Hopfield(np.ones((2, 11)))), "at most 10 units, got 11"),
        (lambda: recipes.recall(
            seed=0, source="sample", rule="lssm", noise=1, draws=1, iterations=5, shown=[4, 40],
            clean=0.2),
         r"shown iterations are from 1 to 5, got \[4, 40\]"),
        (lambda: recipes.means(np.ones(7), 10), "of 10 points needs as many"),
    ],
)
def test_errors(act, words):
    with pytest.raises(ValueError, match=words) as caught:
        act()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-5)])
def test_low_rank_step_is_the_model(rule, dtype, tolerance):
    network = Hopfield(signs(6, 10, 200), rule, dtype=dtype)
    starts = states(7, 50, 200).astype(dtype)
    result = low_rank_step(network)(starts)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, network(starts).numpy(), atol=tolerance)


@pytest.fixture
def small_digits(monkeypatch):
    """Ten patterns of 64 pixels in the place of MNIST's."""
    patterns = signs(8, 10, 64)
    monkeypatch.setattr(recipes, "digits", lambda source: patterns)
    return patterns


@pytest.mark.parametrize("rule", RULES)
def test_recall_counts_what_the_model_does(small_digits, rule):
    draws, iterations = 12, 30
    result = recipes.recall(
        seed=3, source="sample", rule=rule, noise=1.5, draws=draws, iterations=iterations,
        shown=[2, 30], clean=0.2,
    )
    network = Hopfield(small_digits, rule)
    whole = np.ones(draws, bool)
    for digit, pattern in enumerate(small_digits):
        generator = np.random.default_rng([3, digit, 1_500_000])
        noise = generator.standard_normal((draws, 64), np.float32)
        path, _ = network.simulate(np.clip(pattern + 1.5 * noise, -1, 1), iterations)
        distance = np.abs(path[1:] - pattern)
        for name, expected in (
            ("restored", (path[1:] * pattern > 0).all(2).mean(1)),
            ("clean", (distance <= 0.2).all(2).mean(1)),
            ("traces", distance.mean((1, 2))),
        ):
            np.testing.assert_allclose(result[name][:, digit], expected, atol=1e-4)
        np.testing.assert_allclose(result["examples"][:, digit], path[[0, 2, 30], 0], atol=1e-4)
        ends = np.where(path[-1] > 0, 1, -1)
        found = (ends[:, None] == small_digits).all(2)
        assert result["ended"][digit].tolist() == [*found.sum(0), (~found.any(1)).sum()]
        whole &= found[:, digit]
    assert result["all_ten"] == whole.mean()
    assert (result["ended"].sum(1) == draws).all()


def test_pool_averages_shares_and_adds_counts(small_digits):
    options = {"source": "sample", "rule": "lssm", "noise": 2.0, "draws": 5, "iterations": 4,
               "shown": [1], "clean": 0.2}
    results = Results(recipes.recall(seed=seed, **options) for seed in (0, 1))
    pooled = recipes.pool(results)
    assert pooled.keys() == results[0].keys()
    np.testing.assert_allclose(
        pooled["restored"], (results[0]["restored"] + results[1]["restored"]) / 2
    )
    assert pooled["ended"].sum() == 100


def test_digits_are_the_first_of_each_class(monkeypatch):
    images = np.full((30, 28, 28), 127, np.uint8)
    images[:10, 0, 0] = 128
    images[10:, 5, 5] = 255
    labels = np.array([*range(9, -1, -1), *range(10), *range(10)], np.uint8)
    monkeypatch.setattr(mnist, "load", lambda source: ((images, labels), None))
    found = recipes.digits("full")
    assert found.shape == (10, 784) and (np.abs(found) == 1).all()
    assert (found.sum(1) == -782).all() and (found[:, 0] == 1).all()


def test_noise_is_restored_up_to_the_first_level_that_is_not():
    restored_up_to = load("2.1.3").restored_up_to
    for rates, expected in (((1.0, 0.995, 0.98, 1.0), 1), ((0.98, 1.0), 0), ((1.0, 1.0), 1)):
        assert restored_up_to(dict(enumerate(rates)), 0.99) == expected
    assert restored_up_to({1.0: 0.6, 2.0: 0.4}, 0.5) == 1


def test_steps_to_a_share_of_the_last_value():
    curve = np.array([0.0, 0.5, 0.79, 0.795, 0.8, 0.8])
    steps_to_share = load("2.1.3").steps_to_share
    assert [steps_to_share(curve, share) for share in (0.5, 0.99, 1)] == [2, 4, 5]
    assert steps_to_share(np.zeros(6), 0.99) == 6


def test_a_picture_is_as_clean_as_it_gets_when_its_slowest_copy_is():
    of_pictures = load("2.1.3").iterations_of_pictures
    clean = np.zeros((6, 10))
    clean[2:] = 1.0  # all copies after 3 iterations,
    clean[:, 4] = 0, 0, 0, 0, 0.5, 0.5  # but of one digit half after 5, half never
    needed = of_pictures(clean, 40)
    assert np.bincount(needed).tolist() == [0, 0, 0, 20, 0, 20]
    clean[:, 7] = 0, 0, 0, 0, 0.5, 0.5  # independent: a quarter of pictures waits for neither
    assert 2 <= np.sum(of_pictures(clean, 40) == 3) <= 18


def test_iterations_to_rest_counts_steps_that_move():
    path = np.array([[0, 0], [0.5, 0.1], [1, 0.2], [1, 0.3], [1, 0.3]])[:, :, None]
    assert recipes.iterations_to_rest(path, 1e-5).tolist() == [2, 3]
    assert recipes.iterations_to_rest(path[:3], 1e-5).tolist() == [2, 2]


@pytest.mark.parametrize("dimension, on, beside", [(2, 21, 32), (3, 31, 96)])
def test_midway_starts(dimension, on, beside):
    axes, others = recipes.midway_starts(dimension, 9, 0.01)
    assert len(axes) == on and len(others) == beside
    assert len({tuple(point) for point in (*axes, *others)}) == on + beside
    assert np.count_nonzero(axes, axis=1).max() == 1
    assert (np.count_nonzero(others, axis=1) == 2).all()


def test_exact_paths_stay_at_a_saddle_that_rounding_leaves():
    script, steps = load("2.1.2"), 400
    result = script.exact_paths(script.TARGETS, script.MIRRORS, 9, 0.01, steps)["states"]
    starts, _ = recipes.midway_starts(3, 9, 0.01)
    assert sorted(map(tuple, result[0])) == sorted(map(tuple, starts))
    for axis, mirror in enumerate(script.MIRRORS):
        paths = result[:, np.abs(result[0]).argmax(1) == axis]
        assert paths.shape[1] > 8
        np.testing.assert_array_equal(paths @ np.transpose(mirror), paths)
    found = equilibria(Hopfield(PATTERNS_3D))
    saddle = next(e for e in found if e.state[0] == 1 and e.kind == "saddle")
    between = [*map(tuple, result[0])].index((0.5, 0, 0))  # of [1, 1, 1] and [1, -1, -1]
    np.testing.assert_allclose(result[-1, between], saddle.state, atol=1e-9)
    plain = Hopfield(PATTERNS_3D).simulate(result[0], steps)[0]
    np.testing.assert_allclose(result[30], plain[30], atol=1e-9)
    assert np.abs(plain[-1, between] - saddle.state).max() > 0.1


def test_means_are_of_as_many_values_each():
    assert recipes.means(np.arange(7), 2).tolist() == [0.5, 2.5, 4.5]


def test_states_among_points_but_for_rounding():
    states = np.array([[0.0, 1.0], [1e-9, 1.0], [0.0, 0.9]])
    assert recipes.among(states, [[1, 1], [0, 1]]).tolist() == [True, True, False]
    assert not recipes.among(states, np.zeros((0, 2))).any()


def test_states_approach_the_plane_through_the_patterns():
    result = load("2.1.2").approach(PATTERNS_3D, points=200, steps=200, seed=0)
    assert result["distance"].shape == result["remaining"].shape == (3, 201)
    np.testing.assert_allclose(result["distance"][:, -1], 0, atol=1e-9)
    np.testing.assert_allclose(result["remaining"][:, [0, -1]], [[1, 0]] * 3, atol=1e-9)
    starts = recipes.random_paths(PATTERNS_3D, 200, 1, 0)["states"][0]
    expected = np.abs(starts @ [1, -1, 1] - 1) / np.sqrt(3)
    np.testing.assert_allclose(result["start_distance"], expected, atol=1e-12)


@pytest.mark.parametrize(
    "patterns, batch, steps, seconds",
    [
        ([[1, 1], [-1, -1], [1, -1]], 20_000, 200, 1.0),
        (np.sign(np.random.default_rng(0).normal(size=(10, 784))), 10, 100, 0.1),
    ],
    ids=["20,000 points", "ten digits"],
)
def test_simulations_are_quick(patterns, batch, steps, seconds):
    network = Hopfield(patterns)
    starts = np.random.default_rng(1).uniform(-1, 1, (batch, network.units))
    network.simulate(starts[:2], 2)
    times = []
    for _ in range(3):
        begin = time.process_time()
        network.simulate(starts, steps)
        times.append(time.process_time() - begin)
    assert min(times) < 4 * seconds  # four times the aim, for slower machines
