"""Task 2.2.2: a stateful LSTM that continues the Santa Fe laser series in closed loop.

The report trains one LSTM of 100 units on windows of lag 80 over three folds in turn (D4), and
gives the test MSE of a single run, 90.3 (D5). Here the protocol runs over many seeds; then with
fewer and more folds and with shorter lags; the report found more folds and shorter lags worse.

    python scripts/task_2_2_2.py                     about 25 seconds
    python scripts/task_2_2_2.py --preset report     about 20 minutes
"""

from dataclasses import dataclass

from ann_keras import command, models, plots
from ann_keras.evaluation import forecasts
from ann_keras.recipes import timeseries
from ann_keras.report import published

Recipe = command.flat(timeseries.Recipe, "network", "protocol", "batch_size", "start")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = timeseries.LSTM
    shorter_lags: tuple[int, ...] = (20, 40)  # ours: to compare with
    other_folds: tuple[int, ...] = (1, 5)  # ours: numbers of folds to compare with
    variant_seeds: int = 20  # ours: networks of each changed setting
    later: int = 60  # ours: forecasts from later starts, after the published points
    seeds: int = 40  # ours: networks; the report shows one run


PRESETS = {
    "smoke": Settings(timeseries.LSTM_SMOKE, shorter_lags=(20,), other_folds=(2,), variant_seeds=1,
                      later=2, seeds=2),
    "quick": Settings(timeseries.LSTM_QUICK, shorter_lags=(40,), other_folds=(4,), variant_seeds=1,
                      later=20, seeds=2),
    "report": Settings(),
}


def run(task, settings):
    changes = [*({"folds": folds} for folds in settings.other_folds),
               *({"lag": lag} for lag in settings.shorter_lags)]
    trainings, found = timeseries.begin(task, settings.recipe, settings.later)
    variants = timeseries.begin_variants(
        task, settings.recipe, changes, settings.later, settings.variant_seeds
    )
    network = models.lstm.nar_lstm(settings.recipe.lag, settings.recipe.units)
    task.measure("nar_lstm/parameters", network.count_params())
    given = published.value("2.2.2", "nar_lstm/test_mse").value
    errors = forecasts.measure_published(task, "nar_lstm", found, given)
    variants = {name: forecasts.errors(runs) for name, runs in variants.items()}
    plots.losses_of_folds(task, "fig11_lstm_loss", trainings)
    with plots.figure(task, "lstm_variants", 2, width=10, height=4.2, sharey=True) as axes:
        plots.forecast_errors(axes, {"published": errors} | variants)
    task.decide(judge(settings, errors, variants))


def judge(settings, errors, variants):
    """What the claims are judged by; ``Errors`` as published and, by name, of variants."""
    folds = {settings.recipe.folds: errors}
    folds |= {number: variants[f"folds {number}"] for number in settings.other_folds}
    numbers = sorted(folds)
    return {
        "2.2.2-a": {"error": errors.mse},
        "2.2.2-b": forecasts.compared({f"{more} folds against {fewer}": (folds[more], folds[fewer])
                                       for fewer, more in zip(numbers, numbers[1:])}),
        "2.2.2-c": forecasts.compared({
            f"lag {lag}": (variants[f"lag {lag}"], errors) for lag in settings.shorter_lags
        }),
    }


if __name__ == "__main__":
    command.main("2.2.2", run, PRESETS, __doc__)
