"""What tasks 1.3.1 to 1.3.6 find, judged by the rule, on made-up numbers."""

import numpy as np
import pytest
import script_modules

from ann_keras import models
from ann_keras.evaluation import curves
from ann_keras.report import published, tables

SEEDS = np.array([0.98, 1.0, 1.01, 1.01])  # factors by which seeds differ
WIDE = np.array([0.3, 0.7, 1.5, 3.0])
OPEN, NO, YES = "undecided", "refuted", "reproduced"


def found(task, *arguments):
    """Verdicts, dict of a claim's last letter → word."""
    return script_modules.by_letter(script_modules.load(task).judge(*arguments))


def assert_changed(verdicts, changes):
    """All verdicts are "reproduced" but those of ``changes``, dict of letter → word."""
    assert verdicts == dict.fromkeys(verdicts, YES) | changes


@pytest.mark.parametrize("expected, changes", [
    ({}, {}),
    ({"a": NO}, {"clean": 0.01}),
    ({"a": OPEN}, {"clean": 8e-4 * WIDE}),
    ({"b": NO}, {"steps": (200, 150, 100)}),  # convergence is not slower
    ({"b": NO}, {"train": (1e-6, 1.1, 1.0)}),  # the loss does not rise all the way
    ({"c": NO}, {"early": 0.02}),  # more than the mean is learned
    ({"c": NO}, {"train": (1e-6, 0.1, 0.3)}),  # the noise is fitted
])
def test_noise(expected, changes):
    numbers = {"clean": 1e-4, "train": (1e-6, 0.1, 1.0), "steps": (100, 150, 200),
               "early": 0.08} | changes
    test, train, steps = ({noise: value * SEEDS for noise, value in zip((0.0, 0.5, 1.0), values)}
                          for values in ((numbers["clean"], 0.1, 0.5), numbers["train"],
                                         numbers["steps"]))
    verdicts = found("1.3.1", train, test, steps, numbers["early"] * SEEDS, 0.084,
                     np.full(4, 1.08))
    assert_changed(verdicts, expected)


def test_a_curve_converges_where_most_of_its_fall_is_done():
    steps = script_modules.load("1.3.1").iterations_to_converge
    losses = np.array([np.linspace(1, 0, 101), np.repeat([1.0, 0.05, 0.0], [1, 50, 50])])
    assert steps(losses).tolist() == [91, 2]


@pytest.mark.parametrize("expected, changes", [
    ({}, {}),
    ({"a": NO}, {"seconds": (40, 10, 1, 50)}),
    ({"a": NO, "b": NO}, {"seconds": (10, 20, 1, 20)}),
    ({"b": NO}, {"loss": (0.2, 0.2, 0.1)}),
    ({"b": NO}, {"last_batch_mse": (0.2, 0.2, 0.1)}),
    ({"c": NO}, {"loss": (0.001, 0.2, 0.3)}),  # momentum raises it
    ({"c": NO}, {"last_batch_mse": (0.001, 0.2, 0.3)}),
    ({"c": NO}, {"seconds": (40, 10, 9, 20)}),  # no sooner than SGD
    ({"c": OPEN}, {"seconds": (40, 10, 5 * WIDE, 20)}),
])
def test_gradient_methods(expected, changes):
    methods = "gradient descent", "SGD", "accelerated SGD", "accelerated gradient descent"
    seconds = dict(zip(methods, changes.get("seconds", (40, 10, 1, 20))))
    oscillation = {(name, loss): value * SEEDS for loss in curves.LOSSES.values()
                   for name, value in zip(methods, changes.get(loss, (0.001, 0.2, 0.1)))}
    seconds = {name: value * SEEDS for name, value in seconds.items()}
    assert_changed(found("1.3.2", seconds, oscillation), expected)


WIDTHS = {10: (0.2, 0.1, 0.01), 50: (9.0, 4.0, 1.0), 200: (9.0, 5.0, 1.0)}


