"""Scaled dot-product self-attention, once in NumPy and once as a Keras layer.

Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, equation 1:

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V

Shapes are written with N tokens, d_k features of queries and keys, d_v features of values.
"""

import keras
import numpy as np
from keras import ops
from scipy.special import softmax


def scaled_dot_product_attention(queries, keys, values, scale=None):
    """Attention of equation 1 in NumPy, in the precision of its arguments.

    Args:
        queries, keys, values: arrays (..., N, d_k), (..., M, d_k) and (..., M, d_v).
        scale: factor on the scores Q Kᵀ; None stands for 1/√d_k.

    Returns:
        The output (..., N, d_v) and the attention weights (..., N, M), whose rows sum to one;
        ValueError where shapes do not fit.
    """
    queries, keys, values = np.asarray(queries), np.asarray(keys), np.asarray(values)
    if scale is None:
        scale = queries.shape[-1] ** -0.5
    weights = softmax(queries @ np.swapaxes(keys, -1, -2) * scale, axis=-1)  # (..., N, M)
    return weights @ values, weights


@keras.saving.register_keras_serializable(package="ann_keras")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention: (batch, N, dim) → (batch, N, dim).

    One projection without bias makes queries, keys and values of all heads (dim → 3·dim, laid
    out as queries, keys, values, each head after head); the heads' outputs are concatenated
    and projected once more, with bias. Each head works on dim / heads features.

    Args:
        heads: number of heads; must divide dim.
        scale: factor on the scores Q Kᵀ; None stands for 1/√(dim / heads), as in equation 1.
        kernel_initializer, bias_initializer: of both kernels, and of the output projection's bias.
    """

    def __init__(
        self, heads, *, scale=None, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if heads < 1:
            raise ValueError(f"heads must be at least 1, not {heads}")
        self.heads, self.scale = heads, scale
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        dim = input_shape[-1]
        if dim % self.heads:
            raise ValueError(f"dim {dim} is not divisible by the number of heads {self.heads}")
        self.projection = keras.layers.Dense(
            3 * dim, use_bias=False, kernel_initializer=_fresh(self.kernel_initializer),
            dtype=self.dtype_policy, name="queries_keys_values",
        )
        self.projection.build(input_shape)
        self.output_projection = keras.layers.Dense(
            dim, kernel_initializer=_fresh(self.kernel_initializer),
            bias_initializer=self.bias_initializer, dtype=self.dtype_policy, name="output",
        )
        self.output_projection.build(input_shape)

    def call(self, inputs, return_attention=False):
        """Attend; with `return_attention` also return the weights (batch, heads, N, N)."""
        tokens, dim = inputs.shape[-2:]
        head_dim = dim // self.heads
        scale = head_dim**-0.5 if self.scale is None else self.scale

        projected = self.projection(inputs)  # (batch, N, 3·dim)
        projected = ops.reshape(projected, (-1, tokens, 3, self.heads, head_dim))
        projected = ops.transpose(projected, (2, 0, 3, 1, 4))  # (3, batch, heads, N, head_dim)
        queries, keys, values = projected[0], projected[1], projected[2]

        scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2))) * scale
        weights = ops.softmax(scores, axis=-1)  # (batch, heads, N, N)
        outputs = ops.matmul(weights, values)  # (batch, heads, N, head_dim)
        outputs = ops.transpose(outputs, (0, 2, 1, 3))
        outputs = self.output_projection(ops.reshape(outputs, (-1, tokens, dim)))
        return (outputs, weights) if return_attention else outputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "heads": self.heads,
            "scale": self.scale,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


def _fresh(initializer):
    """A copy with a seed of its own, so that two kernels are not drawn alike."""
    return keras.initializers.deserialize(keras.initializers.serialize(initializer))
