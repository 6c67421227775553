"""The recipe of the regression exercise: what is scored, when it stops, and L-BFGS."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from ann_keras import models
from ann_keras.recipes import regression

TINY = regression.Recipe(epochs=2, training_points=100, test_points=50)


@pytest.fixture
def eager():
    """Without graphs, which take longer to trace than a few steps do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_the_published_network_is_that_of_table_2():
    weights = regression.build(regression.Recipe()).count_params()
    assert weights == models.mlp.mish_regressor().count_params() == 609


def test_scores_are_of_the_points_and_weights_they_name(eager):
    result = regression.train(TINY, seed=1)
    (x, y), (x_test, y_test) = regression.points(TINY, seed=1)
    assert result["epochs"] == 2 == len(result["loss"]) == len(result["val_loss"])
    assert result["prediction"].shape == (50,)
    assert result["test_mse"] == pytest.approx(
        np.mean((result["prediction"] - y_test[:, 0]) ** 2), rel=1e-5
    )
    model = regression.build(TINY)
    models.weights.restore(model, result["weights"])
    np.testing.assert_allclose(model(x_test).numpy()[:, 0], result["prediction"], rtol=1e-5)
    assert np.mean((model(x).numpy() - y) ** 2) == pytest.approx(result["train_mse"], rel=1e-5)


def test_it_stops_early_only_with_patience(eager):
    recipe = replace(TINY, epochs=12, learning_rate=0.5)
    assert regression.train(replace(recipe, patience=1), seed=0)["epochs"] < 12
    assert regression.train(replace(recipe, patience=0), seed=0)["epochs"] == 12


def test_lbfgs_reuses_its_graph_without_carrying_weights_over():
    recipe = replace(TINY, optimizer="lbfgs", epochs=15, memory=5)
    first, _, again = (regression.train(recipe, seed=seed) for seed in (0, 1, 0))
    assert first["loss"][-1] < first["loss"][0] and first["epochs"] == 15
    for name in ("loss", "prediction", "weights"):
        np.testing.assert_array_equal(first[name], again[name])
