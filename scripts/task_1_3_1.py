"""Task 1.3.1: what noise on the training data does to the fit of the surface.

The report says that the noiseless network finds the true surface, that noise slows convergence
and raises the loss, and that at noise 1 only the mean is learned. The network 2-50-50-1 is fitted
by L-BFGS at eleven noise levels; the clean surface tells what was learned.

    python scripts/task_1_3_1.py                     about 30 seconds
    python scripts/task_1_3_1.py --preset report     about 4 minutes
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, data, experiments, plots


@dataclass(frozen=True)
class Settings:
    iterations: int = 2000  # report: L-BFGS steps, its "epochs"
    noise_levels: tuple[float, ...] = tuple(i / 10 for i in range(11))  # report
    early_iterations: int = 50  # ours: a second look at the highest noise, early in training
    seeds: int = 3  # ours: networks and noise


PRESETS = {
    "smoke": Settings(iterations=40, noise_levels=(0.0, 1.0), seeds=1),
    "quick": Settings(iterations=500, seeds=1),
    "report": Settings(),
}


def run(task, settings):
    runs = {
        noise: [
            task.run(
                f"noise {noise:g}, seed {seed}", experiments.surface.fit_lbfgs,
                seed=seed, noise=noise, iterations=settings.iterations,
            )
            for seed in task.seeds
        ]
        for noise in settings.noise_levels
    }
    noisiest = settings.noise_levels[-1]
    early = [
        task.run(
            f"noise {noisiest:g}, early, seed {seed}", experiments.surface.fit_lbfgs,
            seed=seed, noise=noisiest, iterations=settings.early_iterations,
        )
        for seed in task.seeds
    ]
    task.measure(f"noise_{noisiest:g}/early/test_mse", [r["test_mse"] for r in early])
    for noise, results in runs.items():
        task.measure(f"noise_{noise:g}/train_mse", [r["loss"][-1] for r in results], better="lower")
        task.measure(f"noise_{noise:g}/test_mse", [r["test_mse"] for r in results], better="lower")
        task.measure(
            f"noise_{noise:g}/iterations_to_converge",
            [iterations_to_converge(r["loss"]) for r in results],
        )
    draw(task, runs)
    judge(task, settings, runs, early)


def iterations_to_converge(loss):
    """Iterations until 99% of all the decrease of log loss that the run shows is done."""
    level = np.log(loss)
    done = (level[0] - level) / (level[0] - level[-1])
    return int(np.flatnonzero(done >= 0.99)[0]) + 1


def draw(task, runs):
    figure, (left, right) = plots.panels(2)
    colors = plots.shades(len(runs))
    for color, (noise, results) in zip(colors, runs.items()):
        curves = np.array([r["loss"] for r in results])
        plots.curve(left, curves, label=f"{noise:g}", color=color, lw=1.2)
    left.set(yscale="log", xlabel="L-BFGS iteration (epoch)", ylabel="training MSE")
    left.legend(title="noise", ncols=2, fontsize=8)
    levels = list(runs)
    for name, pick in (
        ("training MSE", lambda r: r["loss"][-1]),
        ("MSE on the clean surface", lambda r: r["test_mse"]),
    ):
        values = np.array([[pick(r) for r in results] for results in runs.values()])
        right.errorbar(levels, values.mean(1), yerr=values.std(1), marker="o", ms=4, label=name)
    right.axhline(surface_variance(), color="grey", ls="--", label="variance of the surface")
    right.plot(levels, np.square(levels), color="black", ls=":", label="noise variance")
    right.set(yscale="log", xlabel="noise (standard deviation)", ylabel="MSE at the end")
    right.legend(fontsize=8)
    task.figure("fig1_noise", figure)


def surface_variance():
    return float(data.surface.samples()[2].var())


def judge(task, settings, runs, early):
    levels = list(runs)
    variance = surface_variance()
    test = {noise: np.mean([r["test_mse"] for r in results]) for noise, results in runs.items()}
    train = {noise: np.mean([r["loss"][-1] for r in results]) for noise, results in runs.items()}
    steps = {
        noise: np.mean([iterations_to_converge(r["loss"]) for r in results])
        for noise, results in runs.items()
    }
    clean, noisy = levels[0], levels[-1]
    task.claim(
        "1.3.1-a",
        test[clean] < 0.01 * variance,
        f"Without noise the error on the surface ends at {test[clean]:.2g}, "
        f"{test[clean] / variance:.2%} of the surface's variance {variance:.3f}.",
    )
    losses_rise = all(train[a] < train[b] for a, b in zip(levels, levels[1:]))
    slower = steps[noisy] > steps[clean]
    task.claim(
        "1.3.1-b",
        losses_rise and slower,
        f"The training loss rises from {train[clean]:.2g} at noise {clean:g} to "
        f"{train[noisy]:.2g} at noise {noisy:g}"
        f"{', level by level' if losses_rise else ', though not at every level'}; 99% of the "
        f"decrease of its logarithm takes {steps[clean]:.0f} iterations without noise and "
        f"{steps[noisy]:.0f} with most noise"
        f"{'.' if slower else ': convergence is not slower, there is less to converge to.'}",
    )
    learned = float(np.mean([r["test_mse"] for r in early]))
    task.claim(
        "1.3.1-c",
        # Only the mean: neither the noise nor the surface takes anything off its error.
        train[noisy] > 0.9 * noisy**2 and learned > 0.9 * variance,
        f"At noise {noisy:g}, after {settings.early_iterations} iterations the error on the clean "
        f"surface is {learned:.3f}, {learned / variance:.0%} of the mean's error {variance:.3f}: "
        f"much of the function is learned. Later the network fits the noise: training MSE "
        f"{train[noisy]:.2f} (noise variance {noisy**2:g}), error on the clean surface "
        f"{test[noisy]:.2f}.",
    )


if __name__ == "__main__":
    command.main("1.3.1", run, PRESETS, __doc__)
