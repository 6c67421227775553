"""Simulations of Hopfield networks, tasks 2.1.1 to 2.1.3."""

import functools
import itertools

import numpy as np

from ann_keras.data import mnist
from ann_keras.models import hopfield

DIGITS = 10
QUANTILES = (0.05, 0.5, 0.95)


def equilibria(*, patterns):
    """All equilibria of the lssm network of a few patterns (p, n), the stable ones first.

    Returns:
        Dict: "states" (m, n), "kinds" (m,) of "stable", "saddle" or "source", "multipliers" (m,),
        "energies" (m,), "targets" (m,), whether the equilibrium is one of the patterns.
    """
    network = hopfield.Hopfield(patterns)
    found = hopfield.equilibria(network)
    states = np.array([point.state for point in found])
    return {
        "states": states,
        "kinds": [point.kind for point in found],
        "multipliers": [point.multiplier for point in found],
        "energies": network.energy(states),
        "targets": (states[:, None] == np.array(patterns)).all(-1).any(-1),
    }


def paths(*, patterns, starts, steps):
    """Run the lssm network of ``patterns`` from given starts, lists (points, n).

    Returns:
        Dict: "states" (steps + 1, points, n) and "energies" (steps + 1, points), starts included.
    """
    states, energies = hopfield.Hopfield(patterns).simulate(starts, steps)
    return {"states": states, "energies": energies}


def random_starts(seed, points, dimension):
    """Points uniform in the cube [-1, 1]^n, nested list (points, n)."""
    return np.random.default_rng([seed, points]).uniform(-1, 1, (points, dimension)).tolist()


def midway_starts(dimension, values, offset):
    """Points on each axis and beside it, as for the report's Figures 7 and 9.

    Args:
        dimension: n of the network.
        values: number of equidistant places on each axis, -1 and 1 included.
        offset: distance from the axis of those beside it, along every other axis both ways.

    Returns:
        Nested lists (points, n), each point once: those on an axis, those beside (the points
        beside the origin are on another axis).
    """
    identity = np.eye(dimension)
    points = [
        place * identity[axis] + shift * identity[other]
        for axis, other in itertools.permutations(range(dimension), 2)
        for place in np.linspace(-1, 1, values) for shift in (-offset, 0, offset)
    ]
    points = np.unique(np.array(points) + 0.0, axis=0)  # 0.0 has but one sign then
    on = np.count_nonzero(points, axis=1) < 2
    return points[on].tolist(), points[~on].tolist()


def rest(*, seed, patterns, points, steps, tolerance):
    """How long the lssm network moves from random starts, and where it ends.

    Returns:
        Dict: "iterations" (points,) as of ``iterations_to_rest``, "ends" (points, n), and
        "at_rest", the share of points that rest within ``steps``.
    """
    starts = random_starts(seed, points, len(patterns[0]))
    states, _ = hopfield.Hopfield(patterns).simulate(starts, steps)
    iterations = iterations_to_rest(states, tolerance)
    return {
        "iterations": iterations,
        "ends": states[-1],
        "at_rest": np.mean(iterations < steps),
    }


def approach(*, seed, patterns, points, steps):
    """How states of the lssm network come to the plane through its patterns, and go along it.

    Args:
        patterns: n of them in n dimensions, which lie in one plane (n - 1 dimensions).

    Returns:
        Dict: "distance" and "remaining" (3, steps + 1), their 5%, 50% and 95% quantiles over the
        starts: distance to the plane, and share of the way along the plane still to go;
        "start_distance" (points,), and the first step with half of either gone,
        "half_distance" and "half_way" (points,).
    """
    starts = random_starts(seed, points, len(patterns[0]))
    states, _ = hopfield.Hopfield(patterns).simulate(starts, steps)
    patterns = np.array(patterns, np.float64)
    normal = np.linalg.svd(patterns[:-1] - patterns[-1])[2][-1]
    offset = (states - patterns[-1]) @ normal
    along = states - offset[..., None] * normal
    remaining = np.linalg.norm(along - along[-1], axis=-1)
    distance, remaining = np.abs(offset), remaining / remaining[0]
    return {
        "distance": np.quantile(distance, QUANTILES, axis=1),
        "remaining": np.quantile(remaining, QUANTILES, axis=1),
        "start_distance": distance[0],
        "half_distance": (distance <= distance[0] / 2).argmax(0),
        "half_way": (remaining <= 0.5).argmax(0),
    }


