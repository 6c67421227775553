"""What curves show: how soon they are there, and how steadily."""

import numpy as np
import pytest

from ann_keras.evaluation import curves


def test_a_target_is_reached_where_the_loss_first_is_at_or_under_it():
    runs = {"loss": np.array([[0.9, 0.5, 0.2, 0.3], [0.9, 0.8, 0.7, 0.5]]),
            "seconds": np.array([8.0, 4.0])}
    found = curves.reach(runs, 0.5)
    assert found["epochs"].tolist() == [2, 4] and found["seconds"].tolist() == [4, 4]
    assert found["reached"].all()
    low = curves.reach(runs, 0.2)
    assert low["reached"].tolist() == [True, False]
    assert low["epochs"].tolist() == [3, 4], "a lower bound: the whole run"


def test_oscillation_is_the_spread_of_log_steps_in_the_second_half():
    steady = np.logspace(0, -3, 101)
    jumping = np.where(np.arange(101) % 2, 10.0, 1.0)
    assert curves.oscillation(np.array([steady, jumping])) == pytest.approx([0, 1], abs=1e-12)
    only_early = np.concatenate([jumping, np.ones(100)])
    assert curves.oscillation(only_early[np.newaxis]) < 0.2


def test_fluctuation_is_that_of_the_second_half_and_at_least_an_image():
    jumping = np.array([[0.5] * 5 + [0.9, 0.8, 0.9, 0.8, 0.9]])
    jumps = np.array([0.4, 0.1, 0.1, 0.1, 0.1])
    assert curves.fluctuation(jumping) == pytest.approx([np.sqrt((jumps**2).mean() / 2)])
    noise = 0.9 + 0.01 * np.random.default_rng(0).normal(size=(1, 20_000))
    assert curves.fluctuation(noise) == pytest.approx(0.01, rel=0.05)
    assert curves.fluctuation(np.full((2, 5), 0.9)).tolist() == [1e-4, 1e-4]


def test_validation_chooses_the_epoch():
    runs = {"val_accuracy": np.array([[0.1, 0.9, 0.9], [0.8, 0.2, 0.3]]),
            "test_accuracy": np.array([[0.3, 0.4, 0.5], [0.6, 0.7, 0.8]])}
    assert curves.at_best_epoch(runs, "test_accuracy").tolist() == [0.4, 0.6]
    first = {name: values[0].tolist() for name, values in runs.items()}
    assert curves.at_best_epoch(first, "test_accuracy") == 0.4
