"""Convolutions of small images with many channels, as products in the Fourier domain.

By the convolution theorem a convolution is one matrix product of channels for each frequency.
For 7 × 7 pixels with a border and kernels of 5 × 5 these are a quarter of the multiplications in
the pixels' domain (41 complex products, by symmetry, for 25 times 25 real ones), and
backwards none of TensorFlow's slow kernels is needed. Results are exact up to rounding.

Source: Mathieu, Henaff and LeCun, "Fast training of convolutional networks through FFTs", 2013;
here the transforms are so short that they are matrix products too.
"""

import keras
import numpy as np
import tensorflow as tf


class _Bordered:
    """Mixed into a convolution of stride 1: a border in place of the padding."""

    def __init__(self, filters, kernel_size, *, border=0, **options):
        super().__init__(filters, kernel_size, padding="valid", **options)
        self.border = border
        if set(self.strides) | set(self.dilation_rate) != {1} or getattr(self, "groups", 1) != 1:
            raise ValueError("in the Fourier domain there are no strides, dilation or groups")
        if self.data_format != "channels_last":
            raise ValueError("in the Fourier domain channels come last")
        if border < 0 or len(set(self.kernel_size)) != 1:
            raise ValueError("the border must be at least 0 and the kernel square, got "
                             f"{border} and {self.kernel_size}")

    def get_config(self):
        config = super().get_config() | {"border": self.border}
        config.pop("padding")
        return config


@keras.saving.register_keras_serializable(package="ann_keras")
class FourierConv2D(_Bordered, keras.layers.Conv2D):
    """``keras.layers.Conv2D`` of stride 1, through the Fourier domain.

    Arguments are those of ``Conv2D``, but for ``border``, pixels of zeros around the images, in
    place of ``padding``. ValueError for strides, dilation, groups or channels that come first;
    for images or kernels that are not square, or leave no pixel.
    """

    def convolution_op(self, inputs, kernel):
        side, size = _side(inputs), self.kernel_size[0]
        length = side + 2 * self.border
        spectrum = _spectrum(inputs, length, first=self.border)
        products = _multiply(spectrum, _spectrum_of_kernel(kernel, length), conjugate=True)
        return _pixels(products, length, range(length - size + 1))

    def compute_output_shape(self, input_shape):
        batch, rows, columns, channels = input_shape
        padded = batch, rows + 2 * self.border, columns + 2 * self.border, channels
        return super().compute_output_shape(padded)


@keras.saving.register_keras_serializable(package="ann_keras")
class FourierConv2DTranspose(_Bordered, keras.layers.Conv2DTranspose):
    """``keras.layers.Conv2DTranspose`` of stride 1, through the Fourier domain.

    As ``FourierConv2D``, but ``border`` is cut off around the outputs, as PyTorch's ``padding`` is.
    """

    def call(self, inputs):
        length = _side(inputs) + self.kernel_size[0] - 1
        if length <= 2 * self.border:
            raise ValueError(f"a border of {self.border} leaves nothing of {length} pixels")
        kernel = tf.transpose(self.kernel, (0, 1, 3, 2))
        products = _multiply(_spectrum(inputs, length), _spectrum_of_kernel(kernel, length))
        outputs = _pixels(products, length, range(self.border, length - self.border))
        if self.use_bias:
            outputs += self.bias
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        batch, rows, columns, filters = super().compute_output_shape(input_shape)
        return batch, rows - 2 * self.border, columns - 2 * self.border, filters


def _side(inputs):
    _, rows, columns, _ = inputs.shape
    if rows != columns or rows is None:
        raise ValueError(f"images must be square, got {rows} × {columns}")
    return rows


def frequencies(length):
    """Half of the frequencies of squares of real pixels; the others are their conjugates.

    Returns:
        The frequencies, whole numbers (f, 2), and how often each counts, 1 or 2, (f,).
    """
    chosen, weights = [], []
    for pair in np.ndindex(length, length):
        mirrored = tuple(-np.array(pair) % length)
        if mirrored >= pair:
            chosen.append(pair)
            weights.append(1 if mirrored == pair else 2)
    return np.array(chosen), np.array(weights)


def _waves(length, positions):
    """Cosines and negative sines of the frequencies at square positions, (f, 2, positions²)."""
    places = np.stack(np.meshgrid(positions, positions, indexing="ij"), -1).reshape(-1, 2)
    angles = 2 * np.pi / length * (frequencies(length)[0] @ places.T)
    return np.stack([np.cos(angles), -np.sin(angles)], axis=1)


def _spectrum(images, length, first=0):
    """Images (n, side, side, channels) → (f, n, 2 · channels), real parts first."""
    side, channels = images.shape[1], images.shape[-1]
    waves = _waves(length, range(first, first + side))
    pixels = tf.reshape(images, (-1, side**2, channels))
    found = tf.matmul(tf.constant(waves.reshape(-1, side**2), images.dtype), pixels)
    return tf.transpose(tf.reshape(found, (-1, len(waves), 2 * channels)), (1, 0, 2))


def _spectrum_of_kernel(kernel, length):
    """Kernel (size, size, channels, filters) → real and imaginary parts (f, channels, filters)."""
    size, _, channels, filters = kernel.shape
    waves = _waves(length, range(size))
    found = tf.matmul(tf.constant(waves.reshape(-1, size**2), kernel.dtype),
                      tf.reshape(kernel, (size**2, channels * filters)))
    return tf.unstack(tf.reshape(found, (len(waves), 2, channels, filters)), axis=1)


def _multiply(spectrum, kernel, conjugate=False):
    """Complex product of channels at each frequency, (f, n, 2 · filters), real parts first."""
    real, imaginary = kernel
    if conjugate:
        imaginary = -imaginary
    rows = tf.concat([real, imaginary], 2), tf.concat([-imaginary, real], 2)
    return tf.matmul(spectrum, tf.concat(rows, 1))


def _pixels(products, length, positions):
    """Spectrum (f, n, 2 · filters) → images at square positions, (n, side, side, filters)."""
    number, filters, side = products.shape[0], products.shape[2] // 2, len(positions)
    weights = frequencies(length)[1] / length**2
    waves = (_waves(length, positions) * weights[:, np.newaxis, np.newaxis]).reshape(-1, side**2)
    rows = tf.reshape(tf.transpose(products, (1, 0, 2)), (-1, 2 * number, filters))
    pixels = tf.matmul(tf.constant(waves.T, products.dtype), rows)
    return tf.reshape(pixels, (-1, side, side, filters))