def iterations_to_rest(states, tolerance):
    """Steps before the first that moves a state less than ``tolerance`` (Euclidean).

    Args:
        states: (steps + 1, points, n).

    Returns:
        Array (points,), all the steps where no step is that short.
    """
    short = np.linalg.norm(np.diff(states, axis=0), axis=-1) < tolerance
    return np.where(short.any(0), short.argmax(0), len(short))


def place_of_mean(mean, values, size):
    """Where a mean of ``size`` values lies among means of as many of the ``values``.

    Returns:
        Dict: "sd" of those means, "below" the share of them at or under ``mean``, and "inside",
        whether ``mean`` is in their central 95%.
    """
    whole = len(values) // size * size
    means = np.asarray(values[:whole], np.float64).reshape(-1, size).mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {
        "sd": float(means.std(ddof=1)) if len(means) > 1 else 0.0,
        "below": float(np.mean(means <= mean)),
        "inside": bool(low <= mean <= high),
    }


def confidence_interval(values):
    """95% interval of the mean of many values, normal approximation: (low, high)."""
    values = np.asarray(values, np.float64)
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


def mirrored_paths(*, patterns, starts, mirror, steps):
    """Run from starts on a mirror plane of the network without leaving the plane by rounding.

    Where a matrix M of 0 and ±1 with M·M = 1 permutes the patterns, W and b are unchanged by it:
    a start with M s = s has M s = s for ever. Arithmetic breaks that by 1e-16 a step, and next to
    an unstable equilibrium the error grows; averaging s with M s after each step takes it away.

    Returns:
        Dict: "states" (steps + 1, points, n).

    Raises:
        ValueError: a start is not on the plane of the mirror.
    """
    network, mirror = hopfield.Hopfield(patterns), np.array(mirror, np.float64)
    states = np.empty((steps + 1, *np.shape(starts)))
    states[0] = starts
    if (states[0] @ mirror.T != states[0]).any():
        raise ValueError("a start is not its own mirror image")
    for step in range(steps):
        after = network(states[step]).numpy()
        states[step + 1] = (after + after @ mirror.T) / 2
    return {"states": states}


def nearest(states, points):
    """Indices of the points (m, n) closest to states (..., n)."""
    distances = np.linalg.norm(states[..., None, :] - np.asarray(points), axis=-1)
    return distances.argmin(-1)


def measure(task, table, tens, many):
    """Record what tasks 2.1.1 and 2.1.2 have in common.

    Args:
        table: of ``equilibria``.
        tens: of ``rest``, one a seed, with ten points each.
        many: of ``rest``, with many points.

    Returns:
        95% confidence interval of the mean iterations to rest.
    """
    stable = table["kinds"] == "stable"
    task.measure("attractors/targets", np.sum(stable & table["targets"]))
    task.measure("attractors/spurious", np.sum(stable & ~table["targets"]))
    task.measure("equilibria/unstable", np.sum(~stable))
    task.measure("ten_points/iterations/mean", [run["iterations"].mean() for run in tens])
    iterations = many["iterations"]
    low, high = confidence_interval(iterations)
    task.measure("many_points/iterations/mean", iterations.mean())
    task.measure("many_points/iterations/mean/low", low)
    task.measure("many_points/iterations/mean/high", high)
    task.measure("many_points/iterations/sd", iterations.std(ddof=1))
    task.measure("many_points/at_rest", many["at_rest"])
    attractors = table["states"][stable]
    ends = nearest(many["ends"], attractors)
    for index, attractor in enumerate(attractors):
        task.measure(f"basin/{attractor.astype(int).tolist()}", np.mean(ends == index))
    names = [f"x{axis}" for axis in range(1, attractors.shape[1] + 1)]
    task.table(
        "equilibria", [*names, "kind", "growth a step", "energy", "target"],
        [
            [*(f"{value:.6g}" for value in state), str(kind), f"{multiplier:.6g}",
             f"{energy:.6g}", "yes" if target else "no"]
            for state, kind, multiplier, energy, target in zip(
                *(table[f] for f in ("states", "kinds", "multipliers", "energies", "targets"))
            )
        ],
    )
    return low, high


