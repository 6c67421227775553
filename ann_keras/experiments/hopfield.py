"""Simulations of Hopfield networks, tasks 2.1.1 and 2.1.2."""

import itertools

import numpy as np

from ann_keras.models import hopfield

QUANTILES = (0.05, 0.5, 0.95)
MANY_STEPS = 300  # a start within 1e-15 of a border between basins takes 240 to leave it


def explore(task, settings, targets):
    """The runs and measurements that tasks 2.1.1 and 2.1.2 have in common.

    Args:
        task: records them.
        settings: of either script.
        targets: patterns that the lssm network stores.

    Returns:
        Dict of results: "equilibria" and "many" as of ``equilibria`` and ``rest``, "random", "on"
        and "beside" (the axes) as of ``paths``.
    """
    dimension = len(targets[0])
    rest_options = {"patterns": targets, "tolerance": settings.tolerance}
    tens = [
        task.run(f"ten points, seed {seed}", rest, seed=seed, points=settings.points,
                 steps=settings.iterations, **rest_options)
        for seed in task.seeds
    ]
    on, beside = midway_starts(dimension, settings.midway_values, settings.midway_offset)
    results = {
        "equilibria": task.run("equilibria", equilibria, patterns=targets),
        "many": task.run("many points", rest, seed=0, points=settings.many_points,
                         steps=MANY_STEPS, **rest_options),
    } | {
        name: task.run(f"{name} starts", paths, patterns=targets, starts=starts, steps=steps)
        for name, starts, steps in (
            ("random", random_starts(0, settings.points, dimension), settings.iterations),
            ("on", on, settings.midway_iterations),
            ("beside", beside, settings.midway_iterations),
        )
    }
    _measure(task, results["equilibria"], tens, results["many"])
    return results


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


def judge_mean(mean, values, size):
    """Whether a mean of ``size`` values can be that of a random choice from many ``values``.

    Returns:
        (is it in the central 95% of the means of ``size`` of them, one after the other?, evidence
        in words).

    Raises:
        ValueError: fewer values than ``size``.
    """
    values = np.asarray(values, np.float64)
    if len(values) < size:
        raise ValueError(f"a mean of {size} points needs as many to compare, got {len(values)}")
    means = values[: len(values) // size * size].reshape(-1, size).mean(1)
    inside = np.quantile(means, 0.025) <= mean <= np.quantile(means, 0.975)
    low, high = confidence_interval(values)
    return bool(inside), (
        f"Over {len(values):,} starts the mean is {values.mean():.2f} (95% interval {low:.2f} to "
        f"{high:.2f}). Means of {size} starts have sd {means.std():.1f}, and "
        f"{np.mean(means <= mean):.0%} of them are {mean} or less: {size} points "
        f"{'can' if inside else 'can hardly'} give the published mean."
    )


def confidence_interval(values):
    """95% interval of the mean of many values, normal approximation: (low, high)."""
    half = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
    return np.mean(values) - half, np.mean(values) + half


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


def _measure(task, table, tens, many):
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
