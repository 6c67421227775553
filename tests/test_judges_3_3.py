"""Verdicts on attention and on the grid of vision transformers, on made-up numbers."""

from dataclasses import replace

import numpy as np
import pytest
import task_3_3_1
import task_3_3_2 as task
from script_modules import by_letter

from ann_keras.errors import UserError
from ann_keras.report import decide, published

BEST, SPREAD = "128/8/128", np.array([-1e-4, 0.0, 1e-4])


def test_attention_is_judged_by_all_shapes():
    right, wrong = ([(2, 3), (2, 2)], [(2, 3), (2, 2)]), ([(2, 3), (2, 2)], [(2, 3), (2, 3)])
    assert by_letter(task_3_3_1.judge([right])) == {"a": "reproduced"}
    assert by_letter(task_3_3_1.judge([right, wrong])) == {"a": "refuted"}


def test_the_clipped_attention_heeds_all_tokens_alike():
    queries, keys, values = task_3_3_1.project(0, 5, 12, 3, 4)
    output, weights = task_3_3_1.clipped_attention(queries, keys, values)
    assert (weights == np.float32(1 / 5)).all()
    assert output == pytest.approx(np.repeat([values.mean(axis=0)], 5, axis=0), abs=1e-6)


def test_rows_by_sizes_and_machines():
    assert len(task.SIZES) == 40 and set(task.CROSSED) < set(task.SIZES)
    assert len(task.CROSSED) == 27 and len(task.SECOND_MACHINE) == 17
    first = {row: entry[5] for row, entry in task.TABLE_3.items()
             if row not in task.SECOND_MACHINE}
    for depth, (low, high) in {4: (264, 271), 6: (309, 314), 8: (350, 357)}.items():
        assert all(low < first[row] < high for row in first if task.SIZES[row][1] == depth)


def test_grid_has_an_axis_for_each_size_and_one_for_seeds():
    values = {row: np.array([int("".join(row.split("/"))), 0]) for row in task.CROSSED}
    found = task.grid(values)
    assert found.shape == (3, 3, 3, 2) and found[2, 0, 1, 0] == 1284128
    assert task.grid(task.PUBLISHED)[0, 2, 1, 0] == task.PUBLISHED["32/8/128"]


def test_times_are_compared_in_rows_of_equal_depth_and_mlp_dim():
    seconds = {"32/4/64": 2.0, "32/6/64": 3.0, "64/4/64": 3.0, "128/4/64": 5.0, "64/6/64": 6.0,
               "64/8/64": 50.0, "256/10/128": 9.0}
    assert task.widest_ratios(seconds) == [2.5, 2.0]


def table(dim=0.0, depth=0.0, best=0.0, seeds=3):
    """Accuracies of all rows that rise by so much with each doubling of dim and each block."""
    random = np.random.default_rng(0)
    rows = {row: 0.97 + dim * np.log2(size / 32) + depth * (blocks - 4)
            + 1e-4 * random.normal(size=seeds) for row, (size, blocks, _) in task.SIZES.items()}
    return rows | {BEST: rows[BEST] + best}


def judge(last, seconds=None, fall=10.0, noise=0.5):
    """Verdicts from accuracies by row, and losses that are noisy and fall."""
    loss = np.array([[fall, 1.0]] * 3) * (1 + SPREAD[:, np.newaxis])
    steps = loss[..., np.newaxis] * (1 + noise * np.array([-1.0, 1.0]))
    return by_letter(task.judge({BEST: {"loss": loss, "step_loss": steps}}, last, seconds or {}))


@pytest.mark.parametrize("last, different", [
    (table(best=0.0171), {"a": "reproduced"}),
    (table(best=0.0171, seeds=1), {}),
    (table(best=0.01), {"a": "refuted"}),
    (table(dim=0.007, best=0.0031), {"a": "refuted", "b": "refuted", "d": "reproduced"}),
    (table(dim=0.007, depth=0.008), {"a": "refuted", "b": "refuted", "d": "refuted"}),
    (table(dim=-0.007, best=0.0311), {"a": "reproduced", "b": "refuted"}),
    ({row: values for row, values in table(best=0.0171).items() if row != "32/4/64"},
     {"a": "undecided", "b": "undecided", "d": "undecided"}),
    ({"32/4/64": 0.97 + SPREAD}, {"a": "undecided", "b": "undecided", "d": "undecided"}),
])
def test_rows_are_judged_where_all_of_them_were_trained(last, different):
    found = judge(last)
    assert found == {"a": "undecided", "b": "reproduced", "c": "refuted", "d": "refuted",
                     "e": "reproduced"} | different


@pytest.mark.parametrize("power, here", [(1, "reproduced"), (0, "refuted")])
def test_time_must_grow_on_every_machine(power, here):
    seconds = {row: float(dim) ** power for row, (dim, _, _) in task.SIZES.items()}
    found = task.judge({BEST: {"loss": np.ones((1, 1)), "step_loss": np.ones((1, 1, 1))}}, {},
                       seconds)["3.3.2-c"]
    verdict = decide.judge(published.CLAIMS["3.3.2-c"], found)
    assert verdict.verdict == "refuted", "published times of the first machine"
    assert [effect.verdict for effect in verdict.effects] == [here, "refuted", "undecided"]


def test_losses_must_vary_and_fall():
    last = {BEST: 0.98 + SPREAD}
    assert judge(last)["e"] == "reproduced"
    assert judge(last, noise=0.1)["e"] == judge(last, fall=1.1)["e"] == "refuted"


@pytest.mark.parametrize("rows, long_rows", [
    (("1/2/3",), ("1/2/3",)), (("32/4/64",), (BEST,)), (("text",), ("text",)),
])
def test_rows_that_are_not_there_are_refused(rows, long_rows):
    settings = replace(task.PRESETS["smoke"], rows=rows, long_rows=long_rows)
    with pytest.raises(UserError, match="128/8/128"):
        task.run(None, settings)
