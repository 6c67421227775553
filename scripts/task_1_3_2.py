"""Task 1.3.2: full-batch, stochastic and accelerated gradient descent on the surface.

The report describes the three in words. Here they run from the same networks at one learning
rate: gradient descent on all 1,600 points, SGD in batches of 40, and both again with Nesterov
momentum. Counted are epochs and seconds to a training MSE, and how the loss oscillates.

    python scripts/task_1_3_2.py                     about 15 seconds
    python scripts/task_1_3_2.py --preset report     about 30 seconds
"""

from dataclasses import dataclass, replace

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
    "smoke": Settings(replace(RECIPE, epochs=20, jit_compile=False), target=1.0, seeds=1),
    "quick": Settings(seeds=1),
    "report": Settings(),
}


def run(task, settings):
    recipe = settings.recipe
    methods = {"gradient descent": replace(recipe, batch_size=surface.GRID, momentum=0.0),
               "SGD": replace(recipe, momentum=0.0),
               "accelerated SGD": recipe,
               "accelerated gradient descent": replace(recipe, batch_size=surface.GRID)}
    runs = {name: task.repeat(surface.train, recipe) for name, recipe in methods.items()}
    seconds, oscillation = {}, {}
    for name, group in runs.items():
        reach = curves.reach(group, settings.target)
        seconds[name] = reach["seconds"]
        task.measure(f"{name}/reached", reach["reached"], better="higher")
        task.measure(f"{name}/epochs_to_target", reach["epochs"], better="lower")
        task.measure(f"{name}/seconds_to_target", seconds[name], better="lower")
        task.measure(f"{name}/final_loss", group["loss"][:, -1], better="lower")
        for loss in curves.LOSSES.values():
            oscillation[name, loss] = curves.oscillation(group[loss])
            task.measure(f"{name}/{loss}/oscillation", oscillation[name, loss], better="lower")
    with plots.figure(task, "gradient_methods", 2) as (left, right):
        plots.curves(left, {name: group["loss"] for name, group in runs.items()})
        left.axhline(settings.target, color="grey", ls="--", lw=1)
        left.set(yscale="log", xscale="log", xlabel="epoch", ylabel="training MSE")
        for name in ("SGD", "accelerated SGD"):
            right.plot(runs[name][0]["last_batch_mse"], lw=0.6, label=name,
                       color=f"C{list(runs).index(name)}")
        right.set(yscale="log", xlabel="epoch", ylabel="MSE of the last mini-batch")
    task.decide(judge(seconds, oscillation))


def judge(seconds, oscillation):
    """What the claims are judged by: seconds to the target and, by method and loss, oscillation."""
    slow = {name: (seconds["gradient descent"], seconds[name])
            for name in seconds if name != "gradient descent"}
    fast = {name: (seconds[name], seconds["accelerated SGD"])
            for name in seconds if name != "accelerated SGD"}

    def compared(first, second):
        return {f"of {points}": (oscillation[first, loss], oscillation[second, loss])
                for points, loss in curves.LOSSES.items()}

    return {"1.3.2-a": {"time": slow},
            "1.3.2-b": {"time": slow["SGD"], "variance": compared("SGD", "gradient descent")},
            "1.3.2-c": {"time": fast, "oscillation": compared("SGD", "accelerated SGD")}}


if __name__ == "__main__":
    command.main("1.3.2", run, PRESETS, __doc__)
