"""Forecasts of the laser: what they may see, how they are scored, how settings are chosen."""

import keras
import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from ann_keras.data import santafe
from ann_keras.experiments import forecasting, laser
from ann_keras.models.lstm import nar_lstm
from ann_keras.models.mlp import nar_mlp

SERIES = santafe.load_all()
TRAIN, TEST = santafe.load()
TINY = {"lag": 5, "units": 3, "epochs": 2, "batch_size": 2000, "learning_rate": 0.01}


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


@pytest.mark.parametrize("start", [400, 1000])
@pytest.mark.parametrize(
    "method, regressor, options",
    [
        ("kernel ridge", KernelRidge(kernel="rbf", gamma=0.1, alpha=1e-3),
         {"gamma": 0.1, "penalty": 1e-3}),
        ("linear", Ridge(alpha=2.0), {"penalty": 2.0}),
    ],
)
def test_references_are_closed_loops(method, regressor, options, start):
    lag, known = 8, SERIES[:start]
    predict = fitted(regressor, known, lag)
    expected = closed_loop(predict, known, lag, start)
    result = laser.fit_reference(method=method, start=start, lag=lag, later=2, **options)
    assert set(result) == {"forecast", "mse", "later_mse"}
    np.testing.assert_allclose(result["forecast"], expected, atol=1e-6)
    assert result["mse"] == pytest.approx(mse(expected, start))
    # From later starts too with the scale and the fit of what precedes ``start``.
    scale = santafe.Scale(known.mean(), known.std())
    np.testing.assert_allclose(result["later_mse"], [
        mse(closed_loop(predict, known, lag, later, scale), later) for later in (1100, 9993)
    ], rtol=1e-6)


def test_persistence_repeats_the_last_value():
    result = laser.fit_reference(method="persistence", start=1000, later=3)
    np.testing.assert_allclose(result["forecast"], np.full(100, TRAIN[-1]))
    assert result["mse"] == pytest.approx(np.mean((TRAIN[-1] - TEST) ** 2))
    np.testing.assert_allclose(result["later_mse"], [
        mse(SERIES[start - 1], start) for start in laser.later_starts(3)
    ])
    assert set(laser.fit_reference(method="persistence", start=600)) == {"forecast", "mse"}


def test_random_features_stand_for_kernel_ridge():
    settings = {"start": 700, "lag": 8, "gamma": 0.05, "penalty": 0.1}
    kernel = laser.fit_reference(method="kernel ridge", **settings)
    features = laser.fit_random_features(seed=0, pairs=2048, **settings)
    first, other = kernel["forecast"], features["forecast"]
    assert np.abs(first[:10] - other[:10]).max() < 0.1 * SERIES[:700].std()
    assert features["mse"] == pytest.approx(mse(other, 700))


def test_a_forecast_that_explodes_is_cut_off():
    scale = santafe.Scale(10.0, 2.0)

    def forecast(history):
        values = np.zeros((len(history), 100))
        values[:, 50], values[:, 60], values[:, 70] = np.inf, -np.inf, np.nan
        return values

    values = laser._scores(forecast, scale, 1000, 0)["forecast"]
    assert values[[50, 60, 70]].tolist() == [1e4, -1e4, 1e4] and values[0] == 10


@pytest.mark.parametrize("start", [0, 5, 901, 1000, 5000])
def test_validation_stays_inside_the_training_points(start, monkeypatch):
    computed = []
    monkeypatch.setitem(laser._FITS, "fit_reference", lambda **options: computed.append(1))
    with pytest.raises(ValueError, match=f"must lie in 6 to 900, got {start}"):
        laser.validate("fit_reference", [500, start], lag=5, method="linear", penalty=1.0)
    assert not computed  # before hours of training


def test_validation_errors_are_in_units_of_the_training_variance():
    settings = {"method": "linear", "lag": 5, "penalty": 1.0}
    result = laser.validate("fit_reference", [6, 500, 900], **settings)
    assert set(result) == {"nmse"} and result["nmse"].shape == (3,)
    for start, nmse in zip((6, 500, 900), result["nmse"]):
        expected = laser.fit_reference(start=start, **settings)["mse"] / TRAIN.var()
        assert nmse == pytest.approx(expected)


@pytest.mark.parametrize("number", [1, 2, 60, 500])
def test_later_starts_lie_after_the_published_points(number):
    starts = laser.later_starts(number)
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
    monkeypatch.setattr(santafe, "_series", lambda: series)
    assert santafe.load_all()[start] != SERIES[start]


