"""Verdicts on the report's claims about GANs, from made-up scores of three seeds.

Each case names what differs from ordinary scores, and the verdict; other models or epochs would
give another one.
"""

import numpy as np
import pytest
import task_4_2_2
import task_4_2_3
import task_4_2_4
import task_4_2_5
from made_up_scores import FLOOR, scores

from ann_keras.recipes import gan
from ann_keras.runs.run import Results


@pytest.mark.parametrize("weak, strong, verdict", [
    ({}, {"coverage": 0.19}, True),
    ({"coverage": 0.1}, {"coverage": 0.19}, True),
    ({}, {"coverage": [0.1, 0.4, 0.1], "diversity": [0.9, 0.79, 0.9]}, True),
    ({}, {"coverage": 0.21, "diversity": 0.81}, False),
    ({"coverage": [0.2, 0.4, 0.6]}, {"coverage": 0.2}, "undecided"),
    ({}, {"coverage": 0.1, "confident": 0.25}, True),
    ({}, {"coverage": 0.1, "confident": 0.24}, False),
    ({}, {"confident": 0.24, "diversity": 0.8}, True),
    ({"diversity": 0.6}, {"diversity": [0.85, 0.6, 0.6]}, "undecided"),
    ({"coverage": 0.2}, {"coverage": 0.1}, False),
])
def test_strong_discriminator(weak, strong, verdict):
    middle = scores(coverage=0.2 if verdict is False else 0.4)
    found = {2: middle, 10: scores(**strong), 1: scores(**weak), 5: middle}
    assert task_4_2_2.judge(found, FLOOR)["4.2.2-a"][0] == verdict


@pytest.mark.parametrize("last, end, verdict", [
    (3, 5, True),
    ([2, 3, 7], 5, "undecided"),
    (3, [5, 5, 9], "undecided"),
    ([3, 2, 2], [9, 5, 4], "undecided"),
    (2, 5, False),
    (1, 9, False),
])
def test_generator_loss(last, end, verdict):
    losses, distances = np.full((3, 50), 9.0), np.tile([1.0, 9, 2, 0], (3, 1))
    losses[:, 0], losses[:, -1], distances[:, -1] = 2, last, end
    again = {"generator_loss": [4, 9, 5], "discriminator_loss": [0.3, 0.9, 0.1]}, [7, 1, 8]

    def judge(epochs, distances):
        return task_4_2_3.judge(losses, epochs, distances, *again)["4.2.3-a"][0]

    assert judge([1, 10, 20, 50], distances) == verdict
    assert judge([1, 10, 50], distances[:, [0, 1, 3]]) == verdict
    for few in ([1], [1, 50]):
        assert judge(few, distances[:, -len(few):]) == "undecided"


@pytest.mark.parametrize("claim, changes, verdict", [
    ("a", [{4: 0.049}, {7: 0.049}, {1: 0.045}], True),
    ("a", [{4: 0.08}, {}, {}], "undecided"),
    ("a", [{1: 0.1}, {}, {}], "undecided"),
    ("a", [{0: 0.2, 8: 0.5}, {}, {4: 0.05}], "undecided"),
    ("a", [{4: 0.05}, {1: 0.047}, {0: 0.2, 8: 0.5}], False),
    ("a", [{7: 0.05}] * 3, False),
    ("b", [0.41, 0.59, 0.5], True),
    ("b", [0.39, 0.61, 0.5], "undecided"),
    ("b", 0.61, False),
    ("c", ([0.95, 1, 1], [0, 0.9, 0.5]), "artefact"),
    ("c", (1, [0, 1, 0.5]), True),
    ("c", ([0.94, 1, 1], 0), False),
    ("c", (1, 0), "artefact"),
])
def test_samples_of_the_dense_gan(claim, changes, verdict):
    changes, noisy = changes if claim == "c" else (changes, 1)
    judged = scores(**{{"a": "classes", "b": "confident", "c": "noisy"}[claim]: changes})
    other = scores(classes={0: 0, 8: 0.9}, confident=0.9, background=0.03, noisy=noisy)
    first, again = (judged, scores()) if claim == "c" else (other, judged)
    found = {"as published": first, "trained again": again, "corrected": scores(),
             "corrected, lower rate": other | {"frechet": np.array([9, 4, 5])}}
    decided, _, *point = task_4_2_4.judge(found, FLOOR, 10_000)[f"4.2.4-{claim}"]
    assert (decided, point) == (verdict, ["D12"] if claim == "c" else [])
    if claim == "c" and verdict is False:
        found |= {"as published": again, "trained again": first}
        assert task_4_2_4.judge(found, FLOOR, 10_000)["4.2.4-c"][0] is False


@pytest.mark.parametrize("claim, changes, verdict", [
    ("a", [(0.51, 0.01), (0.5, 0.02), (0.9, 0)], True),
    ("a", [(0.51, 0.01), (0.6, 0.02), (0.5, 0.02)], "undecided"),
    ("a", [(0.51, 0.01), (0.5, 0.005), (0.5, 0.02)], "undecided"),
    ("a", [(0.51, 0.02), (0.5, 0.02), (0.5, 0.02)], False),
    ("a", [(0.5, 0.01), (0.5, 0.02), (0.5, 0.02)], False),
    ("b", [{0: 0.5}, {0: 0.3}, {0: 0.25}], True),
    ("b", [{0: 0.9}, {0: 0.11}, {0: 0.11}], "undecided"),
    ("b", [{0: 0.05, 8: 0.7}] * 2 + [{0: 0.11, 8: 0.7}], "undecided"),
    ("b", [{0: 0.1, 8: 0.6}] * 3, False),
])
def test_samples_of_the_convolutional_gan(claim, changes, verdict):
    conv, dense, alike = changes if claim == "a" else [(0, 0)] * 3
    classes, spread = changes if claim == "b" else {}, np.array([-0.25, 0, 0.25])
    found = {
        name: scores(confident=sure + aside, background=level + aside, classes=shown,
                     frechet=far + aside)
        for name, (sure, level), aside, far, shown in (
            (gan.DENSE[0], dense, spread, 20, {0: 0}),
            (gan.DENSE[1], (0.9, 0), 0, 1, {0: 0}),
            ("convolutional GAN, as published, 10 epochs", conv, -spread, 10, classes),
            ("convolutional GAN, corrected, 10 epochs", (0.1, 1), 0, 1, {0: 0}),
        )
    }
    early = {"confident": alike[0], "background": alike[1], "frechet": 30, "epoch": 7}
    decided, _, *point = task_4_2_5.judge(found, early)[f"4.2.5-{claim}"]
    assert (decided, point) == (verdict, ["D12"] if claim == "a" else [])
    single = {name: {measure: values[1:2] for measure, values in part.items()}
              for name, part in found.items()}
    assert task_4_2_5.judge(single, early)[f"4.2.5-{claim}"][0] == "undecided"


@pytest.mark.parametrize("epochs, place", [(1, 0), (2, 1), (10, 1), (11, 2), (99, 2)])
def test_scores_after_as_many_epochs(epochs, place):
    first = {"confident": 0, "background": 1, "frechet": 2}
    runs = Results({f"watched_{name}": [value, value + seed, value + 2 * seed]
                    for name, value in first.items()} for seed in (1, 2, 6))
    runs[0]["watched_epochs"] = [1, 10, 20]
    means = {name: value + 3 * place for name, value in first.items()}
    assert task_4_2_5.early(runs, epochs) == means | {"epoch": (1, 10, 20)[place]}
