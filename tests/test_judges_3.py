"""Verdicts on autoencoder and strided convnet, and what is chosen on held-out images."""

from dataclasses import replace

import numpy as np
import pytest
import script_modules
from script_modules import by_letter

from ann_keras.recipes import strided_convnet
from ann_keras.recipes.strided_convnet import VARIANTS

autoencoder, counting, convnet = map(script_modules.load, ("3.1.1", "3.2.1", "3.2.2"))
SPREAD = np.array([-1e-5, 0.0, 1e-5])


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


def test_rate_is_chosen_on_held_out_training_images():
    task = Task(lambda recipe: {"accuracy": {0.1: 0.8, 0.5: 0.9, 2.0: 0.7}[recipe.learning_rate]})
    recipe = autoencoder.autoencoder.Recipe(images=None)
    assert autoencoder.best_rate(task, recipe, (0.1, 0.5, 2.0), 600) == 0.5
    assert {asked.validation for asked in task.asked} == {600}
    assert autoencoder.best_rate(task, recipe, (0.3,), 600) == 0.3 and len(task.asked) == 3


def group(accuracy, before=0.4, sample=0.955, fall=1.1, spread=SPREAD):
    """Runs of a variant: accuracy at the end and before fine-tuning, fall of the loss."""
    return {"accuracy": accuracy + spread, "classifier_accuracy": before + SPREAD,
            "sample_accuracy": sample + 100 * SPREAD,
            "classifier_loss": np.array([[fall, 1.0]] * 3) + SPREAD[:, np.newaxis]}


@pytest.mark.parametrize("changes, different", [
    ({}, {}),
    ({"published": group(0.955)}, {"a": "reproduced"}),
    ({"published": group(0.94, sample=0.94)}, {"a": "refuted"}),
    ({"published": group(0.92)}, {"b": "refuted", "d": "refuted"}),
    ({"published": group(0.94, before=0.9395)}, {"c": "refuted"}),
    ({"sizes": group(0.943)}, {"b": "refuted"}),
    ({"sizes": group(0.941, spread=100 * SPREAD)}, {"b": "undecided"}),
    ({"fewer": group(0.939)}, {"b": "refuted"}),
    ({"fewer": None}, {"b": "undecided"}),
    ({autoencoder.RANDOM[0]: group(0.94)}, {"d": "refuted"}),
    ({autoencoder.RANDOM[1]: group(0.937, spread=100 * SPREAD)}, {"d": "undecided"}),
    ({autoencoder.FROZEN: group(0.94, fall=1.5)}, {"e": "artefact"}),
    ({"published": group(0.94, fall=1.5)}, {"e": "refuted"}),
])
def test_stacked_autoencoder(changes, different):
    groups = {"published": group(0.94), "sizes": group(0.94), "fewer": group(0.90),
              autoencoder.FROZEN: group(0.94)} | dict.fromkeys(autoencoder.RANDOM, group(0.93))
    groups |= changes
    sizes, fewer = ({name: found} if (found := groups.pop(name)) else {}
                    for name in ("sizes", "fewer"))
    usual = {"a": "artefact", "b": "reproduced", "c": "reproduced", "d": "reproduced",
             "e": "reproduced"}
    assert by_letter(autoencoder.judge(groups, sizes, fewer, 1_000)) == usual | different


def test_a_classifier_phase_without_epochs_says_nothing():
    assert autoencoder.fall({"classifier_loss": np.empty((3, 0))}) == {}


@pytest.mark.parametrize("changes, refuted", [
    ({}, ""), ({"results": {"by hand": np.array([[3, 4], [6, 12]])}}, "a"),
    ({"sizes": [(4, 2, 0, 2, 2, 2), (4, 2, 0, 1, 3, 2)]}, "b"),
    ({"totals": {"small": (10, 1_000), "large": (10, 100)}}, "c"),
])
def test_counting(changes, refuted):
    known = np.array([[3, 4], [6, 11]])
    usual = {"results": {"by hand": known}, "totals": {"small": (10, 1_000)},
             "sizes": [(4, 2, 0, 2, 2, 2), (1, 2, 0, 1, None, None)]}
    found = by_letter(counting.judge(known=known, **usual | changes))
    assert found == {letter: "refuted" if letter in refuted else "reproduced" for letter in "abc"}


def test_keras_convolves_as_the_report_does():
    assert counting.convolve()["Keras"].tolist() == [[3, 4], [6, 11]]


def test_augmentation_is_chosen_on_validation_images_alone():
    task = Task(lambda recipe: {
        "val_accuracy": 1 - abs(recipe.rotation - 10) / 90, "parameters": 1,
        "test_accuracy": recipe.rotation / 90, "test_accuracy_plain": 0.5,
    })
    settings = replace(
        convnet.Settings(), recipe=strided_convnet.Recipe(validation=50, source="sample"),
        augmentations=((0.0, 0.0, 0.0), (10.0, 2.0, 0.1), (40.0, 2.0, 0.1)),
    )
    convnet.train_augmented(task, settings)
    choosing, final = task.asked[:3], task.asked[3:]
    assert [(asked.network, asked.validation) for asked in choosing] == [("pooled", 50)] * 3
    assert [(asked.network, asked.validation) for asked in final] == (
        [("strided", 0)] * 2 + [("pooled", 0)] * 2
    )
    assert {asked.rotation for asked in final} == {10.0}, "the best of the three"
    assert {asked.source for asked in task.asked} == {"sample"}
    task.asked.clear()
    convnet.train_augmented(task, replace(settings, augmentations=settings.augmentations[2:]))
    assert [asked.rotation for asked in task.asked] == [40.0] * 4


