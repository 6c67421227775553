"""Hopfield networks that store corners of the square, of the cube or digits, section 2.1."""

import itertools
from dataclasses import dataclass

import numpy as np

from ann_keras import command, data, models

DIGITS = range(10)
_MANY_STEPS = 300  # a start within 1e-15 of a border between basins takes 240 to leave it


@dataclass(frozen=True)
class Recipe:
    """Where paths on square and cube start, and how long they are, tasks 2.1.1 and 2.1.2."""

    points: int = 10  # report: random starts
    iterations: int = 50  # report: from random starts
    tolerance: float = 1e-5  # report: a shorter step is rest
    midway_values: int = 9  # report: places on each axis to start from
    midway_offset: float = 0.01  # report: distance from the axis of starts beside it
    midway_iterations: int = 500  # report: from starts on the axes and beside them
    many_points: int = 20_000  # report: random starts of the repeats behind it


@dataclass(frozen=True)
class Settings:
    """Of tasks 2.1.1 and 2.1.2."""

    recipe: command.flat(Recipe) = Recipe()
    seeds: int = 20  # ours: of ten points; the report shows one ten


PRESETS = {
    "smoke": Settings(Recipe(many_points=500), seeds=2),
    "quick": Settings(seeds=5),
    "report": Settings(),
}


def explore(task, recipe, patterns):
    """Begin the runs that both tasks have in common: dict of ``Result``s of the functions below,
    and "tens", ``Results``."""
    rests = {"patterns": patterns, "tolerance": recipe.tolerance}
    return {
        "equilibria": task.run(equilibria, patterns=patterns),
        "random": task.run(random_paths, patterns=patterns, points=recipe.points,
                           steps=recipe.iterations, seed=0),
        "midway": task.run(midway_paths, patterns=patterns, values=recipe.midway_values,
                           offset=recipe.midway_offset, steps=recipe.midway_iterations),
        "many": task.run(rest, points=recipe.many_points, steps=_MANY_STEPS, seed=0, **rests),
        "tens": task.repeat(rest, points=recipe.points, steps=recipe.iterations, **rests),
    }


def measure(task, runs):
    """Record what both tasks measure of what ``explore`` began."""
    table, many, tens = runs["equilibria"], runs["many"], runs["tens"]
    stable, iterations = table["kinds"] == "stable", many["iterations"]
    task.measure("attractors/targets", np.sum(stable & table["targets"]))
    task.measure("attractors/spurious", np.sum(stable & ~table["targets"]))
    task.measure("equilibria/unstable", np.sum(~stable))
    task.measure("ten_points/iterations/mean", tens["iterations"].mean(1))
    task.measure("many_points/iterations/mean", iterations.mean())
    task.measure("many_points/iterations/sd", iterations.std(ddof=1))
    task.measure("many_points/at_rest", many["at_rest"])
    attractors = table["states"][stable]
    ends = nearest(many["ends"], attractors)
    for index, attractor in enumerate(attractors):
        task.measure(f"basin/{attractor.astype(int).tolist()}", np.mean(ends == index))
    names = [f"x{axis}" for axis in range(1, attractors.shape[1] + 1)]
    columns = [table[name] for name in ("states", "kinds", "multipliers", "energies", "targets")]
    task.table("equilibria", [*names, "kind", "growth a step", "energy", "target"], [
        [*(f"{value:.6g}" for value in state), str(kind), f"{multiplier:.6g}", f"{energy:.6g}",
         "yes" if target else "no"]
        for state, kind, multiplier, energy, target in zip(*columns)
    ])


def equilibria(patterns):
    """All equilibria of the network of a few patterns (p, n), the stable ones first.

    Returns:
        Dict: "states" (m, n), and (m,) "kinds", of "stable", "saddle" or "source", "multipliers",
        "energies" and "targets", whether the equilibrium is one of the patterns.
    """
    network = models.hopfield.Hopfield(patterns)
    found = models.hopfield.equilibria(network)
    states = np.array([point.state for point in found])
    return {
        "states": states,
        "kinds": [point.kind for point in found],
        "multipliers": [point.multiplier for point in found],
        "energies": network.energy(states),
        "targets": (states[:, None] == np.array(patterns)).all(-1).any(-1),
    }


def random_paths(patterns, points, steps, seed):
    """Paths of the network from points uniform in the cube [-1, 1]^n: dict of "states"
    (steps + 1, points, n) and "energies" (steps + 1, points), starts included."""
    starts = np.random.default_rng([seed, points]).uniform(-1, 1, (points, len(patterns[0])))
    states, energies = models.hopfield.Hopfield(patterns).simulate(starts, steps)
    return {"states": states, "energies": energies}


def midway_paths(patterns, values, offset, steps):
    """Paths from ``midway_starts``: dict of "on" and "beside" (steps + 1, points, n), the starts
    included, and "on_energies"."""
    network = models.hopfield.Hopfield(patterns)
    on, beside = midway_starts(network.units, values, offset)
    states, energies = network.simulate(on, steps)
    return {"on": states, "on_energies": energies, "beside": network.simulate(beside, steps)[0]}


def rest(patterns, points, steps, tolerance, seed):
    """How long the network moves from random starts, and where it ends.

    Returns:
        Dict: "iterations" (points,) as of ``iterations_to_rest``, "ends" (points, n), and
        "at_rest", the share of points that rest within ``steps``.
    """
    states = random_paths(patterns, points, steps, seed)["states"]
    iterations = iterations_to_rest(states, tolerance)
    at_rest = np.mean(iterations < steps)
    return {"iterations": iterations, "ends": states[-1], "at_rest": at_rest}


