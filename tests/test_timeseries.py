"""Forecasts of the laser: what they may see, how they are scored, how they are told apart."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from script_modules import load
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from ann_keras import models
from ann_keras.data import santafe
from ann_keras.evaluation import forecasts
from ann_keras.recipes import timeseries
from ann_keras.recipes.timeseries import Features, Recipe, Reference
from ann_keras.runs.run import Finished, Run

SERIES = santafe.load_all()
TRAIN, TEST = santafe.load()
TINY = Recipe(lag=5, units=3, epochs=2, batch_size=2000, folds=2, validation=200)


@pytest.fixture
def eager():
    """Without graphs, which take longer to trace than a tiny network takes to train."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def closed_loop(predict, known, lag, start, scale=None):
    """100 values from ``start`` by definition: one prediction after the other, in plain Python."""
    scale = scale or santafe.Scale(known.mean(), known.std())
    past = list((SERIES[:start] - scale.mean) / scale.sd)
    for _ in range(100):
        past.append(predict(np.array([past[-lag:]])))
    return np.array(past[start:]) * scale.sd + scale.mean


def mse(values, start):
    return np.mean((values - SERIES[start : start + 100]) ** 2)


def fitted(regressor, known, lag):
    """What predicts the next standardised value, fitted to windows that are cut one by one."""
    standard = (known - known.mean()) / known.std()
    x = [standard[i : i + lag] for i in range(len(known) - lag)]
    regressor.fit(x, standard[lag:])
    return lambda window: regressor.predict(window)[0]


def finished(function, recipe, seed):
    """A run of a recipe, as one that depends on it receives it."""
    return Finished(function(recipe, seed), Run(function, recipe=recipe, seed=seed), 0.0)


@pytest.mark.parametrize("recipe, regressor, start", [
    (Reference("kernel ridge", 8, 0.1, 1e-3), KernelRidge(kernel="rbf", gamma=0.1, alpha=1e-3),
     200),
    (Reference("linear AR", 8, penalty=2.0), Ridge(alpha=2.0), 1000),
], ids=["kernel ridge", "linear AR"])
def test_references_are_closed_loops(recipe, regressor, start):
    lag, known = 8, SERIES[:start]
    predict = fitted(regressor, known, lag)
    expected = closed_loop(predict, known, lag, start)
    result = timeseries.forecast_reference(replace(recipe, start=start), later=2)
    assert set(result) == {"forecast", "mse", "later_mse"}
    np.testing.assert_allclose(result["forecast"], expected, atol=1e-6)
    assert result["mse"] == pytest.approx(mse(expected, start))
    # From later starts too with the scale and the fit of what precedes ``start``.
    scale = santafe.Scale(known.mean(), known.std())
    np.testing.assert_allclose(result["later_mse"], [
        mse(closed_loop(predict, known, lag, later, scale), later) for later in (1100, 9993)
    ], rtol=1e-6)


def test_persistence_repeats_the_last_value():
    result = timeseries.forecast_reference(Reference("persistence", lag=1), later=3)
    np.testing.assert_allclose(result["forecast"], np.full(100, TRAIN[-1]))
    assert result["mse"] == pytest.approx(np.mean((TRAIN[-1] - TEST) ** 2))
    np.testing.assert_allclose(result["later_mse"], [
        mse(SERIES[start - 1], start) for start in forecasts.later_starts(3)
    ])
    shorter = timeseries.forecast_reference(Reference("persistence", lag=1, start=600))
    assert set(shorter) == {"forecast", "mse"}


def forecast_features(recipe, seed, later=0):
    return timeseries.forecast_features(finished(timeseries.fit_features, recipe, seed), later)


def test_random_features_stand_for_kernel_ridge():
    recipe = Features(lag=8, pairs=512, gamma=0.05, penalty=0.1, start=400)
    features = forecast_features(recipe, seed=0, later=1)
    kernel = timeseries.forecast_reference(Reference("kernel ridge", 8, 0.05, 0.1, 400))
    first, other = kernel["forecast"], features["forecast"]
    assert np.abs(first[:10] - other[:10]).max() < 0.1 * SERIES[:400].std()
    assert features["mse"] == pytest.approx(mse(other, 400))
    assert features["later_mse"].shape == (1,)


def test_a_forecast_that_explodes_is_cut_off():
    def forecast(history):
        values = np.zeros((len(history), 100))
        values[:, 50], values[:, 60], values[:, 70] = np.inf, -np.inf, np.nan
        return values

    values = forecasts.score(forecast, 1000)["forecast"]
    assert values[[50, 60, 70]].tolist() == [1e4, -1e4, 1e4]
    assert values[0] == pytest.approx(TRAIN.mean())


@pytest.mark.parametrize("start", [0, 5, 901, 1000, 5000])
def test_validation_stays_inside_the_training_points(start, monkeypatch):
    monkeypatch.setattr(timeseries, "train", lambda *_: pytest.fail("hours of training"))
    with pytest.raises(ValueError, match=f"must lie in 6 to 900, got {start}"):
        timeseries.validate(TINY, 0, [500, start])


