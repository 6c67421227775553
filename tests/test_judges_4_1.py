"""Verdicts on the report's claims about Boltzmann machines, from made-up numbers."""

import numpy as np
import pytest
import task_4_1_1
import task_4_1_2
import task_4_1_3
import task_4_1_4
import task_4_1_5
import task_4_1_6
import task_4_1_7
from script_modules import verdicts

BEST = 200, 0.1
YES, NO, OPEN = "reproduced", "refuted", "undecided"
SCATTER = np.array([-1.0, 0.0, 1.0])  # of three seeds


def machines(order, seeds=3):
    """Of a hundred machines, (100, 2, seeds), both likelihoods: in one order where order is 1."""
    first = np.arange(100.0)
    second = order * first if order else first % 7
    return np.stack([np.stack([first, second], axis=1)] * seeds, axis=-1)


@pytest.mark.parametrize("small, published, verdict", [
    (machines(1), machines(1), YES), (machines(1), machines(-1), NO),
    (machines(0), machines(1), NO), (machines(1), machines(1, seeds=2), OPEN),
])
def test_pseudo_likelihood_for_likelihood(small, published, verdict):
    assert verdicts(task_4_1_1.judge(small, published)) == {"4.1.1-a": verdict}


def rbms(curves=(), drop=(), **scores):
    """Verdicts of task 4.1.2 where curves and scores differ from those that reproduce all."""
    steep, slow = np.repeat([-200.0, -80.0], [1, 29]), np.linspace(-200, -80, 30)
    wild, shaky = (-150 + size * (-1.0) ** np.arange(30) for size in (20, 2))
    progress = {(50, 0.1): steep, BEST: steep + shaky + 150, (300, 0.1): steep, (200, 0.02): slow,
                (200, 0.5): wild, "longer": steep} | dict(curves)
    usual = {
        "pseudo_likelihood": {(50, 0.1): -120, (300, 0.1): -90, (200, 0.02): -95, (200, 0.5): -160},
        "error": {(50, 0.1): 0.09, (300, 0.1): 0.04, (200, 0.02): 0.04},
        "sharpness": {(50, 0.1): 0.8},
    }
    typical = {"pseudo_likelihood": -100, "error": 0.03, "sharpness": 0.9}
    kept = [key for key in progress if key not in drop]
    found = {
        key: {name: np.broadcast_to((usual[name] | scores.get(name, {})).get(key, value), 3)
              for name, value in typical.items()}
        for key in kept
    }
    return verdicts(task_4_1_2.judge(BEST, {key: np.stack([progress[key]] * 3) for key in kept},
                                     found))


@pytest.mark.parametrize("letter, changes, verdict", [
    ("a", {}, YES),
    ("a", {"curves": {(200, 0.02): np.repeat([-200.0, -80.0], [1, 29])}}, NO),  # as fast
    ("a", {"curves": {(200, 0.02): np.linspace(-80, -60, 30)}}, NO),  # slow, but never behind
    ("a", {"curves": {(200, 0.5): np.full(30, -150.0)}}, NO),
    ("a", {"drop": [(200, 0.5)]}, OPEN),
    ("b", {}, YES),
    ("b", {"error": {(50, 0.1): 0.03}}, NO),
    ("b", {"sharpness": {(50, 0.1): 0.89}}, NO),
    ("b", {"drop": [(50, 0.1)]}, NO),  # rates matter as much, though nothing is blurred
    ("c", {}, YES),
    ("c", {"error": {"longer": 0.02 + 0.001 * SCATTER}}, NO),
    ("c", {"error": {"longer": 0.027 + 0.003 * SCATTER}}, OPEN),
    ("d", {}, YES),
    ("d", {"error": {(300, 0.1): 0.031}}, NO),
    ("d", {"error": {(300, 0.1): 0.038 + 0.002 * SCATTER}}, OPEN),
    ("d", {"pseudo_likelihood": {(300, 0.1): -101, (200, 0.02): -101}}, OPEN),
])
def test_settings_of_an_rbm(letter, changes, verdict):
    assert rbms(**changes)[f"4.1.2-{letter}"] == verdict


@pytest.mark.parametrize("kept, spread, first, second", [
    ([0.94, 0.96, 0.5], 0.001, YES, YES), ([0.88, 0.96, 0.5], 0.001, NO, YES),
    ([0.94, 0.92, 0.5], 0.001, NO, YES), ([0.94, 0.96, 0.94], 0.001, YES, NO),
    ([0.90, 0.96, 0.5], 0.010, OPEN, YES),
])
def test_gibbs_steps(kept, spread, first, second):
    kept = np.add.outer(spread * SCATTER, kept)
    assert verdicts(task_4_1_3.judge((1, 10, 1000), kept)) == {"4.1.3-a": first, "4.1.3-b": second}


