"""Task 2.1.2: attractors of a 3-D Hopfield network that stores three corners of the cube.

The report finds the three targets and nothing else, 11.7 iterations on average, stability even
from midway points, and paths that go to the plane through the targets and then along it. Here all
equilibria are enumerated. Midway starts also run without rounding errors, which push the published
paths off the unstable equilibria where they would rest: the errors grow by 1.16 a step.

    python scripts/task_2_1_2.py                     about 10 seconds
    python scripts/task_2_1_2.py --preset report     about 10 seconds
"""

import numpy as np

from ann_keras import command, models, plots
from ann_keras.recipes import hopfield

TARGETS = [[1, 1, 1], [-1, -1, 1], [1, -1, -1]]
PRESETS = hopfield.PRESETS

# Each swaps two targets and keeps the third; its mirror plane holds the axis it is listed under.
MIRRORS = (
    [[1, 0, 0], [0, 0, -1], [0, -1, 0]],
    [[0, 0, 1], [0, 1, 0], [1, 0, 0]],
    [[0, -1, 0], [-1, 0, 0], [0, 0, 1]],
)
QUANTILES = (0.05, 0.5, 0.95)
STEPS = 300  # to the plane and along it


def run(task, settings):
    recipe = settings.recipe
    runs = hopfield.explore(task, recipe, TARGETS)
    exact = task.run(exact_paths, patterns=TARGETS, mirrors=MIRRORS, values=recipe.midway_values,
                     offset=recipe.midway_offset, steps=recipe.midway_iterations)
    plane = task.run(approach, patterns=TARGETS, points=recipe.many_points, steps=STEPS, seed=0)
    hopfield.measure(task, runs)
    table, on = runs["equilibria"], runs["midway"]["on"]
    unstable = table["states"][table["kinds"] != "stable"]
    ends = {"as_published/after_100": on[:101][-1], "as_published/at_end": on[-1],
            "without_rounding/at_end": exact["states"][-1]}
    for name, states in ends.items():
        task.measure(f"on_axes/{name}/at_unstable", np.mean(hopfield.among(states, unstable)))
    both = np.concatenate([on, runs["midway"]["beside"]], axis=1)
    plots.paths(task, "fig8_hopfield_3d_random", runs["random"]["states"], TARGETS, unstable)
    plots.paths(task, "fig9_hopfield_3d_midway", both, TARGETS, unstable)
    labels = {"distance": "distance to the plane", "remaining": "way along the plane to go (share)"}
    with plots.figure(task, "plane", 2) as axes:
        for panel, (name, label) in zip(axes, labels.items()):
            low, middle, high = plane[name][:, :31]
            panel.plot(middle, label="median start")
            panel.fill_between(range(31), low, high, alpha=0.2, lw=0, label="5% to 95% of starts")
            panel.set(xlabel="iteration", ylabel=label)
    task.decide(judge(table, on, exact["states"], runs["many"], plane, recipe.points))


def exact_paths(patterns, mirrors, values, offset, steps):
    """Paths of ``midway_starts`` on the axes that rounding does not push off their mirror plane.

    Where a matrix M of 0 and ±1 with M·M = 1, of ``mirrors`` that of the axis, permutes the
    patterns, W and b are unchanged by it: a start with M s = s has M s = s for ever. Arithmetic
    breaks that by 1e-16 a step, and next to an unstable equilibrium the error grows; averaging s
    with M s after each step takes it away.

    Returns:
        Dict: "states" (steps + 1, points, n), axis by axis.
    """
    network = models.hopfield.Hopfield(patterns)
    starts, _ = hopfield.midway_starts(network.units, values, offset)
    paths = []
    for axis, mirror in enumerate(np.array(mirrors, np.float64)):
        states = [starts[np.abs(starts).argmax(1) == axis]]
        for _ in range(steps):
            after = network(states[-1]).numpy()
            states.append((after + after @ mirror.T) / 2)
        paths.append(states)
    return {"states": np.concatenate(paths, axis=1)}


def approach(patterns, points, steps, seed):
    """How states come from random starts to the plane through the patterns, and go along it.

    Returns:
        Dict: "distance" and "remaining" (3, steps + 1), their 5%, 50% and 95% quantiles over the
        starts: distance to the plane, and share of the way along the plane still to go;
        "start_distance" (points,), and the first step with half of either gone,
        "half_distance" and "half_way" (points,).
    """
    states = hopfield.random_paths(patterns, points, steps, seed)["states"]
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


def judge(table, on, exact, many, plane, points):
    """What the claims are judged by.

    Args:
        table, many, plane: what ``equilibria``, ``rest`` and ``approach`` gave.
        on, exact: states (steps + 1, starts, 3) from the axes, with and without rounding errors.
        points: of the published mean.
    """
    stable = table["kinds"] == "stable"
    unstable = table["states"][~stable]
    far = plane["start_distance"] > 0.1  # others are at the plane from the start

    def leave(paths):
        return {"midway": not hopfield.among(paths[-1], unstable).any()}

    return {
        "2.1.2-a": {"targets": np.sum(stable & table["targets"]) == len(TARGETS),
                    "others": not np.any(stable & ~table["targets"])},
        "2.1.2-b": {"mean": hopfield.means(many["iterations"], points)},
        "2.1.2-c": (leave(on), leave(exact)),
        "2.1.2-d": {"plane": (plane["half_distance"] < plane["half_way"])[far]},
    }


if __name__ == "__main__":
    command.main("2.1.2", run, PRESETS, __doc__)
