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

BEST = 200, 0.1
SIZES = (50, 0.1), BEST, (300, 0.1), (200, 0.02), (200, 0.5)


@pytest.mark.parametrize("small, published, verdict", [
    (0.9, 1.0, True), (0.95, 0.89, False), (0.89, 0.95, False),
])
def test_pseudo_likelihood_for_likelihood(small, published, verdict):
    table = np.array([[-90, -210, -212], [-80, -230, -231]])
    found = task_4_1_1.judge({"small": small, "published": published}, np.zeros((3, 2)), table,
                             [BEST, (50, 0.1)])
    assert found["4.1.1-a"][0] == verdict


def rbms(curves=(), **scores):
    """Verdicts of task 4.1.2 where curves and scores differ from those that reproduce all."""
    steep, slow = np.full(12, -80.0), np.linspace(-200, -80, 12)
    wild = -150 + 20 * (-1.0) ** np.arange(12)
    progress = {(50, 0.1): steep, BEST: steep, (300, 0.1): steep, (200, 0.02): slow,
                (200, 0.5): wild, "longer": np.repeat(steep, 2)} | dict(curves)
    usual = {
        "pseudo_likelihood": {(50, 0.1): -120, (300, 0.1): -90, (200, 0.02): -95, (200, 0.5): -160},
        "error": {(50, 0.1): 0.09, (300, 0.1): 0.04, (200, 0.02): 0.04},
        "sharpness": {(50, 0.1): 0.7}, "upper": {},
    }
    typical = {"pseudo_likelihood": -100, "error": 0.03, "sharpness": 0.9, "upper": -200}
    found = {
        key: {name: np.broadcast_to((usual[name] | scores.get(name, {})).get(key, value), 3)
              for name, value in typical.items()}
        for key in progress
    }
    verdicts = task_4_1_2.judge(
        BEST, {key: np.stack([curve] * 3) for key, curve in progress.items()}, found
    )
    return {claim[-1]: verdict for claim, (verdict, *_) in verdicts.items()}


@pytest.mark.parametrize("claim, changes, verdict", [
    ("a", {}, True),
    ("a", {"curves": {(200, 0.02): np.full(12, -80.0)}}, False),
    ("a", {"curves": {(200, 0.5): np.full(12, -150.0)}}, False),
    ("a", {"curves": {BEST: np.full(9, -80.0)}}, "undecided"),
    ("b", {}, True),
    ("b", {"error": {(50, 0.1): 0.03}}, False),
    ("b", {"sharpness": {(50, 0.1): 0.95}}, False),
    ("c", {}, True),
    ("c", {"upper": {"longer": [-190, -191, -190]}}, False),
    ("c", {"upper": {"longer": [-190, -210, -190]}}, "undecided"),
    ("d", {}, True),
    ("d", {"error": {(300, 0.1): 0.02}}, "undecided"),
    ("d", {"error": {(300, 0.1): 0.02, (200, 0.02): 0.02}}, False),
    ("d", {"pseudo_likelihood": {(300, 0.1): -101, (200, 0.02): -101}}, "undecided"),
])
def test_settings_of_an_rbm(claim, changes, verdict):
    assert rbms(**changes)[claim] == verdict


@pytest.mark.parametrize("kept, first, second", [
    ([0.92, 0.95, 0.5], True, True), ([0.89, 0.95, 0.5], False, True),
    ([0.92, 0.925, 0.5], False, True), ([0.92, 0.95, 0.94], True, False),
])
def test_gibbs_steps(kept, first, second):
    ones = np.ones((2, 3))
    found = task_4_1_3.judge((1, 10, 1000), kept * ones, np.zeros((2, 3, 1_000), int), ones, ones)
    assert (found["4.1.3-a"][0], found["4.1.3-b"][0]) == (first, second)


@pytest.mark.parametrize("changes, nine_as_nine, verdict", [
    ({}, 0.3, True), ({3: 1.0}, 0.3, False), ({5: 0.5}, 0.3, False), ({}, 0.4, False),
])
def test_digits_without_their_top(changes, nine_as_nine, verdict):
    free = np.array([changes.get(digit, 0.9 if digit == 1 else 0.6) for digit in range(10)])
    nines = np.zeros(10)
    nines[[4, 9]] = 0.4, nine_as_nine
    assert task_4_1_4.judge(free, free, nines, 1_000, [0, 1])["4.1.4-a"][0] == verdict


@pytest.mark.parametrize("changes, half, alike", [
    ({}, True, True), ({"top 16": 0.61}, False, True), ({"top 16": 0.39}, False, True),
    ({"left 12": 0.59}, True, False), ({"middle 12": 0.66}, True, False),
])
def test_other_regions(changes, half, alike):
    free = {"top 12": 0.7, "bottom 12": 0.7, "left 12": 0.65, "right 12": 0.7, "middle 12": 0.4,
            "top 16": 0.5} | changes
    shares = {name: {"free": share, "clamped": 0.8, "cut": 0.3} for name, share in free.items()}
    found = task_4_1_5.judge(shares, 12, 16, 2_000)
    assert (found["4.1.5-a"][0], found["4.1.5-b"][0]) == (half, alike)


@pytest.mark.parametrize("changes, strokes, contrast", [
    ({}, True, True), ({"rbm": {"elongation": 1.4}}, False, True),
    ({"first": {"elongation": 1.7}}, False, True), ({"first": {"surround": 0.1}}, False, True),
    ({"second": {"contrast": 0.14}}, True, False),
])
def test_filters(changes, strokes, contrast):
    usual = {"rbm": {"elongation": 1.6, "surround": 0.1, "contrast": 0.1},
             "first": {"elongation": 1.2, "surround": -0.1, "contrast": 0.1},
             "second": {"elongation": 1.2, "surround": 0.1, "contrast": 0.2}}
    layers = {
        name: {quantity: np.full((2, 9), value) for quantity, value in
               ({"strength": 1.0} | values | changes.get(name, {})).items()}
        for name, values in usual.items()
    }
    found = task_4_1_6.judge(**layers)
    assert (found["4.1.6-a"][0], found["4.1.6-b"][0]) == (strokes, contrast)


@pytest.mark.parametrize("distances, verdict, point", [
    ({"DBM": [1, 1, 1, 1]}, True, None), ({"DBM": [1, 1, 9, 1]}, "artefact", "D11"),
    ({"DBM": [1, 1, 1, 9]}, False, "D11"), ({"DBM": [1, 1, 1, 5], "RBM": [6, 6, 6, 4]},
                                            "artefact", "D11"),
])
def test_samples_of_both_machines(distances, verdict, point):
    ways = [(start, kind) for start in task_4_1_7.STARTS for kind in task_4_1_7.KINDS]
    distances = {"RBM": [5, 5, 5, 5]} | distances
    quality = {
        (machine, *way): {"frechet": distance, "confident": 0.5, "grey": float(way[1] != "states")}
        for machine, values in distances.items() for way, distance in zip(ways, values)
    }
    digits = {"frechet": 1.0, "confident": 0.9}
    found = task_4_1_7.judge(quality, digits)
    assert (found["4.1.7-a"][0], found["4.1.7-a"][2]) == (verdict, point)
    assert (found["4.1.7-b"][0], found["4.1.7-b"][2]) == ("artefact", "D11")
    quality["DBM", "long_chains", "probabilities"]["grey"] = 0.0
    assert task_4_1_7.judge(quality, digits)["4.1.7-b"][0] is False
