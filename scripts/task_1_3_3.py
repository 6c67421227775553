"""Task 1.3.3: which gradient method suits which size of network.

The report says: full-batch descent for small networks, SGD for larger, acceleration for very
large ones. Networks 2-w-w-1 of growing width w fit the surface by each method until a training
MSE is reached or the epochs run out.

    python scripts/task_1_3_3.py                     about 30 seconds, widths to 200
    python scripts/task_1_3_3.py --preset report     about 2 minutes, widths to 1,000
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.errors import UserError

FULL_BATCH = 1600


@dataclass(frozen=True)
class Settings:
    widths: tuple[int, ...] = (10, 50, 200, 1000)  # ours: 151 to 1,005,001 parameters
    epochs: int = 600  # ours
    learning_rate: float = 0.02  # ours: at the report's 0.05 momentum diverges at width 1,000
    batch_size: int = 40  # report: as in task 1.3.4
    momentum: float = 0.9  # report
    target: float = 0.035  # ours: training MSE to reach; the surface's variance is 0.084
    jit_compile_up_to: int = 100  # ours: width up to which XLA is faster here
    seeds: int = 1  # ours


PRESETS = {
    "smoke": Settings(widths=(10, 20, 40), epochs=10),
    "quick": Settings(widths=(10, 50, 200), epochs=300),
    "report": Settings(),
}


def run(task, settings):
    if len(settings.widths) < 2:
        raise UserError("--widths needs a small and a large width at least")
    methods = {
        "gradient descent": {"batch_size": FULL_BATCH, "momentum": 0.0},
        "SGD": {"batch_size": settings.batch_size, "momentum": 0.0},
        "accelerated SGD": {"batch_size": settings.batch_size, "momentum": settings.momentum},
    }
    mean = {}
    for width in settings.widths:
        for name, options in methods.items():
            results = [
                task.run(
                    f"width {width}, {name}, seed {seed}", experiments.surface.fit_gradient,
                    seed=seed, optimizer="sgd", learning_rate=settings.learning_rate,
                    # Batches of 40 take 40 steps an epoch, and soon reach the target.
                    epochs=settings.epochs if options["batch_size"] == FULL_BATCH
                    else max(settings.epochs // 10, 2),
                    hidden_units=[width, width],
                    jit_compile=width <= settings.jit_compile_up_to, **options,
                )
                for seed in task.seeds
            ]
            if not all(np.isfinite(r["loss"]).all() for r in results):
                raise UserError(f"{name} diverges at width {width}: lower --learning-rate")
            numbers = experiments.surface.summarize(results, settings.target)
            for quantity, values in numbers.items():
                task.measure(f"width_{width}/{name}/{quantity}", values, better="lower")
            mean[width, name] = {key: np.mean(values) for key, values in numbers.items()}
    draw(task, settings, methods, mean)
    judge(task, settings, methods, mean)


def draw(task, settings, methods, mean):
    figure, (left, right) = plots.panels(2)
    for name in methods:
        numbers = [mean[width, name] for width in settings.widths]
        left.plot(settings.widths, [n["seconds_to_target"] for n in numbers], "o-", label=name)
        milliseconds = [1e3 * n["seconds_per_step"] for n in numbers]
        right.plot(settings.widths, milliseconds, "o-", label=name)
    left.set(ylabel=f"seconds to a training MSE of {settings.target:g}")
    right.set(ylabel="milliseconds a step")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="units in each hidden layer")
        axes.legend(fontsize=8)
    task.figure("methods_by_width", figure)


def judge(task, settings, methods, mean):
    small, large = settings.widths[0], settings.widths[-1]
    larger = settings.widths[-2]

    def times(width):
        return ", ".join(f"{n} {mean[width, n]['seconds_to_target']:.2f} s" for n in methods)

    def fastest(width):
        return min(methods, key=lambda name: mean[width, name]["seconds_to_target"])

    descent = mean[small, "gradient descent"]
    per_step = mean[small, "gradient descent"]["seconds_per_step"]
    task.claim(
        "1.3.3-a",
        descent["reached"] == 1 and fastest(small) == "gradient descent",
        f"Width {small}: a full-batch step costs {1e6 * per_step:.0f} µs, a step of "
        f"{settings.batch_size} points {1e6 * mean[small, 'SGD']['seconds_per_step']:.0f} µs. To a "
        f"training MSE of {settings.target:g}: {times(small)}{_unreached(descent, settings)}.",
    )
    task.claim(
        "1.3.3-b",
        mean[larger, "SGD"]["seconds_to_target"]
        < mean[larger, "gradient descent"]["seconds_to_target"],
        f"Width {larger}, to a training MSE of {settings.target:g}: {times(larger)}"
        f"{_unreached(mean[larger, 'gradient descent'], settings)}.",
    )
    task.claim(
        "1.3.3-c",
        fastest(large) == "accelerated SGD",
        f"Width {large}, to a training MSE of {settings.target:g}: {times(large)}"
        f"{_unreached(mean[large, 'gradient descent'], settings)}. At width {small} the fastest is "
        f"{fastest(small)}.",
    )


def _unreached(numbers, settings):
    if numbers["reached"] == 1:
        return ""
    return f" (gradient descent had not reached it after {settings.epochs} epochs)"


if __name__ == "__main__":
    command.main("1.3.3", run, PRESETS, __doc__)
