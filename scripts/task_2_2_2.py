"""Task 2.2.2: a stateful LSTM that continues the Santa Fe laser series in closed loop.

The report trains one LSTM of 100 units on windows of lag 80 over three folds in turn (D4), and
gives the test MSE of a single run, 90.3 (D5). Here the protocol runs over many seeds; then with
fewer and more folds and with shorter lags; the report found more folds and shorter lags worse.

    python scripts/task_2_2_2.py                     about 25 seconds
    python scripts/task_2_2_2.py --preset report     about 20 minutes
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, models
from ann_keras.report import published


@dataclass(frozen=True)
class Settings:
    lag: int = 80  # report
    units: int = 100  # report
    folds: int = 3  # report
    validation: int = 150  # report: windows
    epochs: int = 150  # report: in each fold, one sequence an epoch
    learning_rate: float = 0.001  # report
    shorter_lags: tuple[int, ...] = (20, 40)  # ours
    other_folds: tuple[int, ...] = (1, 5)  # ours
    variant_seeds: int = 20  # ours
    later: int = 60  # ours: starts after the published points
    seeds: int = 40  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(
        epochs=2, units=5, shorter_lags=(20,), folds=1, other_folds=(2,), variant_seeds=1, later=2,
        seeds=2,
    ),
    "quick": Settings(
        epochs=60, shorter_lags=(40,), other_folds=(4,), variant_seeds=1, later=20, seeds=2
    ),
    "report": Settings(),
}


def run(task, settings):
    protocol = {
        "network": "lstm", "lag": settings.lag, "units": settings.units, "folds": settings.folds,
        "validation": settings.validation, "epochs": settings.epochs, "batch_size": 1,
        "learning_rate": settings.learning_rate, "later": settings.later,
    }
    runs = experiments.forecasting.run_published(task, protocol, task.seeds)
    changes = [{"folds": folds} for folds in settings.other_folds]
    changes += [{"lag": lag} for lag in settings.shorter_lags]
    variants = experiments.forecasting.run_variants(
        task, protocol, changes, range(settings.variant_seeds)
    )
    network = models.lstm.nar_lstm(settings.lag, settings.units)
    task.measure("nar_lstm/parameters", network.count_params())
    errors = experiments.forecasting.measure(task, "nar_lstm", runs)
    experiments.forecasting.draw_losses(task, "fig11_lstm_loss", runs)
    experiments.forecasting.draw_variants(task, "lstm_variants", errors, variants)
    judge(task, settings, errors, variants)


def judge(task, settings, errors, variants):
    forecasting = experiments.forecasting
    mse, later = errors.mse, errors.later
    given = published.value("2.2.2", "nar_lstm/test_mse").value
    task.claim(
        "2.2.2-a",
        "reproduced" if mse.min() <= given <= mse.max() else "undecided",
        f"Test MSE over {len(mse)} seeds of the published protocol: {mse.min():.1f} to "
        f"{mse.max():.1f}, median {np.median(mse):.1f}; {np.sum(mse <= given)} of the runs are as "
        f"good as the published {given}.",
        deviation="D5",
    )
    as_published = (
        f"Median test MSE and NMSE over {settings.later} later starts {np.median(mse):.0f} and "
        f"{np.median(later):.3f} as published"
    )
    folds = {n: f"folds {n}" for n in settings.other_folds}
    task.claim(
        "2.2.2-b",
        forecasting.joint_verdict(
            forecasting.is_worse(variants[name], errors) if n > settings.folds
            else forecasting.is_worse(errors, variants[name])
            for n, name in folds.items()
        ),
        f"{as_published}; {forecasting.in_words(variants, folds.values(), errors)}.",
        deviation="D4",
    )
    lags = [f"lag {lag}" for lag in settings.shorter_lags]
    task.claim(
        "2.2.2-c",
        forecasting.joint_verdict(forecasting.is_worse(variants[name], errors) for name in lags),
        f"{as_published}; {forecasting.in_words(variants, lags, errors)}.",
    )


if __name__ == "__main__":
    command.main("2.2.2", run, PRESETS, __doc__)
