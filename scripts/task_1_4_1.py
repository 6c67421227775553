"""Task 1.4.1: why the training set cannot tell how good a network is.

The report argues that testing on the training set overestimates performance. The network of
Table 2 is trained as published, on the published 2,000 points and on fewer, and its errors on the
points it saw and on 1,000 it did not see are compared.

    python scripts/task_1_4_1.py                     about 20 seconds
    python scripts/task_1_4_1.py --preset report     about a minute
"""

from dataclasses import dataclass, replace

from ann_keras import command, plots
from ann_keras.recipes import regression

Recipe = command.flat(regression.Recipe, "training_points")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = regression.Recipe()  # report
    sizes: tuple[int, ...] = (2000, 500, 100)  # report: 2,000 training points; ours: the others
    seeds: int = 60  # ours: networks and points


PRESETS = {
    "smoke": Settings(regression.Recipe(epochs=2), sizes=(2000, 100), seeds=1),
    "quick": Settings(seeds=4),
    "report": Settings(),
}


def run(task, settings):
    runs = {size: task.repeat(regression.train, replace(settings.recipe, training_points=size))
            for size in settings.sizes}
    ratios = {}
    for size, group in runs.items():
        task.measure(f"points_{size}/train_mse", group["train_mse"], better="lower")
        task.measure(f"points_{size}/test_mse", group["test_mse"], better="lower")
        ratios[size] = group["test_mse"] / group["train_mse"]

    (x, y), _ = regression.points(settings.recipe, seed=0)
    plots.surfaces(task, "fig4_training_surface", x, {"training points": y[:, 0]})
    with plots.figure(task, "train_against_test") as axes:
        axes.boxplot(list(ratios.values()), tick_labels=[f"{size:,}" for size in ratios])
        axes.axhline(1, color="grey", ls="--")
        axes.set(xlabel="training points", ylabel="test MSE / training MSE")
    task.decide(judge(ratios))


def judge(ratios):
    """What the claim is judged by: test over training MSE, dict of points → values (seeds,)."""
    return {"1.4.1-a": {"bias": {f"{size:,} points": ratio for size, ratio in ratios.items()}}}


if __name__ == "__main__":
    command.main("1.4.1", run, PRESETS, __doc__)
