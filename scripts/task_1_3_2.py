"""Task 1.3.2: full-batch, stochastic and accelerated gradient descent on the surface.

The report describes the three in words. Here they run from the same networks at one learning
rate: gradient descent on all 1,600 points, SGD in batches of 40, and both again with Nesterov
momentum. Counted are epochs, steps and seconds to a training MSE, and how the loss oscillates.

    python scripts/task_1_3_2.py                     about 15 seconds
    python scripts/task_1_3_2.py --preset report     about 30 seconds
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, plots
from ann_keras.evaluation import curves
from ann_keras.recipes import surface

Recipe = command.flat(surface.Recipe, "optimizer")
# Accelerated SGD; the other methods do without momentum or small batches. Ours: the epochs.
RECIPE = surface.Recipe(batch_size=40, momentum=0.9, epochs=1000)


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = RECIPE
    target: float = 0.03  # ours: training MSE to reach; the surface's variance is 0.084
    seeds: int = 5  # ours: initial networks


PRESETS = {
    "smoke": Settings(replace(RECIPE, epochs=20, jit_compile=False), seeds=1),
    "quick": Settings(seeds=1),
    "report": Settings(),
}


def run(task, settings):
    recipe = settings.recipe
    methods = {
        "gradient descent": replace(recipe, batch_size=surface.GRID, momentum=0.0),
        "SGD": replace(recipe, momentum=0.0),
        "accelerated SGD": recipe,
        "accelerated gradient descent": replace(recipe, batch_size=surface.GRID),
    }
    runs = {name: task.repeat(surface.train, recipe) for name, recipe in methods.items()}
    summary = {name: curves.summarize(group, settings.target) for name, group in runs.items()}
    for name, numbers in summary.items():
        for quantity, values in numbers.items():
            task.measure(f"{name}/{quantity}", values, better="lower")
    draw(task, runs, settings.target)
    task.decide(judge(summary, settings.target))


def draw(task, runs, target):
    figure, (left, right) = plots.panels(2)
    for name, group in runs.items():
        plots.curve(left, group["loss"], label=name)
    left.axhline(target, color="grey", ls="--", lw=1)
    left.set(yscale="log", xscale="log", xlabel="epoch", ylabel="training MSE")
    left.legend(fontsize=8)
    for name in ("SGD", "accelerated SGD"):
        right.plot(runs[name][0]["last_batch_mse"], lw=0.6, label=name,
                   color=f"C{list(runs).index(name)}")
    right.set(yscale="log", xlabel="epoch", ylabel="MSE of the last mini-batch")
    right.legend(fontsize=8)
    task.figure("gradient_methods", figure)


def judge(summary, target):
    """Verdicts from what ``curves.summarize`` gives of each method."""
    mean = {
        name: {quantity: np.mean(values) for quantity, values in numbers.items()}
        for name, numbers in summary.items()
    }
    descent, sgd, accelerated = (mean[n] for n in ("gradient descent", "SGD", "accelerated SGD"))
    seconds = {name: numbers["seconds_to_target"] for name, numbers in mean.items()}
    slowest, fastest = max(seconds, key=seconds.get), min(seconds, key=seconds.get)
    goal = f"To a training MSE of {target:g}: " + "; ".join(
        f"{name} {mean[name]['epochs_to_target']:.0f} epochs, {seconds[name]:.2f} s"
        for name in mean
    )
    calmer = accelerated["oscillation"] < sgd["oscillation"]
    return {
        "1.3.2-a": (slowest == "gradient descent", f"{goal}."),
        "1.3.2-b": (
            seconds["SGD"] < seconds["gradient descent"]
            and sgd["oscillation"] > descent["oscillation"],
            f"{goal}; sd of log10 loss from epoch to epoch {sgd['oscillation']:.3f} for SGD, "
            f"{descent['oscillation']:.4f} for gradient descent.",
        ),
        "1.3.2-c": (
            fastest == "accelerated SGD" and calmer,
            f"Fastest: {fastest} ({seconds[fastest]:.2f} s). At equal rate and "
            f"batch momentum {'lowers' if calmer else 'raises'} the sd of log10 loss from epoch to "
            f"epoch: {sgd['oscillation']:.3f} without, {accelerated['oscillation']:.3f} with it.",
        ),
    }


if __name__ == "__main__":
    command.main("1.3.2", run, PRESETS, __doc__)
