"""Verdicts on the report's claims about GANs and VAEs, from made-up scores of three seeds.

Each case names what differs from ordinary scores, the verdict, and words of its evidence; other
models or epochs would give another verdict.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from script_modules import load

from ann_keras.errors import UserError
from ann_keras.experiments import samples

ORDINARY = {"frechet": 10, "precision": 0.3, "recall": 0.2, "confident": 0.5, "coverage": 0.4,
            "diversity": 0.9, "background": 0.02, "noisy": 1, "classes": {}}
FLOOR = {name: np.float64(0.9 + place / 100) for place, name in enumerate(ORDINARY)}
GOOD = {"frechet": [1, 2, 3], "precision": 0.6, "confident": 0.7}
POOR = {"frechet": [10, 10, 15], "precision": 0.3, "confident": 0.3}
BEST = {"frechet": 0.5, "precision": 0.9, "confident": 0.9}
WORST = {"frechet": 50, "precision": 0.1, "confident": 0.1}


def check(claim, verdict, words, *arguments, seeds=3, point=None):
    """Judge by a script's arguments; verdict, D-point and words of the evidence are as given."""
    claims, task = {}, SimpleNamespace(seeds=range(seeds))
    task.claim = lambda name, *found, deviation=None: claims.update({name: (*found, deviation)})
    load(claim[:5]).judge(task, *arguments)
    found, evidence, deviation = claims[claim]
    assert evidence.endswith(".") and "nan" not in evidence and words in evidence
    assert (found, deviation) == (verdict, point), evidence


def shares(given):
    """Shares of ten classes; half are 0, unless said, and the rest is shared out evenly."""
    given = {0: 0.5, 1: 0, 4: 0.02, 7: 0.02} | given
    rest = (1 - sum(given.values())) / (10 - len(given))
    return [given.get(digit, rest) for digit in range(10)]


def scores(**changes):
    """Arrays over seeds; a single value is that of all three, classes are as of ``shares``."""
    found = {name: [value] * 3 if np.isscalar(value) or isinstance(value, dict) else value
             for name, value in (ORDINARY | changes).items()}
    found["classes"] = [shares(given) for given in found["classes"]]
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize("weak, strong, verdict, words", [
    ({}, {"coverage": 0.19}, True, "10 discriminator steps 0.190, 50.0%, 0.90; 1 d"),
    ({"coverage": 0.1}, {"coverage": 0.19}, True, "less entropy with 10 steps than the best of f"),
    ({}, {"coverage": [0.1, 0.4, 0.1], "diversity": [0.9, 0.79, 0.9]}, True, "too: 3 of 3 seeds"),
    ({}, {"coverage": 0.21, "diversity": 0.81}, False, "of test digits 0.940, 93.0%, 0.95. Coll"),
    ({"coverage": [0.2, 0.4, 0.6]}, {"coverage": 0.2}, "undecided", "steps 0.400, 50.0%, 0.90; 5"),
    ({}, {"coverage": 0.1, "confident": 0.25}, True, "0.100, 25.0%, 0.90"),
    ({}, {"coverage": 0.1, "confident": 0.24}, False, "0 of 3 seeds"),
    ({}, {"confident": 0.24, "diversity": 0.8}, True, "3 of 3 seeds"),
    ({"diversity": 0.6}, {"diversity": [0.85, 0.6, 0.6]}, "undecided", "2 of 3 seeds"),
    ({"coverage": 0.2}, {"coverage": 0.1}, False, "0 of 3 seeds"),
])
def test_strong_discriminator(weak, strong, verdict, words):
    middle = scores(coverage=0.2 if verdict is False else 0.4)
    found = {2: middle, 10: scores(**strong), 1: scores(**weak), 5: middle}
    check("4.2.2-a", verdict, words, found, FLOOR)


