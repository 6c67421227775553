"""Task 1.4.3: the test error of the network of Table 2, and what its 609 parameters can do.

The published 0.0017132 is half the mean squared error (D2) of one good seed (D3). Here the
protocol runs over many seeds; then without early stopping and ten times as long, with a falling
learning rate, since the report holds that more training would not help; and the same network is
fitted by L-BFGS.

    python scripts/task_1_4_3.py                     about 25 seconds
    python scripts/task_1_4_3.py --preset report     about 6 minutes
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, plots
from ann_keras.recipes import regression
from ann_keras.report import published

Recipe = command.flat(regression.Recipe, "optimizer")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = regression.Recipe()  # report
    longer: int = 10  # ours: times the epochs, no early stopping
    lower_learning_rate: float = 0.005  # ours: a tenth, for the longer training
    lbfgs_iterations: int = 6000  # ours
    seeds: int = 20  # ours: networks and points; the report shows one run


PRESETS = {
    "smoke": Settings(regression.Recipe(epochs=2), longer=2, lbfgs_iterations=20, seeds=1),
    "quick": Settings(lbfgs_iterations=2000, seeds=2),
    "report": Settings(),
}


def run(task, settings):
    recipe = settings.recipe
    longer = replace(recipe, epochs=settings.longer * recipe.epochs, patience=0)
    protocols = {
        "published": recipe,
        "longer": longer,
        "longer, lower rate": replace(longer, learning_rate=settings.lower_learning_rate),
        "L-BFGS": replace(recipe, optimizer="lbfgs", epochs=settings.lbfgs_iterations),
    }
    runs = {name: task.repeat(regression.train, recipe) for name, recipe in protocols.items()}
    test = {name: group["test_mse"] for name, group in runs.items()}
    half, stopped = test["published"] / 2, runs["published"]["epochs"]
    task.measure("mish_regressor/half_mse", half, better="lower")
    task.measure("mish_regressor/mse", test["published"], better="lower")
    for statistic in (np.min, np.median, np.max):
        task.measure(f"seeds/half_mse/{statistic.__name__}", statistic(half), better="lower")
    task.measure("seeds/epochs/min", stopped.min())
    task.measure("seeds/epochs/max", stopped.max())
    for name in list(protocols)[1:]:
        task.measure(f"{name}/mse", test[name], better="lower")
        task.measure(f"{name}/mse/median", np.median(test[name]), better="lower")
    draw(task, recipe, runs, test)
    given = published.value("1.4.3", "mish_regressor/half_mse").value
    task.decide(judge(test, given, settings.longer))


def draw(task, recipe, runs, test):
    _, (x, y) = regression.points(recipe, seed=0)
    limits = y.min(), y.max()
    figure, axes = plots.surface_panels(3)
    plots.surface(axes[0], x, y[:, 0], "test data", limits=limits)
    titles = {"published": "as published (Adam)", "L-BFGS": "L-BFGS"}
    for panel, (name, title) in zip(axes[1:], titles.items()):
        title = f"{title}\ntest MSE {test[name][0]:.1e}"
        plots.surface(panel, x, runs[name][0]["prediction"], title, limits=limits)
    task.figure("fig5_test_surface", figure)

    figure, (axes,) = plots.panels(width=7)
    axes.boxplot(list(test.values()), tick_labels=[n.replace(", ", ",\n") for n in test])
    given = published.value("1.4.3", "mish_regressor/mse").value
    axes.axhline(given, color="C3", ls="--", label="published run (its MSE, D2)")
    axes.set(yscale="log", ylabel=f"test MSE over {len(task.seeds)} seeds")
    axes.legend(loc="lower left")
    task.figure("test_mse_over_seeds", figure)


def judge(test, given, longer):
    """Verdicts from test MSEs.

    Args:
        test: dict of protocol → values (seeds,), the published one first.
        given: half the MSE, as published.
        longer: times the epochs of the longer protocols.
    """
    half = test["published"] / 2
    inside = half.min() <= given <= half.max()
    median = {name: np.median(values) for name, values in test.items()}
    others = [value for name, value in median.items() if name != "published"]
    return {
        "1.4.3-a": (
            "reproduced" if inside else "undecided",
            f"The published {given} is half the MSE. Over {len(half)} seeds of its protocol the "
            f"half MSE runs from {half.min():.5f} to {half.max():.5f}, median "
            f"{np.median(half):.5f}; {np.mean(half <= given):.0%} of the runs are as good as the "
            "published one"
            f"{'.' if inside else ', which lies outside: a longer list of seeds would decide.'}",
            "D2",
        ),
        "1.4.3-b": (
            min(others) > 0.8 * median["published"],
            f"Median test MSE {median['published']:.2g} as published; {longer} times as long "
            f"{median['longer']:.2g}, at a tenth of the learning rate "
            f"{median['longer, lower rate']:.2g}, by L-BFGS on the same 609 parameters "
            f"{median['L-BFGS']:.2g}.",
        ),
    }


if __name__ == "__main__":
    command.main("1.4.3", run, PRESETS, __doc__)
