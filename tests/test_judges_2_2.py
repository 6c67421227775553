"""Verdicts on the report's claims about forecasts of the laser, from errors that are made up."""

import numpy as np
import pytest
from script_modules import load

from ann_keras.data import santafe
from ann_keras.evaluation.forecasts import Errors

_, TEST = santafe.load()


def errors(mse, later=0.5, seed=0, number=30):
    """``Errors`` of runs around a level of either kind."""
    noise = np.random.default_rng(seed).normal(size=(2, number))
    mse, later = mse * np.exp(0.5 * noise[0]), later * np.exp(0.1 * noise[1])
    return Errors(mse, mse / TEST.var(), later)


def verdicts(task, *arguments):
    return {claim: found[0] for claim, found in load(task).judge(*arguments).items()}


def mlp(mse=300, spread=True, **changed):
    """Verdicts of 2.2.1; ``changed`` are levels (mse, later) of variants that differ."""
    settings = load("2.2.1").PRESETS["report"]
    levels = {
        "units_25": (900, 0.5), "units_50": (500, 0.5), "lag_20": (900, 0.5), "lag_40": (600, 0.5),
        "folds_1": (330, 0.5), "folds_5": (330, 0.5), "folds_5_units_25": (900, 0.9),
        "folds_5_units_50": (900, 0.9), "epochs_50": (300, 0.5), "learning_rate_0.001": (300, 0.5),
    } | changed
    names = {name: name.replace("units_", "units ").replace("lag_", "lag ")
             .replace("folds_", "folds ").replace("epochs_", "epochs ")
             .replace("learning_rate_", "learning rate ").replace("_units", ", units")
             for name in levels}
    variants = {names[name]: errors(*level, seed=place)
                for place, (name, level) in enumerate(levels.items(), 1)}
    found = errors(mse)
    if not spread:
        found = found._replace(mse=np.full(30, float(mse)))
    return verdicts("2.2.1", settings, found, variants)


@pytest.mark.parametrize("changes, claim, verdict", [
    ({}, "2.2.1-a", "reproduced"), ({"mse": 3000}, "2.2.1-a", "undecided"),
    ({}, "2.2.1-b", True), ({"folds_1": (3000, 0.5)}, "2.2.1-b", False),
    ({"folds_5": (30, 0.5)}, "2.2.1-b", False), ({"lag_20": (300, 0.5)}, "2.2.1-b", False),
    ({}, "2.2.1-c", True), ({"folds_5_units_50": (300, 0.3)}, "2.2.1-c", False),
    ({"folds_5_units_25": (300, 0.5)}, "2.2.1-c", "undecided"),
    ({}, "2.2.1-d", True), ({"spread": False}, "2.2.1-d", False),
])
def test_mlp(changes, claim, verdict):
    assert mlp(**changes)[claim] == verdict


def lstm(mse=100, **changed):
    """Verdicts of 2.2.2; ``changed`` are levels (mse, later) of variants that differ."""
    settings = load("2.2.2").PRESETS["report"]
    levels = {"folds 1": (50, 0.5), "folds 5": (200, 0.5), "lag 20": (300, 0.5),
              "lag 40": (200, 0.5)}
    levels |= {name.replace("_", " "): level for name, level in changed.items()}
    variants = {name: errors(*level, seed=place)
                for place, (name, level) in enumerate(levels.items(), 1)}
    return verdicts("2.2.2", settings, errors(mse), variants)


@pytest.mark.parametrize("changes, claim, verdict", [
    ({}, "2.2.2-a", "reproduced"), ({"mse": 1000}, "2.2.2-a", "undecided"),
    ({}, "2.2.2-b", True), ({"folds_5": (100, 0.5)}, "2.2.2-b", "undecided"),
    ({"folds_5": (200, 0.3)}, "2.2.2-b", False), ({"folds_1": (50, 0.8)}, "2.2.2-b", False),
    ({}, "2.2.2-c", True), ({"lag_40": (200, 0.3)}, "2.2.2-c", False),
    ({"lag_20": (100, 0.5)}, "2.2.2-c", "undecided"),
])
def test_lstm(changes, claim, verdict):
    assert lstm(**changes)[claim] == verdict


def forecasts(early, late):
    """Thirty forecasts with such errors before and after the collapse, in standard deviations."""
    factors = np.where(np.arange(100) < 66, early * TEST.std(), late * TEST[66:].std())
    return TEST + factors * np.ones((30, 1))


def both(mlp=(2000, 0.9), lstm=(200, 0.5), corrected=(500, 400), parts=((0.2, 2), (0.1, 0.5))):
    """Verdicts of 2.2.3.

    Args:
        mlp, lstm: levels (mse, later) under the published protocol.
        corrected: test MSE of MLP and LSTM.
        parts: errors (early, late) of MLP and LSTM, as of ``forecasts``.
    """
    names = "MLP", "LSTM"
    found = {f"{name}, published": errors(*level) for name, level in zip(names, (mlp, lstm))}
    found |= {f"{name}, corrected": errors(level) for name, level in zip(names, corrected)}
    values = {f"{name}, published": forecasts(*errors) for name, errors in zip(names, parts)}
    return verdicts("2.2.3", found, values)


@pytest.mark.parametrize("changes, claim, verdict", [
    ({}, "2.2.3-a", True), ({"lstm": (2500, 0.5)}, "2.2.3-a", False),
    ({"lstm": (200, 1.0)}, "2.2.3-a", False), ({"corrected": (300, 400)}, "2.2.3-a", False),
    ({}, "2.2.3-b", True), ({"parts": ((0.4, 2), (0.1, 0.5))}, "2.2.3-b", False),
    ({"parts": ((0.2, 0.4), (0.1, 0.5))}, "2.2.3-b", False),
])
def test_both(changes, claim, verdict):
    assert both(**changes)[claim] == verdict
