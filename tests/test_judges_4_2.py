"""Verdicts on the report's claims about GANs, from made-up numbers."""

import numpy as np
import pytest
import task_4_2_2
import task_4_2_3
import task_4_2_4
import task_4_2_5
import task_4_2_6
from made_up_scores import SPREAD, classes, scattered
from script_modules import verdicts

from ann_keras.recipes import gan
from ann_keras.runs.run import Results

YES, NO, OPEN, ARTEFACT = "reproduced", "refuted", "undecided", "artefact"


@pytest.mark.parametrize("equal, strongest, verdict", [
    (0.9, 0.5, YES), (0.9, 0.89, NO), (0.5, 0.9, NO), (0.9, [0.2, 0.9, 0.9], OPEN),
])
def test_strong_discriminator(equal, strongest, verdict):
    found = {steps: {"diversity": scattered(value)}
             for steps, value in ((5, 0.1), (1, equal), (10, strongest), (2, 0.99))}
    assert verdicts(task_4_2_2.judge(found)) == {"4.2.2-a": verdict}


@pytest.mark.parametrize("last, end, verdict", [
    (3, 5, YES), (2.1, 5, NO), (3, 20, NO), (1, 1, NO), ([2, 3, 7], 5, OPEN), (3, [2, 9, 30], OPEN),
])
def test_rising_loss_of_the_generator(last, end, verdict):
    losses, distances = np.full((3, 50), 9.0), np.tile([1.0, 9, 2, 0], (3, 1))
    losses[:, 0], losses[:, -1], distances[:, -1] = scattered(2), scattered(last), scattered(end)
    assert verdicts(task_4_2_3.judge(losses, distances)) == {"4.2.3-a": verdict}
    unknown = NO if last in (1, 2.1) else OPEN  # of samples scored at first and last only
    assert verdicts(task_4_2_3.judge(losses, distances[:, ::3])) == {"4.2.3-a": unknown}


USUAL = {0: 0.4, 1: 0.005, 4: 0.02, 7: 0.02}


@pytest.mark.parametrize("changes, verdict", [
    ([{}] * 3, YES), ([{1: 0.03}] * 3, YES), ([{0: 0.1}] * 3, NO), ([{8: 0.38}] * 3, NO),
    ([{4: 0.08}] * 3, NO), ([{7: 0.08}] * 3, NO), ([{1: 0.06}] * 3, NO),
    ([{}, {0: 0.2}, {}], OPEN), ([{}] * 2, OPEN),
])
def test_digits_of_the_dense_gan(changes, verdict):
    found = dense(classes=(classes(*(USUAL | part for part in changes)), classes({0: 0, 8: 0.9})))
    assert verdicts(found)["4.2.4-a"] == verdict


@pytest.mark.parametrize("clear, verdict", [
    (0.5 + SPREAD, YES), (0.65 + SPREAD, NO), (0.35 + SPREAD, NO), ([0.4, 0.5, 0.7], OPEN),
])
def test_clear_samples_of_the_dense_gan(clear, verdict):
    assert verdicts(dense(confident=(np.array(clear), np.full(3, 0.9))))["4.2.4-b"] == verdict


@pytest.mark.parametrize("noisy, corrected, verdict", [
    ([1, 1, 1], [0.1, 0.2, 0], ARTEFACT), ([1, 1, 1], [1, 1, 1], YES),
    ([0.9, 0.9, 0.9], [0, 0, 0], NO), ([0.9, 1, 1], [0, 0, 0], OPEN),
    ([1, 1, 1], [0.9, 1, 1], OPEN),
])
def test_background_of_the_dense_gan(noisy, corrected, verdict):
    found = dense(noisy=(np.array(noisy), np.array(corrected)))
    assert verdicts(found)["4.2.4-c"] == verdict


def dense(**changes):
    """What task 4.2.4 judges by, where scores as published and corrected differ from others."""
    usual = {"classes": classes(*[USUAL] * 3), "confident": np.full(3, 0.5), "noisy": np.ones(3)}
    return task_4_2_4.judge({
        name: usual | {score: pair[place] for score, pair in changes.items()}
        for name, place in zip(gan.DENSE, (0, 1, 1))
    })


def scores(clear=0.5, noise=0.06, zeros=0.4, seeds=3):
    """Scores of samples: those that are clear, the background's level, and 0s."""
    found = {"confident": clear + SPREAD, "background": scattered(noise),
             "classes": classes(*({0: zeros + aside} for aside in SPREAD))}
    return {name: values[:seeds] for name, values in found.items()}


SECOND = {"clear": 0.7, "noise": 0.03}  # as the report says


@pytest.mark.parametrize("claim, again, conv, verdict", [
    ("a", SECOND, SECOND, YES), ("a", SECOND, SECOND | {"clear": 0.1}, ARTEFACT),
    ("a", SECOND, SECOND | {"noise": 0.06}, ARTEFACT), ("a", SECOND, SECOND | {"noise": 0}, YES),
    ("a", SECOND | {"clear": 0.51}, SECOND, NO), ("a", SECOND | {"noise": 0.058}, SECOND, NO),
    ("a", SECOND, SECOND | {"seeds": 1}, OPEN), ("a", SECOND, {"clear": 0.1, "seeds": 2}, OPEN),
    ("b", {}, {}, YES), ("b", {}, {"zeros": 0.05}, ARTEFACT), ("b", {"zeros": 0.05}, {}, NO),
    ("b", {}, {"zeros": 0.05, "seeds": 1}, OPEN), ("b", {"zeros": 0.145}, {}, OPEN),
])
def test_what_is_called_a_convolutional_backbone(claim, again, conv, verdict):
    early = scores(clear=0.5, noise=0.06, zeros=0)
    found = task_4_2_5.judge(scores(zeros=0), scores(**again), early, scores(**conv))
    assert verdicts(found)[f"4.2.5-{claim}"] == verdict


@pytest.mark.parametrize("epochs, place", [(1, 0), (2, 1), (10, 1), (11, 2), (99, 2)])
def test_scores_after_as_many_epochs(epochs, place):
    runs = Results({"watched_epochs": [1, 10, 20], "watched_confident": [seed, 2 * seed, 3 * seed],
                    "watched_background": [seed, 5 * seed, 7 * seed]} for seed in (1, 2, 6))
    found = task_4_2_5.after(runs, epochs)
    np.testing.assert_array_equal(found["confident"], np.array([1, 2, 6]) * (1, 2, 3)[place])
    np.testing.assert_array_equal(found["background"], np.array([1, 2, 6]) * (1, 5, 7)[place])


@pytest.mark.parametrize("changes, unsteady, verdict", [
    ({}, 2, YES),
    ({"VAE": 1.1}, 2, NO), ({task_4_2_6.AUTOENCODERS[1]: 0.5}, 2, NO), ({}, 1.2, NO),
    ({"VAE": [1, 2, 3]}, 2, OPEN), ({gan.DENSE[0]: 9, gan.DENSE[2]: 0.1}, 2, NO),
    ({gan.DENSE[2]: 9}, 2, ARTEFACT),
])
def test_gans_beside_autoencoders(changes, unsteady, verdict):
    usual = dict.fromkeys(gan.DENSE, 1) | dict.fromkeys(task_4_2_6.AUTOENCODERS, 2) | changes
    unsteady = dict.fromkeys(gan.DENSE, unsteady) | {task_4_2_6.VAE: 1}
    found = task_4_2_6.judge(*({name: scattered(value) for name, value in part.items()}
                               for part in (usual, unsteady)))
    assert verdicts(found) == {"4.2.6-a": verdict}