@pytest.mark.parametrize("expected, changes", [
    ({}, {}),
    ({"a": NO}, {10: (2.0, 0.1, 0.01)}),  # not within a second
    ({"b": NO}, {50: (4.0, 4.0, 1.0)}),
    ({"b": NO, "c": NO}, {200: (9.0, 9.0, 8.0)}),
    ({"a": NO}, {"cost": 1e-4}),  # a step costs no more in a large network
    ({"a": OPEN}, {"missed": (10, "gradient descent")}),
    ({"c": NO}, {"low": (9.0, 1.0, 1.0)}),
    ({"c": OPEN}, {key: (200, "accelerated SGD") for key in ("missed", "missed low")}),
])
def test_methods_by_width(expected, changes):
    """By width, seconds of descent, SGD and accelerated SGD; which misses a target in one seed."""
    methods = "gradient descent", "SGD", "accelerated SGD"

    def reaches(width, row, missed):
        return {(width, name): {"seconds": value * SEEDS, "reached": np.array(
            [True, True, True, (width, name) != changes.get(missed)]
        )} for name, value in zip(methods, row)}

    reach = {}
    for width, row in WIDTHS.items():
        reach |= reaches(width, changes.get(width, row), "missed")
    low = reach | reaches(200, changes.get("low", WIDTHS[200]), "missed low")
    step = {key: (changes.get("cost", 1e-2) if key[0] == 200 else 1e-4) * SEEDS for key in reach}
    assert_changed(found("1.3.3", reach, low, step, 0.035, 0.01), expected)


@pytest.mark.parametrize("expected, changes", [
    ({}, {}),
    ({"a": NO}, {"seconds": (1, 5, 2, 2, 9)}),  # full batch is far below the average
    ({"a": NO, "b": NO}, {"epochs": (90, 80, 80, 10, 5)}),
    ({"b": NO}, {"seconds": (4, 3.6, 2, 2, 9)}),
    ({"b": OPEN}, {"seconds": (3, 3.2 * WIDE**0.3, 1, 2, 19)}),
    ({"c": NO}, {"seconds": (3, 5, 4, 2, 9)}),  # no quicker to compute
    ({"c": NO}, {"epochs": (999, 80, 200, 10, 5)}),  # momentum converges more slowly
    ({"d": NO}, {"epochs": (999, 80, 80, 90, 5)}),
    ({"d": NO}, {"epochs": (999, 80, 80, 10, 90)}),
    ({"e": NO}, {"seconds": (3, 5, 2, 2, 4.5)}),
    ({"c": NO}, {"loss": (0, 0.5, 0.05, 0.01, 0)}),  # Nesterov's is in the middle
    ({"c": NO}, {"last_batch_mse": (0, 0.5, 0.05, 0.01, 0)}),
    ({"f": NO}, {"loss": (0, 0.01, 0.5, 0.07, 0)}),  # Adam's is
    ({"f": NO}, {"last_batch_mse": (0, 0.01, 0.5, 0.07, 0)}),
    ({"g": NO}, {"late": (1, 1, 1, 0.5, 1)}),  # Adam's loss still halves
])
def test_optimizers(expected, changes):
    """By optimizer; ``late``: the loss at the end over that in the middle."""
    numbers = {
        "epochs": (999, 80, 80, 10, 5), "seconds": (3, 5, 2, 2, 9), "late": (1, 1, 1, 1, 1),
    } | changes
    names = list(script_modules.load("1.3.4").OPTIMIZERS)
    losses = {name: np.outer(SEEDS, np.where(np.arange(2500) > 1200, late, 1))
              for name, late in zip(names, numbers["late"])}
    oscillation = {(name, loss): value * SEEDS for loss in curves.LOSSES.values()
                   for name, value in zip(names, changes.get(loss, (0, 0.1, 0.5, 0.01, 0)))}
    seconds, epochs = ({name: value * SEEDS for name, value in zip(names, numbers[key])}
                       for key in ("seconds", "epochs"))
    # A second target, at which the order is the same.
    epochs = {name: {0.01: values, 0.001: 2 * values} for name, values in epochs.items()}
    assert_changed(found("1.3.4", losses, seconds, epochs, oscillation), expected)


