"""Verdicts on the fits of the surface and on the pooled convnet, on made-up numbers."""

import numpy as np
import pytest
import script_modules

from ann_keras import models
from ann_keras.report import tables

LEVELS = 0.0, 0.5, 1.0


def verdicts(found):
    """Dict of a claim's last letter → verdict."""
    return {claim[-1]: verdict for claim, (verdict, *_) in found.items()}


def noise_verdicts(*, clean=1e-4, train=(1e-6, 0.1, 0.95), steps=(100, 150, 200), early=0.079):
    test, train, steps = (dict(zip(LEVELS, np.reshape(values, (-1, 1))))
                          for values in ((clean, 0.1, 0.5), train, steps))
    judge = script_modules.load("1.3.1").judge
    return verdicts(judge(train, test, steps, np.array([early]), 0.084, 50))


def test_noise():
    assert noise_verdicts() == {"a": True, "b": True, "c": True}
    assert not noise_verdicts(clean=0.01)["a"]
    assert not noise_verdicts(steps=(200, 150, 100))["b"], "convergence is not slower"
    assert not noise_verdicts(train=(1e-6, 0.96, 0.95))["b"], "the loss does not rise"
    assert not noise_verdicts(early=0.02)["c"], "more than the mean is learned"
    assert not noise_verdicts(train=(1e-6, 0.1, 0.3))["c"], "the noise is fitted"


def test_a_curve_converges_where_most_of_its_decrease_is_done():
    steps = script_modules.load("1.3.1").iterations_to_converge
    assert steps(np.logspace(0, -4, 101)) == 100
    assert steps(np.array([1.0, 0.1, 0.1, 0.1])) == 2


def gradient_verdicts(seconds=(4, 2, 1, 3), oscillation=(0, 0.2, 0.1)):
    methods = "gradient descent", "SGD", "accelerated SGD", "accelerated gradient descent"
    summary = {
        name: {"seconds_to_target": [time], "epochs_to_target": [9], "oscillation": [spread]}
        for name, time, spread in zip(methods, seconds, (*oscillation, 0))
    }
    return verdicts(script_modules.load("1.3.2").judge(summary, 0.03))


def test_gradient_methods():
    assert gradient_verdicts() == {"a": True, "b": True, "c": True}
    assert gradient_verdicts(seconds=(4, 2, 1, 5)) == {"a": False, "b": True, "c": True}
    assert gradient_verdicts(seconds=(1, 2, 0.5, 3)) == {"a": False, "b": False, "c": True}
    assert not gradient_verdicts(oscillation=(0.3, 0.2, 0.1))["b"]
    assert not gradient_verdicts(oscillation=(0, 0.2, 0.3))["c"], "momentum raises it"
    assert not gradient_verdicts(seconds=(4, 1, 2, 3))["c"], "SGD is faster"


def width_verdicts(times, reached=1):
    """``times``: by width, seconds of descent, SGD and accelerated SGD."""
    methods = "gradient descent", "SGD", "accelerated SGD"
    mean = {
        (width, name): {"seconds_to_target": time, "seconds_per_step": 1e-4, "reached": reached}
        for width, row in times.items() for name, time in zip(methods, row)
    }
    return verdicts(script_modules.load("1.3.3").judge(mean, 0.035, 40, 600))


def test_methods_by_width():
    times = {10: (1, 2, 3), 50: (9, 1, 2), 200: (9, 5, 4)}
    assert width_verdicts(times) == {"a": True, "b": True, "c": True}
    assert width_verdicts(times, reached=0) == {"a": False, "b": True, "c": True}
    assert not width_verdicts(times | {10: (2, 1, 3)})["a"]
    assert not width_verdicts(times | {50: (1, 2, 3)})["b"]
    assert not width_verdicts(times | {200: (9, 3, 4)})["c"]


NAMES = "sgd_0.05", "sgd_0.1", "nesterov", "adam", "lbfgs"


