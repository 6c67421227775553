"""Convolutional networks for MNIST."""

import keras

from ann_keras.layers.initializers import pytorch_uniform
from ann_keras.layers.normalization import FusedBatchNormalization


def pooled_convnet():
    """The convnet of Table 1 (task 1.3.5): two convolutions with max pooling, 34,826 parameters.

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


def strided_convnet(
    *, filters=(16, 32, 32, 64), kernel_sizes=(4, 4, 3, 2), paddings=(2, 1, 1, 0),
    dropout=(0.2, 0.4, 0.4, 0.0), activation="relu", batch_norm=True, pooling=False,
    strides=(2, 2),
):
    """The convnet of task 3.2.2: four convolutions, 258,086 parameters, 257,798 trainable.

    Each block is a convolution, batch normalisation, activation and dropout, with stride 2 in
    the first two. Two dense layers follow, 2304 → 100 → 10, with no activation between them. It
    starts as a PyTorch network does, and pads and normalises as one: ε = 1e-5, and moving
    statistics of momentum 0.9, which PyTorch calls 0.1.

    Args:
        filters, kernel_sizes: of each block; sides in pixels.
        paddings: rows of zeros on each side of each block's input.
        dropout: rate of each block; no layer at 0.
        activation, batch_norm: a Keras name, and whether blocks normalise.
        pooling: max pooling after the activation where there would be a stride, 2×2 for 2; rows
            and columns left over are pooled too, so that all sizes stay as they are with strides.
        strides: of the first blocks; 1 after them.

    Returns:
        A Functional model, inputs (n, 28, 28, 1) in [0, 1], outputs class probabilities (n, 10).

    Raises:
        ValueError: sequences of different lengths, or an impossible number in one.
    """
    if len({len(filters), len(kernel_sizes), len(paddings), len(dropout)}) > 1:
        raise ValueError("filters, kernel sizes, paddings and dropout need an entry for each block")
    size = 28
    inputs = x = keras.Input((size, size, 1), name="image")
    blocks = zip(filters, kernel_sizes, paddings, dropout)
    for block, (units, kernel, padding, rate) in enumerate(blocks):
        step = strides[block] if block < len(strides) else 1
        size = convolution_size(size, kernel, padding, step)
        # As in PyTorch: padding="same" with stride 2 would pad less, and on one side more.
        if padding:
            x = keras.layers.ZeroPadding2D(padding)(x)
        start = pytorch_uniform(kernel**2 * x.shape[-1])
        x = keras.layers.Conv2D(units, kernel, strides=1 if pooling else step, **start)(x)
        if batch_norm:
            x = FusedBatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        x = keras.layers.Activation(activation)(x)
        if pooling and step > 1:
            x = keras.layers.MaxPooling2D(step, padding="same")(x)
        if rate:
            x = keras.layers.Dropout(rate)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(100, **pytorch_uniform(x.shape[-1]))(x)
    outputs = keras.layers.Dense(
        10, activation="softmax", name="probabilities", **pytorch_uniform(100)
    )(x)
    return keras.Model(inputs, outputs, name="strided_convnet")


def convolution_size(size, kernel, padding=0, stride=1):
    """Side of a convolution's output, ⌊(n − m + 2P) / S⌋ + 1 (task 3.2.1, equation 4).

    Sides n of the input and m of the kernel in pixels, rows P of zeros on each side, step S of the
    kernel; ValueError if the kernel is larger than the padded input, or a number is impossible.
    """
    if min(size, kernel, stride) < 1 or padding < 0:
        raise ValueError(
            f"size, kernel and stride must be positive and padding not negative, got {size}, "
            f"{kernel}, {stride} and {padding}"
        )
    padded = size + 2 * padding
    if kernel > padded:
        raise ValueError(
            f"kernel of {kernel}×{kernel} is larger than the padded input of {padded}×{padded}"
        )
    return (padded - kernel) // stride + 1
