"""Multilayer perceptrons of the report's regression tasks."""

import keras

from ann_keras.layers.initializers import pytorch_uniform


def surface_mlp(*hidden_units):
    """The network of task 1.3: (x, y) → height, ReLU hidden layers, linear output.

    Starts as a PyTorch network does, as the published one did. The report's hidden layers have 50
    units each, ``surface_mlp(50, 50)``: 2,751 parameters.

    Returns:
        A Functional model, inputs (n, 2), outputs (n, 1).
    """
    inputs = x = keras.Input((2,), name="point")
    for units in hidden_units:
        x = keras.layers.Dense(units, activation="relu", **pytorch_uniform(x.shape[-1]))(x)
    outputs = keras.layers.Dense(1, name="height", **pytorch_uniform(x.shape[-1]))(x)
    return keras.Model(inputs, outputs, name="surface_mlp")


def mish_regressor(
    hidden_units=(16, 16, 16), activations=("mish", "mish", "tanh"), *, dropout=0.0
):
    """The regression network of Table 2 (task 1.4.2): 609 parameters as published.

    Args:
        hidden_units, activations: units and activation of each hidden layer; ValueError if there
            are not as many of both.
        dropout: rate of a Dropout layer after each hidden layer; none at 0, as published.

    Returns:
        A Functional model, inputs (n, 2), outputs (n, 1).
    """
    if len(hidden_units) != len(activations):
        raise ValueError(f"{len(hidden_units)} layers but {len(activations)} activations")
    inputs = x = keras.Input((2,), name="point")
    for units, activation in zip(hidden_units, activations):
        x = keras.layers.Dense(units, activation=activation)(x)
        if dropout:
            x = keras.layers.Dropout(dropout)(x)
    outputs = keras.layers.Dense(1)(x)
    return keras.Model(inputs, outputs, name="mish_regressor")


def nar_mlp(lag=80, units=100):
    """The nonlinear autoregressive network of task 2.2.1: last ``lag`` values → next value.

    8,201 parameters as published: one tanh layer and a linear output.

    Returns:
        A Functional model, inputs (n, lag), outputs (n, 1); ValueError for sizes below one.
    """
    if lag < 1:
        raise ValueError(f"the lag must be positive, got {lag}")
    inputs = keras.Input((lag,), name="window")
    x = keras.layers.Dense(units, activation="tanh")(inputs)
    outputs = keras.layers.Dense(1)(x)
    return keras.Model(inputs, outputs, name="nar_mlp")
