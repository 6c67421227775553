"""Verdicts on autoencoder and strided convnet, and what is chosen on held-out images."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import script_modules

from ann_keras.recipes import strided_convnet
from ann_keras.recipes.strided_convnet import VARIANTS

autoencoder, counting, convnet = map(script_modules.load, ("3.1.1", "3.2.1", "3.2.2"))


class Task:
    """Stands for a Task: its runs give a value at once."""

    def __init__(self, value):
        self.value, self.asked, self.seeds = value, [], [0, 1]

    def run(self, function, recipe, seed):
        self.asked.append(recipe)
        return self.value(recipe)

    def repeat(self, function, recipe):
        group = [self.run(function, recipe, seed) for seed in self.seeds]
        return Group(group)

    def measure(self, name, values, **options):
        return float(np.mean(values))


class Group(list):
    def __getitem__(self, key):
        if isinstance(key, str):
            return np.array([run[key] for run in self])
        return super().__getitem__(key)


def verdicts(found):
    """Dict of a claim's last letter → verdict."""
    return {claim[-1]: verdict for claim, (verdict, *_) in found.items()}


def test_rate_is_chosen_on_held_out_training_images():
    task = Task(lambda recipe: {"accuracy": {0.1: 0.8, 0.5: 0.9, 2.0: 0.7}[recipe.learning_rate]})
    recipe = autoencoder.autoencoder.Recipe(images=None)
    assert autoencoder.best_rate(task, recipe, (0.1, 0.5, 2.0), 600) == 0.5
    assert {asked.validation for asked in task.asked} == {600}
    assert autoencoder.best_rate(task, recipe, (0.3,), 600) == 0.3 and len(task.asked) == 3


def test_gain_is_the_difference_of_means_and_its_p_value():
    from scipy.stats import ttest_ind

    runs, reference = ({"accuracy": np.array(a)} for a in ([0.95, 0.96, 0.97], [0.93, 0.94]))
    gain, p = autoencoder.gain(runs, reference)
    assert gain == pytest.approx(0.025)
    assert p == pytest.approx(ttest_ind([3, 4, 5], [1, 2], equal_var=False).pvalue)
    assert autoencoder.gain({"accuracy": np.array([0.9])}, reference)[1] == 1.0


def test_chance_of_a_sample_against_drawing_samples():
    correct = np.arange(500) < 470
    random = np.random.default_rng(0)
    draws = [random.permutation(correct)[:100].mean() for _ in range(4_000)]
    expected = np.mean(np.array(draws) >= 0.96 - 1e-9)
    chance = autoencoder.chance_of_sample([0.94], 0.96, 100, images=500)
    assert chance == pytest.approx(expected, abs=0.02)
    both = autoencoder.chance_of_sample([0.94, 0.5], 0.96, 100, images=500)
    assert both == pytest.approx(chance / 2)


ALONE = "Adam pre-training, all frozen"


def autoencoder_verdicts(sizes=0.95, epochs=0.90, **changes):
    """``changes``: (at the end, after the classifier phase) of variants, by their number."""
    names = ("published", autoencoder.FROZEN, *autoencoder.RANDOM, autoencoder.ADAM, ALONE)
    values = {"published": (0.952, 0.4), autoencoder.FROZEN: (0.95, 0.1),
              autoencoder.RANDOM[0]: (0.93, 0.4), autoencoder.RANDOM[1]: (0.94, 0.8),
              autoencoder.ADAM: (0.96, 0.8), ALONE: (0.96, 0.8)}
    values |= {names[int(number[1:])]: pair for number, pair in changes.items()}

    def group(accuracy, before=0.5):
        spread = np.array([-1e-4, 0.0, 1e-4])
        return {"accuracy": accuracy + spread, "classifier_accuracy": before + spread,
                "sample_accuracy": accuracy + spread, "code_sd": spread, "encoder_change": spread}

    runs = {name: group(*pair) for name, pair in values.items()}
    return verdicts(autoencoder.judge(runs, {"a": group(sizes)}, {"b": group(epochs)}, 1_000))


