"""What curves show: how soon they are there, and how steadily."""

import numpy as np
import pytest

from ann_keras.evaluation import curves


def test_epochs_to_counts_from_one_and_is_infinite_when_never_reached():
    loss = [0.9, 0.5, 0.2, 0.3]
    assert curves.epochs_to(loss, 0.5) == 2
    assert curves.epochs_to(loss, 0.9) == 1
    assert curves.epochs_to(loss, 0.1) == float("inf")


def test_oscillation_is_the_spread_of_log_steps_in_the_second_half():
    steady = np.logspace(0, -3, 101)
    assert curves.oscillation(steady) == pytest.approx(0, abs=1e-12)
    jumping = np.where(np.arange(100) % 2, 10.0, 1.0)
    assert curves.oscillation(jumping) == pytest.approx(1, rel=0.01)
    only_early = np.concatenate([jumping, np.ones(100)])
    assert curves.oscillation(only_early) < 0.2


def test_summary_takes_seconds_up_to_the_target():
    result = {
        "loss": np.array([0.4, 0.2, 0.1, 0.1]), "last_batch_mse": np.array([0.4, 0.2, 0.1, 0.1]),
        "seconds": 8.0, "steps_per_epoch": 4,
    }
    numbers = curves.summarize([result, result], target=0.2)
    assert numbers["epochs_to_target"] == [2, 2] and numbers["reached"] == [1, 1]
    assert numbers["seconds_to_target"] == [4.0, 4.0] and numbers["seconds_per_step"][0] == 0.5
    missed = curves.summarize([result], target=0.01)
    assert missed["epochs_to_target"] == [4] and missed["reached"] == [0]
    assert missed["seconds_to_target"] == [8.0], "a lower bound: the whole run"


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


def test_late_gain_is_that_of_the_last_third():
    rising = np.array([[0.0, 0.0, 0.3, 0.5, 0.6, 0.8]])
    assert curves.late_gain(rising) == pytest.approx([0.7 - 0.4])
    assert curves.late_gain(rising[:, :1]) == 0


def test_steps_to_a_share_of_the_last_value():
    curve = np.array([0.0, 0.5, 0.79, 0.795, 0.8, 0.8])
    assert [curves.steps_to_share(curve, share) for share in (0.5, 0.99, 1)] == [2, 4, 5]
    assert curves.steps_to_share(np.zeros(6), 0.99) == 6
