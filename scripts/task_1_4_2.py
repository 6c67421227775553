"""Task 1.4.2: Table 2 row by row, and which choice of the network matters.

The report found the activation to matter most (mish best), layers and neurons to help until they
overfit, optimizer and learning rate to matter little. Around the published network one choice is
varied at a time, each over several seeds; a choice matters as much as the test errors scatter over
what was tried. All choices at once are varied by `python -m tuning regression`. Exits with status
1 if Table 2 is not reproduced.

    python scripts/task_1_4_2.py                     about 20 seconds
    python scripts/task_1_4_2.py --preset report     about 5 minutes
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, models, plots
from ann_keras.errors import UserError
from ann_keras.recipes import regression
from ann_keras.report import tables

TABLE_2 = ", ".join(regression.Recipe.activations)
Recipe = command.flat(regression.Recipe, "hidden_units", "activations", "optimizer",
                      "learning_rate")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = regression.Recipe()  # report
    same_activations: tuple[str, ...] = (  # ours: activations, each in all layers
        "mish", "silu", "elu", "relu", "tanh", "sigmoid"
    )
    layers: tuple[int, ...] = (1, 2, 3, 4)  # report: 3 hidden layers; ours: the others
    units: tuple[int, ...] = (4, 16, 64, 256)  # report: 16 in each; ours: the others
    optimizers: tuple[regression.Optimizer, ...] = ("adam", "rmsprop", "sgd")  # report: adam
    learning_rates: tuple[float, ...] = (0.05, 0.01, 0.001)  # report: 0.05
    seeds: int = 5  # ours: networks and points


PRESETS = {
    "smoke": Settings(regression.Recipe(epochs=2), same_activations=("mish", "sigmoid"),
                      layers=(1, 3), units=(4, 16), optimizers=("adam", "sgd"),
                      learning_rates=(0.05,), seeds=1),
    "quick": Settings(same_activations=("mish", "relu", "tanh", "sigmoid"), layers=(1, 3),
                      units=(4, 16, 64), learning_rates=(0.05, 0.001), seeds=1),
    "report": Settings(),
}


def run(task, settings):
    if 16 not in settings.units or 3 not in settings.layers:
        raise UserError("--units needs 16 and --layers 3, the published size")
    if "mish" not in settings.same_activations:
        raise UserError("--same-activations needs mish")
    runs = {choice: {level: task.repeat(regression.train, replace(settings.recipe, **changes))
                     for level, changes in levels.items()}
            for choice, levels in choices(settings).items()}
    test = {choice: {level: group["test_mse"] for level, group in groups.items()}
            for choice, groups in runs.items()}
    for choice, levels in test.items():
        for level, mse in levels.items():
            task.measure(f"{choice}/{level}/test_mse", mse, better="lower")
    ratios = [*map(len, test.values())]
    with plots.figure(task, "choices", 3, width=13, height=4.2, sharey=True,
                      width_ratios=ratios) as axes:
        for panel, (choice, levels) in zip(axes, test.items()):
            panel.boxplot(list(levels.values()), tick_labels=list(levels))
            panel.tick_params(axis="x", rotation=90)
            panel.set(yscale="log", title=choice)
        axes[0].set_ylabel("test MSE")
        plots.log_ticks(axes[0].yaxis)
    widest = runs["size"][f"3 × {max(settings.units)}"]
    task.measure("widest/train_mse", widest["train_mse"], better="lower")
    task.decide(judge(test, widest, settings.layers, settings.units))
    tables.insist(task, "1.4.2-a", 2, "mish_regressor", models.mlp.mish_regressor(),
                  activations=True)


def choices(settings):
    """What is varied: dict of choice → level → changes of the recipe."""
    return {
        "activation": {TABLE_2: {}} | {name: {"activations": (name,) * 3}
                                       for name in settings.same_activations},
        # With tanh last, as in Table 2.
        "size": {
            f"{layers} × {units}": {"hidden_units": (units,) * layers,
                                    "activations": ("mish",) * (layers - 1) + ("tanh",)}
            for layers in settings.layers for units in settings.units
        },
        "optimizer and rate": {
            f"{optimizer} {rate:g}": {"optimizer": optimizer, "learning_rate": rate}
            for optimizer in settings.optimizers for rate in settings.learning_rates
        },
    }


def judge(test, widest, layers, units):
    """What the claims are judged by.

    Args:
        test: MSEs (seeds,) by choice and level.
        widest: runs of 3 layers of the most units.
        layers, units: numbers of them that were tried.
    """
    scatter = {choice: np.log(list(levels.values())).std(axis=0)  # of each seed
               for choice, levels in test.items()}
    size = test["size"]
    smaller = [f"{number} × 16" for number in layers if number < 3]
    smaller += [f"3 × {number}" for number in units if number < 16]
    published, *steps = test["optimizer and rate"]
    return {
        "1.4.2-b": {
            "choice": {name: (scatter["activation"], scatter[name])
                       for name in scatter if name != "activation"},
            "mish": {name: (values, test["activation"]["mish"])
                     for name, values in test["activation"].items()
                     if name not in (TABLE_2, "mish")},
        },
        "1.4.2-c": {"smaller": {name: (size[name], size["3 × 16"]) for name in smaller},
                    "wider": (size[f"3 × {max(units)}"], size["3 × 16"]),
                    "overfitting": widest["test_mse"] / widest["train_mse"]},
        "1.4.2-d": {"optimizer": {
            name: (test["optimizer and rate"][name], test["optimizer and rate"][published])
            for name in steps
        }},
    }


if __name__ == "__main__":
    command.main("1.4.2", run, PRESETS, __doc__)
