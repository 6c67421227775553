"""Task 1.3.4: five optimizers on the surface, from one initial network.

The report ranks them by time, convergence and oscillation of the loss. Its network was an unlucky
one: its SGD 0.05 ended above all of 40 others. How soon an optimizer converges is asked of several
training losses, since the order of the optimizers depends on the loss. Seconds are of training
alone, tracing left out.

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
    "adam": ("Adam, batch 400", {"optimizer": "adam", "learning_rate": 1e-3, "batch_size": 400}),
    "lbfgs": ("L-BFGS, full batch", {"optimizer": "lbfgs"}),
}
LABELS = {name: label for name, (label, _) in OPTIMIZERS.items()}
SHORT = {name: label.split(",")[0] for name, label in LABELS.items()}
CONVERGED, AROUND = 1000, 100  # report: epochs; ours: over how many a level is taken
Recipe = command.flat(surface.Recipe, "optimizer", "learning_rate", "momentum", "batch_size")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = surface.Recipe()  # report
    # Ours: training MSEs to reach, from a third to a hundredth of the surface's variance 0.084.
    targets: tuple[float, ...] = (0.03, 0.01, 0.003, 0.001)
    seeds: int = 5  # ours: initial networks; the report has one


PRESETS = {
    "smoke": Settings(surface.Recipe(epochs=20, jit_compile=False), targets=(1.0,), seeds=1),
    "quick": Settings(seeds=1),
    "report": Settings(),
}


def run(task, settings):
    runs = {name: task.repeat(surface.train, replace(settings.recipe, **changes))
            for name, (_, changes) in OPTIMIZERS.items()}
    losses, seconds = ({name: group[quantity] for name, group in runs.items()}
                       for quantity in ("loss", "seconds"))
    epochs, oscillation = {}, {}
    for name, group in runs.items():
        task.measure(f"{name}/test_mse", group["test_mse"], better="lower")
        task.measure(f"{name}/seconds", seconds[name], better="lower")
        for loss in curves.LOSSES.values():
            oscillation[name, loss] = curves.oscillation(group[loss])
            task.measure(f"{name}/{loss}/oscillation", oscillation[name, loss], better="lower")
        epochs[name] = {}
        for target in settings.targets:
            reach = curves.reach(group, target)
            epochs[name][target] = reach["epochs"]
            task.measure(f"{name}/epochs_to_{target:g}", reach["epochs"], better="lower")
            task.measure(f"{name}/seconds_to_{target:g}", reach["seconds"], better="lower")
    with plots.figure(task, "fig2_optimizers", 2, width=10, width_ratios=(3, 2)) as (left, right):
        last = {LABELS[name]: group[0]["last_batch_mse"] for name, group in runs.items()}
        plots.curves(left, last, lw=0.7)
        left.set(yscale="log", xlabel="epoch", ylabel="MSE of the last mini-batch")
        for line in left.legend(loc="upper right").get_lines():
            line.set_linewidth(2)
        for name, values in seconds.items():
            right.barh(LABELS[name], np.mean(values), xerr=np.std(values))
        right.invert_yaxis()
        right.set(xlabel="seconds of training")
    task.decide(judge(losses, seconds, epochs, oscillation))


def judge(losses, seconds, epochs, oscillation):
    """What the claims are judged by.

    Args:
        losses, seconds: by optimizer, training MSEs (seeds, epochs) and seconds of all epochs.
        epochs: by optimizer and target, until it is reached.
        oscillation: by (optimizer, loss as of ``curves.LOSSES``).
    """
    full, *others = OPTIMIZERS

    def mean(values):  # geometric, as that of ratios
        return np.exp(np.mean(np.log(list(values)), axis=0))

    def variance(name):  # of one optimizer in mini-batches, and of the other two
        pair = sorted({"sgd_0.1", "nesterov", "adam"} - {name})
        return {f"of {points}": (oscillation[name, loss],
                                 mean(oscillation[other, loss] for other in pair))
                for points, loss in curves.LOSSES.items()}

    def soon(late, early):  # epochs of both, at every target that the early one reaches
        return {f"to {target:g}": (late[target], early[target]) for target in late
                if (early[target] < losses[full].shape[1]).all()}

    def against(pairs):  # of another optimizer's name and what is compared with it
        return {f"{SHORT[name]} {goal}": both
                for name, found in pairs for goal, both in found.items()}

    found = {
        "1.3.4-a": {
            "time": (seconds[full], mean(seconds.values())),
            "convergence": against((name, soon(epochs[full], epochs[name])) for name in others),
        },
        "1.3.4-b": {"convergence": soon(epochs[full], epochs["sgd_0.1"]),
                    "time": (seconds["sgd_0.1"], seconds[full])},
        "1.3.4-c": {"convergence": soon(epochs["nesterov"], epochs["sgd_0.1"]),
                    "time": (seconds["sgd_0.1"], seconds["nesterov"]),
                    "variance": variance("nesterov")},
        "1.3.4-d": {fast: against((name, soon(epochs[name], epochs[fast]))
                                  for name in (full, "sgd_0.1", "nesterov"))
                    for fast in ("adam", "lbfgs")},
        "1.3.4-e": {"time": {SHORT[name]: (seconds["lbfgs"], seconds[name])
                             for name in OPTIMIZERS if name != "lbfgs"}},
        "1.3.4-f": {"variance": {label: pair[::-1] for label, pair in variance("adam").items()}},
        "1.3.4-g": {},
    }
    if losses[full].shape[1] > CONVERGED:
        found["1.3.4-g"]["level"] = {
            SHORT[name]: tuple(mean(losses[name].T[end - AROUND : end])
                               for end in (CONVERGED, losses[name].shape[1]))
            for name in others
        }
    return found


if __name__ == "__main__":
    command.main("1.3.4", run, PRESETS, __doc__)
