"""All weights of a model as one array, and how many are trained."""

import numpy as np


def flatten(model):
    """All weights of a Keras model in one float32 array (count,)."""
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def restore(model, flat):
    """Give a Keras model of the same shape the weights that ``flatten`` took."""
    sizes = [np.prod(weight.shape, dtype=int) for weight in model.weights]
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    model.set_weights([
        part.reshape(weight.shape) for part, weight in zip(parts, model.weights, strict=True)
    ])


def count_trainable(model):
    """Number of a model's trainable parameters."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
