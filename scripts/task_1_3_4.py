"""Task 1.3.4: five optimizers on the surface, from one initial network.

SGD 0.05 on the full batch, SGD 0.1 in batches of 40, Nesterov SGD 0.1 and Adam in batches of 400,
L-BFGS on the full batch; 2500 epochs each, no noise. Seconds are of training alone, tracing left
out. The loss drawn is that of the last mini-batch of each epoch, as in the report's Figure 2.

    python scripts/task_1_3_4.py                     about 30 seconds
    python scripts/task_1_3_4.py --preset report     about 2 minutes
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots

OPTIMIZERS = {  # report
    "sgd_0.05": {"optimizer": "sgd", "learning_rate": 0.05, "batch_size": 1600},
    "sgd_0.1": {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 40},
    "nesterov": {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "batch_size": 400},
    "adam": {"optimizer": "adam", "learning_rate": 1e-3, "batch_size": 400},
}
LABELS = {
    "sgd_0.05": "SGD 0.05, full batch",
    "sgd_0.1": "SGD 0.1, batch 40",
    "nesterov": "Nesterov 0.1, batch 400",
    "adam": "Adam, batch 400",
    "lbfgs": "L-BFGS, full batch",
}


@dataclass(frozen=True)
class Settings:
    epochs: int = 2500  # report
    seeds: int = 5  # ours: initial networks; the report has one


PRESETS = {
    "smoke": Settings(epochs=20, seeds=1),
    "quick": Settings(epochs=2500, seeds=1),
    "report": Settings(),
}


def run(task, settings):
    runs = {
        name: [
            task.run(
                f"{name}, seed {seed}", experiments.surface.fit_gradient,
                seed=seed, epochs=settings.epochs, **options,
            )
            for seed in task.seeds
        ]
        for name, options in OPTIMIZERS.items()
    }
    runs["lbfgs"] = [
        task.run(
            f"lbfgs, seed {seed}", experiments.surface.fit_lbfgs,
            seed=seed, iterations=settings.epochs,
        )
        for seed in task.seeds
    ]
    for name, results in runs.items():
        task.measure(f"{name}/test_mse", [r["test_mse"] for r in results], better="lower")
        task.measure(f"{name}/seconds", [r["seconds"] for r in results], better="lower")
        task.measure(
            f"{name}/oscillation", [experiments.surface.oscillation(recorded(r)) for r in results]
        )
        task.measure(f"{name}/epochs_to_converge", [converged_after(r) for r in results])
    draw(task, runs)
    judge(task, runs)


def recorded(result):
    """The loss that Figure 2 shows: of the last mini-batch, or of L-BFGS' full batch."""
    return result["last_batch_mse"] if "last_batch_mse" in result else result["loss"]