@pytest.mark.parametrize("last, end, verdict, words", [
    (3, 5, True, "From epoch 1 to 50 the generator's mean loss goes from 2.00 to 3.00 nats"),
    ([2, 3, 7], 5, "undecided", "2.00 to 4.00"),
    (3, [5, 5, 9], "undecided", "from epoch 10 on the Fréchet distance of its samples from 9.00"),
    ([3, 2, 2], [9, 5, 4], "undecided", "9.00 to 6.00 (seeds: 3)"),
    (2, 5, False, "2.00 to 2.00"),
    (1, 9, False, "2.00 to 1.00"),
])
def test_generator_loss(last, end, verdict, words):
    losses, distances = np.full((3, 50), 9.0), np.tile([1.0, 9, 2, 0], (3, 1))
    losses[:, 0], losses[:, -1], distances[:, -1] = 2, last, end
    again = {"generator_loss": [4, 9, 5], "discriminator_loss": [0.3, 0.9, 0.1]}
    check("4.2.3-a", verdict, words, losses, [1, 10, 20, 50], distances, again, [7, 1, 8])
    check("4.2.3-a", verdict, "from 4.00 to 5.00 (published: 2.71 to 3.3), the discriminator loss "
          "goes from 0.30 to 0.10 (published: 0.315 to 0.24), the Fréchet distance from 7.00 to 8.",
          losses, [1, 10, 50], distances[:, [0, 1, 3]], again, [7, 1, 8])
    for few in ([1], [1, 50]):
        check("4.2.3-a", "undecided", f"to {few[-1]} the", losses, few, distances[:, -len(few):],
              again, [7])


@pytest.mark.parametrize("claim, changes, verdict, words", [
    ("a", [{4: 0.049}, {7: 0.049}, {1: 0.045}], True, "trained again: 0 50.0%, 1 1.5%"),
    ("a", [{4: 0.08}, {}, {}], "undecided", "under 5% each: 2 of 3 seeds"),
    ("a", [{1: 0.1}, {}, {}], "undecided", "batch of 64 holds no 1 with probability 5% or more: 2"),
    ("a", [{0: 0.2, 8: 0.5}, {}, {4: 0.05}], "undecided", "most frequent: 2 of 3 seeds"),
    ("a", [{4: 0.05}, {1: 0.047}, {0: 0.2, 8: 0.5}], False, "most frequent: 2 of 3 seeds"),
    ("a", [{7: 0.05}] * 3, False, "After the first training: 0 0.0%, 1 0.0%"),
    ("b", [0.41, 0.59, 0.5], True, "sure of 50.0% of the samples of the GAN trained again, of 90"),
    ("b", [0.39, 0.61, 0.5], "undecided", "about half: 1 of 3 and 0 of 3 seeds"),
    ("b", 0.61, False, "0 of 3 and 0"),
    ("c", ([0.95, 1, 1], [0, 0.9, 0.5]), "artefact", "rate 46.7%, 0.0300; test digits 97.0%"),
    ("c", (1, [0, 1, 0.5]), True, "as published 100.0%, 0.0200, trained again"),
    ("c", ([0.94, 1, 1], 0), False, "test digits 97.0%. Fréchet distance of the seeds: as"),
    ("c", (1, 0), "artefact", "corrected 10 to 10, corrected, lower rate 4 to 9."),
])
def test_samples_of_the_dense_gan(claim, changes, verdict, words):
    changes, noisy = changes if claim == "c" else (changes, 1)
    judged = scores(**{{"a": "classes", "b": "confident", "c": "noisy"}[claim]: changes})
    other = scores(classes={0: 0, 8: 0.9}, confident=0.9, background=0.03, noisy=noisy)
    first, again = (judged, scores()) if claim == "c" else (other, judged)
    found = {"as published": first, "trained again": again, "corrected": scores(),
             "corrected, lower rate": other | {"frechet": np.array([9, 4, 5])}}
    check(f"4.2.4-{claim}", verdict, words, found, FLOOR, 10_000, point={"c": "D12"}.get(claim))
    if claim == "c" and verdict is False:
        found |= {"as published": again, "trained again": first}
        check("4.2.4-c", False, words, found, FLOOR, 10_000, point="D12")


