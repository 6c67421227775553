"""Verdicts on the report's claims about VAEs, from made-up numbers."""

import numpy as np
import pytest
import task_4_3_1
import task_4_3_2
import task_4_3_3
import task_4_3_4
from made_up_scores import SPREAD, classes, scattered
from script_modules import verdicts

from ann_keras.recipes import autoencoder, gan

YES, NO, OPEN, ARTEFACT = "reproduced", "refuted", "undecided", "artefact"


@pytest.mark.parametrize("gaps, free, verdict", [
    (5, 4, YES), (0.1, 4, YES), (-0.1, 4, NO), (5, 2.9, NO), (5, 1, NO), ([-1, 2, 5], 4, OPEN),
    (5, [2.5, 3, 4], OPEN),
])
def test_bound_and_kl_term(gaps, free, verdict):
    found = task_4_3_1.judge(scattered(gaps), scattered(free), scattered(2))
    assert verdicts(found) == {"4.3.1-a": verdict}


@pytest.mark.parametrize("changes, verdict", [
    ({}, YES), ({("adam", "codes"): 1}, YES), ({("adam", "fitted"): 11}, NO),
    ({("published", "uniform"): 5}, NO), ({("adam", "normal"): [9, 20, 30]}, OPEN),
])
def test_noise_through_autoencoders(changes, verdict):
    usual = {(name, kind): 20 for name in task_4_3_2.MODELS for kind in autoencoder.CODES}
    distances = usual | {task_4_3_2.VAE: 10} | changes
    found = task_4_3_2.judge({key: scattered(value) for key, value in distances.items()})
    assert verdicts(found) == {"4.3.2-a": verdict}


@pytest.mark.parametrize("shown, clear, zeros, verdict", [
    ({8: 0.5}, 0.2, 0.01, YES), ({8: 0.5}, 0.2, 0.03, YES), ({8: 0.5}, 0.2, 0.05, NO),
    ({8: 0.5}, 0.35, 0.01, NO), ({8: 0.5, 2: 0.48}, 0.2, 0.01, NO), ({2: 0.5}, 0.2, 0.01, NO),
    ({8: 0.5}, [0.1, 0.2, 0.3], 0.01, OPEN), ({8: 0.5}, 0.2, [0, 0.03, 0.05], OPEN),
])
def test_samples_of_the_vae(shown, clear, zeros, verdict):
    clear = clear + SPREAD if np.isscalar(clear) else np.array(clear)
    found = task_4_3_3.judge(classes(*[shown] * 3), clear, scattered(zeros))
    assert verdicts(found) == {"4.3.3-a": verdict}


@pytest.mark.parametrize("published, corrected, verdict", [
    (1, 1, YES), (1, 3, ARTEFACT), (1.9, 1, NO), (3, 1, NO), ([1, 1, 3], 1, OPEN),
    (1, [1, 1, 3], OPEN),
])
def test_gan_beside_vae(published, corrected, verdict):
    distances = dict(zip((*gan.DENSE, task_4_3_4.VAE), (published, 9, corrected, 2)))
    found = task_4_3_4.judge({name: scattered(value) for name, value in distances.items()})
    assert verdicts(found) == {"4.3.4-a": verdict}
    few = task_4_3_4.judge({name: scattered(value)[:2] for name, value in distances.items()})
    assert verdicts(few) == {"4.3.4-a": OPEN}
