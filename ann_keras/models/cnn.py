"""Convolutional networks for MNIST."""

import keras


def pooled_convnet():
    """The convnet of Table 1 (task 1.3.5): two convolutions with max pooling, 34,826 parameters.

    Layers, in the order of the table: Conv2D 32 3×3, MaxPooling2D, Conv2D 64 3×3, MaxPooling2D,
    Flatten, Dropout 0.5, Dense 10. ReLU after the convolutions, softmax at the end.

    Returns:
        A Functional model, inputs (n, 28, 28, 1) in [0, 1], outputs class probabilities (n, 10).
    """
    inputs = keras.Input((28, 28, 1), name="image")
    x = keras.layers.Conv2D(32, 3, activation="relu")(inputs)
    x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Conv2D(64, 3, activation="relu")(x)
    x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.5)(x)
    outputs = keras.layers.Dense(10, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="pooled_convnet")