@pytest.mark.parametrize("claim, changes, verdict, words", [
    ("a", [(0.51, 0.01), (0.5, 0.02), (0.9, 0)], True, "dense GAN, as published 50.0%, 0.0200, 20"),
    ("a", [(0.51, 0.01), (0.6, 0.02), (0.5, 0.02)], "undecided", "its epoch 7 50.0%, 0.0200, 30"),
    ("a", [(0.51, 0.01), (0.5, 0.005), (0.5, 0.02)], "undecided", "published 50.0%, 0.0050"),
    ("a", [(0.51, 0.02), (0.5, 0.02), (0.5, 0.02)], False, "10 epochs 51.0%, 0.0200, 10.0"),
    ("a", [(0.5, 0.01), (0.5, 0.02), (0.5, 0.02)], False, "corrected, 10 epochs 10.0%, 1.0000, "
     "1.0; dense GAN, as published, at its epoch 7"),
    ("b", [{0: 0.5}, {0: 0.3}, {0: 0.25}], True, "10 epochs 0 (35.0%), 35.0%; convolutional"),
    ("b", [{0: 0.9}, {0: 0.11}, {0: 0.11}], "undecided", "10 epochs 0 (37.3%)"),
    ("b", [{0: 0.05, 8: 0.7}] * 2 + [{0: 0.11, 8: 0.7}], "undecided", "epochs 8 (70.0%), 7.0%; "),
    ("b", [{0: 0.1, 8: 0.6}] * 3, False, "10 epochs 8 (60.0%), 10.0%; "),
])
def test_samples_of_the_convolutional_gan(claim, changes, verdict, words):
    conv, dense, alike = changes if claim == "a" else [(0, 0)] * 3
    classes, spread = changes if claim == "b" else {}, np.array([-0.25, 0, 0.25])
    found = {
        name: scores(confident=sure + aside, background=level + aside, classes=shown,
                     frechet=far + aside)
        for name, (sure, level), aside, far, shown in (
            ("dense GAN, as published", dense, spread, 20, {0: 0}),
            ("dense GAN, corrected", (0.9, 0), 0, 1, {0: 0}),
            ("convolutional GAN, as published, 10 epochs", conv, -spread, 10, classes),
            ("convolutional GAN, corrected, 10 epochs", (0.1, 1), 0, 1, {0: 0}),
        )
    }
    early = {"confident": alike[0], "background": alike[1], "frechet": 30, "epoch": 7}
    point = "D12" if claim == "a" else None
    check(f"4.2.5-{claim}", verdict, words, found, early, point=point)
    single = {name: {measure: values[1:2] for measure, values in part.items()}
              for name, part in found.items()}
    check(f"4.2.5-{claim}", "undecided", "10 epochs", single, early, point=point)


@pytest.mark.parametrize("epochs, place", [(1, 0), (2, 1), (10, 1), (11, 2), (99, 2)])
def test_scores_after_as_many_epochs(epochs, place):
    first = {"confident": 0, "background": 1, "frechet": 2}
    runs = [{f"watched_{name}": [value, value + seed, value + 2 * seed]
             for name, value in first.items()} for seed in (1, 2, 6)]
    runs[0]["watched_epochs"] = [1, 10, 20]
    means = {name: value + 3 * place for name, value in first.items()}
    means["epoch"] = (1, 10, 20)[place]
    assert load("4.2.5").early(runs, SimpleNamespace(conv_epochs=epochs)) == means


