"""Errors of forecasts of the laser in closed loop, tasks 2.2.1 to 2.2.3."""

from typing import NamedTuple

import numpy as np

from ann_keras.data import santafe

HORIZON = santafe.TEST_POINTS  # values a forecast has, as in the competition
_DIVERGED = 1e4
_HISTORY = santafe.TRAINING_POINTS  # values before a forecast, for networks with a state


def later_starts(number):
    """Origins after the 1,100 published points, at equal distances, each with 100 values left."""
    first = santafe.TRAINING_POINTS + santafe.TEST_POINTS
    last = len(santafe.load_all()) - HORIZON
    return np.linspace(first, last, number).astype(int).tolist()


def score(forecast, start, later=0):
    """Errors of a forecaster from ``start`` and from so many later starts, in the series' units.

    Args:
        forecast: function of standardised histories (starts, points) → forecasts (starts, HORIZON).
        start: the first value to forecast; those before it give the scale.

    Returns:
        Dict: "forecast" (HORIZON,), "mse"; with later > 0 also "later_mse" (later,). A forecast
        that diverges is cut off at ±10,000, forty times the largest value of the series.
    """
    series = santafe.load_all()
    scale = santafe.Scale.of(series[:start])

    def errors(starts):
        first = min(_HISTORY, min(starts))
        history = np.stack([series[s - first : s] for s in starts])
        values = scale.restore(forecast(scale.standardise(history)))
        values = np.clip(np.nan_to_num(values, nan=_DIVERGED), -_DIVERGED, _DIVERGED)
        truth = np.stack([series[s : s + HORIZON] for s in starts])
        return values, np.mean((values - truth) ** 2, axis=1)

    values, mse = errors([start])
    result = {"forecast": values[0], "mse": mse[0]}
    if later:
        result["later_mse"] = errors(later_starts(later))[1]
    return result


def validate(mse, origins, lag):
    """Errors of forecasts from origins inside the training points, over those points' variance.

    Args:
        mse: function of an origin → squared error of a forecast from there, of so long a lag.

    Raises:
        ValueError: a forecast would reach the test points, or no window lies before its origin.
    """
    train, _ = santafe.load()
    for origin in origins:
        if not lag < origin <= len(train) - HORIZON:
            raise ValueError(
                f"validation origins must lie in {lag + 1} to {len(train) - HORIZON}, got {origin}"
            )
    return np.array([mse(origin) for origin in origins]) / train.var()


class Errors(NamedTuple):
    """Errors of some forecasts, arrays (seeds,).

    mse: of the 100 test points, in the series' units squared.
    nmse: the same over the variance of the test points.
    later: median over later starts of the squared error over the variance of the 100 values.
    """

    mse: np.ndarray
    nmse: np.ndarray
    later: np.ndarray


def errors(runs):
    """``Errors`` of what ``score`` gave for some seeds."""
    _, test = santafe.load()
    mse = np.array([run["mse"] for run in runs])
    later = np.array([run["later_mse"] for run in runs])
    series = santafe.load_all()
    variance = [series[s : s + HORIZON].var() for s in later_starts(later.shape[1])]
    return Errors(mse, mse / test.var(), np.median(later / variance, axis=1))


def measure(task, name, runs):
    """Record errors of forecasts under a name, with their medians; returns the ``Errors``."""
    found = errors(runs)
    for quantity, values in zip(("test_mse", "test_nmse", "later_nmse"), found):
        task.measure(f"{name}/{quantity}", values, better="lower")
        if len(values) > 1:
            task.measure(f"{name}/{quantity}/median", np.median(values), better="lower")
    return found


def measure_published(task, name, runs, given):
    """``measure``, and how many runs are as good as the published one, by its test MSE."""
    found = measure(task, name, runs)
    task.measure("seeds/test_mse/median", np.median(found.mse), better="lower")
    task.measure("seeds/share_as_good", np.mean(found.mse <= given))
    return found


def compared(pairs):
    """What clauses on errors of test points and of later starts are judged by: pairs of ``Errors``
    by label, first that which is said to be worse."""
    return {clause: {label: tuple(getattr(found, quantity) for found in pair)
                     for label, pair in pairs.items()}
            for clause, quantity in (("test points", "mse"), ("later starts", "later"))}
