"""Task 2.1.1: attractors of a 2-D Hopfield network that stores three corners of the square.

The report finds the three targets and the fourth corner, ten random points that come to rest
after 8.6 iterations on average, and midway points that do not move. Here all equilibria are
enumerated, so that what is said of every start is proved; 20,000 points tell what ten can say.
Midpoints of two attractors do rest; other points as far from both move, along the axis.

    python scripts/task_2_1_1.py                     about 10 seconds
    python scripts/task_2_1_1.py --preset report     about 10 seconds
"""

import itertools

import numpy as np

from ann_keras import command, plots
from ann_keras.recipes import hopfield

TARGETS = [[1, 1], [-1, -1], [1, -1]]
PRESETS = hopfield.PRESETS


def run(task, settings):
    runs = hopfield.explore(task, settings.recipe, TARGETS)
    table, midway = runs["equilibria"], runs["midway"]
    hopfield.measure(task, runs)
    on, unstable = midway["on"], table["states"][table["kinds"] != "stable"]
    task.measure("on_axes/starts_that_move", np.mean((on[-1] != on[0]).any(1)))
    task.measure("on_axes/ends_at_unstable", np.mean(hopfield.among(on[-1], unstable)))
    random = runs["random"]
    both = np.concatenate([on, midway["beside"]], axis=1)
    plots.paths(task, "fig6_hopfield_2d_random", random["states"], TARGETS, unstable)
    plots.paths(task, "fig7_hopfield_2d_midway", both, TARGETS, unstable)
    energies = {"random starts": random["energies"], "on the axes": midway["on_energies"]}
    with plots.figure(task, "energies", 2, sharey=True) as axes:
        for panel, (title, values) in zip(axes, energies.items()):
            panel.plot(values[: len(random["energies"])], color="C0", lw=1.2)
            for kind, color in (("source", "C3"), ("saddle", "C1"), ("stable", "black")):
                level = table["energies"][table["kinds"] == kind][0]
                panel.axhline(level, color=color, ls="--", lw=1, label=f"{kind} equilibria")
            panel.set(title=title, xlabel="iteration")
        axes[0].set_ylabel("energy $E$")
        axes[1].legend(fontsize=8, loc=(0.6, 0.12))
    task.decide(judge(table, midway, runs["many"], settings.recipe.points))


def judge(table, midway, many, points):
    """What the claims are judged by: what ``equilibria``, ``midway_paths`` and ``rest`` gave, and
    of how many points the published mean is."""
    stable = table["kinds"] == "stable"
    attractors, unstable = table["states"][stable], table["states"][~stable]
    middles = np.array([(a + b) / 2 for a, b in itertools.combinations(attractors, 2)])
    beside = midway["beside"][-1]
    return {
        "2.1.1-a": {"targets": np.sum(stable & table["targets"]) == len(TARGETS)},
        "2.1.1-b": {"spurious": hopfield.among(attractors, [[-1, 1]]).any()},
        "2.1.1-c": {"mean": hopfield.means(many["iterations"], points)},
        "2.1.1-d": {"corners": len(attractors) == 4 and (np.abs(attractors) == 1).all()},
        "2.1.1-e": {"rest": hopfield.among(middles, table["states"]).all(),
                    "unstable": hopfield.among(middles, unstable).all()
                    and hopfield.among(beside, attractors).all()},
    }


if __name__ == "__main__":
    command.main("2.1.1", run, PRESETS, __doc__)
