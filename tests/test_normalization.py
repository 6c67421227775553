"""Batch normalisation by the fused kernel: Keras' outputs and gradients, PyTorch's statistics."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.layers.normalization import FusedBatchNormalization

OPTIONS = {"momentum": 0.7, "epsilon": 1e-3}


def layers(shape=(5, 4, 3, 6)):
    """The layer and Keras' own with the same weights, and inputs."""
    random = np.random.default_rng(0)
    x = random.normal(2.0, 3.0, shape).astype(np.float32)
    ours, keras_own = FusedBatchNormalization(**OPTIONS), keras.layers.BatchNormalization(**OPTIONS)
    for layer in (ours, keras_own):
        layer.build(x.shape)
    weights = [random.uniform(0.5, 2.0, w.shape) for w in ours.weights]
    for layer in (ours, keras_own):
        layer.set_weights(weights)
    return ours, keras_own, tf.constant(x)


def test_outputs_and_gradients_in_training_are_as_in_keras():
    ours, keras_own, x = layers()
    weighting = tf.constant(np.random.default_rng(1).normal(size=x.shape).astype(np.float32))
    results = []
    for layer in (ours, keras_own):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=True)
            loss = tf.reduce_sum(outputs**2 * weighting)
        sources = [x, layer.gamma.value, layer.beta.value]
        results.append([outputs, *tape.gradient(loss, sources)])
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)


def test_moving_statistics_take_the_mean_and_the_unbiased_variance():
    ours, _, x = layers()
    mean, variance = np.array(ours.moving_mean), np.array(ours.moving_variance)
    ours(x, training=True)
    rows = x.numpy().reshape(-1, 6)
    np.testing.assert_allclose(ours.moving_mean, 0.7 * mean + 0.3 * rows.mean(0), rtol=1e-5)
    expected = 0.7 * variance + 0.3 * rows.var(0, ddof=1)
    np.testing.assert_allclose(ours.moving_variance, expected, rtol=1e-5)


@pytest.mark.parametrize("frozen", [False, True])
def test_outside_of_training_moving_statistics_are_used_and_kept(frozen):
    ours, keras_own, x = layers()
    ours.trainable = keras_own.trainable = not frozen
    before = [np.array(weight) for weight in ours.weights]
    # A frozen layer normalises by its moving statistics in training too.
    np.testing.assert_allclose(
        ours(x, training=frozen), keras_own(x, training=frozen), rtol=1e-6
    )
    for old, new in zip(before, ours.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_saves_and_loads(tmp_path):
    model = keras.Sequential([keras.Input((4, 3, 6)), FusedBatchNormalization(**OPTIONS)])
    x = layers()[2]
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.layers[0], FusedBatchNormalization)
    assert loaded.layers[0].momentum == 0.7
    np.testing.assert_array_equal(loaded(x), model(x))


@pytest.mark.parametrize("options, message", [
    ({"axis": 1}, "last axis"), ({"center": False}, "centres"), ({"renorm": True}, "renorm"),
])
def test_rejects_what_the_kernel_does_not_have(options, message):
    with pytest.raises(ValueError, match=message):
        FusedBatchNormalization(**options)


def test_rejects_rows():
    with pytest.raises(ValueError, match="height, width, channels"):
        FusedBatchNormalization().build((None, 6))
