"""The first trial of every search is the recipe of the network that it searches."""

import math

import keras_tuner
import numpy as np
import pytest

import tuning
from ann_keras import data, recipes

PUBLISHED = {
    "regression": recipes.regression.Recipe(),
    "timeseries_mlp": recipes.timeseries.Recipe(),
    "timeseries_lstm": recipes.timeseries.LSTM,
    "autoencoder": recipes.autoencoder.Recipe(),
    "convnet": recipes.strided_convnet.Recipe(),
    "transformer": recipes.transformer.Recipe(),
    "rbm": recipes.rbm.Recipe(),
    "vae": recipes.vae.Recipe(),
}


def search_of(name):
    module = tuning.load(name)
    return module.Search(module.PRESETS["report"])


@pytest.mark.parametrize("name", tuning.SEARCHES)
def test_defaults_are_the_recipe(name):
    for field, value in search_of(name).values(keras_tuner.HyperParameters()).items():
        # One hidden layer is searched as a number.
        published, value = map(np.atleast_1d, (getattr(PUBLISHED[name], field), value))
        np.testing.assert_array_equal(value, published, field)


@pytest.mark.parametrize("name", ["timeseries_mlp", "timeseries_lstm"])
def test_networks_take_as_many_steps_as_over_the_published_folds(name):
    recipe = PUBLISHED[name]
    windows = data.santafe.TRAINING_POINTS - recipe.lag
    folds = data.santafe.expanding_folds(
        windows, folds=recipe.folds, validation=recipe.validation, gap=recipe.lag
    )
    batch = recipe.batch_size if recipe.network == "mlp" else windows
    steps = sum(math.ceil(len(fit_on) / batch) for fit_on, _ in folds) * recipe.epochs
    ours = math.ceil(windows / batch) * search_of(name).settings.epochs
    assert ours == pytest.approx(steps, rel=0.02)
