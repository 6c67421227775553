"""Verdicts on attention and on the grid of vision transformers, on made-up numbers."""

from dataclasses import replace

import numpy as np
import pytest
import task_3_3_1
import task_3_3_2 as task

from ann_keras.errors import UserError

BEST = "128/8/128"


def verdicts(found):
    """Dict of a claim's last letter → verdict."""
    return {claim[-1]: verdict for claim, (verdict, *_) in found.items()}


def table(dim=0.0, depth=0.0):
    """Accuracies of all rows that rise by so much with each doubling of dim and each depth."""
    return {row: 0.9 + dim * np.log2(size / 32) + depth * blocks
            for row, (size, blocks, _) in task.SIZES.items()}


def test_attention_by_shapes_and_differences():
    close, far = {"function": [1e-8], "layer": [1e-7]}, {"function": [1e-8], "layer": [1e-4]}
    assert verdicts(task_3_3_1.judge(12, 12, close, 1e-6)) == {"a": True}
    assert verdicts(task_3_3_1.judge(12, 12, far, 1e-6)) == {"a": False}
    assert verdicts(task_3_3_1.judge(11, 12, close, 1e-6)) == {"a": False}


def test_the_crossed_rows_are_the_27_of_the_grid():
    assert len(task.SIZES) == 40
    assert {task.SIZES[row] for row in task.CROSSED} == {
        (dim, depth, mlp) for dim in (32, 64, 128) for depth in (4, 6, 8) for mlp in (64, 128, 256)
    }


def test_steps_of_dim_are_taken_in_rows_of_equal_depth_and_mlp_dim():
    values = {"32/4/64": 2.0, "32/6/64": 3.0, "64/4/64": 3.0, "64/6/64": 6.0, "64/8/64": 50.0,
              "256/10/128": 9.0}
    assert task.steps_of_dim(values, np.divide, ".2f")[0] == [1.75]
    assert task.steps_of_dim(values, np.subtract, ".2f")[0] == [2.0]


@pytest.mark.parametrize("accuracy, held", [
    (table(dim=0.01), True), (table(dim=0.01, depth=0.001), True),
    (table(dim=0.01, depth=0.05), False), (table(dim=-0.01), False),
])
def test_dim_decides_where_it_explains_most_and_helps(accuracy, held):
    assert task.effect_of_dim(accuracy)[0] == held


def test_sizes_are_judged_on_the_whole_table():
    published, _ = task.effect_of_dim(task.PUBLISHED)
    seconds = {row: float(size) for row, (size, _, _) in task.SIZES.items()}
    slower = {row: -value for row, value in seconds.items()}
    agrees = table(dim=0.01) if published else table(dim=-0.01)
    assert verdicts(task.judge_sizes(agrees, seconds, 1)) == {"c": True, "d": published}
    differs = table(dim=-0.01) if published else table(dim=0.01)
    assert verdicts(task.judge_sizes(differs, slower, 1)) == {"c": True, "d": "undecided"}
    level = dict.fromkeys(seconds, 1.0)
    assert verdicts(task.judge_sizes(agrees, level, 1))["c"] is False
    part = {row: agrees[row] for row in (BEST, "64/8/128")}
    assert verdicts(task.judge_sizes(part, seconds, 1)) == {"c": "undecided", "d": "undecided"}


def training(last, epochs=20, noise=0.5):
    """What a long training may have given: noisy losses that fall to a tenth."""
    loss = np.linspace(1.0, 0.1, epochs)
    steps = loss[:, np.newaxis] * (1 + noise * np.array([-1.0, 1.0]))
    return {"test_accuracy": np.full(epochs, last), "loss": loss, "step_loss": steps}


def judge(long):
    repeats = {BEST: np.array([0.95, 0.96])}
    scaled = {"test_accuracy": np.array([[0.9], [0.95]])}
    return verdicts(task.judge_training(long, table(), repeats, scaled, 0.5, 1))


def test_the_best_row_is_compared_after_the_published_epochs():
    known = task.PUBLISHED[BEST]
    assert judge({BEST: training(known + 0.002)}) == {"a": True, "b": "undecided", "e": True}
    assert judge({BEST: training(known + 0.004)})["a"] is False
    assert judge({BEST: training(known, epochs=19)})["a"] == "undecided"
    assert judge({BEST: training(known, noise=0.1)})["e"] is False


def test_rows_are_similar_only_if_all_were_trained():
    alike = {BEST: training(0.98)} | {row: training(0.97) for row in task.SIZES if row != BEST}
    assert judge(alike)["b"] is True
    assert judge(alike | {"32/4/64": training(0.9)})["b"] is False


@pytest.mark.parametrize("rows, long_rows", [
    (("1/2/3",), ("1/2/3",)), (("32/4/64",), (BEST,)), (("text",), ("text",)),
])
def test_rows_that_are_not_there_are_refused(rows, long_rows):
    settings = replace(task.PRESETS["smoke"], rows=rows, long_rows=long_rows)
    with pytest.raises(UserError, match="128/8/128"):
        task.run(None, settings)
