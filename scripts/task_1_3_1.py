"""Task 1.3.1: what noise on the training data does to the fit of the surface.

The report says that the noiseless network finds the true surface, that noise slows convergence
and raises the loss, and that at noise 1 only the mean is learned. The network 2-50-50-1 is fitted
by L-BFGS at eleven noise levels; the clean surface tells what was learned.

    python scripts/task_1_3_1.py                     about 30 seconds
    python scripts/task_1_3_1.py --preset report     about 4 minutes
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.recipes import surface
from ann_keras.report.decide import rank_correlation

Recipe = command.flat(surface.Recipe, "noise")
RECIPE = surface.Recipe(optimizer="lbfgs", epochs=2000)  # report


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = RECIPE
    noise_levels: tuple[float, ...] = tuple(i / 10 for i in range(11))  # report
    early_epochs: int = 50  # ours: a second look at the highest noise, early in training
    seeds: int = 5  # ours: networks and noise


PRESETS = {
    "smoke": Settings(replace(RECIPE, epochs=40), noise_levels=(0.0, 1.0), seeds=1),
    "quick": Settings(replace(RECIPE, epochs=500), seeds=1),
    "report": Settings(),
}


def run(task, settings):
    recipe, noisiest = settings.recipe, settings.noise_levels[-1]
    runs = {noise: task.repeat(surface.train, replace(recipe, noise=noise))
            for noise in settings.noise_levels}
    early = task.repeat(
        surface.train, replace(recipe, noise=noisiest, epochs=settings.early_epochs)
    )["test_mse"]
    task.measure(f"noise_{noisiest:g}/early/test_mse", early)
    train = {noise: group["loss"][:, -1] for noise, group in runs.items()}
    test = {noise: group["test_mse"] for noise, group in runs.items()}
    steps = {noise: iterations_to_converge(group["loss"]) for noise, group in runs.items()}
    for noise in runs:
        task.measure(f"noise_{noise:g}/train_mse", train[noise], better="lower")
        task.measure(f"noise_{noise:g}/test_mse", test[noise], better="lower")
        task.measure(f"noise_{noise:g}/iterations_to_converge", steps[noise])
    heights = [data.surface.samples(noisiest, seed)[1].var() for seed in task.seeds]
    variance = data.surface.samples()[2].var()
    levels = list(runs)
    with plots.figure(task, "fig1_noise", 2) as (left, right):
        losses = {f"{noise:g}": group["loss"] for noise, group in runs.items()}
        plots.curves(left, losses, shaded=True, lw=1.2)
        left.set(yscale="log", xlabel="L-BFGS iteration (epoch)", ylabel="training MSE")
        left.legend(title="noise", ncols=4, fontsize=8, handlelength=1, columnspacing=1,
                    loc="center right", bbox_to_anchor=(1, 0.34))
        for name, errors in (("training MSE", train), ("MSE on the clean surface", test)):
            values = np.array(list(errors.values()))
            right.errorbar(levels, values.mean(1), values.std(1), marker="o", ms=4, label=name)
        right.axhline(variance, color="grey", ls="--", label="variance of the surface")
        right.plot(levels[1:], np.square(levels[1:]), color="black", ls=":", label="noise variance")
        right.set(yscale="log", xlabel="noise (standard deviation)", ylabel="MSE at the end")
        right.legend()
    task.decide(judge(train, test, steps, early, variance, heights))


def iterations_to_converge(losses):
    """Iterations (seeds,) until nine tenths of the fall of the loss (seeds, epochs) are done."""
    first, last = losses[:, :1], losses[:, -1:]
    return (first - losses >= 0.9 * (first - last)).argmax(axis=1) + 1


def judge(train, test, steps, early, variance, heights):
    """What the claims are judged by, one value a seed.

    Args:
        train, test, steps: errors and iterations to converge, by noise, which rises.
        early: error on the clean surface early in training, at the highest noise.
        variance, heights: of the clean surface, and of the noisy ones at the highest noise.
    """
    levels = list(train)

    def trend(values):  # with noise, of each seed
        return np.array([rank_correlation(levels, row) for row in zip(*values.values())])

    return {"1.3.1-a": {"surface": test[levels[0]] / variance},
            "1.3.1-b": {"loss": trend(train), "speed": trend(steps)},
            "1.3.1-c": {"mean": train[levels[-1]] / heights, "function": early / variance}}


if __name__ == "__main__":
    command.main("1.3.1", run, PRESETS, __doc__)