def converged_after(result):
    """Epochs until the mean training loss stays within a factor 2 of its final level."""
    loss = result["loss"]
    level = np.median(loss[-len(loss) // 20 :])
    return int(np.flatnonzero(loss > 2 * level)[-1]) + 2 if (loss > 2 * level).any() else 1


def draw(task, runs):
    figure, (left, right) = plots.panels(2, width=10, width_ratios=(3, 2))
    for name, results in runs.items():
        curve = recorded(results[0])
        left.plot(np.arange(1, len(curve) + 1), curve, lw=0.7, label=LABELS[name])
    left.set(yscale="log", xlabel="epoch", ylabel="MSE of the last mini-batch")
    for line in left.legend(loc="upper right", fontsize=8).get_lines():
        line.set_linewidth(2)
    names = list(runs)
    seconds = np.array([[r["seconds"] for r in runs[name]] for name in names])
    right.barh(
        [LABELS[name] for name in names], seconds.mean(1), xerr=seconds.std(1),
        color=[f"C{i}" for i in range(len(names))],
    )
    right.invert_yaxis()
    right.set(xlabel="seconds of training")
    task.figure("fig2_optimizers", figure)


def judge(task, runs):
    loss = {name: np.mean([r["loss"][-1] for r in results]) for name, results in runs.items()}
    seconds = {name: np.mean([r["seconds"] for r in results]) for name, results in runs.items()}
    spread = {
        name: np.mean([experiments.surface.oscillation(recorded(r)) for r in results])
        for name, results in runs.items()
    }
    target = 2 * loss["sgd_0.05"]  # a loss that every optimizer reaches
    epochs = {
        name: np.median([experiments.surface.epochs_to(r["loss"], target) for r in results])
        for name, results in runs.items()
    }
    converged = {name: np.median([converged_after(r) for r in rs]) for name, rs in runs.items()}
    clock = ", ".join(f"{LABELS[name]} {value:.1f} s" for name, value in seconds.items())
    levels = ", ".join(f"{LABELS[name]} {value:.2g}" for name, value in loss.items())
    fastest = ", ".join(f"{LABELS[name]} {value:.0f}" for name, value in epochs.items())

    slowest_fit = max(loss, key=loss.get)
    average = min(seconds.values()) < seconds["sgd_0.05"] < max(seconds.values())
    task.claim(
        "1.3.4-a",
        slowest_fit == "sgd_0.05" and average,
        f"Final training MSE: {levels}. Time: {clock}. By far the slowest convergence "
        f"{'is' if slowest_fit == 'sgd_0.05' else 'is not'} the full batch's; its time "
        f"{'lies between the others' if average else 'is the lowest: one step an epoch'}.",
    )
    task.claim(
        "1.3.4-b",
        epochs["sgd_0.1"] < epochs["sgd_0.05"] and seconds["sgd_0.1"] > seconds["sgd_0.05"],
        f"Epochs to a training MSE of {target:.2g}: {epochs['sgd_0.1']:.0f} against "
        f"{epochs['sgd_0.05']:.0f}; time {seconds['sgd_0.1']:.1f} s against "
        f"{seconds['sgd_0.05']:.1f} s, for 40 steps an epoch instead of one.",
    )
    alike = 1 / 3 < loss["nesterov"] / loss["sgd_0.1"] < 3
    task.claim(
        "1.3.4-c",
        alike and seconds["nesterov"] < seconds["sgd_0.1"]
        and spread["nesterov"] > spread["adam"],
        f"Final training MSE {loss['nesterov']:.2g} with momentum, {loss['sgd_0.1']:.2g} with "
        f"plain SGD 0.1; {seconds['nesterov']:.1f} s against {seconds['sgd_0.1']:.1f} s; sd of "
        f"log10 loss from epoch to epoch {spread['nesterov']:.3f} (SGD 0.1 {spread['sgd_0.1']:.3f},"
        f" Adam {spread['adam']:.3f}).",
    )
    ranked = sorted(epochs, key=epochs.get)
    task.claim(
        "1.3.4-d",
        set(ranked[:2]) == {"adam", "lbfgs"},
        f"Epochs to a training MSE of {target:.2g}: {fastest}. The lowest losses at the end: "
        f"{', '.join(LABELS[name] for name in sorted(loss, key=loss.get)[:2])}.",
    )
    longest = max(seconds, key=seconds.get)
    task.claim("1.3.4-e", longest == "lbfgs", f"Seconds of training: {clock}.")
    noisy = {name: spread[name] for name in OPTIMIZERS if name != "sgd_0.05"}
    task.claim(
        "1.3.4-f",
        min(noisy, key=noisy.get) == "adam",
        "sd of log10 loss from epoch to epoch over the second half: "
        + ", ".join(f"{LABELS[name]} {value:.3f}" for name, value in noisy.items()) + ".",
    )
    late = {name: value for name, value in converged.items() if name != "sgd_0.05" and value > 1000}
    task.claim(
        "1.3.4-g",
        not late,
        "Epochs until the training loss stays within a factor 2 of its final level: "
        + ", ".join(f"{LABELS[name]} {value:.0f}" for name, value in converged.items()) + ".",
    )


if __name__ == "__main__":
    command.main("1.3.4", run, PRESETS, __doc__)