def midway_starts(dimension, values, offset):
    """Points on each axis and beside it, as for the report's Figures 7 and 9.

    They have so many equidistant places on each axis, -1 and 1 included, and are beside it at the
    offset along every other axis, both ways.

    Returns:
        Arrays (points, n), each point once: those on an axis, those beside (the points beside the
        origin are on another axis).
    """
    identity = np.eye(dimension)
    points = [place * identity[axis] + shift * identity[other]
              for axis, other in itertools.permutations(range(dimension), 2)
              for place in np.linspace(-1, 1, values) for shift in (-offset, 0, offset)]
    points = np.unique(np.array(points) + 0.0, axis=0)  # 0.0 has but one sign then
    on = np.count_nonzero(points, axis=1) < 2
    return points[on], points[~on]


def iterations_to_rest(states, tolerance):
    """Steps before the first that moves a state of (steps + 1, points, n) less than ``tolerance``
    (Euclidean), array (points,); all the steps where no step is that short."""
    short = np.linalg.norm(np.diff(states, axis=0), axis=-1) < tolerance
    return np.where(short.any(0), short.argmax(0), len(short))


def means(values, size):
    """Means of ``size`` values each, one group after the other, (groups,); ValueError of fewer."""
    if len(values) < size:
        raise ValueError(f"a mean of {size} points needs as many to compare, got {len(values)}")
    return np.reshape(values[: len(values) // size * size], (-1, size)).mean(1)


def among(states, points):
    """Which of the states (m, n) are, but for rounding errors, one of the points (p, n)."""
    return (np.abs(states[:, None] - np.asarray(points)) < 1e-6).all(2).any(1)


def nearest(states, points):
    """Indices of the points (m, n) closest to states (..., n)."""
    distances = np.linalg.norm(states[..., None, :] - np.asarray(points), axis=-1)
    return distances.argmin(-1)


def recall(rule, noise, draws, iterations, shown, clean, source, seed):
    """Restore noisy digits: the ten digits plus N(0, noise²), clipped to [-1, 1], many draws.

    Args:
        rule: of the network that stores the ten digits.
        draws: noisy copies of each digit.
        iterations: synchronous steps.
        shown: iterations whose states are kept for the first draw.
        clean: largest distance of a pixel from the digit that counts as no trace.
        seed: decides the noise, which is the same for each rule and drawn anew for each level.

    Returns:
        Dict: "restored" (iterations, 10), share of draws in which every pixel has the digit's
        sign; "clean" (iterations, 10), share in which no pixel is farther than ``clean``;
        "traces" (iterations, 10), mean distance of a pixel; "all_ten", share of the draws in which
        all ten digits are restored at the end; "ended" (10, 11), draws of a digit whose signs end
        at each digit, or none of them in the last column; "examples" (1 + shown, 10, 784), noisy
        and restored.

    Raises:
        ValueError: an iteration to show is not among those that are run.
    """
    if not all(1 <= when <= iterations for when in shown):
        raise ValueError(f"shown iterations are from 1 to {iterations}, got {list(shown)}")
    patterns = digits(source).astype(np.float32)
    network = models.hopfield.Hopfield(patterns, rule, dtype="float32")
    step = models.hopfield.low_rank_step(network)
    restored, cleaned, traces = np.zeros((3, iterations, len(DIGITS)))
    ended = np.zeros((len(DIGITS), len(DIGITS) + 1), int)
    examples = np.zeros((1 + len(shown), *patterns.shape), np.float32)
    every_digit = np.ones(draws, bool)
    # One digit at a time, so that its draws stay in the processor's cache.
    for digit, pattern in enumerate(patterns):
        generator = np.random.default_rng([seed, digit, round(1e6 * noise)])
        shape = draws, len(pattern)
        states = pattern + np.float32(noise) * generator.standard_normal(shape, np.float32)
        states = np.clip(states, -1, 1)
        examples[0, digit] = states[0]
        for iteration in range(iterations):
            before, states = states, step(states)
            agreement = states * pattern  # 1 less the distance from ±1
            least = agreement.min(1)
            # Later iterations are the same, unless they overwrite it.
            restored[iteration:, digit] = np.mean(least > 0)
            cleaned[iteration:, digit] = np.mean(least >= 1 - clean)
            traces[iteration:, digit] = 1 - agreement.mean(dtype=np.float64)
            examples[1:][np.array(shown) > iteration, digit] = states[0]
            if (states == before).all():
                break
        every_digit &= least > 0
        same = np.where(states > 0, 1, -1) @ patterns.T.astype(int) == len(pattern)
        ended[digit] = [*same.sum(0), np.count_nonzero(~same.any(1))]
    return {"restored": restored, "clean": cleaned, "traces": traces,
            "all_ten": every_digit.mean(), "ended": ended, "examples": examples}


def pool(results):
    """Runs of ``recall`` over several seeds as one: means of shares, sums of counts."""
    shares = {name: results[name].mean(0) for name in ("restored", "clean", "traces", "all_ten")}
    return shares | {"ended": results["ended"].sum(0), "examples": results[0]["examples"]}


def digits(source):
    """The first training image of each class of MNIST, ten rows of 784 pixels ±1.

    A pixel is 1 if its grey value is above half of 255, which no grey value is exactly.
    """
    (images, labels), _ = data.mnist.load(source)
    first = images[[np.flatnonzero(labels == digit)[0] for digit in DIGITS]]
    return np.sign(2.0 * first.reshape(len(DIGITS), -1) / 255 - 1)
