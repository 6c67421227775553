"""What tasks 1.4.1 to 1.4.4 find, judged by the rule, on made-up numbers."""

import numpy as np
import pytest
import script_modules

SEEDS = np.array([0.98, 1.0, 1.01, 1.01])  # factors by which seeds differ
WIDE = np.array([0.3, 0.7, 1.5, 3.0])
OPEN, NO, YES = "undecided", "refuted", "reproduced"


def found(task, *arguments):
    """Verdicts, dict of a claim's last letter → word."""
    return script_modules.by_letter(script_modules.load(task).judge(*arguments))


@pytest.mark.parametrize("many, few, verdict", [
    (1.1, 1.5, YES), (0.9, 1.5, NO), (1.1, 0.9, NO), (WIDE, 1.5, OPEN),
])
def test_training_error_flatters_at_every_size(many, few, verdict):
    assert found("1.4.1", {2000: many * SEEDS, 100: few * SEEDS}) == {"a": verdict}


@pytest.mark.parametrize("expected, changes", [
    ({}, {}),
    ({"b": NO}, {"relu": 0.15}),  # mish is better, but not by much
    ({"b": OPEN}, {"relu": 0.3 * WIDE}),
    ({"b": NO}, {"3 × 4": 900}),  # the size matters more
    ({"c": NO}, {"1 × 16": 0.1}),  # as good with one layer
    ({"c": NO}, {"3 × 4": 0.1}),
    ({"c": NO}, {"3 × 64": 0.1}),  # nothing is lost by too many
    ({"c": NO}, {"train": 0.3}),  # what is lost is not overfitting
    ({"d": NO}, {"sgd 0.05": 0.3}),
    ({"d": NO}, {"sgd 0.05": 0.03}),
    ({"d": OPEN}, {"sgd 0.05": 0.1 * WIDE}),
])
def test_choices(expected, changes):
    script = script_modules.load("1.4.2")
    levels = {
        "activation": {script.TABLE_2: 0.1, "mish": 0.1, "relu": 60},
        "size": {"1 × 16": 0.2, "3 × 4": 0.2, "3 × 16": 0.1, "3 × 64": 0.3},
        "optimizer and rate": {"adam 0.05": 0.1, "sgd 0.05": 0.12},
    }
    test = {choice: {level: changes.get(level, value) * SEEDS for level, value in row.items()}
            for choice, row in levels.items()}
    widest = {"test_mse": 0.3 * SEEDS, "train_mse": changes.get("train", 0.1) * SEEDS}
    verdicts = found("1.4.2", test, widest, (1, 3), (4, 16, 64))
    assert verdicts == {"b": YES, "c": YES, "d": YES} | expected


@pytest.mark.parametrize("published, further, expected", [
    (0.0034 * WIDE, 1, (YES, YES)),
    (0.0034 * WIDE, 0.5, (YES, NO)),
    (0.0034 * WIDE, WIDE, (YES, OPEN)),
    (0.005 * SEEDS, 1, (NO, YES)),
])
def test_published_error(published, further, expected):
    """``further``: test MSE of training that the report did not try over the published one's."""
    test = {"published": published, "longer": published, "L-BFGS": further * SEEDS * published}
    assert tuple(found("1.4.3", test).values()) == expected


@pytest.mark.parametrize("stopping, dropout, verdict", [
    # Test and training error; with neither they are 1 and 0.5.
    ((0.9, 0.9), (0.9, 0.8), YES),
    ((3, 3), (0.9, 0.8), NO),  # no gap, but worse on new points
    ((0.9, 0.9), (0.9, 0.45), NO),  # the gap of neither
    ((WIDE, WIDE), (0.9, 0.8), OPEN),
])
def test_overfitting_is_judged_where_points_are_few(stopping, dropout, verdict):
    ways = dict(zip(script_modules.load("1.4.4").WAYS, (stopping, (1, 0.5), dropout)))
    test, train = ({(100, way): errors[place] * SEEDS for way, errors in ways.items()}
                   | {(2000, way): SEEDS for way in ways} for place in (0, 1))
    assert found("1.4.4", train, test) == {"a": verdict}