def optimizer_verdicts(ends=(1e-2, 1e-3, 1e-3, 1e-4, 1e-5), seconds=(2, 5, 3, 1, 9),
                       spread=(0, 0.2, 0.3, 0.1, 0), rates=(0.02, 0.1, 0.1, 0.5, 0.9)):
    """Curves fall by a share of the error an epoch, to their ends."""
    epochs = np.arange(1500)
    losses = {name: (end + np.exp(-rate * epochs))[np.newaxis]
              for name, end, rate in zip(NAMES, ends, rates)}
    seconds, spread = (dict(zip(NAMES, np.reshape(values, (-1, 1))))
                       for values in (seconds, spread))
    return verdicts(script_modules.load("1.3.4").judge(losses, seconds, spread))


@pytest.mark.parametrize("refuted, changes", [
    ("", {}),
    ("a", {"seconds": (1, 5, 3, 2, 9)}),  # full batch is the fastest
    ("b", {"seconds": (6, 5, 3, 1, 9)}),
    ("c", {"seconds": (2, 5, 6, 1, 9)}),
    ("c", {"ends": (1e-2, 1e-3, 9e-3, 1e-4, 1e-5)}),
    ("d", {"rates": (0.02, 0.95, 0.1, 0.5, 0.9)}),
    ("e", {"seconds": (2, 5, 3, 1, 4)}),
    ("f", {"spread": (0, 0.05, 0.3, 0.1, 0)}),
    ("g", {"rates": (0.02, 0.1, 0.006, 0.5, 0.9)}),
])
def test_optimizers(refuted, changes):
    found = optimizer_verdicts(**changes)
    assert "".join(claim for claim, verdict in found.items() if not verdict) == refuted


def test_a_run_has_converged_when_it_stays_near_its_end():
    converged = script_modules.load("1.3.4").converged_after
    assert converged(np.ones(100)) == 1
    assert converged(np.concatenate([np.full(60, 5.0), np.ones(40)])) == 61


class Recorded:
    """A task that keeps its verdicts, and whether it was saved."""

    saved = False

    def claim(self, identifier, verdict, evidence):
        self.verdict = verdict

    def save(self):
        self.saved = True

    def measure(self, *_):
        pass

    table = measure


def test_a_table_that_differs_ends_the_program_when_all_is_saved():
    model, task = models.cnn.pooled_convnet(), Recorded()
    tables.insist(task, 1, tables.compare(task, "1.3.5-a", 1, "pooled_convnet", model))
    assert task.verdict and not task.saved
    differing = tables.compare(task, "1.3.5-a", 1, "mlp", models.mlp.surface_mlp(2))
    assert not task.verdict
    with pytest.raises(SystemExit, match="Table 1 is not reproduced"):
        tables.insist(task, 1, differing)
    assert task.saved


def convnet_verdicts(sgd=(0.5, 0.8), adam=(0.8, 0.9), adadelta=(0.2, 0.6), rate_one=0.9):
    """Of validation accuracies in the first and in the last epoch."""
    fresh = {name: np.array([ends]) for name, ends in
             (("sgd", sgd), ("adam", adam), ("adadelta", adadelta))}
    chained = {"adadelta": np.array([[0.9, 0.9]])}
    return verdicts(script_modules.load("1.3.6").judge(chained, fresh, np.array([[0, rate_one]])))


def test_optimizers_of_the_convnet():
    assert convnet_verdicts() == {"a": True, "b": "artefact", "c": "artefact", "d": False}
    assert not convnet_verdicts(sgd=(0.85, 0.8))["a"], "SGD is ahead after an epoch"
    assert not convnet_verdicts(sgd=(0.5, 0.95))["a"], "SGD is ahead at the end"
    assert convnet_verdicts(adadelta=(0.8, 0.6))["b"] is True
    assert convnet_verdicts(adadelta=(0.2, 0.95))["c"] is True
    assert convnet_verdicts(rate_one=0.605)["d"] is True
