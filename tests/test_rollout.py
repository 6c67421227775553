"""Closed-loop forecasts are those of a plain loop, and of known linear recurrences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.models.lstm import nar_lstm
from ann_keras.models.mlp import nar_mlp
from ann_keras.models.random_features import random_feature_network
from ann_keras.training.rollout import ClosedLoop, forecast

LAG, UNITS = 4, 5


@pytest.fixture
def eager():
    """Without graphs, which take longer to trace than a few steps do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def lively(model, seed=0):
    """The model with large weights, so that its forecasts neither settle nor agree."""
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(size=w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def mlp(seed=0, **options):
    return lively(nar_mlp(LAG, UNITS, **options), seed)


def lstm(seed=0, batch_size=1):
    return lively(nar_lstm(LAG, UNITS, batch_size=batch_size), seed)


def linear(*weights, dtype="float64"):
    """x(t) = Σ weights · the values before it, oldest first."""
    inputs = keras.Input((len(weights),), dtype=dtype)
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, dtype=dtype)(inputs))
    model.set_weights([np.reshape(weights, (-1, 1))])
    return model


def histories(starts=1, points=9, seed=0):
    return np.random.default_rng(seed).normal(size=(starts, points))


def predict(model, history):
    """Next values (starts,) after a whole history, by eager calls."""
    if len(model.input_shape) == 2:
        return model(history[:, -LAG:]).numpy()[:, 0]
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()
    for window in np.moveaxis(np.lib.stride_tricks.sliding_window_view(history, LAG, 1), 1, 0):
        values = model(window[:, np.newaxis].astype("float32")).numpy()[:, 0, 0]
    return values


def loop(model, history, steps):
    """The forecast by definition: the whole history anew for each step, (starts, steps).

    For a network with a state this is the same as going on from it.
    """
    known = np.asarray(history, np.float64)
    for _ in range(steps):
        known = np.column_stack([known, predict(model, known)])
    return known[:, -steps:]


def assert_forecast(values, expected, atol=1e-4):
    assert values.shape == expected.shape
    assert expected.std(axis=-1).min() > 0.01  # it does not settle at once
    np.testing.assert_allclose(values, expected, atol=atol)


@pytest.mark.parametrize("starts, steps", [(1, 1), (3, 8)])
def test_an_mlp_is_fed_its_own_predictions(starts, steps):
    model, history = mlp(), histories(starts)
    expected = loop(model, history, steps)
    values = forecast(model, history, steps)
    assert values.shape == expected.shape == (starts, steps)
    np.testing.assert_allclose(values, expected, atol=1e-4)
    assert len(np.unique(expected.round(3))) == starts * steps


def test_an_lstm_sees_the_whole_history_and_goes_on():
    model, history = lstm(batch_size=3), histories(3)
    closed_loop, expected = ClosedLoop(model), loop(model, history, 8)
    model(histories(3, LAG, seed=5)[:, np.newaxis].astype("float32"))  # must not count
    first = closed_loop.forecast(history, 8)
    assert_forecast(first, expected)
    # What came before the last window matters, what was forecast before does not.
    other = history.copy()
    other[:, 0] += 1
    assert np.abs(loop(model, other, 8) - expected).max() > 1e-3
    assert_forecast(closed_loop.forecast(other, 8), loop(model, other, 8))
    np.testing.assert_array_equal(closed_loop.forecast(history, 8), first)


def test_a_history_of_one_window(eager):
    history = histories(points=LAG)
    for model in (mlp(), lstm()):
        assert_forecast(forecast(model, history, 4), loop(model, history, 4))


def test_fibonacci():
    numbers = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]
    assert forecast(linear(1, 1), [[1, 1], [0, 1]], 10).tolist() == [numbers[2:], numbers[1:11]]


def test_the_oldest_value_comes_first():
    # x(t) = x(t − 3) repeats the last three values; x(t) = 2 x(t − 1) doubles the last one.
    assert forecast(linear(1, 0, 0), [[9, 1, 2, 3]], 5).tolist() == [[1, 2, 3, 1, 2]]
    assert forecast(linear(0, 0, 2), [[9, 1, 2, 3]], 5).tolist() == [[6, 12, 24, 48, 96]]


