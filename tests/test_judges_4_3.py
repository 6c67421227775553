"""Verdicts on the report's claims about VAEs and all models, from made-up scores of three seeds.

Each case names what differs from ordinary scores, and the verdict.
"""

import numpy as np
import pytest
import task_4_2_6
import task_4_3_1
import task_4_3_2
import task_4_3_3
import task_4_3_4
from made_up_scores import FLOOR, scores

from ann_keras.evaluation import scoreboard
from ann_keras.recipes import gan

GOOD = {"frechet": [1, 2, 3], "precision": 0.6, "confident": 0.7}
POOR = {"frechet": [10, 10, 15], "precision": 0.3, "confident": 0.3}
BEST = {"frechet": 0.5, "precision": 0.9, "confident": 0.9}
WORST = {"frechet": 50, "precision": 0.1, "confident": 0.1}


@pytest.mark.parametrize("changes, verdict", [
    ({}, True),
    ({0: {"frechet": [2, 2, 3]}}, "undecided"),
    ({4: {"frechet": [10, 10, 40]}}, "undecided"),
    ({5: {"confident": 0.7}}, "undecided"),
    ({0: {"frechet": 3}, 5: {"confident": 0.7}}, "undecided"),
    ({0: WORST | {"frechet": [50, 60, 99]}}, "undecided"),
    ({0: {"frechet": 3}, 4: BEST}, False),
    ({3: {"frechet": [10, 15]}}, "undecided"),
])
def test_gans_beside_autoencoders(changes, verdict):
    usual = GOOD, WORST if verdict is True else BEST, BEST, POOR, POOR, POOR
    found = {name: scores(**usual[place] | changes.get(place, {}))
             for place, name in enumerate(gan.DENSE + task_4_2_6.AUTOENCODERS)}
    assert task_4_2_6.judge(found)["4.2.6-a"][0] == verdict


@pytest.mark.parametrize("changes, verdict", [
    ({}, True), ({"published": 1.1}, False), ({"binary": 1.1}, False),
    ({"over": 7}, False), ({"distance": [1, 9, 8]}, False),
])
def test_bound_and_kl_term(changes, verdict):
    case = {"published": 1.2, "binary": 1.2, "over": 5, "distance": [1, 9, 5]} | changes
    names = task_4_3_1.PUBLISHED, task_4_3_1.FREE, task_4_3_1.BINARY
    elbo, spread = np.array([-90, -95, -105, -110]), np.array([-1, 1, 1, -1])
    bounds = {name: {"elbo": elbo, "iwae": elbo + case[name.split()[0]] + spread}
              for name in names[::2]}
    latent = dict.fromkeys(bounds, {"active": np.arange(5) < 3})
    found = {name: scores(frechet=far) for name, far in zip(names, (case["distance"], 6, 0.1))}
    over = {names[0]: case["over"], names[1]: 6}
    assert task_4_3_1.judge(bounds, latent, over, found, 500)["4.3.1-a"][0] == verdict


@pytest.mark.parametrize("model, kind, distance, verdict", [
    ("adam", "codes", 1, True), ("adam", "fitted", 19, "undecided"),
    ("published", "uniform", [1, 31, 25], "undecided"), ("published", "normal", 10, False),
    ("adam", "normal", 20, True),
])
def test_noise_through_autoencoders(model, kind, distance, verdict):
    distances = {task_4_3_2.VAE: [5, 10, 15]} | {
        (name, codes): 1 if codes == "codes" else [1, 31, 31] for name in task_4_3_2.MODELS
        for codes in task_4_3_2.CODES} | {(model, kind): distance}
    found = {key: scores(frechet=values, confident=[0.3, 0.4, 0.8])
             for key, values in distances.items()}
    losses = {"logged": 0.1, "squared_error": 0.2, "cross_entropy": 0.3}
    decided, _, point = task_4_3_2.judge(found, losses, losses)["4.3.2-a"]
    assert (decided, point) == (verdict, "D14")


@pytest.mark.parametrize("changes, zeros, verdict", [
    ({}, 0.029, True),
    ({}, [0, 0, 0.03], "undecided"),
    ({}, 0.03, False),
    ({"confident": [0.25, 0.5, 0.75]}, 0, "undecided"),
    ({"confident": 0.5}, 0, False),
    ({"classes": [{}, {0: 0.1, 3: 0.5}, {}]}, 0, "undecided"),
    ({"classes": [{0: 0.1, 3: 0.5}] * 3}, 0, False),
    ({"classes": [{0: 0.7}, {}, {}], "confident": [0.4, 0.6, 0.6]}, 0, False),
])
def test_samples_of_the_vae(changes, zeros, verdict):
    usual = {0: 0.1, 8: 0.5}
    changes = {"classes": usual, "confident": 0.4} | changes
    if isinstance(changes["classes"], list):
        changes["classes"] = [part or usual for part in changes["classes"]]
    sure = np.insert(np.full((3, 9), 0.9), 0, zeros, axis=1)
    found = task_4_3_3.judge(scores(**changes), sure, FLOOR, 10_000)
    assert found["4.3.3-a"][0] == verdict


@pytest.mark.parametrize("published, corrected, variational, seeds, verdict", [
    (GOOD, WORST, POOR, 3, True), (POOR, BEST, GOOD, 3, False),
    (GOOD, BEST, POOR | {"confident": 0.7}, 3, "undecided"), (GOOD, WORST, POOR, 2, "undecided"),
])
def test_gan_beside_vae(published, corrected, variational, seeds, verdict):
    models = zip((*gan.DENSE[:2], task_4_3_4.VAE), (published, corrected, variational))
    found = {name: {measure: values[:seeds] for measure, values in scores(**part).items()}
             for name, part in models}
    assert task_4_3_4.judge(found, FLOOR)["4.3.4-a"][0] == verdict


@pytest.mark.parametrize("changes, ahead", [
    ({"frechet": [1, 2, 9.9], "confident": [0.31, 1, 1]}, True), ({"frechet": [1, 2, 10]}, None),
    ({"precision": 0}, True),
    ({"confident": [0.9, 0.3, 0.9]}, None), ({"confident": [0.9, 0.9, 0.2]}, None),
])
def test_every_seed_is_more_realistic(changes, ahead):
    good, poor = scores(**GOOD | changes), scores(**POOR)
    assert scoreboard.more_realistic(good, poor) is ahead
    assert scoreboard.more_realistic(poor, good) is (False if ahead else None)