@pytest.mark.parametrize("changes, verdict, words", [
    ({}, True, "dense GAN, as published 2 (3.000)"),
    ({0: {"frechet": [2, 2, 3]}}, "undecided", "ahead of the VAE"),
    ({4: {"frechet": [10, 10, 40]}}, "undecided", "by Adam 20 (4.000)"),
    ({5: {"confident": 0.7}}, "undecided", "neither ahead of nor behind the VAE"),
    ({0: {"frechet": 3}, 5: {"confident": 0.7}}, "undecided", "as published 3 (1.000)"),
    ({0: WORST | {"frechet": [50, 60, 99]}}, "undecided", "behind the VAE"),
    ({0: {"frechet": 3}, 4: BEST}, False, "behind the stacked autoencoder, by Adam, ahead of the"),
    ({3: {"frechet": [10, 15]}}, "undecided", "VAE 11.7 (1.500)"),
])
def test_gans_beside_autoencoders(changes, verdict, words):
    names = load("4.2.6").GANS + load("4.2.6").AUTOENCODERS
    usual = GOOD, WORST if verdict is True else BEST, BEST, POOR, POOR, POOR
    check("4.2.6-a", verdict, words, {
        name: scores(**usual[place] | changes.get(place, {})) for place, name in enumerate(names)
    })


@pytest.mark.parametrize("changes, verdict, words", [
    ({}, True, "reconstructed 5.0 and 6.0 nats worse"),
    ({"published": 1.1}, False, "published -100.00 and -98.90, 1.10 ± 1.15 apart, 3 of 5 dim"),
    ({"binary": 1.1}, False, "IWAE-500 of 10,000 test images"),
    ({"over": (1, 11)}, False, "Fréchet distance of 5 and 6."),
    ({"distance": [1, 9, 8]}, False, "distance of 6 and 6."),
])
def test_bound_and_kl_term(changes, verdict, words):
    case = {"published": 1.2, "binary": 1.2, "over": (1, 9), "distance": [1, 9, 5]} | changes
    names = "published", "without KL term", "binary pixels"
    runs = {name: [{"test_reconstruction": [99, seen + much], "seen_reconstruction": seen}
                   for much in over]
            for name, seen, over in zip(names, (95, 70, 70), (case["over"], (6, 6), (0, 0)))}
    found = {name: scores(frechet=far) for name, far in zip(names, (case["distance"], 6, 0.1))}
    elbo, spread = np.array([-90, -95, -105, -110]), np.array([-1, 1, 1, -1])
    bounds = {name: {"elbo": elbo, "iwae": elbo + case[name.split()[0]] + spread}
              for name in names[::2]}
    latent = dict.fromkeys(bounds, {"active": np.arange(5) < 3})
    settings = SimpleNamespace(codes=500, images=10_000)
    check("4.3.1-a", verdict, words, settings, runs, found, bounds, latent)


@pytest.mark.parametrize("model, kind, distance, verdict, words", [
    ("adam", "codes", 1, True, "VAE 10, 50%; autoencoder pre-trained as published: codes of test"),
    ("adam", "fitted", 19, "undecided", "Gaussian fitted to codes 19 (50%)"),
    ("published", "uniform", [1, 31, 25], "undecided", "error, 0.2000 a pixel, not the cross-"),
    ("published", "normal", 10, False, "pre-training logs, 0.1000, is"),
    ("adam", "normal", 20, True, "2 times the VAE's distance or more"),
])
def test_noise_through_autoencoders(model, kind, distance, verdict, words):
    distances = {("VAE", "normal"): [5, 10, 15]} | {
        (model, kind): 1 if kind == "codes" else [1, 31, 31] for model in ("published", "adam")
        for kind in ("codes", "normal", "uniform", "fitted")} | {(model, kind): distance}
    found = {key: scores(frechet=values, confident=[0.3, 0.4, 0.8])
             for key, values in distances.items()}
    losses = {"logged": 0.1, "squared_error": 0.2, "cross_entropy": 0.3}
    check("4.3.2-a", verdict, words, found, losses, losses, point="D14")