@pytest.mark.parametrize("name", ["adam", "lbfgs"])
def test_the_fastest_is_so_at_every_target_it_reaches(name):
    names = list(script_modules.load("1.3.4").OPTIMIZERS)
    ones = dict.fromkeys(names, SEEDS)
    never = np.full(4, 200)  # epochs of a training, which ends before it is there
    epochs = {other: {0.01: 10 * SEEDS, 0.001: 100 * SEEDS, 1e-4: never} for other in names}
    epochs |= {fast: {0.01: SEEDS, 0.001: SEEDS, 1e-4: never} for fast in ("adam", "lbfgs")}
    oscillation = {(other, loss): SEEDS for other in names for loss in curves.LOSSES.values()}
    short = dict.fromkeys(names, np.ones((4, 200)))  # too short for the claim on 1,000 epochs
    verdicts = found("1.3.4", short, ones, epochs, oscillation)
    assert (verdicts["d"], verdicts["g"]) == (YES, OPEN)
    epochs[name][0.01] = 20 * SEEDS
    assert found("1.3.4", short, ones, epochs, oscillation)["d"] == NO
    epochs[name] = dict.fromkeys(epochs[name], never)
    assert found("1.3.4", short, ones, epochs, oscillation)["d"] == OPEN


class Recorded:
    """A task that keeps its verdicts, and whether it was saved."""

    saved = False

    def decide(self, found):
        self.verdict, = script_modules.verdicts(found).values()

    def save(self):
        self.saved = True

    def measure(self, *_):
        pass

    table = measure


def test_a_table_that_differs_ends_the_program_when_all_is_saved():
    task = Recorded()
    tables.insist(task, "1.3.5-a", 1, "pooled_convnet", models.cnn.pooled_convnet())
    assert task.verdict == YES and not task.saved
    with pytest.raises(SystemExit, match="Table 1 is not reproduced"):
        tables.insist(task, "1.3.5-a", 1, "mlp", models.mlp.surface_mlp(2))
    assert task.verdict == NO and task.saved


@pytest.mark.parametrize("expected, changes", [
    ({}, {}),
    ({"a": "artefact"}, {"sgd": (0.85, 0.8)}),  # a fresh SGD is ahead after an epoch
    ({"a": "artefact"}, {"sgd": (0.5, 0.95)}),  # it is ahead at the end
    ({"a": "artefact"}, {"sgd": (0.795, 0.8)}),  # it is behind, but not by much
    ({"a": NO, "c": NO}, {"chained": (0.85, 0.8, 0.9)}),  # SGD is ahead as published
    ({"b": YES, "c": YES}, {"adadelta": (0.85, 0.85)}),  # as good from a fresh start
    ({"b": OPEN, "c": OPEN}, {"chained": (0.7, 0.8, 0.8 + 0.02 * WIDE)}),
    ({"b": NO, "c": NO}, {"chained": (0.7, 0.8, 0.75)}),  # not even as published
    ({"d": YES}, {"rate_one": 0.6}),
    ({"d": OPEN}, {"rate_one": 0.6 * WIDE}),
])
def test_optimizers_of_the_convnet(expected, changes):
    """Validation accuracies in the first and in the last epoch."""
    numbers = {"sgd": (0.5, 0.8), "adam": (0.8, 0.9), "adadelta": (0.2, 0.6), "rate_one": 0.9,
               "chained": (0.7, 0.8, 0.9)} | changes
    wobble = dict(zip(("sgd", "adam", "adadelta"), (0.02, 0.01, 0.001)))

    def runs(name, first, last):
        begin, end = np.broadcast_arrays(first, last, SEEDS)[:2]
        values = np.linspace(begin, end, 9, axis=1)
        values[:, 1:-1] += wobble[name] * (-1) ** np.arange(7)
        return values

    fresh = {name: runs(name, *numbers[name]) for name in wobble}
    chained = {name: runs(name, level, level) for name, level in zip(wobble, numbers["chained"])}
    rate_one = np.broadcast_to(np.reshape(numbers["rate_one"], (-1, 1)), (4, 9))
    verdicts = found("1.3.6", chained, fresh, rate_one)
    assert verdicts == {"a": YES, "b": "artefact", "c": "artefact", "d": NO} | expected


def test_claims_of_the_convnet_name_what_makes_them_artefacts():
    assert {published.CLAIMS[f"1.3.6-{letter}"].deviation for letter in "bc"} == {"D1"}