def test_validation_errors_are_of_fresh_networks_over_the_training_variance(eager):
    recipe = replace(TINY, epochs=1)
    nmse, = timeseries.validate(recipe, 3, [900])["nmse"]
    afresh = replace(recipe, protocol="afresh", start=900)
    result = timeseries.score(afresh, timeseries.train(afresh, 3)["weights"])
    assert nmse == result["mse"] / TRAIN.var()


def test_the_best_reference_is_chosen():
    choose = load("2.2.3").choose_reference
    found = choose("linear AR", (5, 10), (1.0,), (0.1, 1000.0), (600, 800))
    errors = {
        (lag, penalty): forecasts.validate(
            lambda start: timeseries.forecast_reference(
                Reference("linear AR", lag, penalty=penalty, start=start))["mse"],
            (600, 800), lag,
        ).mean()
        for lag in (5, 10) for penalty in (0.1, 1000.0)
    }
    best = min(errors, key=errors.get)
    assert (found["lag"], found["penalty"]) == best and found["nmse"] == errors[best]
    assert found["gamma"] == 1 / best[0]


@pytest.mark.parametrize("number", [1, 2, 60, 500])
def test_later_starts_lie_after_the_published_points(number):
    starts = forecasts.later_starts(number)
    assert len(starts) == number and starts[0] == 1100
    assert starts[-1] + 100 <= len(SERIES)
    if number > 1:
        assert starts[-1] + 100 == len(SERIES)
        steps = np.diff(starts)
        assert steps.min() >= 1 and steps.max() - steps.min() <= 1


def change_from(start, monkeypatch):
    """Other values from ``start`` on, with nothing in common with the recording's."""
    series = SERIES.copy()
    series[start:] = 255 - 0.5 * series[start:][::-1]
    monkeypatch.setattr(santafe, "load_all", lambda: series)
    assert santafe.load_all()[start] != SERIES[start]


def train_and_forecast(recipe):
    training = finished(timeseries.train, recipe, 1)
    return training | timeseries.forecast(training, later=0)


@pytest.mark.parametrize("fit, recipe", [
    (train_and_forecast, replace(TINY, protocol="afresh")),
    (train_and_forecast, replace(TINY, protocol="afresh", network="lstm")),
    (lambda recipe: forecast_features(recipe, 1), Features(5, 20, 0.1, 0.1)),
    (timeseries.forecast_reference, Reference("linear AR", 5, penalty=0.1)),
    (timeseries.forecast_reference, Reference("kernel ridge", 5, 0.1, 0.1)),
    (timeseries.forecast_reference, Reference("persistence", 1)),
], ids=["mlp", "lstm", "random features", "linear", "kernel ridge", "persistence"])
def test_no_fit_sees_what_it_is_to_forecast(fit, recipe, monkeypatch, eager):
    recipe = replace(recipe, start=120)
    first = fit(recipe)
    change_from(120, monkeypatch)
    second = fit(recipe)
    for name in first.keys() - {"mse"}:
        np.testing.assert_array_equal(second[name], first[name])
    if "loss" in first:
        assert np.shape(first["loss"]) == (1, 2) and "val_loss" not in first
    assert second["mse"] != first["mse"]
    if getattr(recipe, "network", None) != "lstm":  # which takes longest
        change_from(119, monkeypatch)
        assert (fit(recipe)["forecast"] != first["forecast"]).any()


def expected_training(model, x, y, folds, epochs):
    """Losses of full-batch training from fold to fold, by Keras' own training step."""
    recurrent = len(model.input_shape) == 3
    model.compile(keras.optimizers.Adam(0.01), loss="mse", jit_compile=False)
    losses, validation = [], []
    for train, validate in folds:
        pieces = [(x[rows].astype("float32"), y[rows, None].astype("float32"))
                  for rows in (train, validate)]
        if recurrent:
            pieces = [(inputs[None], targets[None]) for inputs, targets in pieces]
        for _ in range(epochs):
            model.reset_metrics()
            losses.append(float(model.train_on_batch(*pieces[0])))
            model.reset_metrics()
            validation.append(float(model.test_on_batch(*pieces[1])))
    return np.reshape(losses, (-1, epochs)), np.reshape(validation, (-1, epochs))