@pytest.mark.parametrize("changes, zeros, verdict, words", [
    ({}, 0.029, True, "Clear 0s: 2.90%. 8 is the most frequent: 3 of 3"),
    ({}, [0, 0, 0.03], "undecided", "100 samples hold no clear 0 with probability 5% or more: 2"),
    ({}, 0.03, False, "clear 0 with probability 5% or more: 0 of 3"),
    ({"confident": [0.25, 0.5, 0.75]}, 0, "undecided", "sure of 50.0% of them, and of 93.0%"),
    ({"confident": 0.5}, 0, False, "under half are clear: 0 of 3 seeds"),
    ({"classes": [{}, {0: 0.1, 3: 0.5}, {}]}, 0, "undecided", "most frequent: 2 of 3"),
    ({"classes": [{0: 0.1, 3: 0.5}] * 3}, 0, False, "most frequent: 0 of 3 seeds; 100 samples"),
    ({"classes": [{0: 0.7}, {}, {}], "confident": [0.4, 0.6, 0.6]}, 0, False, "half are clear: 1"),
])
def test_samples_of_the_vae(changes, zeros, verdict, words):
    usual = {0: 0.1, 8: 0.5}
    changes = {"classes": usual, "confident": 0.4} | changes
    if isinstance(changes["classes"], list):
        changes["classes"] = [part or usual for part in changes["classes"]]
    found = scores(**changes)
    sure = np.insert(np.full((3, 9), 0.9), 0, zeros, axis=1)
    check("4.3.3-a", verdict, words, found, sure, FLOOR, 10_000)


@pytest.mark.parametrize("gan, corrected, vae, seeds, verdict, words", [
    (GOOD, WORST, POOR, 3, True, "dense GAN, as published 2, 60.0%, 20.0%, 70.0%"),
    (POOR, BEST, GOOD, 3, False, "20.0%, 70.0%; test digits 0.9, 91.0%, 92.0%, 93.0%"),
    (GOOD, BEST, POOR | {"confident": 0.7}, 3, "undecided", "VAE 11.7, 30.0%"),
    (GOOD, WORST, POOR, 2, "undecided", "corrected 50, 10.0%"),
])
def test_gan_beside_vae(gan, corrected, vae, seeds, verdict, words):
    names = "dense GAN, as published", "dense GAN, corrected", "VAE"
    found = {name: scores(**part) for name, part in zip(names, (gan, corrected, vae))}
    check("4.3.4-a", verdict, words, found, FLOOR, seeds=seeds)


@pytest.mark.parametrize("changes, ahead", [
    ({"frechet": [1, 2, 9.9], "confident": [0.31, 1, 1]}, True), ({"frechet": [1, 2, 10]}, None),
    ({"precision": 0}, True),
    ({"confident": [0.9, 0.3, 0.9]}, None), ({"confident": [0.9, 0.9, 0.2]}, None),
])
def test_every_seed_is_more_realistic(changes, ahead):
    good, poor = scores(**GOOD | changes), scores(**POOR)
    assert samples.more_realistic(good, poor) is ahead
    assert samples.more_realistic(poor, good) is (False if ahead else None)


@pytest.mark.parametrize("held, possible, verdict", [
    ([True] * 3, None, True), ([True, False, True], None, "undecided"), ([False] * 3, None, False),
    ([False] * 3, [False, True, False], "undecided"), ([True] * 2, None, "undecided"),
    ([False], None, "undecided"),
])
def test_verdicts_over_seeds(held, possible, verdict):
    assert samples.over_seeds(np.array(held), possible=possible) == verdict


@pytest.mark.parametrize("name", ["samples", "judge_epochs", "source"])
def test_models_of_a_table_are_scored_alike(name):
    first = SimpleNamespace(samples=100, judge_epochs=8, source="sample", epochs=5)
    samples.check_alike(first, SimpleNamespace(**vars(first) | {"epochs": 9}), first)
    samples.check_alike(first, SimpleNamespace(epochs=9))
    with pytest.raises(UserError, match=f"{name.replace('_', '-')} has {vars(first)[name]}, un"):
        samples.check_alike(first, first, SimpleNamespace(**vars(first) | {name: "unlike"}))
