"""Verdicts on the report's claims about Hopfield networks, from numbers that are made up."""

import numpy as np
import pytest
from script_modules import load

CORNERS = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], float)
MIDDLES = np.array([[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]], float)
ITERATIONS = np.random.default_rng(0).normal(9, 7, 4_000)


def verdicts(task, *arguments):
    return {claim: found[0] for claim, found in load(task).judge(*arguments).items()}


def square(stable=CORNERS, unstable=MIDDLES, beside=CORNERS, iterations=ITERATIONS):
    """Verdicts of 2.1.1 on a network with these equilibria."""
    targets = [[1, 1], [-1, -1], [1, -1]]
    states = np.concatenate([stable, unstable])
    table = {
        "states": states, "kinds": np.repeat(["stable", "saddle"], [len(stable), len(unstable)]),
        "multipliers": np.full(len(states), 1.2),
        "targets": np.array([state.tolist() in targets for state in states]),
    }
    on = np.array([[[0.5, 0], [0, 0]], [[1, 0], [0, 0]]])
    many = {"ends": CORNERS, "iterations": iterations}
    return verdicts("2.1.1", table, {"on": on, "beside": np.array([beside + 0.1, beside])}, many,
                    10)


def test_square_as_published():
    assert all(square().values())


@pytest.mark.parametrize("changes, refuted", [
    ({"stable": CORNERS[1:]}, {"2.1.1-a", "2.1.1-d", "2.1.1-e"}),
    ({"stable": CORNERS[[0, 2, 3]]}, {"2.1.1-b", "2.1.1-d", "2.1.1-e"}),
    ({"stable": CORNERS * [[1, 1], [1, 0.5], [1, 1], [1, 1]]}, {"2.1.1-b", "2.1.1-d", "2.1.1-e"}),
    ({"unstable": MIDDLES[:4]}, {"2.1.1-e"}),
    ({"beside": np.array([[0.3, 1.0]])}, {"2.1.1-e"}),
    ({"iterations": ITERATIONS + 20}, {"2.1.1-c"}),
])
def test_square_in_other_ways(changes, refuted):
    found = square(**changes)
    assert {claim for claim, verdict in found.items() if not verdict} == refuted


def cube(stable=3, targets=3, unstable=1, exact=0.0, first=0.99, iterations=ITERATIONS + 3):
    """Verdicts of 2.1.2 on a network with so many equilibria.

    Args:
        exact: where paths without rounding end; the unstable equilibria are at the origin.
        first: share of starts that come to the plane before they go along it.
    """
    number = stable + unstable
    table = {
        "states": np.repeat([[1.0] * 3, [0.0] * 3], [stable, unstable], axis=0),
        "kinds": np.repeat(["stable", "saddle"], [stable, unstable]),
        "multipliers": np.full(number, 1.2), "targets": np.arange(number) < targets,
    }
    on, paths = np.full((5, 4, 3), 0.5), np.full((5, 4, 3), exact)
    curve = np.tile(np.linspace(1, 0, 10), (3, 1))
    plane = {"start_distance": np.array([0.05] * 100 + [0.5] * 100), "half_way": np.full(200, 5),
             "half_distance": np.where(np.arange(200) < 100 + 100 * first, 2, 8),
             "distance": curve, "remaining": curve}
    many = {"ends": np.ones((7, 3)), "iterations": iterations}
    return verdicts("2.1.2", table, on, paths, many, plane, 10)


@pytest.mark.parametrize("changes, claim, verdict", [
    ({}, "2.1.2-a", True), ({"stable": 4}, "2.1.2-a", False), ({"targets": 2}, "2.1.2-a", False),
    ({}, "2.1.2-b", True), ({"iterations": ITERATIONS - 5}, "2.1.2-b", False),
    ({}, "2.1.2-c", False), ({"unstable": 0}, "2.1.2-c", True),
    ({"exact": 0.5}, "2.1.2-c", False),  # there are unstable equilibria all the same
    ({}, "2.1.2-d", True), ({"first": 0.9}, "2.1.2-d", False),
])
def test_cube(changes, claim, verdict):
    assert cube(**changes)[claim] == verdict


LEVELS = 0.0, 1.0, 4.0, 5.0, 6.0


def digits(share=(1, 1, 1, 1, 0.5), sevens=3, kept=50, few=4, much=40, early=0.1):
    """Verdicts of 2.1.3.

    Args:
        share: of copies restored at each of ``LEVELS``.
        sevens: where 7s end that do not return, 10 for no digit.
        kept: of 100 copies of a 7 that return above noise 5, where 90 of others do.
        few, much: iterations after which all copies are clean at noise 1 and 5.
        early: share of copies that are clean before.
    """
    settings = load("2.1.3").PRESETS["report"]
    lssm = {}
    for level, restored in zip(LEVELS, share):
        needed = few if level == 1 else much
        clean = np.where(np.arange(1, 101) >= needed, 1.0, early)
        ended = np.zeros((10, 11), int)
        ended[range(10), range(10)], ended[:, 10] = 90, 10
        ended[7, [7, 10]] = kept, 0
        ended[7, sevens] += 100 - kept
        lssm[level] = {
            "restored": np.full((100, 10), float(restored)), "ended": ended, "all_ten": restored,
            "clean": np.tile(clean[:, None], 10), "traces": np.full((100, 10), 0.1),
        }
    return verdicts("2.1.3", settings, lssm)


def test_digits_as_published():
    assert all(digits().values())


@pytest.mark.parametrize("changes, refuted", [
    ({"share": (1, 1, 0.98, 1, 0.5)}, {"2.1.3-a"}), ({"share": (1, 1, 1, 1, 0.995)}, {"2.1.3-a"}),
    ({"sevens": 4}, {"2.1.3-b"}), ({"sevens": 10}, {"2.1.3-b"}), ({"kept": 88}, {"2.1.3-b"}),
    ({"few": 8}, {"2.1.3-c"}), ({"much": 20}, {"2.1.3-c"}), ({"early": 0.6}, {"2.1.3-d"}),
])
def test_digits_in_other_ways(changes, refuted):
    found = digits(**changes)
    assert {claim for claim, verdict in found.items() if not verdict} == refuted
