"""Networks that continue the Santa Fe laser in closed loop, tasks 2.2.1 to 2.2.3."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import models, training
from ann_keras.data import santafe
from ann_keras.evaluation import forecasts
from ann_keras.recipes.fields import adam

# XLA takes a second longer to compile the MLP and runs an epoch two to four times as fast.
_EPOCHS_THAT_PAY_FOR_XLA = 50


@dataclass(frozen=True)
class Recipe:
    """How an autoregressive network is trained; by default the report's MLP, task 2.2.1."""

    network: Literal["mlp", "lstm"] = "mlp"  # report: one tanh layer, or a stateful LSTM
    lag: int = 80  # report: last values from which the network predicts the next
    units: int = 100  # report: of the hidden layer or of the LSTM
    protocol: Literal["folds", "afresh"] = "folds"
    """report (D4): one network goes from fold to fold; afresh, ours: one training on all points"""
    folds: int = 3  # report: parts of the series to train on, each longer than the one before
    validation: int = 150  # report: windows after each fold, and a gap of the lag, to validate on
    epochs: int = 200  # report: passes over the windows, in each fold
    batch_size: int = 32  # report: windows a step of the MLP; the LSTM sees one sequence an epoch
    learning_rate: float = 0.01  # report: of Adam
    beta_1: float = 0.9  # report: of Adam, decay of the mean gradient, Keras' default
    beta_2: float = 0.999  # report: of Adam, decay of the mean squared gradient, Keras' default
    epsilon: float = 1e-7  # report: of Adam, Keras' default
    start: int = santafe.TRAINING_POINTS  # report: the first value to forecast; none later is seen


QUICK = replace(Recipe(), epochs=45)
SMOKE = replace(Recipe(), units=5, folds=1, epochs=2)
LSTM = replace(Recipe(), network="lstm", epochs=150, batch_size=1, learning_rate=0.001)  # report
LSTM_QUICK = replace(LSTM, epochs=60)
LSTM_SMOKE = replace(LSTM, units=5, folds=1, epochs=2)


def build(recipe, sequences=1):
    """The network of a recipe; an LSTM for so many sequences side by side."""
    if recipe.network == "lstm":
        return models.lstm.nar_lstm(recipe.lag, recipe.units, batch_size=sequences)
    return models.mlp.nar_mlp(recipe.lag, recipe.units)


def train(recipe, seed):
    """Train on the standardised values before ``recipe.start``.

    Args:
        seed: decides initial weights and order.

    Returns:
        Dict: "loss" (folds, epochs), over folds also "val_loss", of the standardised series; one
        row afresh; "weights", flat.
    """
    import keras

    recurrent = recipe.network == "lstm"
    x, y = santafe.windows_before(recipe.start, recipe.lag)
    parts = [(seed, slice(None), None)]
    if recipe.protocol == "folds":
        split = santafe.expanding_folds(len(x), folds=recipe.folds, validation=recipe.validation,
                                        gap=recipe.lag)
        parts = [(1000 * seed + fold, *rows) for fold, rows in enumerate(split)]

    def shaped(rows):
        inputs, targets = x[rows].astype("float32"), y[rows].astype("float32")[:, None]
        return (inputs[None], targets[None]) if recurrent else (inputs, targets)

    keras.utils.set_random_seed(seed)
    model = build(recipe)
    model.compile(adam(recipe), loss="mse")
    curves = {}
    for order, fit_on, validate_on in parts:
        history = training.compiled.fit(
            model, *shaped(fit_on), epochs=recipe.epochs,
            batch_size=1 if recurrent else recipe.batch_size, seed=order,
            validation_data=None if validate_on is None else shaped(validate_on),
            # The LSTM's loops are compiled anyway.
            jit_compile=not recurrent and recipe.epochs >= _EPOCHS_THAT_PAY_FOR_XLA,
        )
        for name, values in history.history.items():
            curves.setdefault(name, []).append(values)
    return curves | {"weights": models.weights.flatten(model)}


def score(recipe, weights, later=0):
    """``forecasts.score`` of a trained network from ``recipe.start`` and from later starts."""
    def forecast(history):
        network = build(recipe, sequences=len(history))
        models.weights.restore(network, weights)
        return training.rollout.forecast(network, history, forecasts.HORIZON)

    return forecasts.score(forecast, recipe.start, later)


