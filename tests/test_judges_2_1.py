"""Verdicts on the report's claims about Hopfield networks, from numbers that are made up."""

import numpy as np
import pytest
from script_modules import load, verdicts

CORNERS = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], float)
MIDDLES = np.array([[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]], float)
ITERATIONS = np.random.default_rng(0).normal(9, 7, 4_000)


def those_that_differ(found, usual="reproduced"):
    return {claim: verdict for claim, verdict in found.items() if verdict != usual}


def square(stable=CORNERS, unstable=MIDDLES, beside=CORNERS, iterations=ITERATIONS):
    """Verdicts of 2.1.1 on a network with these equilibria."""
    states = np.concatenate([stable, unstable])
    table = {
        "states": states, "kinds": np.repeat(["stable", "saddle"], [len(stable), len(unstable)]),
        "targets": np.array([state.tolist() in load("2.1.1").TARGETS for state in states]),
    }
    paths = {"beside": np.array([beside + 0.1, beside])}
    return verdicts(load("2.1.1").judge(table, paths, {"iterations": iterations}, 10))


@pytest.mark.parametrize("changes, refuted", [
    ({}, ""), ({"stable": CORNERS[1:]}, "ade"), ({"stable": CORNERS[[0, 2, 3]]}, "bde"),
    ({"stable": CORNERS * [[1, 1], [1, 0.5], [1, 1], [1, 1]]}, "bde"),
    ({"unstable": MIDDLES[:4]}, "e"), ({"beside": np.array([[0.3, 1.0]])}, "e"),
    ({"iterations": ITERATIONS + 20}, "c"), ({"iterations": np.repeat(9.0, 4_000)}, "c"),
])
def test_square(changes, refuted):
    assert those_that_differ(square(**changes)) == {
        f"2.1.1-{letter}": "refuted" for letter in refuted
    }


def cube(stable=3, targets=3, ends=0.5, exact=0.0, first=0.99, iterations=ITERATIONS + 3):
    """Verdicts of 2.1.2 on a network with so many equilibria; the unstable one is at the origin.

    Args:
        ends, exact: where paths end with and without rounding errors.
        first: share of starts that come to the plane before they go along it.
    """
    table = {"states": np.repeat([[1.0] * 3, [0.0] * 3], [stable, 1], axis=0),
             "kinds": np.repeat(["stable", "saddle"], [stable, 1]),
             "targets": np.arange(stable + 1) < targets}
    plane = {"start_distance": np.repeat([0.05, 0.5], 100), "half_way": np.full(200, 5),
             "half_distance": np.where(np.arange(200) < 100 + 100 * first, 2, 8)}
    on, without = (np.full((5, 4, 3), end) for end in (ends, exact))
    return verdicts(load("2.1.2").judge(table, on, without, {"iterations": iterations}, plane, 10))


@pytest.mark.parametrize("changes, claim, verdict", [
    ({}, "a", "reproduced"), ({"stable": 4}, "a", "refuted"), ({"targets": 2}, "a", "refuted"),
    ({}, "b", "reproduced"), ({"iterations": ITERATIONS - 5}, "b", "refuted"),
    ({}, "c", "artefact"), ({"exact": 0.5}, "c", "reproduced"), ({"ends": 0.0}, "c", "refuted"),
    ({}, "d", "reproduced"), ({"first": 0.5}, "d", "undecided"), ({"first": 0.2}, "d", "refuted"),
])
def test_cube(changes, claim, verdict):
    assert cube(**changes)[f"2.1.2-{claim}"] == verdict


LEVELS = 0.0, 1.0, 4.0, 5.0, 6.0
COPIES = load("2.1.3").PRESETS["report"].draws


def digits(whole=(1, 1, 1, 1, 0.1), threes=90, kept=100, few=4, much=40):
    """Verdicts of 2.1.3.

    Args:
        whole: share of pictures at each of ``LEVELS`` of which all digits come back.
        threes: 7s that become a 3; the others that do not come back become a 1.
        kept: 7s that come back, where 150 of each other digit do; of 200.
        few, much: iterations after which half of the pictures are clean at noise 1 and 5; the
            others two before and after.
    """
    lssm = {}
    for level, share in zip(LEVELS, whole):
        needed = few if level == 1 else much
        steps = np.arange(1, 101)
        clean = (steps >= needed - 2) / 20 + (steps >= needed) * 0.9 + (steps >= needed + 2) / 20
        ended = np.zeros((10, 11), int)
        ended[range(10), range(10)], ended[:, 10] = 150, COPIES - 150
        ended[7, [1, 3, 7, 10]] = COPIES - kept - threes, threes, kept, 0
        lssm[level] = {"ended": ended, "all_ten": share, "clean": np.tile(clean[:, None], 10)}
    return verdicts(load("2.1.3").judge(load("2.1.3").PRESETS["report"], lssm))


@pytest.mark.parametrize("changes, differ", [
    ({}, {}),
    ({"whole": (1, 1, 0.3, 1, 0.1)}, {"a": "refuted"}),
    ({"whole": (1, 1, 1, 0.5, 0.1)}, {"a": "undecided"}),
    ({"whole": (1, 1, 1, 1, 0.9)}, {"a": "refuted"}),
    ({"threes": 10}, {"b": "refuted"}), ({"threes": 50}, {"b": "undecided"}),
    ({"kept": 170, "threes": 25}, {"b": "refuted"}),
    ({"few": 8}, {"c": "refuted"}), ({"much": 20}, {"c": "refuted"}),
    ({"much": 4}, {"c": "refuted", "d": "refuted"}),
])
def test_digits(changes, differ):
    expected = {f"2.1.3-{letter}": verdict for letter, verdict in differ.items()}
    assert those_that_differ(digits(**changes)) == expected
