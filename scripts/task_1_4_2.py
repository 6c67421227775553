"""Task 1.4.2: Table 2 row by row, and which choice of the network matters.

The report found the activation to matter most (mish best), layers and neurons to help until they
overfit, optimizer and learning rate to matter little. Around the published network one choice is
varied at a time, each over several seeds; a choice matters as much as its levels' median test
errors differ. The trials of `python -m tuning regression` vary all choices at once: where that
search has ended for the same preset, verdicts need both to agree. Exits with status 1 if Table 2
is not reproduced.

    python scripts/task_1_4_2.py                     about 20 seconds
    python scripts/task_1_4_2.py --preset report     about 5 minutes
"""

import json
from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, models, plots
from ann_keras.errors import UserError
from ann_keras.recipes import regression
from ann_keras.report import tables

TABLE_2 = ", ".join(regression.Recipe.activations)
Recipe = command.flat(
    regression.Recipe, "hidden_units", "activations", "optimizer", "learning_rate"
)


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
    "smoke": Settings(
        regression.Recipe(epochs=2), same_activations=("mish", "sigmoid"), layers=(1, 3),
        units=(4, 16), optimizers=("adam", "sgd"), learning_rates=(0.05,), seeds=1,
    ),
    "quick": Settings(
        same_activations=("mish", "relu", "tanh", "sigmoid"), layers=(1, 3), units=(4, 16, 64),
        learning_rates=(0.05, 0.001), seeds=1,
    ),
    "report": Settings(),
}


def run(task, settings):
    if 16 not in settings.units or "mish" not in settings.same_activations:
        raise UserError("--units needs 16 and --same-activations mish, the published choices")
    runs = {factor: {level: task.repeat(regression.train, replace(settings.recipe, **changes))
                     for level, changes in levels.items()}
            for factor, levels in choices(settings).items()}
    errors = {factor: {level: group["test_mse"] for level, group in groups.items()}
              for factor, groups in runs.items()}
    ratios = {size: np.median(group["test_mse"] / group["train_mse"])
              for size, group in runs["size"].items()}
    differing = tables.compare(task, "1.4.2-a", 2, "mish_regressor", models.mlp.mish_regressor(),
                               activations=True)
    for factor, levels in errors.items():
        for level, mse in levels.items():
            task.measure(f"{factor}/{level}/test_mse", mse, better="lower")
    draw(task, errors)
    task.decide(judge(errors, ratios, settings.layers, settings.units, search(task.folder.parent)))
    tables.insist(task, 2, differing)


def choices(settings):
    """What is varied: dict of factor → level → changes of the recipe."""
    return {
        "activation": {TABLE_2: {}} | {name: {"activations": (name,) * 3}
                                       for name in settings.same_activations},
        # With tanh last, as in Table 2: 3 × 16 is the published network.
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


def draw(task, errors):
    figure, axes = plots.panels(
        3, width=13, height=4.2, sharey=True, width_ratios=[len(e) for e in errors.values()]
    )
    for panel, (factor, levels) in zip(axes, errors.items()):
        panel.boxplot(list(levels.values()), tick_labels=list(levels))
        panel.tick_params(axis="x", rotation=90)
        panel.set(yscale="log", title=factor)
    axes[0].set_ylabel("test MSE")
    task.figure("choices", figure)


def search(results):
    """What the search `python -m tuning regression` says, from the preset's folder of results.

    Returns:
        Dict: "trials", how many; "importance" of each choice for the rank of a trial; "medians"
        of the validation MSE, by choice and level. None until it has ended with enough trials.

    Raises:
        UserError: its file is damaged.
    """
    path = results / "tuning" / "regression" / "best.json"
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text())
        importance = {name: mean for name, (mean, _) in found["importance"].items()}
        numbers = {"trials": found["completed"], "medians": found["medians"]}
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"cannot read {path}: {error!r}") from error
    return numbers | {"importance": importance} if importance else None


def judge(errors, ratios, layers, units, searched):
    """Verdicts from the levels of each choice.

    Args:
        errors: dict of factor → level → test MSEs (seeds,).
        ratios: dict of size, such as "3 × 16", → median of test over training MSE.
        layers, units: numbers of them that were tried.
        searched: as of ``search``.
    """
    median = {factor: {level: np.median(values) for level, values in levels.items()}
              for factor, levels in errors.items()}
    spread = {name: max(row.values()) / min(row.values()) for name, row in median.items()}
    activations, sizes, steps = median.values()
    worst = spread["optimizer and rate"]
    others = [name for name in activations if name not in (TABLE_2, "mish")]
    other = min(others, key=activations.get)
    gain = activations[other] / activations["mish"]
    importance, agrees, ranks = {}, True, ""
    if searched:
        importance, found = searched["importance"], searched["medians"]["activation"]
        agrees = (max(importance, key=importance.get) == "activation"
                  and min(found, key=found.get) == "mish")
        ranks = (f" Importance for the rank of {searched['trials']} trials of a search: "
                 f"{listed(importance, '.2f').replace('_', ' ')}.")

    depth = 3 if 3 in layers else max(layers)
    narrow, middle, widest = (f"{depth} × {number}" for number in (min(units), 16, max(units)))
    shallow, deep = (f"{number} × 16" for number in (min(layers), max(layers)))
    helps = sizes[middle] < sizes[narrow] and sizes[deep] < sizes[shallow]
    overfits = sizes[widest] > sizes[middle] and ratios[widest] > 1.5

    def of_sizes(*names):
        return listed({name: sizes[name] for name in names})

    return {
        "1.4.2-b": (
            spread["activation"] == max(spread.values()) and gain > 1.25 and agrees,
            f"Worst over best median test MSE within each choice: {listed(spread, '.3g')}. Median "
            f"test MSE by activation: {listed(activations)}; mish is {gain:.2f} times as good as "
            f"the best other, {other}." + ranks + trials(searched, "activation"),
        ),
        "1.4.2-c": (
            helps and overfits,
            f"Median test MSE: {of_sizes(narrow, middle, widest)}; {of_sizes(shallow, deep)}. "
            f"More units and layers {'help' if helps else 'do not always help'}. At {widest} the "
            f"test MSE is {ratios[widest]:.2f} times the training MSE: "
            f"{'too many neurons overfit' if overfits else 'what is lost there is not overfitting'}"
            "." + trials(searched, "layers"),
        ),
        "1.4.2-d": (
            worst < 2
            and all(importance.get(name, 0) <= importance.get("activation", 0) / 2
                    for name in ("optimizer", "learning_rate")),
            f"Median test MSE by optimizer and learning rate: {listed(steps)}; the worst is "
            f"{worst:.3g} times the best." + ranks + trials(searched, "optimizer"),
        ),
    }


def listed(numbers, form=".2g"):
    return ", ".join(f"{name} {value:{form}}" for name, value in numbers.items())


def trials(searched, choice):
    """What a search says on a choice; empty without one."""
    if not searched:
        return ""
    medians = dict(sorted(searched["medians"][choice].items(), key=lambda pair: pair[1]))
    return f" Median validation MSE of the search's trials by {choice}: {listed(medians)}."


if __name__ == "__main__":
    command.main("1.4.2", run, PRESETS, __doc__)
