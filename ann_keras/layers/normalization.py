"""Batch normalisation by TensorFlow's fused kernel."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ann_keras")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """``keras.layers.BatchNormalization`` of images, trained by one kernel instead of a dozen.

    Keras 3 composes the layer of separate operations, which on CPU takes about five times as
    long, forward and backward. Outputs in training are the same, and outside of training
    everything is Keras'. The moving variance takes the batch's unbiased variance, as PyTorch's
    does; Keras' layer takes the biased one.

    Raises:
        ValueError: options that the kernel lacks (it normalises the last axis, and learns mean and
            scale), or inputs not (n, height, width, channels).
    """

    def __init__(self, **options):
        super().__init__(**options)
        plain = self.center and self.scale and not (self.renorm or self.synchronized)
        if self.axis != -1 or not plain:
            raise ValueError("the fused kernel normalises the last axis, without renorm or sync, "
                             "and always centres and scales")

    def build(self, input_shape):
        if len(input_shape) != 4:
            raise ValueError(f"inputs must be (n, height, width, channels), got {input_shape}")
        super().build(input_shape)

    def call(self, inputs, training=None, mask=None):
        if not training or not self.trainable:
            return super().call(inputs, training=training, mask=mask)
        # Empty mean and variance: those of the batch.
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=self.gamma.value, offset=self.beta.value, mean=[], variance=[],
            epsilon=self.epsilon, is_training=True,
        )
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(self.momentum * moving.value + (1 - self.momentum) * new)
        return outputs
