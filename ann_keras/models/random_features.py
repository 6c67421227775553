"""A network of fixed random features with a linear readout: a kernel machine in Keras."""

import keras

from ann_keras.layers.random_features import OrthogonalFourierFeatures


def random_feature_network(lag=40, pairs=16_384, *, gamma=0.15, seed=0):
    """An autoregressive network: last ``lag`` values → random features → next value.

    Fit its readout with ``training.ridge.fit_readout``. In double precision, since the readout of
    a small penalty has large weights that cancel.

    Args:
        lag: past values in a window; ValueError below one.
        pairs, gamma, seed: of ``OrthogonalFourierFeatures``.

    Returns:
        A Functional model, inputs (n, lag), outputs (n, 1).
    """
    if lag < 1:
        raise ValueError(f"the lag must be positive, got {lag}")
    inputs = keras.Input((lag,), name="window", dtype="float64")
    x = OrthogonalFourierFeatures(pairs, gamma, seed, dtype="float64")(inputs)
    outputs = keras.layers.Dense(1, use_bias=False, dtype="float64")(x)
    return keras.Model(inputs, outputs, name="random_feature_network")