def test_one_step_alone_shows_no_improvement():
    kept = np.array([[0.94, 0.5]] * 3)
    assert verdicts(task_4_1_3.judge((1, 1000), kept)) == {"4.1.3-a": OPEN, "4.1.3-b": YES}


@pytest.mark.parametrize("changes, nine_as_nine, verdict", [
    ({}, 0.3, YES), ({3: 0.96}, 0.3, NO), ({5: 0.4}, 0.3, NO), ({}, 0.4, NO),
    ({5: 0.51}, 0.3, OPEN),
])
def test_digits_without_their_top(changes, nine_as_nine, verdict):
    right = [changes.get(digit, 0.9 if digit == 1 else 0.6) for digit in range(10)]
    right = np.add.outer(right, np.multiply(0.01, SCATTER))
    right[1] = 0.9
    nines = np.zeros((10, 3))
    nines[4], nines[9] = 0.4, nine_as_nine
    assert verdicts(task_4_1_4.judge(right, nines)) == {"4.1.4-a": verdict}


def test_labels_of_nines():
    found = task_4_1_4.labels_of_nines(np.array([[9, 4, 9, 1], [4, 4, 9, 9]]),
                                       np.array([9, 9, 9, 1]))
    np.testing.assert_allclose(found[[4, 9, 1]], [[1 / 3, 2 / 3], [2 / 3, 1 / 3], [0, 0]])


@pytest.mark.parametrize("changes, more, half, alike", [
    ({}, 0.5, YES, YES), ({}, 0.63, NO, YES), ({}, 0.37, NO, YES), ({}, 0.59, OPEN, YES),
    ({"left": 0.57}, 0.5, YES, NO), ({"left": 0.65}, 0.5, YES, OPEN),
    ({"middle": 0.69}, 0.5, YES, NO),
])
def test_other_regions(changes, more, half, alike):
    free = {"top": 0.7, "bottom": 0.7, "left": 0.7, "right": 0.7, "middle": 0.4} | changes
    free = {name: np.full(3, share) for name, share in free.items()}
    free["left"] = free["left"] + 0.01 * SCATTER
    found = task_4_1_5.judge(free, more + 0.01 * SCATTER)
    assert verdicts(found) == {"4.1.5-a": half, "4.1.5-b": alike}


@pytest.mark.parametrize("seeds, changes, strokes, contrast", [
    (3, {}, YES, YES), (3, {"rbm": {"elongation": 1.4}}, NO, YES),
    (3, {"first": {"opposite_surround": 0.4}}, NO, YES),
    (3, {"second": {"contrast": 0.19}}, YES, NO), (1, {}, OPEN, OPEN),
])
def test_filters(seeds, changes, strokes, contrast):
    usual = {"rbm": {"elongation": 2.0, "opposite_surround": 0.1, "contrast": 0.1},
             "first": {"elongation": 1.2, "opposite_surround": 0.7, "contrast": 0.1},
             "second": {"elongation": 1.2, "opposite_surround": 0.1, "contrast": 0.3}}
    layers = [{quantity: np.full(seeds, value)
               for quantity, value in (values | changes.get(name, {})).items()}
              for name, values in usual.items()]
    assert verdicts(task_4_1_6.judge(*layers)) == {"4.1.6-a": strokes, "4.1.6-b": contrast}


def samples(distances, seeds=3, smooth=0.1):
    """Of the DBM by start and kind, beside an RBM of distance 5."""
    kinds = {"states": 0.0, "probabilities": smooth}
    ways = [(start, kind) for start in task_4_1_7.STARTS for kind in kinds]
    return {
        (machine, start, kind): {"frechet": np.full(seeds, distance),
                                 "grey": np.full(seeds, kinds[kind])}
        for machine, values in {"RBM": [5.0] * 4, "DBM": distances}.items()
        for (start, kind), distance in zip(ways, values)
    }


@pytest.mark.parametrize("distances, seeds, verdict", [
    ([1, 1, 1, 1], 3, YES), ([1, 1, 1, 4.5], 3, NO), ([1, 9, 1, 1], 3, NO), ([1, 1, 1, 1], 1, OPEN),
])
def test_samples_of_both_machines(distances, seeds, verdict):
    found = verdicts(task_4_1_7.judge(samples(distances, seeds)))
    assert found == {"4.1.7-a": verdict, "4.1.7-b": "artefact"}


def test_edges_are_smooth_as_published_where_probabilities_are():
    assert verdicts(task_4_1_7.judge(samples([1] * 4, smooth=0.0)))["4.1.7-b"] == NO
