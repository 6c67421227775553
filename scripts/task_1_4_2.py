"""Task 1.4.2: Table 2 row by row, and which choice of the network matters.

The report found the activation to matter most (mish best), layers and neurons to help until they
overfit, optimizer and learning rate to matter little. Around the published network one choice is
varied at a time, each over several seeds; a choice matters as much as its levels' median test
errors differ. The trials of `python -m tuning regression` vary all choices at once: where that
search has ended for the same preset, verdicts need both to agree. Exits with status 1 if Table 2
is not reproduced.

    python scripts/task_1_4_2.py                     about 40 seconds
    python scripts/task_1_4_2.py --preset report     about 10 minutes
"""

import json
import sys
from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, models, plots
from ann_keras.errors import UserError
from ann_keras.report import published, tables

TABLE_2 = "mish, mish, tanh"


@dataclass(frozen=True)
class Settings:
    activations: tuple[str, ...] = ("mish", "silu", "elu", "relu", "tanh", "sigmoid")  # ours
    layers: tuple[int, ...] = (1, 2, 3, 4)  # report: 3; ours: the others
    units: tuple[int, ...] = (4, 16, 64, 256)  # report: 16; ours: the others
    optimizers: tuple[str, ...] = ("adam", "rmsprop", "sgd")  # report: adam
    learning_rates: tuple[float, ...] = (0.05, 0.01, 0.001)  # report: 0.05
    epochs: int = 80  # report
    seeds: int = 5  # ours


PRESETS = {
    "smoke": Settings(
        activations=("mish", "sigmoid"), layers=(1, 3), units=(4, 16), optimizers=("adam", "sgd"),
        learning_rates=(0.05,), epochs=2, seeds=1,
    ),
    "quick": Settings(
        activations=("mish", "relu", "tanh", "sigmoid"), layers=(1, 3), units=(4, 16, 64),
        learning_rates=(0.05, 0.001), seeds=1,
    ),
    "report": Settings(),
}


def run(task, settings):
    if 16 not in settings.units or "mish" not in settings.activations:
        raise UserError("--units must contain 16 and --activations mish, the published choices")
    differing = compare_table(task)
    errors = {name: {} for name in ("activation", "size", "optimizer and rate")}
    ratios = {}

    def measure(factor, level, **options):
        results = [
            task.run(
                f"{level}, seed {seed}", experiments.regression.fit_gradient,
                seed=seed, epochs=settings.epochs, **options,
            )
            for seed in task.seeds
        ]
        mse = np.array([r["test_mse"] for r in results])
        task.measure(f"{factor}/{level}/test_mse", mse, better="lower")
        errors[factor][level] = mse
        ratios[level] = np.median(mse / [r["train_mse"] for r in results])

    measure("activation", TABLE_2)
    for activation in settings.activations:
        measure("activation", activation, activations=[activation] * 3)
    for layers in settings.layers:
        for units in settings.units:
            # With tanh last, as in Table 2: 3 × 16 is the published network.
            measure(
                "size", f"{layers} × {units}", hidden_units=[units] * layers,
                activations=["mish"] * (layers - 1) + ["tanh"],
            )
    for optimizer in settings.optimizers:
        for rate in settings.learning_rates:
            measure(
                "optimizer and rate", f"{optimizer} {rate:g}", optimizer=optimizer,
                learning_rate=rate,
            )
    draw(task, errors)
    judge(task, settings, errors, ratios, Searched(task))
    if differing:
        task.save()
        print(f"error: Table 2 is not reproduced: {differing}", file=sys.stderr)
        sys.exit(1)


def compare_table(task):
    """Record and claim Table 2; returns the rows that differ."""
    model = models.mlp.mish_regressor()
    rows = tables.layer_rows(model, activations=True)
    table = published.TABLES[2]
    differing = tables.differences(rows, table.rows)
    print(tables.text(table.columns, rows))
    task.table("table2", table.columns, rows)
    task.measure("mish_regressor/parameters", model.count_params())
    task.claim(
        "1.4.2-a",
        not differing,
        f"Rows that differ: {differing}." if differing
        else f"All {len(rows)} rows agree; {model.count_params()} parameters.",
    )
    return differing


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


