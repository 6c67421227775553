"""The Santa Fe laser: data set A of the time-series competition of 1991.

Intensity of a far-infrared laser in a chaotic state, 8-bit values at equal time steps (Hübner,
Abraham, Weiss 1989; Weigend and Gershenfeld 1994). The competition gave 1,000 points and asked for
the next 100. reservoirpy ships these and about 9,000 later points of the same laser.
"""

import functools
from typing import NamedTuple

import numpy as np

TRAINING_POINTS, TEST_POINTS = 1000, 100


class Scale(NamedTuple):
    """Mean and standard deviation that make a series dimensionless."""

    mean: float
    sd: float

    @classmethod
    def of(cls, series):
        """The scale of a series; raises ValueError where it is empty, constant or not finite."""
        series = _checked(series)
        # Of equal values the standard deviation may be zero but for rounding.
        if not series.size or series.std() <= 1e-12 * np.abs(series).max():
            raise ValueError("a constant or empty series cannot be standardised")
        return cls(float(series.mean()), float(series.std()))

    def standardise(self, series):
        """Series in its own units → zero mean and unit variance."""
        return (np.asarray(series, np.float64) - self.mean) / self.sd

    def restore(self, series):
        """Standardised series → its own units."""
        return np.asarray(series, np.float64) * self.sd + self.mean


def load():
    """The competition's series: training points (1000,) and the next points (100,), float64."""
    series = load_all()
    return series[:TRAINING_POINTS], series[TRAINING_POINTS:][:TEST_POINTS]


@functools.cache
def load_all():
    """The whole recording, (10093,) float64: training and test points are the first 1,100."""
    from reservoirpy.datasets import santafe_laser

    series = santafe_laser()[:, 0].astype(np.float64)
    series.flags.writeable = False
    return series


def windows(series, lag):
    """Every ``lag`` successive values, and the value that follows them.

    Returns:
        Inputs (n − lag, lag), oldest value first, and targets (n − lag,) of a series (n,);
        target i is ``series[lag + i]``. ValueError if there is none, or a value is not finite.
    """
    series = _checked(series)
    if not 1 <= lag < len(series):
        raise ValueError(f"a lag must lie in 1 to {len(series) - 1} for this series, got {lag}")
    rows = np.lib.stride_tricks.sliding_window_view(series, lag + 1)
    return rows[:, :-1], rows[:, -1]


def windows_before(start, lag):
    """``windows`` of all values before ``start``, standardised by their own scale."""
    known = load_all()[:start]
    return windows(Scale.of(known).standardise(known), lag)


def expanding_folds(windows_number, *, folds, validation, gap):
    """Training and validation windows of a time-series split, as published.

    Each fold validates on the ``validation`` windows after its training windows and a gap. With a
    gap of at least the lag, no input of a validation window holds a training target.

    Returns:
        List of (training indices, validation indices), training from 0 up to a growing end;
        ValueError if the first fold is left without training windows.
    """
    first = windows_number - folds * validation
    if min(folds, validation) < 1 or gap < 0 or first - gap < 1:
        raise ValueError(
            f"{folds} folds of {validation} windows and a gap of {gap} need more than "
            f"{folds * validation + gap} windows, got {windows_number}"
        )
    # As scikit-learn's TimeSeriesSplit, which refuses a single fold.
    return [
        (np.arange(start - gap), np.arange(start, start + validation))
        for start in range(first, windows_number, validation)
    ]


def _checked(series):
    series = np.asarray(series, np.float64)
    if series.ndim != 1:
        raise ValueError(f"a series has one dimension, got shape {series.shape}")
    if not np.isfinite(series).all():
        raise ValueError(f"{np.sum(~np.isfinite(series))} values of the series are not finite")
    return series
