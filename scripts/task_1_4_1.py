"""Task 1.4.1: why the training set cannot tell how good a network is.

The report argues that testing on the training set overestimates performance. The network of
Table 2 is trained as published, on the published 2,000 points and on fewer, and its errors on the
points it saw and on 1,000 it did not see are compared.

    python scripts/task_1_4_1.py                     about 30 seconds
    python scripts/task_1_4_1.py --preset report     about 3 minutes
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, data, experiments, plots


@dataclass(frozen=True)
class Settings:
    training_points: tuple[int, ...] = (2000, 500, 100)  # report: 2,000; ours: the others
    epochs: int = 80  # report
    student_number: str = "R1012984"  # report
    seeds: int = 20  # ours


PRESETS = {
    "smoke": Settings(training_points=(2000, 100), epochs=2, seeds=2),
    "quick": Settings(seeds=4),
    "report": Settings(),
}


def run(task, settings):
    runs = {
        points: [
            task.run(
                f"{points} points, seed {seed}", experiments.regression.fit_gradient,
                seed=seed, epochs=settings.epochs, training_points=points,
                student_number=settings.student_number,
            )
            for seed in task.seeds
        ]
        for points in settings.training_points
    }
    ratios = {}
    for points, results in runs.items():
        train = np.array([r["train_mse"] for r in results])
        test = np.array([r["test_mse"] for r in results])
        task.measure(f"points_{points}/train_mse", train, better="lower")
        task.measure(f"points_{points}/test_mse", test, better="lower")
        ratios[points] = test / train

    (x, y), _ = data.regression.split(0, student_number=settings.student_number)
    figure, axes = plots.surface_panels(1)
    plots.surface(axes[0], x, y[:, 0], "training points")
    task.figure("fig4_training_surface", figure)

    figure, (axes,) = plots.panels()
    axes.boxplot(list(ratios.values()), tick_labels=[f"{points:,}" for points in ratios])
    axes.axhline(1, color="grey", ls="--")
    axes.set(xlabel="training points", ylabel="test MSE / training MSE")
    task.figure("train_against_test", figure)

    evidence = "; ".join(
        f"with {points:,} points the median test MSE is {np.median(ratio):.2f} times the training "
        f"MSE, and higher in {np.mean(ratio > 1):.0%} of {len(ratio)} runs"
        for points, ratio in ratios.items()
    )
    smallest = ratios[min(ratios)]
    task.claim(
        "1.4.1-a",
        bool(np.median(smallest) > 1 and all(np.median(r) > 1 for r in ratios.values())),
        evidence[0].upper() + evidence[1:] + ".",
    )


if __name__ == "__main__":
    command.main("1.4.1", run, PRESETS, __doc__)