def judged(curves=None, best=0.99, honest=0.985, inputs=2304, **gains):
    """Verdicts on the convnet: gains (seeds,) by variant, validation curves of some."""
    gains = {name.replace("_", " "): np.asarray(gain) for name, gain in gains.items()}
    flat = {name: np.repeat(0.98 + gain[:, np.newaxis], 6, axis=1) for name, gain in gains.items()}
    known = {"published": np.full((4, 6), 0.98)}
    scores = {"best": best + SPREAD, "chosen_by_validation": honest + SPREAD}
    return by_letter(convnet.judge(
        {"dense_inputs": inputs}, scores, 2_000, known | flat | (curves or {}),
        {"published": np.zeros(4)} | gains,
    ))


def test_published_accuracy_and_inputs():
    assert judged()["a"] == "reproduced" and judged(inputs=2305)["a"] == "refuted"
    assert judged()["b"] == "artefact" and judged(honest=0.99)["b"] == "reproduced"
    assert judged(best=0.98)["b"] == judged(best=0.98, honest=0.99)["b"] == "refuted"


@pytest.mark.parametrize("letter, gains, verdict", [
    ("d", {"six_blocks": 0.01 + SPREAD}, "refuted"),
    ("d", {"six_blocks": 0.0005 + SPREAD}, "reproduced"),
    ("d", {"six_blocks": [0.01, -0.011, 0.0]}, "undecided"),
    ("g", {"sigmoid": -0.01 + SPREAD, "tanh": -0.003 + SPREAD}, "reproduced"),
    ("g", {"sigmoid": -0.01 + SPREAD, "tanh": -0.001 + SPREAD}, "refuted"),
    ("g", {"sigmoid": -0.01 + SPREAD, "tanh": [0.01, -0.02, 0.0]}, "undecided"),
    ("g", {"sigmoid": -0.01 + SPREAD}, "undecided"),
    ("h", {"no_batch_norm": -0.001 + SPREAD}, "reproduced"),
    ("h", {"no_batch_norm": -0.01 + SPREAD}, "refuted"),
    ("h", {"no_batch_norm": 0.001 + SPREAD}, "refuted"),
    ("h", {"no_batch_norm": [-0.002, 0.001, 0.0]}, "undecided"),
])
def test_variants_are_judged_by_their_gains(letter, gains, verdict):
    assert judged(**gains)[letter] == verdict


def test_each_named_factor_is_compared_with_each_other_one():
    gains = {"half_the_filters": -0.05 + SPREAD, "smaller_kernels": -0.03 + SPREAD,
             "no_dropout": -0.02 + np.append(SPREAD, 0.0), "six_blocks": 0.005 + SPREAD,
             "tanh": -0.01 + SPREAD}
    assert judged(**gains)["c"] == "reproduced"
    assert judged(**gains, sigmoid=-0.05 + SPREAD)["c"] == "refuted"
    assert judged(**gains, pooling=0.018 + SPREAD)["c"] == "undecided"
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


@pytest.mark.parametrize("first, middle, verdict", [
    (0.9, 0.974, "reproduced"), (0.7, 0.974, "refuted"), (0.9, 0.95, "refuted"),
    (0.9, 0.973, "undecided"),
])
def test_dropout_needs_a_fast_rise_and_a_stop(first, middle, verdict):
    curves = {"published": np.full((3, 6), 0.8), "no dropout": np.array(
        [[first, first, middle, middle, 0.975, 0.975 + change] for change in SPREAD])}
    assert judged(curves, no_dropout=SPREAD)["e"] == verdict


@pytest.mark.parametrize("size, verdict", [
    (0.03, "reproduced"), (0.019, "refuted"), (0.02, "undecided"),
])
def test_pooling_must_fluctuate_twice_as_much(size, verdict):
    jumps = np.array([0, 0, 1, -1, 1, -1.0])
    curves = {"published": np.array([0.9 + 0.01 * jumps] * 3),
              "pooling": np.array([0.9 + (size + change) * jumps for change in SPREAD])}
    assert judged(curves, pooling=SPREAD)["f"] == verdict


def test_late_gain_is_that_of_the_last_third():
    rising = np.array([[0.0, 0.0, 0.3, 0.5, 0.6, 0.8]])
    assert convnet.late_gain(rising) == pytest.approx([0.7 - 0.4])
    assert convnet.late_gain(rising[:, :1]) == 0


def test_claims_whose_variants_are_left_out_are_undecided():
    assert set(map(judged().get, "cdefgh")) == {"undecided"}


def test_variants_have_names_of_their_own():
    labels = [label for factor in VARIANTS.values() for label in factor]
    assert len(labels) == len(set(labels)) and set(convnet.NAMED) < set(VARIANTS)
