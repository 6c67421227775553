"""Task 2.1.2: attractors of a 3-D Hopfield network that stores three corners of the cube.

The report finds the three targets and nothing else, 11.7 iterations on average, stability even
from midway points, and paths that go to the plane through the targets and then along it. Here all
equilibria are enumerated, and midway starts also run without the rounding that moves them.

    python scripts/task_2_1_2.py                     about 10 seconds
    python scripts/task_2_1_2.py --preset report     about 10 seconds
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.report import published

TARGETS = [[1, 1, 1], [-1, -1, 1], [1, -1, -1]]

# Each swaps two targets and keeps the third; its mirror plane holds the axis it is listed under.
MIRRORS = (
    [[1, 0, 0], [0, 0, -1], [0, -1, 0]],
    [[0, 0, 1], [0, 1, 0], [1, 0, 0]],
    [[0, -1, 0], [-1, 0, 0], [0, 0, 1]],
)


@dataclass(frozen=True)
class Settings:
    points: int = 10  # report
    iterations: int = 50  # report: from random points
    tolerance: float = 1e-5  # report: a shorter step is rest
    midway_values: int = 9  # report: places on each axis
    midway_offset: float = 0.01  # report: distance from the axis beside it
    midway_iterations: int = 500  # report
    many_points: int = 20_000  # report: of the repeats behind it
    seeds: int = 20  # ours: of ten points; the report shows one ten


PRESETS = {
    "smoke": Settings(many_points=500, seeds=2),
    "quick": Settings(seeds=5),
    "report": Settings(),
}


def run(task, settings):
    hopfield = experiments.hopfield
    results = hopfield.explore(task, settings, TARGETS)
    starts = results["on"]["states"][0]
    axis = np.abs(starts).argmax(1)
    results["mirrored"] = np.concatenate([
        task.run(
            f"on axis {number}, without rounding", hopfield.mirrored_paths, patterns=TARGETS,
            starts=starts[axis == number].tolist(), mirror=mirror,
            steps=settings.midway_iterations,
        )["states"]
        for number, mirror in enumerate(MIRRORS)
    ], axis=1)
    results["plane"] = task.run(
        "approach to the plane", hopfield.approach, seed=0, patterns=TARGETS,
        points=settings.many_points, steps=hopfield.MANY_STEPS,
    )
    draw(task, results)
    judge(task, settings, results)


def draw(task, results):
    table, plane = results["equilibria"], results["plane"]
    starts = {
        "fig8_hopfield_3d_random": results["random"]["states"],
        "fig9_hopfield_3d_midway": np.concatenate(
            [results[name]["states"] for name in ("on", "beside")], axis=1
        ),
    }
    for stem, states in starts.items():
        figure, (axes,) = plots.panels(
            width=6.4, height=5.4, subplot_kw={"projection": "3d", "computed_zorder": False}
        )
        axes.plot_trisurf(*np.transpose(TARGETS), color="black", alpha=0.08, lw=0)
        for path in states.transpose(1, 2, 0):
            axes.plot(*path, color="C0", lw=1, alpha=0.6)
        axes.plot(*states[1:-1].reshape(-1, 3).T, ".", color="C0", ms=3, label="path")
        axes.plot(*np.transpose(TARGETS), "*", color="black", ms=14, label="target")
        axes.plot(*states[0].T, "o", color="C2", ms=4, label="start")
        axes.plot(*states[-1].T, "o", mfc="none", color="C3", ms=9, label="end")
        unstable = table["states"][table["kinds"] != "stable"]
        axes.plot(*unstable.T, "x", color="C1", ms=8, mew=2, label="unstable equilibrium")
        ticks = np.linspace(-1, 1, 5)
        axes.set_xlabel("$x_1$", labelpad=8)
        axes.set_ylabel("$x_2$", labelpad=8)
        axes.set(zlabel="$x_3$", xticks=ticks, yticks=ticks, zticks=ticks)
        axes.view_init(elev=22, azim=-68)
        axes.set_box_aspect(None, zoom=1.08)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
        task.figure(stem, figure)

    figure, (left, right) = plots.panels(2)
    steps = np.arange(31)
    for axes, name, label in (
        (left, "distance", "distance to the plane"),
        (right, "remaining", "way along the plane to go (share)"),
    ):
        low, middle, high = plane[name][:, : len(steps)]
        axes.plot(steps, middle, label="median start")
        axes.fill_between(steps, low, high, alpha=0.2, lw=0, label="5% to 95% of starts")
        axes.set(xlabel="iteration", ylabel=label)
        axes.legend()
    task.figure("plane", figure)


def judge(task, settings, results):
    hopfield = experiments.hopfield
    table, many, plane = (results[name] for name in ("equilibria", "many", "plane"))
    stable = table["kinds"] == "stable"
    both = np.sum(stable & table["targets"])
    ends = hopfield.nearest(many["ends"], TARGETS)
    shares = ", ".join(f"{np.mean(ends == index):.1%}" for index in range(len(TARGETS)))
    task.claim(
        "2.1.2-a", both == len(TARGETS) == stable.sum(),
        f"Of all {len(stable)} equilibria {stable.sum()} are stable, {both} of them targets. "
        f"They draw {shares} of {len(ends):,} random starts.",
    )
    given = published.value("2.1.2", "ten_points/iterations/mean").value
    task.claim("2.1.2-b", *hopfield.judge_mean(given, many["iterations"], settings.points))
    unstable = table["states"][~stable]
    on = results["on"]["states"]
    saddles = {
        name: int(np.sum(np.abs(states[:, None] - unstable).max(2).min(1) < 1e-6))
        for name, states in (
            ("100", on[min(100, len(on) - 1)]), ("end", on[-1]), ("exact", results["mirrored"][-1])
        )
    }
    task.claim(
        "2.1.2-c", not len(unstable) and not saddles["exact"],
        f"{len(unstable)} equilibria are unstable, and each axis is midway between two targets: "
        f"without rounding errors {saddles['exact']} of {on.shape[1]} starts on the axes end at "
        f"one of them. In float64 {saddles['100']} are there after 100 iterations and "
        f"{saddles['end']} after {len(on) - 1}, as the errors grow "
        f"{table['multipliers'].max():.2f} times a step.",
    )
    far = plane["start_distance"] > 0.1  # others are at the plane from the start
    first = plane["half_distance"] < plane["half_way"]
    distance, remaining = plane["distance"][1], plane["remaining"][1]
    task.claim(
        "2.1.2-d", bool(first[far].mean() > 0.95),
        f"{first[far].mean():.1%} of starts off the plane are half-way to it before they are "
        f"half-way along it; after 2 iterations the median distance is down from "
        f"{distance[0]:.2f} to {distance[2]:.2f}, with {remaining[2]:.0%} of the way along still "
        f"to go. They then run {distance[6]:.3f} beside the plane until units saturate.",
    )


if __name__ == "__main__":
    command.main("2.1.2", run, PRESETS, __doc__)
