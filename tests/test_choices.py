"""Verdicts on which choice matters, task 1.4.2, with and without the search's trials."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import script_modules

from ann_keras.errors import UserError

script = script_modules.load("1.4.2")

AGREES = {"activation": [0.6, 0.1], "optimizer": [0.2, 0.1], "learning_rate": [0.1, 0.1]}
MEDIANS = {"activation": {"mish": 0.1, "relu": 0.3}, "layers": {"1": 0.4, "3": 0.1},
           "optimizer": {"adam": 0.1, "sgd": 0.2}}


class Task:
    def __init__(self, folder):
        self.folder, self.verdicts, self.evidence = folder / "task_1_4_2", {}, {}

    def claim(self, identifier, verdict, evidence):
        self.verdicts[identifier[-1]], self.evidence[identifier[-1]] = bool(verdict), evidence


def judged(folder):
    """Verdicts where the ablation finds the activation to matter and the optimizer not to."""
    errors = {
        "activation": {script.TABLE_2: 0.1, "mish": 0.1, "relu": 5.0},
        "size": {"1 × 4": 0.3, "1 × 16": 0.2, "3 × 4": 0.2, "3 × 16": 0.1, "3 × 64": 0.1},
        "optimizer and rate": {"adam 0.05": 0.1, "sgd 0.05": 0.15},
    }
    errors = {factor: {level: np.array([value]) for level, value in levels.items()}
              for factor, levels in errors.items()}
    ratios = dict.fromkeys(errors["size"], 1.0)
    task = Task(folder)
    settings = SimpleNamespace(units=(4, 16, 64), layers=(1, 3))
    script.judge(task, settings, errors, ratios, script.Searched(task))
    return task


def leave(folder, importance, medians=MEDIANS):
    path = folder / "tuning" / "regression" / "best.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(
        {"completed": 20, "importance": importance, "medians": medians}
    ))
    return path


def test_without_a_search_the_ablation_decides(tmp_path):
    task = judged(tmp_path)
    assert task.verdicts == {"b": True, "c": False, "d": True}
    assert "Importance" not in "".join(task.evidence.values())


def test_a_search_that_agrees_is_evidence(tmp_path):
    leave(tmp_path, AGREES)
    task = judged(tmp_path)
    assert task.verdicts == {"b": True, "c": False, "d": True}
    assert "rank of 20 trials of a search: activation 0.60, optimizer 0.20" in task.evidence["b"]
    assert "by activation: mish 0.1, relu 0.3." in task.evidence["b"]
    assert "by layers: 3 0.1, 1 0.4." in task.evidence["c"]


@pytest.mark.parametrize("importance, medians, verdicts", [
    (AGREES | {"optimizer": [0.7, 0]}, MEDIANS, (False, False)),
    (AGREES | {"learning_rate": [0.31, 0]}, MEDIANS, (True, False)),
    (AGREES, MEDIANS | {"activation": {"mish": 0.3, "relu": 0.1}}, (False, True)),
])
def test_a_search_that_disagrees_refutes(tmp_path, importance, medians, verdicts):
    leave(tmp_path, importance, medians)
    task = judged(tmp_path)
    assert (task.verdicts["b"], task.verdicts["d"]) == verdicts


def test_too_few_trials_say_nothing(tmp_path):
    leave(tmp_path, {})
    assert judged(tmp_path).verdicts["b"]


@pytest.mark.parametrize("content", ["{", '{"completed": 3}'])
def test_a_damaged_search_is_named(tmp_path, content):
    leave(tmp_path, {}).write_text(content)
    with pytest.raises(UserError, match="cannot read .*best.json"):
        judged(tmp_path)
