"""Verdicts on the report's claims about forecasts of the laser, from errors that are made up."""

import numpy as np
import pytest
from script_modules import load, verdicts

from ann_keras.evaluation.forecasts import Errors


def scattered(level, seed, spread, number=30):
    """Values around a level, which is their geometric mean."""
    noise = np.random.default_rng(seed).normal(size=number)
    return level * np.exp(spread * (noise - noise.mean()))


def errors(mse, later=0.5, seed=0, number=30):
    """``Errors`` of runs around a level of either kind."""
    return Errors(scattered(mse, seed, 0.5, number), None, scattered(later, 99 - seed, 0.1, number))


def mlp(mse=300, changed=(), spread=0.5, number=30):
    """Verdicts of 2.2.1; ``changed`` are levels (mse, later) of variants that differ."""
    levels = {
        "units 25": (900, 1.5), "units 50": (500, 0.5), "lag 20": (900, 1.5), "lag 40": (600, 0.5),
        "folds 1": (330, 0.5), "folds 5": (330, 0.5), "folds 5, units 25": (900, 0.9),
        "folds 5, units 50": (900, 0.9), "epochs 50": (300, 0.5), "learning rate 0.001": (300, 0.5),
    } | dict(changed)
    variants = {name: errors(*level, seed=place, number=number)
                for place, (name, level) in enumerate(levels.items(), 1)}
    found = errors(mse, number=number)._replace(mse=scattered(mse, 0, spread, number))
    return verdicts(load("2.2.1").judge(load("2.2.1").PRESETS["report"], found, variants))


@pytest.mark.parametrize("changes, claim, verdict", [
    ({}, "a", "reproduced"), ({"mse": 3000}, "a", "refuted"), ({"mse": 30}, "a", "refuted"),
    ({}, "b", "reproduced"),
    ({"changed": {"folds 1": (3000, 0.5)}}, "b", "refuted"),
    ({"changed": {"folds 5": (330, 5)}}, "b", "refuted"),
    ({"changed": {"lag 20": (400, 1.5)}}, "b", "undecided"),
    ({"changed": {"units 25": (200, 1.5)}}, "b", "refuted"),
    ({}, "c", "reproduced"),
    ({"changed": {"folds 5, units 50": (250, 0.9)}}, "c", "refuted"),
    ({"changed": {"folds 5, units 25": (900, 0.3)}}, "c", "refuted"),
    ({"changed": {"folds 5, units 25": (400, 0.9)}}, "c", "undecided"),
    ({"spread": 2.0}, "d", "reproduced"), ({"spread": 0.05}, "d", "refuted"),
    ({"spread": 2.0, "number": 5}, "d", "undecided"),
])
def test_mlp(changes, claim, verdict):
    assert mlp(**changes)[f"2.2.1-{claim}"] == verdict


def lstm(mse=100, later=0.5, changed=()):
    """Verdicts of 2.2.2; ``changed`` are levels (mse, later) of variants that differ."""
    levels = {"folds 1": (50, 0.25), "folds 5": (200, 0.9), "lag 20": (300, 0.9),
              "lag 40": (200, 0.9)} | dict(changed)
    variants = {name: errors(*level, seed=place)
                for place, (name, level) in enumerate(levels.items(), 1)}
    settings = load("2.2.2").PRESETS["report"]
    return verdicts(load("2.2.2").judge(settings, errors(mse, later), variants))


@pytest.mark.parametrize("changes, claim, verdict", [
    ({}, "a", "reproduced"), ({"mse": 1000}, "a", "refuted"),
    ({}, "b", "reproduced"),
    ({"changed": {"folds 5": (125, 0.9)}}, "b", "undecided"),
    ({"changed": {"folds 5": (200, 0.5)}}, "b", "refuted"),
    ({"changed": {"folds 1": (130, 0.25)}}, "b", "refuted"),
    ({"changed": {"folds 1": (50, 0.8)}}, "b", "refuted"),
    ({}, "c", "reproduced"), ({"changed": {"lag 40": (200, 0.3)}}, "c", "refuted"),
    ({"changed": {"lag 20": (125, 0.9)}}, "c", "undecided"),
])
def test_lstm(changes, claim, verdict):
    assert lstm(**changes)[f"2.2.2-{claim}"] == verdict


def both(mlp=(2000, 0.9), lstm=(200, 0.5), corrected=(2000, 200), good=8, early=(0.03, 1.0),
         late=(2.0, 3.0)):
    """Verdicts of 2.2.3.

    Args:
        mlp, lstm: levels (mse, later) under the published protocol.
        corrected: test MSE of MLP and LSTM.
        good: MLP runs that are as good as the published one, the first.
        early, late: NMSE before and after the collapse, of these and of the other MLP runs.
    """
    levels = {"MLP, published": mlp, "LSTM, published": lstm, "MLP, corrected": (corrected[0], 0.9),
              "LSTM, corrected": (corrected[1], 0.5)}
    found = {name: errors(*level, seed=place) for place, (name, level) in enumerate(levels.items())}
    mse = np.maximum(found["MLP, published"].mse, 278)
    mse[:good] = 277
    found["MLP, published"] = found["MLP, published"]._replace(mse=mse)
    as_good = np.arange(30) < good
    parts = [scattered(np.where(as_good, *levels), 7, 0.1) for levels in (early, late)]
    return verdicts(load("2.2.3").judge(found, {"MLP": parts, "LSTM": (np.full(30, 0.02), None)}))


@pytest.mark.parametrize("changes, claim, verdict", [
    ({}, "a", "reproduced"), ({"lstm": (2500, 0.5)}, "a", "refuted"),
    ({"lstm": (200, 1.0)}, "a", "refuted"), ({"corrected": (300, 400)}, "a", "artefact"),
    ({"corrected": (300, 200)}, "a", "undecided"),
    ({}, "b", "artefact"), ({"early": (0.03, 0.04)}, "b", "reproduced"),
    ({"early": (0.2, 1.0)}, "b", "refuted"), ({"late": (0.3, 3.0)}, "b", "refuted"),
    ({"late": (1.0, 3.0)}, "b", "undecided"),
    ({"good": 0}, "b", "undecided"), ({"good": 2}, "b", "undecided"),
])
def test_both(changes, claim, verdict):
    assert both(**changes)[f"2.2.3-{claim}"] == verdict