class Searched:
    """What the trials of `python -m tuning regression` say, if the search has ended.

    Attributes:
        importance: of each choice for the rank of a trial; empty without enough trials.
        medians: of the validation MSE, by choice and level.
    """

    def __init__(self, task):
        path = task.folder.parent / "tuning" / "regression" / "best.json"
        try:
            found = json.loads(path.read_text())
            self.trials, self.medians = found["completed"], found["medians"]
            self.importance = {name: mean for name, (mean, _) in found["importance"].items()}
        except FileNotFoundError:
            self.trials, self.importance, self.medians = 0, {}, {}
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"cannot read {path}: {error!r}") from error

    def best(self, choice):
        """The level with the lowest median."""
        return min(self.medians[choice], key=self.medians[choice].get)

    def importances(self):
        """A sentence of evidence, empty without a search."""
        if not self.importance:
            return ""
        listed = ", ".join(f"{name.replace('_', ' ')} {value:.2f}"
                           for name, value in self.importance.items())
        return f" Importance for the rank of {self.trials} trials of a search: {listed}."

    def levels(self, choice):
        """A sentence of evidence, empty without a search."""
        if not self.importance:
            return ""
        listed = ", ".join(f"{level} {value:.2g}" for level, value in
                           sorted(self.medians[choice].items(), key=lambda pair: pair[1]))
        return f" Median validation MSE of the search's trials by {choice}: {listed}."


def judge(task, settings, errors, ratios, searched):
    importance = searched.importance
    median = {f: {level: np.median(e) for level, e in levels.items()}
              for f, levels in errors.items()}
    spread = {f: max(levels.values()) / min(levels.values()) for f, levels in median.items()}
    spreads = ", ".join(f"{factor} {value:.3g}" for factor, value in spread.items())
    pure = {level: value for level, value in median["activation"].items() if level != TABLE_2}
    others = sorted((value, level) for level, value in pure.items() if level != "mish")
    listed = ", ".join(f"{level} {value:.2g}" for level, value in median["activation"].items())
    task.claim(
        "1.4.2-b",
        spread["activation"] == max(spread.values()) and pure["mish"] < 0.8 * others[0][0]
        and (not importance or max(importance, key=importance.get) == "activation"
             and searched.best("activation") == "mish"),
        f"Worst over best median test MSE within each choice: {spreads}. Median test MSE by "
        f"activation: {listed}; mish is {others[0][0] / pure['mish']:.2f} times as good as the "
        f"best other, {others[0][1]}."
        + searched.importances() + searched.levels("activation"),
    )
    small, large = min(settings.units), max(settings.units)
    deep, shallow = max(settings.layers), min(settings.layers)
    sizes = median["size"]
    widest = f"3 × {large}" if 3 in settings.layers else f"{deep} × {large}"
    middle = widest.split(" × ")[0] + " × 16"
    narrow = widest.split(" × ")[0] + f" × {small}"
    helps = sizes[middle] < sizes[narrow] and sizes[f"{deep} × 16"] < sizes[f"{shallow} × 16"]
    overfits = sizes[widest] > sizes[middle] and ratios[widest] > 1.5
    task.claim(
        "1.4.2-c",
        helps and overfits,
        f"Median test MSE: {narrow} {sizes[narrow]:.2g}, {middle} {sizes[middle]:.2g}, {widest} "
        f"{sizes[widest]:.2g}; {shallow} × 16 {sizes[f'{shallow} × 16']:.2g}, {deep} × 16 "
        f"{sizes[f'{deep} × 16']:.2g}. More units and layers "
        f"{'help' if helps else 'do not always help'}. At {widest} the test MSE is "
        f"{ratios[widest]:.2f} times the training MSE: "
        f"{'too many neurons overfit' if overfits else 'what is lost there is not overfitting'}."
        + searched.levels("layers"),
    )
    steps = ", ".join(f"{level} {value:.2g}" for level, value in
                      median["optimizer and rate"].items())
    task.claim(
        "1.4.2-d",
        spread["optimizer and rate"] < 2
        and all(importance.get(name, 0) <= importance.get("activation", 0) / 2
                for name in ("optimizer", "learning_rate")),
        f"Median test MSE by optimizer and learning rate: {steps}; the worst is "
        f"{spread['optimizer and rate']:.3g} times the best."
        + searched.importances() + searched.levels("optimizer"),
    )


if __name__ == "__main__":
    command.main("1.4.2", run, PRESETS, __doc__)