@pytest.mark.parametrize(
    "fit, settings",
    [
        (laser.train_afresh, {"network": "mlp", "seed": 1} | TINY),
        (laser.train_afresh, {"network": "lstm", "seed": 1} | TINY),
        (laser.fit_random_features,
         {"seed": 1, "lag": 5, "pairs": 20, "gamma": 0.1, "penalty": 0.1}),
        (laser.fit_reference, {"method": "linear", "lag": 5, "penalty": 0.1}),
        (laser.fit_reference,
         {"method": "kernel ridge", "lag": 5, "gamma": 0.1, "penalty": 0.1}),
        (laser.fit_reference, {"method": "persistence"}),
    ],
    ids=["mlp", "lstm", "random features", "linear", "kernel ridge", "persistence"],
)
def test_no_fit_sees_what_it_is_to_forecast(fit, settings, monkeypatch):
    start = 120
    first = fit(start=start, **settings)
    change_from(start, monkeypatch)
    second = fit(start=start, **settings)
    np.testing.assert_array_equal(second["forecast"], first["forecast"])
    if "loss" in first:
        np.testing.assert_array_equal(second["loss"], first["loss"])
        assert np.shape(first["loss"]) == (2,)
    assert second["mse"] != first["mse"]
    if settings.get("network") != "lstm":  # which takes seconds to compile
        change_from(start - 1, monkeypatch)
        assert (fit(start=start, **settings)["forecast"] != first["forecast"]).any()


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


def run_over_folds(network, seed=2, **changes):
    protocol = TINY | {"folds": 2, "validation": 200, "later": 2} | changes
    return laser.train_over_folds(network=network, seed=seed, **protocol)


@pytest.mark.parametrize("network, build, first", [
    ("mlp", nar_mlp, 0),
    ("lstm", nar_lstm, 1),  # the last fold alone: every length of a sequence is compiled anew
])
def test_one_network_goes_from_fold_to_fold(network, build, first):
    result = run_over_folds(network, folds=2 - first)
    standard = (TRAIN - TRAIN.mean()) / TRAIN.std()
    rows = np.lib.stride_tricks.sliding_window_view(standard, 6)
    # 995 windows: two times 200 at the end to validate on, each after a gap of the lag.
    folds = [(np.arange(590), np.arange(595, 795)), (np.arange(790), np.arange(795, 995))][first:]
    keras.utils.set_random_seed(2)
    model = build(5, 3)
    losses, validation = expected_training(model, rows[:, :-1], rows[:, -1], folds, epochs=2)
    assert losses[0, 0] > losses[0, 1] and losses.shape == (2 - first, 2)
    np.testing.assert_allclose(result["loss"], losses, rtol=1e-4)
    np.testing.assert_allclose(result["val_loss"], validation, rtol=1e-4)
    assert np.shape(result["forecast"]) == (100,) and np.shape(result["later_mse"]) == (2,)
    assert result["mse"] == pytest.approx(mse(result["forecast"], 1000))
    if network == "mlp":  # the forecast of the network after the last fold
        def predict(window):
            return model(window.astype("float32")).numpy()[0, 0]

        expected = closed_loop(predict, TRAIN, 5, 1000)
        np.testing.assert_allclose(result["forecast"], expected, atol=0.1)


def test_runs_of_a_seed_are_equal_and_of_others_are_not():
    one_fold = {"folds": 1, "batch_size": 100, "epochs": 1, "later": 1}
    first, again = (run_over_folds("mlp", seed, **one_fold) for seed in (3, 3))
    assert set(first) == set(again) == {"loss", "val_loss", "forecast", "mse", "later_mse"}
    for name, value in first.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)
    other = run_over_folds("mlp", 4, **one_fold)
    assert np.abs(np.subtract(other["loss"], first["loss"])).min() > 1e-6


class Chosen:
    """A task whose validation errors are given, (origins,) by setting and seed."""

    def __init__(self, errors):
        self.errors, self.names, self.settings = errors, [], []

    def run(self, name, compute, **settings):
        assert compute is laser.validate
        self.names.append(name)
        self.settings.append(settings)
        return {"nmse": np.array(self.errors[settings["lag"], settings.get("seed")])}