def forecast(training, later):
    """``score`` of a run of ``train``."""
    return score(training.recipe, training["weights"], later)


def validate(recipe, seed, origins):
    """Errors of forecasts from origins, each by a new network trained on all that precedes it.

    Returns:
        Dict: "nmse" (origins,) of ``forecasts.validate``, which raises what this raises.
    """
    def mse(origin):
        afresh = replace(recipe, protocol="afresh", start=origin)
        return score(afresh, train(afresh, seed)["weights"])["mse"]

    return {"nmse": forecasts.validate(mse, origins, recipe.lag)}


@dataclass(frozen=True)
class Features:
    """A network of random Fourier features, near a Gaussian kernel; ours, as all its settings."""

    lag: int = 40  # ours: last values from which the network predicts the next
    pairs: int = 16_384  # ours: random frequencies, as many as fit into 0.5 GiB
    gamma: float = 0.15  # ours: of the kernel exp(−gamma ‖x − y‖²)
    penalty: float = 0.01  # ours: of the readout's squared weights
    start: int = santafe.TRAINING_POINTS  # report: the first value to forecast; none later is seen


def fit_features(recipe, seed):
    """Fit the readout of a network of random ``Features`` to the values before ``recipe.start``:
    dict of "readout" (2 pairs,); the seed gives the other weights, the frequencies."""
    network = _features(recipe, seed)
    x, y = santafe.windows_before(recipe.start, recipe.lag)
    training.ridge.fit_readout(network, x, y, penalty=recipe.penalty)
    return {"readout": network.layers[-1].get_weights()[0].ravel()}


def forecast_features(fit, later):
    """``forecasts.score`` of a run of ``fit_features``."""
    network = _features(fit.recipe, fit.seed)
    network.layers[-1].set_weights([fit["readout"][:, None]])
    return forecasts.score(
        lambda history: training.rollout.forecast(network, history, forecasts.HORIZON),
        fit.recipe.start, later,
    )


def _features(recipe, seed):
    return models.random_features.random_feature_network(
        recipe.lag, recipe.pairs, gamma=recipe.gamma, seed=seed
    )


@dataclass(frozen=True)
class Reference:
    """A forecaster without a network; ours, as all its settings."""

    method: Literal["kernel ridge", "linear AR", "persistence"] = "kernel ridge"
    lag: int = 40  # ours: last values from which the next is predicted
    gamma: float = 0.15  # ours: of the kernel exp(−gamma ‖x − y‖²)
    penalty: float = 0.01  # ours: of the squared coefficients
    start: int = santafe.TRAINING_POINTS  # report: the first value to forecast; none later is seen


def forecast_reference(recipe, later=0):
    """``forecasts.score`` of a ``Reference``; persistence takes the last value for ever."""
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.linear_model import Ridge

    regressor = {
        "kernel ridge": KernelRidge(kernel="rbf", gamma=recipe.gamma, alpha=recipe.penalty),
        "linear AR": Ridge(alpha=recipe.penalty),
    }.get(recipe.method)
    if regressor is not None:
        regressor.fit(*santafe.windows_before(recipe.start, recipe.lag))

    def forecast(history):
        windows, values = history[:, -recipe.lag:], []
        for _ in range(forecasts.HORIZON):
            values.append(windows[:, -1] if regressor is None else regressor.predict(windows))
            windows = np.column_stack([windows[:, 1:], values[-1]])
        return np.stack(values, axis=1)

    return forecasts.score(forecast, recipe.start, later)


def begin(task, recipe, later, seeds=None):
    """Begin trainings, one a seed, and their forecasts; returns both, ``Results``."""
    trainings = task.repeat(train, recipe, seeds=seeds)
    return trainings, task.repeat(forecast, training=trainings, later=later)


def begin_variants(task, recipe, changes, later, seeds):
    """Begin trainings where some settings are changed, a list of dicts, and their forecasts:
    ``Results`` by names such as "lag 20" or "folds 5, units 25"."""
    return {
        ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in change.items()):
        begin(task, replace(recipe, **change), later, seeds)[1]
        for change in changes
    }
