"""Task 1.3.4: five optimizers on the surface, from one initial network.

SGD 0.05 on the full batch, SGD 0.1 in batches of 40, Nesterov SGD 0.1 and Adam in batches of 400,
L-BFGS on the full batch; 2500 epochs each, no noise. Seconds are of training alone, tracing left
out. The loss drawn is that of the last mini-batch of each epoch, as in the report's Figure 2.

    python scripts/task_1_3_4.py                     about 20 seconds
    python scripts/task_1_3_4.py --preset report     about a minute
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, plots
from ann_keras.evaluation import curves
from ann_keras.recipes import surface

OPTIMIZERS = {  # report: name, label and what differs from SGD 0.05 on the full batch
    "sgd_0.05": ("SGD 0.05, full batch", {}),
    "sgd_0.1": ("SGD 0.1, batch 40", {"learning_rate": 0.1, "batch_size": 40}),
    "nesterov": ("Nesterov 0.1, batch 400",
                 {"learning_rate": 0.1, "momentum": 0.9, "batch_size": 400}),
    "adam": ("Adam, batch 400",
             {"optimizer": "adam", "learning_rate": 1e-3, "batch_size": 400}),
    "lbfgs": ("L-BFGS, full batch", {"optimizer": "lbfgs"}),
}
LABELS = {name: label for name, (label, _) in OPTIMIZERS.items()}
Recipe = command.flat(surface.Recipe, "optimizer", "learning_rate", "momentum", "batch_size")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = surface.Recipe()  # report
    seeds: int = 5  # ours: initial networks; the report has one


PRESETS = {
    "smoke": Settings(surface.Recipe(epochs=20, jit_compile=False), seeds=1),
    "quick": Settings(seeds=1),
    "report": Settings(),
}


def run(task, settings):
    runs = {name: task.repeat(surface.train, replace(settings.recipe, **changes))
            for name, (_, changes) in OPTIMIZERS.items()}
    loss = {name: group["loss"] for name, group in runs.items()}
    seconds = {name: group["seconds"] for name, group in runs.items()}
    oscillation = {name: [curves.oscillation(mse) for mse in group["last_batch_mse"]]
                   for name, group in runs.items()}
    for name, group in runs.items():
        task.measure(f"{name}/test_mse", group["test_mse"], better="lower")
        task.measure(f"{name}/seconds", seconds[name], better="lower")
        task.measure(f"{name}/oscillation", oscillation[name])
        task.measure(f"{name}/epochs_to_converge", [*map(converged_after, loss[name])])
    draw(task, runs, seconds)
    task.decide(judge(loss, seconds, oscillation))


def converged_after(loss):
    """Epochs until the mean training loss stays within a factor 2 of its final level."""
    level = np.median(loss[-len(loss) // 20 :])
    return max([0, *np.flatnonzero(loss > 2 * level) + 1]) + 1


def draw(task, runs, seconds):
    figure, (left, right) = plots.panels(2, width=10, width_ratios=(3, 2))
    for name, group in runs.items():
        plots.curve(left, group[0]["last_batch_mse"], label=LABELS[name], lw=0.7)
    left.set(yscale="log", xlabel="epoch", ylabel="MSE of the last mini-batch")
    for line in left.legend(loc="upper right", fontsize=8).get_lines():
        line.set_linewidth(2)
    for name, values in seconds.items():
        right.barh(LABELS[name], np.mean(values), xerr=np.std(values))
    right.invert_yaxis()
    right.set(xlabel="seconds of training")
    task.figure("fig2_optimizers", figure)


def judge(losses, seconds, oscillation):
    """Verdicts by optimizer.

    Args:
        losses: dict of name → training MSE (seeds, epochs).
        seconds, oscillation: dict of name → values (seeds,).
    """
    loss = {name: np.mean(values[:, -1]) for name, values in losses.items()}
    seconds, spread = ({name: np.mean(values) for name, values in numbers.items()}
                       for numbers in (seconds, oscillation))
    target = 2 * loss["sgd_0.05"]  # a loss that every optimizer reaches
    epochs = {name: np.median([curves.epochs_to(curve, target) for curve in values])
              for name, values in losses.items()}
    converged = {name: np.median([converged_after(curve) for curve in values])
                 for name, values in losses.items()}
    slowest_fit, longest = max(loss, key=loss.get), max(seconds, key=seconds.get)
    average = min(seconds.values()) < seconds["sgd_0.05"] < max(seconds.values())
    alike = 1 / 3 < loss["nesterov"] / loss["sgd_0.1"] < 3
    noisy = {name: spread[name] for name in spread if name not in ("sgd_0.05", "lbfgs")}
    clock = listed(seconds, "{:.1f} s")
    return {
        "1.3.4-a": (
            slowest_fit == "sgd_0.05" and average,
            f"Final training MSE: {listed(loss, '{:.2g}')}. Time: {clock}. By far the slowest "
            f"convergence {'is' if slowest_fit == 'sgd_0.05' else 'is not'} the full batch's; its "
            f"time {'lies between the others' if average else 'is the lowest: one step an epoch'}.",
        ),
        "1.3.4-b": (
            epochs["sgd_0.1"] < epochs["sgd_0.05"] and seconds["sgd_0.1"] > seconds["sgd_0.05"],
            f"Epochs to a training MSE of {target:.2g}: {epochs['sgd_0.1']:.0f} against "
            f"{epochs['sgd_0.05']:.0f}; time {seconds['sgd_0.1']:.1f} s against "
            f"{seconds['sgd_0.05']:.1f} s, for 40 steps an epoch instead of one.",
        ),
        "1.3.4-c": (
            alike and seconds["nesterov"] < seconds["sgd_0.1"]
            and spread["nesterov"] > spread["adam"],
            f"Final training MSE {loss['nesterov']:.2g} with momentum, {loss['sgd_0.1']:.2g} with "
            f"plain SGD 0.1; {seconds['nesterov']:.1f} s against {seconds['sgd_0.1']:.1f} s; sd of "
            f"log10 loss from epoch to epoch {spread['nesterov']:.3f} (SGD 0.1 "
            f"{spread['sgd_0.1']:.3f}, Adam {spread['adam']:.3f}).",
        ),
        "1.3.4-d": (
            set(sorted(epochs, key=epochs.get)[:2]) == {"adam", "lbfgs"},
            f"Epochs to a training MSE of {target:.2g}: {listed(epochs, '{:.0f}')}. The lowest "
            "losses at the end: "
            f"{', '.join(LABELS[name] for name in sorted(loss, key=loss.get)[:2])}.",
        ),
        "1.3.4-e": (longest == "lbfgs", f"Seconds of training: {clock}."),
        "1.3.4-f": (
            min(noisy, key=noisy.get) == "adam",
            "sd of log10 loss from epoch to epoch over the second half: "
            f"{listed(noisy, '{:.3f}')}.",
        ),
        "1.3.4-g": (
            all(value <= 1000 for name, value in converged.items() if name != "sgd_0.05"),
            "Epochs until the training loss stays within a factor 2 of its final level: "
            f"{listed(converged, '{:.0f}')}.",
        ),
    }


def listed(numbers, form):
    """Numbers by optimizer, in words."""
    return ", ".join(f"{LABELS[name]} {form.format(value)}" for name, value in numbers.items())


if __name__ == "__main__":
    command.main("1.3.4", run, PRESETS, __doc__)