@pytest.mark.parametrize("changes, different", [
    ({}, {}),
    ({"v0": (0.94, 0.4)}, {"a": "artefact", "d": False}),
    ({"v0": (0.90, 0.4)}, {"a": False, "b": False, "d": False}),
    ({"sizes": 0.97}, {"b": False}),
    ({"epochs": 0.945}, {"b": False}),
    ({"v0": (0.952, 0.945)}, {"c": False, "e": False}),
    ({"v3": (0.9521, 0.8)}, {"d": False}),
    ({"v3": (0.95199, 0.8)}, {"d": "undecided"}),
    ({"v0": (0.952, 0.6)}, {"e": False}),
    ({"v1": (0.95, 0.6)}, {"e": "artefact"}),
])
def test_stacked_autoencoder(changes, different):
    usual = {"a": True, "b": True, "c": True, "d": True, "e": True}
    assert autoencoder_verdicts(**changes) == usual | different


def test_counting():
    known, sizes = np.array([[3, 4], [6, 11]]), [(4, 2, 0, 2, 2, 2), (1, 2, 0, 1, None, None)]
    totals = {"small": (10, 1_000, 20), "large": (10, 200, 20)}

    def judged(results=known, sizes=sizes, totals=totals):
        return verdicts(counting.judge({"a": known, "b": results}, known, sizes, totals))

    assert judged() == {"a": True, "b": True, "c": True}
    assert not judged(results=known + 1)["a"]
    assert not judged(sizes=[*sizes, (4, 2, 0, 1, 3, 2)])["b"]
    assert not judged(totals=totals | {"large": (10, 100, 20)})["c"]
    assert np.array_equal(counting.convolve()["Keras"], known)


def test_augmentation_is_chosen_on_validation_images_alone():
    task = Task(lambda recipe: {
        "val_accuracy": 1 - abs(recipe.rotation - 10) / 90, "parameters": 1,
        "test_accuracy": recipe.rotation / 90, "test_accuracy_plain": 0.5,
    })
    settings = replace(
        convnet.Settings(), recipe=strided_convnet.Recipe(validation=50, source="sample"),
        augmentations=((0.0, 0.0, 0.0), (10.0, 2.0, 0.1), (40.0, 2.0, 0.1)),
    )
    found = convnet.train_augmented(task, settings)
    assert found == {"strided_convnet": 10 / 90, "pooled_convnet": 10 / 90}
    choosing, final = task.asked[:3], task.asked[3:]
    assert [(asked.network, asked.validation) for asked in choosing] == [("pooled", 50)] * 3
    assert [(asked.network, asked.validation) for asked in final] == (
        [("strided", 0)] * 2 + [("pooled", 0)] * 2
    )
    assert {asked.source for asked in task.asked} == {"sample"}
    task.asked.clear()
    convnet.train_augmented(task, replace(settings, augmentations=settings.augmentations[2:]))
    assert [asked.rotation for asked in task.asked] == [40.0] * 4


@pytest.mark.parametrize("best, honest, source, verdict", [
    ((0.98, 0.97), 0.99, "full", True), ((0.991, 0.97), 0.98, "full", "artefact"),
    ((0.98, 0.97), 0.98, "full", False), ((0.98, 0.97), 0.98, "sample", "undecided"),
])
def test_published_accuracy(best, honest, source, verdict):
    recipe = SimpleNamespace(source=source, images=10, digits=5)
    scores = {"best": np.array(best), "honest": np.array([honest]), "full": np.array([0.99])}
    sizes = {"dense_inputs": 2304, "trainable_parameters": 1}

    def judged(**changes):
        return verdicts(convnet.judge_network(
            SimpleNamespace(recipe=recipe, all_images=100), (6, 6, 64), sizes | changes, scores,
            {"strided": 0.99},
        ))

    assert judged() == {"a": True, "b": verdict}
    assert judged(dense_inputs=2305)["a"] is False


BASE = np.array([0.98, 0.981, 0.98])
ALMOST = np.array([0, 1e-5, -1e-5])


