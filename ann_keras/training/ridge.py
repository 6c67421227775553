"""The linear readout of a Keras model, fitted in closed form."""

import keras
import numpy as np
import scipy.linalg


def fit_readout(model, x, y, *, penalty):
    """Set the last Dense layer to the minimum of Σ (prediction − y)² + penalty · ‖weights‖².

    Args:
        model: a built Keras model whose last layer is ``Dense(outputs, use_bias=False)`` without
            an activation, or ValueError; the layers before it stay as they are.
        x: inputs, n rows.
        y: targets (n,) or (n, outputs).
        penalty: of the squared weights; ValueError unless positive.
    """
    readout = model.layers[-1]
    dense = isinstance(readout, keras.layers.Dense)
    if not dense or readout.use_bias or readout.activation is not keras.activations.linear:
        raise ValueError("the last layer must be Dense without bias and activation")
    if penalty <= 0:
        raise ValueError(f"the penalty must be positive, got {penalty}")
    features = keras.Model(model.input, model.layers[-2].output)
    matrix = keras.ops.convert_to_numpy(features(np.asarray(x))).astype(np.float64)
    targets = np.asarray(y, np.float64).reshape(len(matrix), -1)
    rows, columns = matrix.shape
    if columns <= rows:
        gram = matrix.T @ matrix + penalty * np.eye(columns)
        weights = scipy.linalg.solve(gram, matrix.T @ targets, assume_a="pos")
    else:  # the same weights by a smaller system
        gram = matrix @ matrix.T + penalty * np.eye(rows)
        weights = matrix.T @ scipy.linalg.solve(gram, targets, assume_a="pos")
    readout.set_weights([weights])
