"""Task 2.1.1: attractors of a 2-D Hopfield network that stores three corners of the square.

The report finds the three targets and the fourth corner, ten random points that come to rest
after 8.6 iterations on average, and midway points that do not move. Here all equilibria are
enumerated, so that what is said of every start is proved; 20,000 points tell what ten can say.

    python scripts/task_2_1_1.py                     about 10 seconds
    python scripts/task_2_1_1.py --preset report     about 10 seconds
"""

import itertools

import numpy as np

from ann_keras import command, plots
from ann_keras.recipes import hopfield
from ann_keras.report import published

TARGETS = [[1, 1], [-1, -1], [1, -1]]
PRESETS = hopfield.PRESETS


def run(task, settings):
    runs = hopfield.explore(task, settings.recipe, TARGETS)
    hopfield.measure(task, runs)
    draw(task, runs)
    task.decide(judge(runs["equilibria"], runs["midway"], runs["many"], settings.recipe.points))


def draw(task, runs):
    table, random, midway = runs["equilibria"], runs["random"], runs["midway"]
    unstable = table["states"][table["kinds"] != "stable"]
    for stem, states in (
        ("fig6_hopfield_2d_random", random["states"]),
        ("fig7_hopfield_2d_midway", np.concatenate([midway["on"], midway["beside"]], axis=1)),
    ):
        figure, (axes,) = plots.panels(width=6.6, height=4.4)
        plots.paths(axes, states, TARGETS, unstable)
        axes.set_aspect("equal")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
        task.figure(stem, figure)

    figure, axes = plots.panels(2, sharey=True)
    energies = {"random starts": random["energies"], "on the axes": midway["on_energies"]}
    for panel, (title, values) in zip(axes, energies.items()):
        panel.plot(values[: len(random["energies"])], color="C0", lw=1.2)
        for kind, color in (("source", "C3"), ("saddle", "C1"), ("stable", "black")):
            level = table["energies"][table["kinds"] == kind][0]
            panel.axhline(level, color=color, ls="--", lw=1, label=f"{kind} equilibria")
        panel.set(title=title, xlabel="iteration")
    axes[0].set(ylabel="energy $E$")
    axes[1].legend(loc=(0.6, 0.12), fontsize=8)
    task.figure("energies", figure)


def judge(table, midway, many, points):
    """Verdicts from what ``equilibria``, ``midway_paths`` and ``rest`` of the recipe gave.

    Args:
        points: of the published mean.
    """
    stable = table["kinds"] == "stable"
    targets = np.sum(stable & table["targets"])
    growth = table["multipliers"].max()
    attractors, unstable = table["states"][stable], table["states"][~stable]
    corners = ", ".join(str(state.astype(int).tolist()) for state in attractors)
    fourth = np.mean(hopfield.nearest(many["ends"], [[-1, 1], *TARGETS]) == 0)
    given = published.value("2.1.1", "ten_points/iterations/mean").value
    middles = np.array([(a + b) / 2 for a, b in itertools.combinations(attractors, 2)])
    known = (middles[:, None] == unstable).all(2).any(1)
    on, beside = midway["on"], midway["beside"]
    moved = (on[-1] != on[0]).any(1)
    caught = (on[-1][:, None] == unstable).all(2).any(1)
    left = (beside[-1][:, None] == attractors).all(2).any(1)
    return {
        "2.1.1-a": (
            targets == len(TARGETS),
            f"Of all {len(stable)} equilibria {stable.sum()} are stable, {corners}: the "
            f"{targets} targets are among them.",
        ),
        "2.1.1-b": (
            (attractors == [-1, 1]).all(1).any(),
            f"The differences of the targets span the plane, so W is {growth:.3f} times the "
            "identity and b = 0: each unit keeps its own sign and every corner is stored. "
            f"{fourth:.1%} of random starts end at [-1, 1].",
        ),
        "2.1.1-c": hopfield.judge_mean(given, many["iterations"], points),
        "2.1.1-d": (
            len(attractors) == 4 and (np.abs(attractors) == 1).all(),
            f"At the {len(attractors)} stable equilibria, all corners, each unit's input is "
            f"{growth:.3f} times its state, so a state near enough is back after one step. The "
            f"other {len(unstable)} equilibria are unstable.",
        ),
        "2.1.1-e": (
            known.all() and left.all(),
            f"The {len(np.unique(middles, axis=0))} midpoints of two attractors are exactly the "
            f"{len(unstable)} unstable equilibria, and {left.sum()} of {left.size} starts beside "
            f"the axes leave for a corner. On the axes {moved.sum()} of {moved.size} starts do "
            f"move, along their axis: {caught.sum()} of {moved.size} end at an unstable "
            "equilibrium.",
        ),
    }


if __name__ == "__main__":
    command.main("2.1.1", run, PRESETS, __doc__)
