"""The protocols that several tasks share."""

import numpy as np
import pytest

from ann_keras.experiments import regression, surface


def test_epochs_to_counts_from_one_and_is_infinite_when_never_reached():
    loss = [0.9, 0.5, 0.2, 0.3]
    assert surface.epochs_to(loss, 0.5) == 2
    assert surface.epochs_to(loss, 0.9) == 1
    assert surface.epochs_to(loss, 0.1) == float("inf")


def test_oscillation_is_the_spread_of_log_steps_in_the_second_half():
    steady = np.logspace(0, -3, 101)
    assert surface.oscillation(steady) == pytest.approx(0, abs=1e-12)
    jumping = np.where(np.arange(100) % 2, 10.0, 1.0)
    assert surface.oscillation(jumping) == pytest.approx(1, rel=0.01)
    only_early = np.concatenate([jumping, np.ones(100)])
    assert surface.oscillation(only_early) < 0.2


def test_summary_takes_seconds_up_to_the_target():
    result = {
        "loss": np.array([0.4, 0.2, 0.1, 0.1]), "last_batch_mse": np.array([0.4, 0.2, 0.1, 0.1]),
        "seconds": 8.0, "steps_per_epoch": 4,
    }
    numbers = surface.summarize([result, result], target=0.2)
    assert numbers["epochs_to_target"] == [2, 2] and numbers["reached"] == [1, 1]
    assert numbers["seconds_to_target"] == [4.0, 4.0] and numbers["seconds_per_step"][0] == 0.5
    missed = surface.summarize([result], target=0.01)
    assert missed["epochs_to_target"] == [4] and missed["reached"] == [0]
    assert missed["seconds_to_target"] == [8.0], "a lower bound: the whole run"


def test_gradient_and_lbfgs_start_from_the_same_network():
    options = {"seed": 3, "noise": 0.2, "hidden_units": [8, 8]}
    slow = surface.fit_gradient(
        optimizer="sgd", learning_rate=1e-12, batch_size=1600, epochs=2, jit_compile=False,
        **options,
    )
    fast = surface.fit_lbfgs(iterations=30, memory=10, **options)
    again = surface.fit_lbfgs(iterations=30, memory=10, **options)
    assert (fast["loss"] == again["loss"]).all()
    assert slow["loss"][0] == pytest.approx(slow["loss"][1], rel=1e-5)
    assert fast["loss"][-1] < fast["loss"][0] < slow["loss"][0]


def test_last_batch_loss_is_not_the_epoch_mean():
    options = {"seed": 0, "optimizer": "sgd", "learning_rate": 0.1, "epochs": 2,
               "hidden_units": [8, 8], "jit_compile": False}
    batches = surface.fit_gradient(batch_size=40, **options)
    whole = surface.fit_gradient(batch_size=1600, **options)
    assert batches["last_batch_mse"][0] != pytest.approx(batches["loss"][0], rel=1e-3)
    assert whole["last_batch_mse"] == pytest.approx(whole["loss"], rel=1e-5)
    assert (batches["steps_per_epoch"], whole["steps_per_epoch"]) == (40, 1)


def test_regressor_scores_are_of_the_points_they_name():
    result = regression.fit_gradient(seed=1, epochs=2, training_points=200, test_points=100)
    (x, y), (x_test, y_test) = regression.regression.split(
        1, training_points=200, test_points=100
    )
    assert result["prediction"].shape == (100,)
    assert result["test_mse"] == pytest.approx(
        np.mean((result["prediction"] - y_test[:, 0]) ** 2), rel=1e-5
    )
    assert result["epochs"] == 2 == len(result["val_loss"])
    assert result["train_mse"] != result["test_mse"]


def test_regressor_stops_early_only_with_patience():
    options = {"seed": 0, "epochs": 12, "training_points": 100, "learning_rate": 0.5}
    assert regression.fit_gradient(patience=1, **options)["epochs"] < 12
    assert regression.fit_gradient(patience=0, **options)["epochs"] == 12


def test_lbfgs_reuses_its_graph_without_carrying_weights_over():
    options = {"iterations": 15, "memory": 5, "training_points": 100, "test_points": 50}
    first = regression.fit_lbfgs(seed=0, **options)
    regression.fit_lbfgs(seed=1, **options)
    again = regression.fit_lbfgs(seed=0, **options)
    assert (first["loss"] == again["loss"]).all()
    assert (first["prediction"] == again["prediction"]).all()