def test_a_cosine_is_continued():
    angle, times = 0.3, np.arange(200)
    wave = np.stack([np.cos(angle * times + phase) for phase in (0, 1.0)])
    values = forecast(linear(-1, 2 * np.cos(angle)), wave[:, :20], 180)
    np.testing.assert_allclose(values, wave[:, 20:], atol=1e-10)


def test_a_forecast_does_not_depend_on_the_one_before():
    closed_loop = ClosedLoop(mlp())
    first = closed_loop.forecast(histories(), 5)
    other = closed_loop.forecast(histories(seed=1), 5)
    assert np.abs(first - other).max() > 1e-3
    np.testing.assert_array_equal(closed_loop.forecast(histories(), 5), first)


@keras.saving.register_keras_serializable("test_rollout")
class Counting(keras.layers.Dense):
    """Counts how often Python enters the layer: once for each time that it is traced."""

    calls = 0

    def call(self, inputs):
        Counting.calls += 1
        return super().call(inputs)


def test_one_trace_serves_any_number_of_steps():
    inputs = keras.Input((2,))
    closed_loop = ClosedLoop(keras.Model(inputs, Counting(1)(inputs)))
    history = histories(2)
    longest = closed_loop.forecast(history, 7)
    traced = Counting.calls
    for steps in (1, 2, 5, 12):
        values = closed_loop.forecast(history + 0, steps)
        assert values.shape == (2, steps)
        np.testing.assert_allclose(values[:, :7], longest[:, :steps], rtol=1e-5)
    assert Counting.calls == traced


def test_new_weights_are_used_without_a_new_trace():
    model = linear(1, 1)
    closed_loop = ClosedLoop(model)
    assert closed_loop.forecast([[1, 1]], 3).tolist() == [[2, 3, 5]]
    model.set_weights([np.array([[0.0], [2.0]])])
    assert closed_loop.forecast([[1, 1]], 3).tolist() == [[2, 4, 8]]


@pytest.mark.parametrize(
    "build",
    [
        lambda: lively(random_feature_network(LAG, 8, gamma=0.5)),
        lambda: linear(0.3, -0.5, 0.1, 0.9),
    ],
    ids=["random features", "linear"],
)
def test_double_precision_stays(build, eager):
    model, history = build(), histories(2)
    values = forecast(model, history, 10)
    assert values.dtype == np.float64
    known = history
    for _ in range(10):
        known = np.column_stack([known, model(known[:, -LAG:]).numpy()])
    assert_forecast(values, known[:, -10:], atol=1e-11)


def test_single_precision_stays(eager):
    assert forecast(mlp(), histories(), 2).dtype == np.float32


@pytest.mark.parametrize(
    "history, steps, words",
    [
        ([[1.0, 1.0]], 0, "steps must be positive, got 0"),
        ([[1.0, 1.0]], -1, "steps must be positive, got -1"),
        ([[1.0]], 3, r"at least 2 points, got shape \(1, 1\)"),
        ([1.0, 1.0, 2.0], 3, r"got shape \(3,\)"),
        (np.ones((1, 2, 3)), 3, r"got shape \(1, 2, 3\)"),
        ([[1.0, np.nan, 2.0]], 3, "must be finite"),
        ([[np.inf, 1.0, 2.0]], 3, "must be finite"),
    ],
)
def test_errors(history, steps, words):
    with pytest.raises(ValueError, match=words):
        forecast(linear(1, 1), history, steps)


def test_as_many_histories_as_a_state_has_sequences():
    with pytest.raises(ValueError, match=r"nar_lstm was built for 1 sequence\(s\), got 2"):
        forecast(lstm(), histories(2), 3)
    with pytest.raises(ValueError, match=r"built for 2 sequence\(s\), got 1"):
        forecast(lstm(batch_size=2), histories(1), 3)
