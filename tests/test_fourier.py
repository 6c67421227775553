"""Convolutions through the Fourier domain against those of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.layers.fourier import FourierConv2D, FourierConv2DTranspose, frequencies


def pair(kind, side, size, border, channels=3, filters=4):
    """The layer, Keras' own with the same weights, and images."""
    images = np.random.default_rng(0).normal(size=(5, side, side, channels)).astype(np.float32)
    if kind == "convolution":
        ours = FourierConv2D(filters, size, border=border, activation="tanh")
        plain = keras.Sequential([
            keras.layers.ZeroPadding2D(border),
            keras.layers.Conv2D(filters, size, activation="tanh"),
        ])
    else:
        ours = FourierConv2DTranspose(filters, size, border=border, activation="tanh")
        plain = keras.Sequential([
            keras.layers.Conv2DTranspose(filters, size, activation="tanh"),
            keras.layers.Cropping2D(border),
        ])
    plain(images)
    ours(images)
    bias = np.linspace(-1, 1, filters)
    plain.set_weights([plain.get_weights()[0], bias])
    ours.set_weights(plain.get_weights())
    return ours, plain, tf.constant(images)


CASES = [("convolution", 7, 5, 1), ("convolution", 6, 3, 0), ("convolution", 4, 4, 2),
         ("transposed", 5, 5, 1), ("transposed", 4, 3, 0), ("transposed", 1, 6, 2)]


@pytest.mark.parametrize("kind, side, size, border", CASES)
def test_outputs_and_gradients_are_those_of_keras(kind, side, size, border):
    found, (ours, plain, images) = [], pair(kind, side, size, border)
    for layer in (ours, plain):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images)
            loss = tf.reduce_sum(outputs * tf.sin(3 * outputs))
        gradients = tape.gradient(loss, [images, *layer.trainable_variables])
        found.append([outputs, *gradients])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind, side, size, border", CASES[:1] + CASES[3:4])
def test_saved_and_loaded_in_a_model(kind, side, size, border, tmp_path):
    ours, plain, images = pair(kind, side, size, border)
    inputs = keras.Input(images.shape[1:])
    model = keras.Model(inputs, ours(inputs))
    assert model.output_shape[1:] == plain.output_shape[1:]
    assert model.count_params() == plain.count_params()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(images), plain(images), atol=2e-5)


@pytest.mark.parametrize("layer", [FourierConv2D, FourierConv2DTranspose])
def test_what_it_cannot_do_is_refused(layer):
    with pytest.raises(ValueError, match="no strides, dilation or groups"):
        layer(4, 3, strides=2)
    with pytest.raises(ValueError, match="channels come last"):
        layer(4, 3, data_format="channels_first")
    with pytest.raises(ValueError, match="border must be at least 0 .* got -1"):
        layer(4, 3, border=-1)
    with pytest.raises(ValueError, match="kernel square"):
        layer(4, (3, 5))
    with pytest.raises(ValueError, match="images must be square, got 4 × 5"):
        layer(4, 3)(np.zeros((1, 4, 5, 2), np.float32))


def test_nothing_left_is_refused():
    images = np.zeros((1, 4, 4, 2), np.float32)
    with pytest.raises(ValueError, match="zero or negative"):
        FourierConv2D(4, 7, border=1)(images)
    with pytest.raises(ValueError, match="a border of 3 leaves nothing of 6 pixels"):
        FourierConv2DTranspose(4, 3, border=3)(images)


@pytest.mark.parametrize("length, number", [(1, 1), (4, 10), (5, 13), (9, 41)])
def test_half_of_the_frequencies_count_for_all(length, number):
    chosen, counts = frequencies(length)
    assert chosen.shape == (number, 2) and counts.sum() == length**2
