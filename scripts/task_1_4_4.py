"""Task 1.4.4: early stopping and dropout against overfitting.

The report stops when the validation loss has not improved for 10 epochs, and names dropout as
another way. The network of Table 2 is trained with early stopping, without, and with dropout, on
the published 2,000 points and on 100, where there is something to overfit.

    python scripts/task_1_4_4.py                     about 25 seconds
    python scripts/task_1_4_4.py --preset report     about 4 minutes
"""

from dataclasses import dataclass, replace

from ann_keras import command, plots
from ann_keras.recipes import regression

WAYS = "early stopping", "neither", "dropout"
Recipe = command.flat(regression.Recipe, "training_points")
# Ours: epochs, enough to overfit, and the dropout of the runs with it; the report gives none.
RECIPE = regression.Recipe(epochs=400, dropout=0.1)


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = RECIPE
    sizes: tuple[int, ...] = (2000, 100)  # report: 2,000 training points; ours: 100
    seeds: int = 10  # ours: networks and points


PRESETS = {
    "smoke": Settings(replace(RECIPE, epochs=2), seeds=1),
    "quick": Settings(seeds=2),
    "report": Settings(),
}


def run(task, settings):
    runs = {}
    for size in settings.sizes:
        dropout = replace(settings.recipe, training_points=size, patience=0)
        neither = replace(dropout, dropout=0.0)
        stopping = replace(neither, patience=settings.recipe.patience)
        for way, recipe in zip(WAYS, (stopping, neither, dropout)):
            runs[size, way] = task.repeat(regression.train, recipe)
    train, test = ({key: group[name] for key, group in runs.items()}
                   for name in ("train_mse", "test_mse"))
    for size, way in runs:
        task.measure(f"points_{size}/{way}/train_mse", train[size, way], better="lower")
        task.measure(f"points_{size}/{way}/test_mse", test[size, way], better="lower")

    with plots.figure(task, "early_stopping_and_dropout", len(settings.sizes)) as axes:
        for panel, size in zip(axes, settings.sizes):
            panel.boxplot([test[size, way] for way in WAYS], tick_labels=list(WAYS))
            panel.set(yscale="log", title=f"{size:,} training points", ylabel="test MSE")
    task.decide(judge(train, test))


def judge(train, test):
    """What the claim is judged by, MSEs by (points, way), where overfitting shows: of few points.
    """
    few = min(size for size, _ in test)
    gap = {way: test[few, way] / train[few, way] for way in WAYS}
    ways = [way for way in WAYS if way != "neither"]
    return {"1.4.4-a": {
        "gap": {way: (gap["neither"], gap[way]) for way in ways},
        "error": {way: (test[few, way], test[few, "neither"]) for way in ways},
    }}


if __name__ == "__main__":
    command.main("1.4.4", run, PRESETS, __doc__)
