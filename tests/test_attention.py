import numpy as np
import pytest

import keras
from ann_keras.layers.attention import SelfAttention, scaled_dot_product_attention

BATCH, TOKENS, DIM, HEADS = 3, 5, 16, 4


@pytest.fixture
def tokens():
    return np.random.default_rng(0).normal(size=(BATCH, TOKENS, DIM)).astype("float32")


def split_heads(layer, tokens):
    """Queries, keys and values of a layer, each (batch, N, heads, head_dim), in NumPy."""
    kernel = keras.ops.convert_to_numpy(layer.projection.kernel)
    parts = np.split(tokens @ kernel, 3, axis=-1)
    return [part.reshape(*tokens.shape[:2], layer.heads, -1) for part in parts]


def project_output(layer, outputs):
    """(batch, N, heads, head_dim) → (batch, N, dim) with the layer's last projection."""
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in layer.output_projection.weights)
    return outputs.reshape(*outputs.shape[:2], -1) @ kernel + bias


def test_numpy_attention_of_one_query_by_hand():
    output, weights = scaled_dot_product_attention([[1.0, 0.0]], np.eye(2), [[2.0], [4.0]])
    first = np.exp(1 / np.sqrt(2)) / (np.exp(1 / np.sqrt(2)) + 1)
    np.testing.assert_allclose(weights, [[first, 1 - first]])
    np.testing.assert_allclose(output, [[2 * first + 4 * (1 - first)]])


def test_numpy_attention_rows_sum_to_one_for_large_scores():
    queries = 1e4 * np.random.default_rng(1).normal(size=(2, 4, 3))
    output, weights = scaled_dot_product_attention(queries, queries, queries)
    assert output.shape == (2, 4, 3)
    np.testing.assert_allclose(weights.sum(axis=-1), 1)


def test_numpy_attention_rejects_unequal_sizes():
    with pytest.raises(ValueError):
        scaled_dot_product_attention(np.ones((4, 3)), np.ones((4, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError):
        scaled_dot_product_attention(np.ones((4, 3)), np.ones((4, 3)), np.ones((5, 3)))


@pytest.mark.parametrize("scale", [None, 0.25, DIM**-0.5])
def test_layer_equals_numpy_and_keras_ops(tokens, scale):
    layer = SelfAttention(HEADS, scale=scale, bias_initializer="random_normal")
    outputs, weights = map(keras.ops.convert_to_numpy, layer(tokens, return_attention=True))
    queries, keys, values = split_heads(layer, tokens)

    by_head = [np.swapaxes(part, 1, 2) for part in (queries, keys, values)]
    expected, expected_weights = scaled_dot_product_attention(*by_head, scale=scale)
    expected = project_output(layer, np.swapaxes(expected, 1, 2))
    np.testing.assert_allclose(outputs, expected, atol=1e-6)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-6)

    reference = keras.ops.nn.dot_product_attention(queries, keys, values, scale=scale)
    reference = project_output(layer, keras.ops.convert_to_numpy(reference))
    np.testing.assert_allclose(outputs, reference, atol=1e-6)


def test_attention_rows_sum_to_one(tokens):
    _, weights = SelfAttention(HEADS)(tokens, return_attention=True)
    weights = keras.ops.convert_to_numpy(weights)
    assert weights.shape == (BATCH, HEADS, TOKENS, TOKENS)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)


def test_permuted_tokens_give_permuted_outputs(tokens):
    layer = SelfAttention(HEADS)
    order = [3, 0, 4, 1, 2]
    outputs = keras.ops.convert_to_numpy(layer(tokens))
    permuted = keras.ops.convert_to_numpy(layer(tokens[:, order]))
    np.testing.assert_allclose(permuted, outputs[:, order], atol=1e-6)


def test_parameters_and_kernels_drawn_apart(tokens):
    layer = SelfAttention(HEADS, kernel_initializer=keras.initializers.RandomNormal())
    layer(tokens)
    assert layer.count_params() == 4 * DIM**2 + DIM
    first, second = layer.projection.kernel, layer.output_projection.kernel
    first, second = map(keras.ops.convert_to_numpy, (first, second))
    for part in (first[:, :DIM], first[:, -DIM:]):
        assert abs(np.corrcoef(part.ravel(), second.ravel())[0, 1]) < 0.5


def test_config_survives_a_round_trip():
    layer = SelfAttention(HEADS, scale=0.3, kernel_initializer="he_normal", name="attention")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    assert (copy.heads, copy.scale) == (HEADS, 0.3)


def test_errors(tokens):
    with pytest.raises(ValueError, match="16 is not divisible by the number of heads 3"):
        SelfAttention(3)(tokens)
    with pytest.raises(ValueError, match="at least 1"):
        SelfAttention(0)
