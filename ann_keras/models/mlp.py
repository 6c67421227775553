"""Multilayer perceptrons of the report's regression tasks."""

import keras

from ann_keras.layers.initializers import pytorch_uniform


def surface_mlp(*hidden_units, dtype=None):
    """The network of task 1.3: (x, y) → height, ReLU hidden layers, linear output.

    Starts as a PyTorch network does, as the published one did. The report's is
    ``surface_mlp(50, 50)`` with 2,751 parameters.

    Args:
        hidden_units: units of each hidden layer; ValueError without a layer or a unit.
        dtype: of weights and arithmetic; Keras' default (float32) if None.

    Returns:
        A Functional model, inputs (n, 2), outputs (n, 1).
    """
    _check_units(hidden_units)
    inputs = x = keras.Input((2,), dtype=dtype, name="point")
    features = 2
    for units in hidden_units:
        start = pytorch_uniform(features)
        x = keras.layers.Dense(units, activation="relu", dtype=dtype, **start)(x)
        features = units
    outputs = keras.layers.Dense(1, name="height", dtype=dtype, **pytorch_uniform(features))(x)
    return keras.Model(inputs, outputs, name="surface_mlp")


def mish_regressor(
    hidden_units=(16, 16, 16), activations=("mish", "mish", "tanh"), *, dropout=0.0, dtype=None
):
    """The regression network of Table 2 (task 1.4.2): 609 parameters as published.

    Args:
        hidden_units, activations: units and activation of each hidden layer; ValueError if there
            are not as many of both, or a layer has no units.
        dropout: rate of a Dropout layer after each hidden layer; none at 0, as published.
        dtype: of weights and arithmetic; Keras' default (float32) if None.

    Returns:
        A Functional model, inputs (n, 2), outputs (n, 1).
    """
    _check_units(hidden_units)
    if len(hidden_units) != len(activations):
        raise ValueError(f"{len(hidden_units)} layers but {len(activations)} activations")
    inputs = x = keras.Input((2,), dtype=dtype, name="point")
    for units, activation in zip(hidden_units, activations):
        x = keras.layers.Dense(units, activation=activation, dtype=dtype)(x)
        if dropout:
            x = keras.layers.Dropout(dropout, dtype=dtype)(x)
    outputs = keras.layers.Dense(1, dtype=dtype)(x)
    return keras.Model(inputs, outputs, name="mish_regressor")


def nar_mlp(lag=80, units=100, *, dtype=None):
    """The nonlinear autoregressive network of task 2.2.1: last ``lag`` values → next value.

    8,201 parameters as published: one tanh layer and a linear output.

    Args:
        lag, units: past values in a window, and hidden units; ValueError below one.
        dtype: of weights and arithmetic; Keras' default (float32) if None.

    Returns:
        A Functional model, inputs (n, lag), outputs (n, 1).
    """
    if lag < 1:
        raise ValueError(f"the lag must be positive, got {lag}")
    _check_units((units,))
    inputs = keras.Input((lag,), dtype=dtype, name="window")
    x = keras.layers.Dense(units, activation="tanh", dtype=dtype)(inputs)
    outputs = keras.layers.Dense(1, dtype=dtype)(x)
    return keras.Model(inputs, outputs, name="nar_mlp")


def _check_units(hidden_units):
    if not hidden_units or min(hidden_units) < 1:
        raise ValueError(f"hidden layers need at least one unit each, got {hidden_units}")
