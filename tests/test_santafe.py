"""The Santa Fe laser: the data themselves, windows, folds without leaks, scales."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from ann_keras.data import santafe
from ann_keras.data.santafe import Scale, expanding_folds, windows


def test_training_and_test_points():
    train, test = santafe.load()
    assert train.shape == (1000,) and test.shape == (100,)
    assert train.dtype == test.dtype == np.float64
    np.testing.assert_array_equal(train[:5], [86, 141, 95, 41, 22])
    assert train.var() == pytest.approx(2195.1, abs=0.05)
    assert test.var() == pytest.approx(3078.3, abs=0.05)


def test_the_whole_recording_begins_with_both():
    series = santafe.load_all()
    assert series.shape == (10_093,) and series.dtype == np.float64
    np.testing.assert_array_equal(series[:1100], np.concatenate(santafe.load()))
    np.testing.assert_array_equal(series, series.round())
    assert series.min() >= 0 and series.max() == 255  # 8 bits


def test_the_data_are_those_of_the_course(shared_data):
    with np.load(shared_data / "santafe.npz") as course:
        train, test = santafe.load()
        np.testing.assert_array_equal(course["A"].ravel(), train)
        np.testing.assert_array_equal(course["Acont"].ravel(), test)


def test_nobody_can_change_the_data():
    for series in (santafe.load_all(), *santafe.load(), *windows(santafe.load_all(), 3)):
        with pytest.raises(ValueError, match="read-only"):
            series[0] = 0


def test_windows_hold_past_values_oldest_first():
    x, y = windows([1, 2, 4, 8, 16], 3)
    np.testing.assert_array_equal(x, [[1, 2, 4], [2, 4, 8]])
    np.testing.assert_array_equal(y, [8, 16])
    assert x.dtype == y.dtype == np.float64


@given(st.integers(2, 60), st.data())
def test_every_window_but_no_other(points, data):
    lag = data.draw(st.integers(1, points - 1))
    series = np.random.default_rng(points).normal(size=points)
    x, y = windows(series, lag)
    assert x.shape == (points - lag, lag) and y.shape == (points - lag,)
    for i in range(points - lag):
        np.testing.assert_array_equal(x[i], series[i : i + lag])
        assert y[i] == series[lag + i]


@pytest.mark.parametrize(
    "series, lag, words",
    [
        (range(5), 0, "lie in 1 to 4 for this series, got 0"),
        (range(5), -1, "got -1"),
        (range(5), 5, "lie in 1 to 4 for this series, got 5"),
        ([], 1, "got 1"),
        ([1, np.nan, np.inf, 4], 1, "2 values of the series are not finite"),
        (np.ones((5, 2)), 1, r"one dimension, got shape \(5, 2\)"),
        (3.0, 1, "one dimension"),
    ],
)
def test_errors_of_windows(series, lag, words):
    with pytest.raises(ValueError, match=words):
        windows(series, lag)


sizes = {"lag": st.integers(1, 12), "folds": st.integers(1, 5), "validation": st.integers(1, 20),
         "first": st.integers(1, 30)}


def points_of(indices, lag):
    """All points that windows hold, as inputs or as targets."""
    return {point for i in indices for point in range(i, i + lag + 1)}


@given(**sizes)
def test_no_validation_window_holds_a_training_target(lag, folds, validation, first):
    number = first + folds * validation + lag
    for train, validate in expanding_folds(number, folds=folds, validation=validation, gap=lag):
        targets = {i + lag for i in train}
        assert not targets & points_of(validate, lag)


def test_a_gap_of_lag_is_the_shortest_without_leak():
    # The docstring of expanding_folds says that a gap of lag − 1 would do; it would not: the first
    # input of the first validation window would be the last training target.
    lag = 4
    for gap, leaks in ((lag - 1, True), (lag, False)):
        train, validate = expanding_folds(40, folds=2, validation=5, gap=gap)[0]
        assert (train[-1] + lag in points_of(validate, lag)) == leaks


@given(gap=st.integers(0, 12), **{k: v for k, v in sizes.items() if k != "lag"})
def test_folds_expand_from_the_start_to_the_end(gap, folds, validation, first):
    number = first + folds * validation + gap
    split = expanding_folds(number, folds=folds, validation=validation, gap=gap)
    assert len(split) == folds
    for fold, (train, validate) in enumerate(split):
        end = first + fold * validation
        np.testing.assert_array_equal(train, np.arange(end))
        np.testing.assert_array_equal(validate, np.arange(end + gap, end + gap + validation))
    assert split[-1][1][-1] == number - 1


def test_folds_are_those_of_sklearn():
    ours = expanding_folds(920, folds=5, validation=100, gap=80)
    theirs = list(TimeSeriesSplit(5, test_size=100, gap=80).split(np.empty(920)))
    assert len(ours) == len(theirs) == 5
    for pair, expected in zip(ours, theirs):
        for one, other in zip(pair, expected):
            np.testing.assert_array_equal(one, other)


def test_folds_without_training_windows_are_refused():
    assert len(expanding_folds(581, folds=5, validation=100, gap=80)[0][0]) == 1
    for number in (580, 0):
        with pytest.raises(ValueError, match=f"more than 580 windows, got {number}"):
            expanding_folds(number, folds=5, validation=100, gap=80)


@pytest.mark.parametrize("change", [{"folds": 0}, {"validation": 0}, {"gap": -1}, {"folds": -2}])
def test_folds_that_make_no_sense_are_refused(change):
    with pytest.raises(ValueError):
        expanding_folds(100, **{"folds": 2, "validation": 10, "gap": 5} | change)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_scale_there_and_back(series):
    assume(np.std(series) > 1e-3)
    scale = Scale.of(series)
    standard = scale.standardise(series)
    assert standard.dtype == np.float64
    assert abs(standard.mean()) < 1e-6 and standard.std() == pytest.approx(1)
    np.testing.assert_allclose(scale.restore(standard), series, rtol=1e-12, atol=1e-8)


def test_scale_is_mean_and_standard_deviation():
    scale = Scale.of([1, 1, 5, 5])
    assert scale == (3.0, 2.0)
    np.testing.assert_array_equal(scale.standardise([[3], [7]]), [[0], [2]])
    np.testing.assert_array_equal(scale.restore([[0], [2]]), [[3], [7]])


@pytest.mark.parametrize(
    "series, words",
    [
        ([2.0, 2.0, 2.0], "constant"),
        ([7.0], "constant"),
        ([0.1, 0.1, 0.1], "constant"),
        pytest.param([], None, marks=pytest.mark.filterwarnings("ignore::RuntimeWarning")),
        ([1.0, np.nan], "1 values of the series are not finite"),
        (np.eye(3), "one dimension"),
    ],
)
def test_series_without_scale(series, words):
    with pytest.raises(ValueError, match=words):
        Scale.of(series)