def test_the_lowest_mean_over_origins_of_medians_over_seeds_comes_first():
    task = Chosen({
        # Medians over seeds (1, 5): mean 3. By means over seeds it would be the worst.
        (10, 0): [1, 5], (10, 1): [0, 5], (10, 2): [90, 90],
        # Medians (4, 4): mean 4.
        (20, 0): [4, 4], (20, 1): [4, 4], (20, 2): [4, 4],
        # Medians (2, 1): mean 1.5. By the median of means over origins it would be 4.
        (30, 0): [2, 6], (30, 1): [9, 1], (30, 2): [0, 1],
    })
    table = forecasting.choose(
        task, "train_afresh", {"lag": [10, 20, 30], "units": (7,)}, (500, 600), 3, network="mlp"
    )
    assert table == [{"lag": 30, "units": 7, "nmse": 1.5}, {"lag": 10, "units": 7, "nmse": 3.0},
                     {"lag": 20, "units": 7, "nmse": 4.0}]
    assert len(set(task.names)) == 9
    assert task.names[1] == "validate mlp, lag 10, units 7, seed 1"
    assert task.settings[1] == {"fit": "train_afresh", "starts": [500, 600], "lag": 10,
                                "units": 7, "network": "mlp", "seed": 1}


def test_every_combination_is_tried_once_without_a_seed_where_there_is_no_chance():
    task = Chosen({(lag, None): [lag] for lag in (3, 1, 2)})
    table = forecasting.choose(
        task, "fit_reference", {"lag": [3, 1, 2], "penalty": [0.1, 1.0]}, [500], 0, method="linear"
    )
    assert [(row["lag"], row["penalty"]) for row in table] == [
        (1, 0.1), (1, 1.0), (2, 0.1), (2, 1.0), (3, 0.1), (3, 1.0)
    ]
    assert [row["nmse"] for row in table] == [1, 1, 2, 2, 3, 3]
    assert task.names[0] == "validate linear, lag 3, penalty 0.1"
    assert all("seed" not in settings for settings in task.settings)


def test_errors_of_runs():
    starts = laser.later_starts(3)
    variances = np.array([SERIES[start : start + 100].var() for start in starts])
    runs = [{"mse": 2 * TEST.var(), "later_mse": variances * [1, 5, 3]},
            {"mse": np.array(TEST.var()), "later_mse": variances * [0.5, 0.2, 90]}]
    mse, nmse, later = forecasting.errors(runs)
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
    assert forecasting.measure(task, "mlp", runs)[1].tolist() == task["mlp/test_nmse"].tolist()
    assert task["mlp/test_nmse/median"] == 2 and len(task) == 6
    forecasting.measure(task, "kernel", runs[:1])
    assert set(task) - {name for name in task if name.startswith("mlp")} == {
        "kernel/test_mse", "kernel/test_nmse", "kernel/later_nmse"
    }


def test_runs_of_a_protocol_with_changes():
    class Recorded:
        def __init__(self):
            self.runs = []

        def run(self, name, compute, **settings):
            self.runs.append((name, compute, settings))
            return settings | {"mse": 1.0, "later_mse": [1.0]}

    task, protocol = Recorded(), {"network": "mlp", "lag": 80, "units": 100}
    forecasting.run_published(task, protocol, [0, 1], of="2.2.1")
    variants = forecasting.run_variants(task, protocol, [{"lag": 20, "units": 25}], [4])
    assert list(variants) == ["lag 20, units 25"]
    assert task.runs == [
        ("mlp published, seed 0", laser.train_over_folds, protocol | {"of": "2.2.1", "seed": 0}),
        ("mlp published, seed 1", laser.train_over_folds, protocol | {"of": "2.2.1", "seed": 1}),
        ("mlp lag 20, units 25, seed 4", laser.train_over_folds,
         {"network": "mlp", "lag": 20, "units": 25, "of": None, "seed": 4}),
    ]


def sample(level, seed):
    """Errors of 30 runs around a level."""
    return level * np.exp(0.1 * np.random.default_rng(seed).normal(size=30))


@pytest.mark.parametrize(
    "mse, later, expected",
    [
        (2.0, 1.0, True), (1.0, 2.0, True), (2.0, 2.0, True), (1.0, 1.0, "undecided"),
        (0.5, 1.0, "undecided"), (1.0, 0.5, False), (2.0, 0.5, False),
    ],
)
def test_a_setting_is_worse_by_its_errors(mse, later, expected):
    reference = forecasting.Errors(sample(1, 0), sample(1, 1), sample(1, 2))
    changed = forecasting.Errors(sample(mse, 3), sample(mse, 3), sample(later, 4))
    assert forecasting.is_worse(changed, reference) == expected


@pytest.mark.parametrize(
    "verdicts, expected",
    [
        ([True, True], True), ([True, False], False), ([True, "undecided"], "undecided"),
        (["undecided", False], False), (["undecided"], "undecided"),
    ],
)
def test_one_counter_example_refutes(verdicts, expected):
    assert forecasting.joint_verdict(verdicts) == expected


def test_an_unknown_reference_is_refused():
    with pytest.raises(ValueError, match="unknown method 'oracle'"):
        laser.fit_reference(method="oracle", start=300, lag=5)
