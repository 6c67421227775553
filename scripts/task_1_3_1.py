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

Recipe = command.flat(surface.Recipe, "noise")
RECIPE = surface.Recipe(optimizer="lbfgs", epochs=2000)  # report


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = RECIPE
    noise_levels: tuple[float, ...] = tuple(i / 10 for i in range(11))  # report
    early_epochs: int = 50  # ours: a second look at the highest noise, early in training
    seeds: int = 3  # ours: networks and noise


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
    steps = {noise: [iterations_to_converge(loss) for loss in group["loss"]]
             for noise, group in runs.items()}
    for noise in runs:
        task.measure(f"noise_{noise:g}/train_mse", train[noise], better="lower")
        task.measure(f"noise_{noise:g}/test_mse", test[noise], better="lower")
        task.measure(f"noise_{noise:g}/iterations_to_converge", steps[noise])
    variance = float(data.surface.samples()[2].var())
    draw(task, runs, train, test, variance)
    task.decide(judge(train, test, steps, early, variance, settings.early_epochs))


def iterations_to_converge(loss):
    """Iterations until 99% of all the decrease of log loss that the run shows is done."""
    level = np.log(loss)
    done = (level[0] - level) / (level[0] - level[-1])
    return int(np.flatnonzero(done >= 0.99)[0]) + 1


def draw(task, runs, train, test, variance):
    figure, (left, right) = plots.panels(2)
    for color, (noise, group) in zip(plots.shades(len(runs)), runs.items()):
        plots.curve(left, group["loss"], label=f"{noise:g}", color=color, lw=1.2)
    left.set(yscale="log", xlabel="L-BFGS iteration (epoch)", ylabel="training MSE")
    left.legend(title="noise", ncols=2, fontsize=8)
    levels = list(runs)
    for name, errors in (("training MSE", train), ("MSE on the clean surface", test)):
        values = np.array(list(errors.values()))
        right.errorbar(levels, values.mean(1), yerr=values.std(1), marker="o", ms=4, label=name)
    right.axhline(variance, color="grey", ls="--", label="variance of the surface")
    right.plot(levels, np.square(levels), color="black", ls=":", label="noise variance")
    right.set(yscale="log", xlabel="noise (standard deviation)", ylabel="MSE at the end")
    right.legend(fontsize=8)
    task.figure("fig1_noise", figure)


def judge(train, test, steps, early, variance, early_epochs):
    """Verdicts from errors and iterations to converge, each a dict of noise → values (seeds,)."""
    train, test, steps = ({noise: np.mean(values) for noise, values in group.items()}
                          for group in (train, test, steps))
    levels = list(train)
    clean, noisy = levels[0], levels[-1]
    losses_rise = (np.diff(list(train.values())) > 0).all()
    slower, learned = steps[noisy] > steps[clean], np.mean(early)
    return {
        "1.3.1-a": (
            test[clean] < 0.01 * variance,
            f"Without noise the error on the surface ends at {test[clean]:.2g}, "
            f"{test[clean] / variance:.2%} of the surface's variance {variance:.3f}.",
        ),
        "1.3.1-b": (
            losses_rise and slower,
            f"The training loss rises from {train[clean]:.2g} at noise {clean:g} to "
            f"{train[noisy]:.2g} at noise {noisy:g}"
            f"{', level by level' if losses_rise else ', though not at every level'}; 99% of the "
            f"decrease of its logarithm takes {steps[clean]:.0f} iterations without noise and "
            f"{steps[noisy]:.0f} with most noise"
            f"{'.' if slower else ': convergence is not slower, there is less to converge to.'}",
        ),
        "1.3.1-c": (
            # Only the mean: neither the noise nor the surface takes anything off its error.
            train[noisy] > 0.9 * noisy**2 and learned > 0.9 * variance,
            f"At noise {noisy:g}, after {early_epochs} iterations the error on the clean "
            f"surface is {learned:.3f}, {learned / variance:.0%} of the mean's error "
            f"{variance:.3f}: much of the function is learned. Later the network fits the noise: "
            f"training MSE {train[noisy]:.2f} (noise variance {noisy**2:g}), error on the clean "
            f"surface {test[noisy]:.2f}.",
        ),
    }


if __name__ == "__main__":
    command.main("1.3.1", run, PRESETS, __doc__)
