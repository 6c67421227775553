"""The first trial of every search, and all that is not searched, are as published."""

import inspect
import math
from types import SimpleNamespace

import keras_tuner
import pytest
from script_modules import load

import tuning
from ann_keras import data, experiments, models
from ann_keras.experiments import settings as shared
from ann_keras.report import published


def search_of(name):
    module = tuning.load(name)
    return module.Search(module.PRESETS["report"])


def report_of(task):
    """The settings of a script's report preset."""
    return load(task).PRESETS["report"]


def defaults_of(function, *names):
    parameters = inspect.signature(function).parameters
    found = {name: parameters[name].default for name in names or parameters}
    return {name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()}


def published_regression():
    return defaults_of(
        experiments.regression.fit_gradient, "hidden_units", "activations", "optimizer",
        "learning_rate",
    )


def published_network(task):
    settings = report_of(task)
    return {name: getattr(settings, name) for name in ("lag", "units", "learning_rate")}


def published_autoencoder():
    return defaults_of(
        experiments.autoencoder.train, "hidden_units", "pretraining_epochs", "classifier_epochs",
        "fine_tuning_epochs", "pretraining_rate", "learning_rate",
    )


def published_transformer():
    _, dim, depth, mlp_dim, *_ = published.TABLES[3].rows[0]
    return {"dim": int(dim), "depth": int(depth), "mlp_dim": int(mlp_dim),
            "learning_rate": experiments.transformer.LEARNING_RATE, "attention_scale": "model"}


def published_rbm():
    components, rate = experiments.boltzmann.BEST
    return {"components": components, "learning_rate": rate, "iterations": shared.RBM().iterations}


def published_vae():
    """What ``experiments.vae`` trains as the published model."""
    task = SimpleNamespace(seeds=[0], run=lambda *_, **arguments: arguments)
    arguments, = experiments.vae.trained(task, shared.VAE(), None)
    return {name: arguments[name]
            for name in ("latent_dim", "hidden_dim", "learning_rate", "beta_1", "batch_size")}


PUBLISHED = {
    "regression": published_regression,
    "timeseries_mlp": lambda: published_network("2.2.1"),
    "timeseries_lstm": lambda: published_network("2.2.2"),
    "autoencoder": published_autoencoder,
    "convnet": lambda: defaults_of(models.cnn.strided_convnet),
    "transformer": published_transformer,
    "rbm": published_rbm,
    "vae": published_vae,
}
# Settings of the report preset that a script's have too: its task, and other names of them.
COMMON = {
    "regression": ("1.4.3", ("epochs", "batch_size", "source"), {}),
    "timeseries_mlp": ("2.2.1", ("batch_size",), {}),
    "autoencoder": ("3.1.1", ("images", "batch_size", "source"), {}),
    "convnet": ("3.2.2", ("epochs", "batch_size", "learning_rate", "test_images"),
                {"images": "training_images", "source": "mnist"}),
    "rbm": ("4.1.2", ("batch_size", "source"), {}),
    "vae": ("4.3.3", ("source",), {}),
}


@pytest.mark.parametrize("name", tuning.SEARCHES)
def test_defaults_are_the_published_setting(name):
    assert search_of(name).values(keras_tuner.HyperParameters()) == PUBLISHED[name]()


@pytest.mark.parametrize("name", COMMON)
def test_what_is_not_searched_is_as_published(name):
    task, same, renamed = COMMON[name]
    ours, theirs = search_of(name).settings, report_of(task)
    for field, other in ({field: field for field in same} | renamed).items():
        assert getattr(ours, field) == getattr(theirs, other), field


@pytest.mark.parametrize("name, task", [("timeseries_mlp", "2.2.1"), ("timeseries_lstm", "2.2.2")])
def test_networks_take_as_many_steps_as_over_the_published_folds(name, task):
    report, ours = report_of(task), search_of(name).settings
    windows = data.santafe.TRAINING_POINTS - report.lag
    folds = data.santafe.expanding_folds(
        windows, folds=report.folds, validation=report.validation, gap=report.lag
    )
    batch = getattr(report, "batch_size", windows)
    steps = sum(math.ceil(len(fit_on) / batch) for fit_on, _ in folds) * report.epochs
    assert math.ceil(windows / batch) * ours.epochs == pytest.approx(steps, rel=0.02)
