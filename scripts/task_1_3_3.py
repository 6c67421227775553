"""Task 1.3.3: which gradient method suits which size of network.

The report says: full-batch descent for small networks, SGD for larger, acceleration for very
large ones. Networks 2-w-w-1 of growing width w fit the surface by each method until a training
MSE is reached or the epochs run out.

    python scripts/task_1_3_3.py                     about 15 seconds, widths to 200
    python scripts/task_1_3_3.py --preset report     about 40 seconds, widths to 1,000
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, plots
from ann_keras.errors import UserError
from ann_keras.evaluation import curves
from ann_keras.recipes import surface

Recipe = command.flat(surface.Recipe, "optimizer", "hidden_units", "jit_compile")
# Ours: epochs, and the rate, since at the report's 0.05 momentum diverges at width 1,000.
RECIPE = surface.Recipe(learning_rate=0.02, momentum=0.9, batch_size=40, epochs=600)


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = RECIPE
    widths: tuple[int, ...] = (10, 50, 200, 1000)  # ours: 151 to 1,005,001 parameters
    target: float = 0.035  # ours: training MSE to reach; the surface's variance is 0.084
    jit_compile_up_to: int = 100  # ours: width up to which XLA is faster here
    seeds: int = 1  # ours: initial networks


PRESETS = {
    "smoke": Settings(replace(RECIPE, epochs=10), widths=(10, 20), jit_compile_up_to=10),
    "quick": Settings(replace(RECIPE, epochs=300), widths=(10, 50, 200)),
    "report": Settings(),
}


def run(task, settings):
    if len(settings.widths) < 2:
        raise UserError("--widths needs a small and a large width at least")
    recipe, target = settings.recipe, settings.target
    # Batches of 40 take 40 steps an epoch, and soon reach the target.
    small_batches = replace(recipe, epochs=max(recipe.epochs // 10, 2))
    methods = {
        "gradient descent": replace(recipe, batch_size=surface.GRID, momentum=0.0),
        "SGD": replace(small_batches, momentum=0.0),
        "accelerated SGD": small_batches,
    }
    runs = {
        (width, name): task.repeat(surface.train, replace(
            method, hidden_units=(width, width), jit_compile=width <= settings.jit_compile_up_to
        ))
        for width in settings.widths for name, method in methods.items()
    }
    mean = {}
    for (width, name), group in runs.items():
        if not np.isfinite(group["loss"]).all():
            raise UserError(f"{name} diverges at width {width}: lower --learning-rate")
        numbers = curves.summarize(group, target)
        for quantity, values in numbers.items():
            task.measure(f"width_{width}/{name}/{quantity}", values, better="lower")
        mean[width, name] = {key: np.mean(values) for key, values in numbers.items()}
    draw(task, mean, target)
    task.decide(judge(mean, target, recipe.batch_size, recipe.epochs))


def draw(task, mean, target):
    figure, (left, right) = plots.panels(2)
    widths, methods = (list(dict.fromkeys(part)) for part in zip(*mean))
    for axes, quantity, label in (
        (left, "seconds_to_target", f"seconds to a training MSE of {target:g}"),
        (right, "seconds_per_step", "seconds a step"),
    ):
        for name in methods:
            axes.plot(widths, [mean[width, name][quantity] for width in widths], "o-", label=name)
        axes.set(xscale="log", yscale="log", xlabel="units in each hidden layer", ylabel=label)
        axes.legend(fontsize=8)
    task.figure("methods_by_width", figure)


def judge(mean, target, batch_size, epochs):
    """Verdicts from means over seeds of what ``curves.summarize`` gives.

    Args:
        mean: dict of (width, method) → dict of numbers, the widths ascending.
        batch_size, epochs: of SGD and of gradient descent.
    """
    seconds = {}  # by width and method
    for (width, name), numbers in mean.items():
        seconds.setdefault(width, {})[name] = numbers["seconds_to_target"]
    small, *_, large = seconds
    larger = list(seconds)[-2]

    def fastest(width):
        return min(seconds[width], key=seconds[width].get)

    def times(width):
        listed = ", ".join(f"{name} {value:.2f} s" for name, value in seconds[width].items())
        if mean[width, "gradient descent"]["reached"] == 1:
            return listed
        return f"{listed} (gradient descent had not reached it after {epochs} epochs)"

    full, part = (mean[small, name]["seconds_per_step"] for name in ("gradient descent", "SGD"))
    return {
        "1.3.3-a": (
            mean[small, "gradient descent"]["reached"] == 1
            and fastest(small) == "gradient descent",
            f"Width {small}: a full-batch step costs {1e6 * full:.0f} µs, a step of {batch_size} "
            f"points {1e6 * part:.0f} µs. To a training MSE of {target:g}: {times(small)}.",
        ),
        "1.3.3-b": (
            seconds[larger]["SGD"] < seconds[larger]["gradient descent"],
            f"Width {larger}, to a training MSE of {target:g}: {times(larger)}.",
        ),
        "1.3.3-c": (
            fastest(large) == "accelerated SGD",
            f"Width {large}, to a training MSE of {target:g}: {times(large)}. At width {small} the "
            f"fastest is {fastest(small)}.",
        ),
    }


if __name__ == "__main__":
    command.main("1.3.3", run, PRESETS, __doc__)