def judged(curves=None, **gains):
    """Verdicts of the ablation: gains (seeds,) by variant, validation curves of some."""
    gains = {name.replace("_", " "): np.asarray(gain) for name, gain in gains.items()}
    flat = {name: np.repeat((BASE + gain)[:, np.newaxis], 6, axis=1)
            for name, gain in gains.items()}
    published = {"published": np.repeat(BASE[:, np.newaxis], 6, axis=1)}
    return verdicts(convnet.judge_ablation(
        published | flat | (curves or {}), {"published": 0 * BASE} | gains
    ))


def test_depth_batch_norm_and_activation_are_judged_by_their_gains():
    better, same, worse = (change + ALMOST for change in (0.01, 0.0005, -0.01))
    slightly_worse, unclear = -0.001 + ALMOST, [0.01, -0.011, 0.0]
    assert judged(six_blocks=better)["d"] is False
    assert judged(six_blocks=same)["d"] is judged(six_blocks=worse)["d"] is True
    assert judged(six_blocks=unclear)["d"] == "undecided"
    assert judged(no_batch_norm=slightly_worse)["h"] is True
    assert judged(no_batch_norm=worse)["h"] is judged(no_batch_norm=better)["h"] is False
    assert judged(no_batch_norm=unclear)["h"] == "undecided"
    assert judged(sigmoid=worse, tanh=slightly_worse)["g"] is True
    assert judged(sigmoid=worse, tanh=better)["g"] is False
    assert judged(sigmoid=worse, tanh=unclear)["g"] == "undecided"


def test_ranking_compares_the_least_named_with_the_most_of_the_others():
    gains = {"half_the_filters": -0.05 + ALMOST, "smaller_kernels": -0.03 + ALMOST,
             "no_dropout": -0.02 + ALMOST, "six_blocks": -0.005 + ALMOST, "tanh": -0.01 + ALMOST}
    assert judged(**gains)["c"] is True
    assert judged(**gains, sigmoid=-0.05 + ALMOST)["c"] is False
    assert judged(**gains, sigmoid=-0.02 + ALMOST[::-1])["c"] == "undecided"
    del gains["no_dropout"]
    assert judged(**gains)["c"] == "undecided"


def test_effects_take_the_most_different_variant_with_a_positive_mean():
    sizes = convnet.effects({
        "published": np.zeros(2), "half the filters": np.array([-0.03, -0.01]),
        "twice the filters": np.array([0.01, 0.01]), "no batch norm": np.array([0.03, 0.05]),
    })
    assert list(sizes) == ["filters", "batch norm"]
    assert sizes["filters"] == pytest.approx([0.03, 0.01])
    assert sizes["batch norm"] == pytest.approx([0.03, 0.05])


def test_dropout_needs_a_fast_rise_and_a_stop():
    def curves(first, middle, last):
        return np.array([[first + s, first + s, middle, middle, last, last + s]
                         for s in (0, 1e-4, 2e-4)])

    for first, middle, verdict in ((0.9, 0.97, True), (0.7, 0.97, False), (0.9, 0.90, False)):
        found = judged({"published": curves(0.8, 0.95, 0.98),
                        "no dropout": curves(first, middle, 0.975)}, no_dropout=ALMOST)
        assert found["e"] is verdict


def test_pooling_must_fluctuate_half_as_much_again():
    def jumping(size):
        return np.array([0.9 + size * (1 + s) * np.array([0, 0, 1, -1, 1, -1.0])
                         for s in (0, 0.01, 0.02)])

    for size, verdict in ((0.02, True), (0.014, False), (0.005, False)):
        found = judged({"published": jumping(0.01), "pooling": jumping(size)}, pooling=ALMOST)
        assert found["f"] is verdict


def test_claims_whose_variants_are_left_out_are_undecided():
    assert judged() == dict.fromkeys("cdefgh", "undecided")


def test_variants_have_names_of_their_own():
    labels = [label for factor in VARIANTS.values() for label in factor]
    assert len(labels) == len(set(labels)) and set(convnet.NAMED) < set(VARIANTS)
