"""Verdicts on the regression exercise, on made-up numbers, with and without the search's trials."""

import json

import numpy as np
import pytest
import script_modules

from ann_keras.errors import UserError

AGREES = {"activation": [0.6, 0.1], "optimizer": [0.2, 0.1], "learning_rate": [0.1, 0.1]}
MEDIANS = {"activation": {"mish": 0.1, "relu": 0.3}, "layers": {"1": 0.4, "3": 0.1},
           "optimizer": {"adam": 0.1, "sgd": 0.2}}


def verdicts(found):
    """Dict of a claim's last letter → verdict."""
    return {claim[-1]: verdict for claim, (verdict, *_) in found.items()}


def test_training_error_flatters():
    judge = script_modules.load("1.4.1").judge
    worse, better = np.array([1.1, 1.2, 0.9]), np.array([1.1, 0.8, 0.9])
    assert verdicts(judge({2000: worse, 100: worse})) == {"a": True}
    assert verdicts(judge({2000: better, 100: worse})) == {"a": False}


def choices(folder):
    """Verdicts where the ablation finds the activation to matter and the optimizer not to."""
    script = script_modules.load("1.4.2")
    errors = {
        "activation": {script.TABLE_2: 0.1, "mish": 0.1, "relu": 5.0},
        "size": {"1 × 4": 0.3, "1 × 16": 0.2, "3 × 4": 0.2, "3 × 16": 0.1, "3 × 64": 0.1},
        "optimizer and rate": {"adam 0.05": 0.1, "sgd 0.05": 0.15},
    }
    errors = {factor: {level: np.array([value]) for level, value in levels.items()}
              for factor, levels in errors.items()}
    ratios = dict.fromkeys(errors["size"], 1.0)
    return verdicts(script.judge(errors, ratios, (1, 3), (4, 16, 64), script.search(folder)))


def leave(folder, importance, medians=MEDIANS):
    path = folder / "tuning" / "regression" / "best.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(
        {"completed": 20, "importance": importance, "medians": medians}
    ))
    return path


def test_without_a_search_the_ablation_decides(tmp_path):
    assert choices(tmp_path) == {"b": True, "c": False, "d": True}


def test_a_search_that_agrees_changes_nothing(tmp_path):
    leave(tmp_path, AGREES)
    assert script_modules.load("1.4.2").search(tmp_path)["trials"] == 20
    assert choices(tmp_path) == {"b": True, "c": False, "d": True}


@pytest.mark.parametrize("importance, medians, expected", [
    (AGREES | {"optimizer": [0.7, 0]}, MEDIANS, (False, False)),
    (AGREES | {"learning_rate": [0.31, 0]}, MEDIANS, (True, False)),
    (AGREES, MEDIANS | {"activation": {"mish": 0.3, "relu": 0.1}}, (False, True)),
])
def test_a_search_that_disagrees_refutes(tmp_path, importance, medians, expected):
    leave(tmp_path, importance, medians)
    found = choices(tmp_path)
    assert (found["b"], found["d"]) == expected


def test_too_few_trials_say_nothing(tmp_path):
    leave(tmp_path, {})
    assert script_modules.load("1.4.2").search(tmp_path) is None
    assert choices(tmp_path)["b"]


@pytest.mark.parametrize("content", ["{", '{"completed": 3}'])
def test_a_damaged_search_is_named(tmp_path, content):
    leave(tmp_path, {}).write_text(content)
    with pytest.raises(UserError, match="cannot read .*best.json"):
        choices(tmp_path)


def error_verdicts(half=(0.001, 0.003), longer=1.0):
    """``longer``: test MSE of what the report did not try, over that of the published protocol."""
    published = 2 * np.array(half)
    test = {"published": published, "longer": published, "longer, lower rate": published,
            "L-BFGS": longer * published}
    return verdicts(script_modules.load("1.4.3").judge(test, 0.0017, 10))


def test_published_error():
    assert error_verdicts() == {"a": "reproduced", "b": True}
    assert error_verdicts(half=(0.002, 0.003))["a"] == "undecided"
    assert error_verdicts(longer=0.7) == {"a": "reproduced", "b": False}


@pytest.mark.parametrize("stopping, dropout, verdict", [
    (0.5, 0.5, True), (0.5, 1.5, False), (1.5, 0.5, False),
])
def test_overfitting_is_judged_where_points_are_few(stopping, dropout, verdict):
    script = script_modules.load("1.4.4")
    test = {(2000, way): np.ones(3) for way in script.WAYS} | {
        (100, way): np.full(3, value)
        for way, value in zip(script.WAYS, (stopping, 1.0, dropout))
    }
    assert verdicts(script.judge(test, test, 0.1)) == {"a": verdict}