@pytest.mark.parametrize("network, build, first", [
    ("mlp", models.mlp.nar_mlp, 0),
    ("lstm", models.lstm.nar_lstm, 1),  # the last fold alone
])
def test_one_network_goes_from_fold_to_fold(network, build, first, eager):
    recipe = replace(TINY, network=network, folds=2 - first, validation=30, start=150)
    training = finished(timeseries.train, recipe, 2)
    result = timeseries.forecast(training, later=2)
    known = SERIES[:150]
    rows = np.lib.stride_tricks.sliding_window_view((known - known.mean()) / known.std(), 6)
    # 145 windows: two times 30 at the end to validate on, each after a gap of the lag.
    folds = [(np.arange(80), np.arange(85, 115)), (np.arange(110), np.arange(115, 145))][first:]
    keras.utils.set_random_seed(2)
    model = build(5, 3)
    losses, validation = expected_training(model, rows[:, :-1], rows[:, -1], folds, epochs=2)
    assert losses[0, 0] > losses[0, 1] and losses.shape == (2 - first, 2)
    np.testing.assert_allclose(training["loss"], losses, rtol=1e-4)
    np.testing.assert_allclose(training["val_loss"], validation, rtol=1e-4)
    np.testing.assert_allclose(training["weights"], models.weights.flatten(model), atol=1e-4)
    assert result["forecast"].shape == (100,) and result["later_mse"].shape == (2,)
    assert result["mse"] == pytest.approx(mse(result["forecast"], 150))
    if network == "mlp":  # the forecast of the network after the last fold
        def predict(window):
            return model(window.astype("float32")).numpy()[0, 0]

        expected = closed_loop(predict, known, 5, 150)
        np.testing.assert_allclose(result["forecast"], expected, atol=0.1)


def test_trainings_of_a_seed_are_equal_and_of_others_are_not(eager):
    recipe = replace(TINY, folds=1, batch_size=400, epochs=1)
    first, again, other = (timeseries.train(recipe, seed) for seed in (3, 3, 4))
    for name, value in first.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)
    assert np.abs(np.subtract(other["loss"], first["loss"])).min() > 1e-6


def test_runs_of_a_protocol_with_changes():
    begun = []

    def repeat(function, recipe=None, **arguments):
        begun.append((function, recipe, arguments))
        return len(begun)

    task = SimpleNamespace(repeat=repeat)
    variants = timeseries.begin_variants(task, TINY, [{"lag": 20, "learning_rate": 0.1}], 9, 4)
    assert variants == {"lag 20, learning rate 0.1": 2}
    assert begun == [
        (timeseries.train, replace(TINY, lag=20, learning_rate=0.1), {"seeds": 4}),
        (timeseries.forecast, None, {"training": 1, "later": 9}),
    ]


def test_errors_of_runs():
    starts = forecasts.later_starts(3)
    variances = np.array([SERIES[start : start + 100].var() for start in starts])
    runs = [{"mse": 2 * TEST.var(), "later_mse": variances * [1, 5, 3]},
            {"mse": np.array(TEST.var()), "later_mse": variances * [0.5, 0.2, 90]}]
    mse, nmse, later = forecasts.errors(runs)
    np.testing.assert_allclose(mse, [2 * TEST.var(), TEST.var()])
    np.testing.assert_allclose(nmse, [2, 1])
    np.testing.assert_allclose(later, [3, 0.5])
    assert np.ptp(variances) > 100  # else a common variance would do


def test_measured_errors_have_medians():
    class Measured(dict):
        def measure(self, name, values, *, better):
            assert better == "lower"
            self[name] = values

    task = Measured()
    runs = [{"mse": factor * TEST.var(), "later_mse": [1.0]} for factor in (1, 2, 9)]
    assert forecasts.measure(task, "mlp", runs)[1].tolist() == task["mlp/test_nmse"].tolist()
    assert task["mlp/test_nmse/median"] == 2 and len(task) == 6
    forecasts.measure(task, "kernel", runs[:1])
    assert {name for name in task if not name.startswith("mlp")} == {
        "kernel/test_mse", "kernel/test_nmse", "kernel/later_nmse"
    }


def test_published_run_is_set_beside_the_seeds():
    measured = {}
    task = SimpleNamespace(measure=lambda name, values, **options: measured.update({name: values}))
    runs = [{"mse": mse, "later_mse": [1.0]} for mse in (100.0, 277.3, 300.0, 900.0)]
    forecasts.measure_published(task, "nar_mlp", runs, 277.3)
    assert measured["seeds/share_as_good"] == 0.5
    assert measured["seeds/test_mse/median"] == np.median([277.3, 300.0])


def test_errors_are_compared_on_test_points_and_later_starts():
    worse, better = (forecasts.Errors(*np.full((3, 2), value)) for value in (2.0, 1.0))
    better = better._replace(later=np.array([7.0, 8.0]))
    found = forecasts.compared({"lag 20": (worse, better)})
    first, second = found["test points"]["lag 20"]
    assert first.tolist() == [2, 2] and second.tolist() == [1, 1]
    assert found["later starts"]["lag 20"][1].tolist() == [7, 8]


def test_parts_of_forecasts_have_errors_of_their_own():
    values = np.stack([TEST, TEST])
    values[0, 66:] = TEST[66:].mean()
    values[1, :66] += TEST.std()
    early, late = load("2.2.3").errors_around_collapse(values)
    np.testing.assert_allclose(early, [0, 1], atol=1e-12)
    np.testing.assert_allclose(late, [1, 0], atol=1e-12)