@functools.cache
def digits(source):
    """The first training image of each class of MNIST, ten rows of 784 pixels ±1.

    A pixel is 1 if its grey value is above half of 255, which no grey value is exactly.
    """
    (images, labels), _ = mnist.load(source)
    first = images[[np.flatnonzero(labels == digit)[0] for digit in range(DIGITS)]]
    return np.sign(2.0 * first.reshape(DIGITS, -1) / 255 - 1)


def low_rank_step(network):
    """A synchronous step of ``network`` without its kernel, in its own dtype.

    The kernel is a number times 1 plus FᵀF with a row of F for each pattern or so; for ten digits
    that is 40 times fewer multiplications.
    """
    dtype = network.compute_dtype
    factor, bias = (np.asarray(a, dtype) for a in (network.factor, network.bias.numpy()))
    diagonal = np.asarray(network.diagonal, dtype)

    def step(states):
        inputs = (states @ factor.T) @ factor
        inputs += bias
        inputs += diagonal * states
        return hopfield.activate(inputs, states, network.saturating)

    return step


def recall(*, seed, source, rule, noise, draws, iterations, shown, clean):
    """Restore noisy digits: the ten digits plus N(0, noise²), clipped to [-1, 1], many draws.

    Args:
        seed: decides the noise, which is the same for each rule and drawn anew for each level.
        source: of MNIST.
        rule: of the network that stores the ten digits.
        noise: standard deviation.
        draws: noisy copies of each digit.
        iterations: synchronous steps.
        shown: iterations whose states are kept for the first draw.
        clean: largest distance of a pixel from the digit that counts as no trace.

    Returns:
        Dict: "restored" (iterations, 10), share of draws in which every pixel has the digit's
        sign; "clean" (iterations, 10), share in which no pixel is farther than ``clean``;
        "traces" (iterations, 10), mean distance of a pixel; "all_ten", share of the draws in which
        all ten digits are restored at the end; "ended" (10, 11), draws of a digit whose signs end
        at each digit, or none of them in the last column; "nearest" (10, 10), draws by the digit
        closest to their end; "examples" (1 + len(shown), 10, 784), noisy and restored.

    Raises:
        ValueError: an iteration to show is not among those that are run.
    """
    if not all(1 <= when <= iterations for when in shown):
        raise ValueError(f"shown iterations are from 1 to {iterations}, got {list(shown)}")
    patterns = digits(source).astype(np.float32)
    network = hopfield.Hopfield(patterns, rule, dtype="float32")
    step = low_rank_step(network)
    shares = {name: np.zeros((iterations, DIGITS)) for name in ("restored", "clean", "traces")}
    ended = np.zeros((DIGITS, DIGITS + 1), int)
    nearest = np.zeros((DIGITS, DIGITS), int)
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
            shares["restored"][iteration, digit] = np.mean(least > 0)
            shares["clean"][iteration, digit] = np.mean(least >= 1 - clean)
            shares["traces"][iteration, digit] = 1 - agreement.mean(dtype=np.float64)
            for place, when in enumerate(shown, 1):
                if iteration + 1 == when:
                    examples[place, digit] = states[0]
            if (states == before).all():  # nothing changes any more
                for values in shares.values():
                    values[iteration + 1:, digit] = values[iteration, digit]
                for place, when in enumerate(shown, 1):
                    if when > iteration + 1:
                        examples[place, digit] = states[0]
                break
        every_digit &= least > 0
        overlap = np.where(states > 0, 1, -1) @ patterns.T.astype(int)
        same = overlap == len(pattern)
        ended[digit] = [*same.sum(0), np.count_nonzero(~same.any(1))]
        nearest[digit] = np.bincount((states @ patterns.T).argmax(1), minlength=DIGITS)
    return shares | {
        "all_ten": every_digit.mean(), "ended": ended, "nearest": nearest, "examples": examples,
    }
