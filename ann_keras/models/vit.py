"""The vision transformer of task 3.3.2, for 28×28 digits.

Source: Dosovitskiy et al., "An Image Is Worth 16x16 Words", ICLR 2021, with the changes of
the published run: positions and class token drawn from N(0, 1), no layer normalisation before
the head, a head of two layers, and scores scaled by dim^(-1/2) (deviation D9).

The model takes pixels as floats (batch, 28, 28, 1) and returns logits (batch, classes). It is
written with keras.ops alone and trains under every Keras backend.
"""

import keras
from keras import ops

from ann_keras.layers.attention import SelfAttention
from ann_keras.layers.initializers import pytorch_uniform


@keras.saving.register_keras_serializable(package="ann_keras")
class Patches(keras.layers.Layer):
    """Cut images into square patches, row by row.

    (batch, height, width, channels) → (batch, patches, patch_size² · channels)
    """

    def __init__(self, patch_size, **kwargs):
        super().__init__(**kwargs)
        self.patch_size = patch_size

    def call(self, images):
        size = self.patch_size
        height, width, channels = images.shape[1:]
        rows, columns = height // size, width // size
        patches = ops.reshape(images, (-1, rows, size, columns, size, channels))
        patches = ops.transpose(patches, (0, 1, 3, 2, 4, 5))
        return ops.reshape(patches, (-1, rows * columns, size * size * channels))

    def get_config(self):
        return {**super().get_config(), "patch_size": self.patch_size}


@keras.saving.register_keras_serializable(package="ann_keras")
class ClassToken(keras.layers.Layer):
    """Put one learned token before the others: (batch, N, dim) → (batch, N + 1, dim)."""

    def build(self, input_shape):
        self.token = self.add_weight(
            shape=(1, 1, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="token",
        )

    def call(self, tokens):
        token = ops.broadcast_to(self.token, (ops.shape(tokens)[0], 1, tokens.shape[-1]))
        return ops.concatenate([ops.cast(token, tokens.dtype), tokens], axis=1)


@keras.saving.register_keras_serializable(package="ann_keras")
class Positions(keras.layers.Layer):
    """Add a learned vector to each position: (batch, N, dim) → (batch, N, dim)."""

    def build(self, input_shape):
        self.positions = self.add_weight(
            shape=(1, *input_shape[1:]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="positions",
        )

    def call(self, tokens):
        return tokens + ops.cast(self.positions, tokens.dtype)


def vision_transformer(dim, depth, mlp_dim, *, heads=8, patch_size=7, attention_scale="model"):
    """Build the vision transformer; (64, 6, 128) has 213,642 parameters, (128, 8, 128) 820,106.

    Args:
        dim, depth: features of a token, and blocks of self-attention and two-layer perceptron.
        mlp_dim: hidden units of the blocks' perceptrons and of the head.
        heads, patch_size: attention heads, which must divide dim, and the side of a patch in
            pixels, which must divide 28.
        attention_scale: "model" scales the scores by dim^(-1/2), as published (D9); "head" by
            (dim / heads)^(-1/2), as in the formula of task 3.3.1.

    Returns:
        A Functional Keras model, (batch, 28, 28, 1) → (batch, 10); its dense layers start as
        PyTorch's do, as published.

    Raises:
        ValueError: a size below one or that does not divide another, or an unknown scale.
    """
    if min(dim, depth, mlp_dim, heads, patch_size) < 1:
        raise ValueError("all sizes of a vision transformer must be at least 1")
    if 28 % patch_size:
        raise ValueError(f"patch_size {patch_size} does not divide 28")
    if attention_scale not in ("model", "head"):
        raise ValueError(f'attention_scale must be "model" or "head", not {attention_scale!r}')
    scale = (dim if attention_scale == "model" else dim // heads) ** -0.5

    # Keras' "gelu" is the exact one, with the error function.
    def dense(units, fan_in, name, activation=None):
        return keras.layers.Dense(units, activation, name=name, **pytorch_uniform(fan_in))

    def normalization(name):  # of PyTorch's epsilon; Keras' own default is 1e-3
        return keras.layers.LayerNormalization(epsilon=1e-5, name=name)

    images = keras.Input((28, 28, 1), name="images")
    tokens = Patches(patch_size, name="patches")(images)
    tokens = dense(dim, patch_size**2, "patch_embedding")(tokens)
    tokens = ClassToken(name="class_token")(tokens)
    tokens = Positions(name="positions")(tokens)
    for block in range(1, depth + 1):
        normalised = normalization(f"block_{block}_attention_norm")(tokens)
        attended = SelfAttention(
            heads, scale=scale, name=f"block_{block}_attention", **pytorch_uniform(dim)
        )(normalised)
        tokens = keras.layers.Add(name=f"block_{block}_attention_sum")([tokens, attended])
        hidden = normalization(f"block_{block}_mlp_norm")(tokens)
        hidden = dense(mlp_dim, dim, f"block_{block}_mlp_hidden", "gelu")(hidden)
        hidden = dense(dim, mlp_dim, f"block_{block}_mlp_output")(hidden)
        tokens = keras.layers.Add(name=f"block_{block}_mlp_sum")([tokens, hidden])
    hidden = dense(mlp_dim, dim, "head_hidden", "gelu")(tokens[:, 0])
    logits = dense(10, mlp_dim, "logits")(hidden)
    return keras.Model(images, logits, name="vision_transformer")


def attention_maps(model, images):
    """Attention weights of every block, (depth, batch, heads, N, N).

    Row 0 of a map tells where the class token looks; columns 1 to N - 1 are the patches.
    """
    layers = [layer for layer in model.layers if isinstance(layer, SelfAttention)]
    if not layers:
        raise ValueError(f"model {model.name!r} has no self-attention")
    inputs = keras.Model(model.input, [layer.input for layer in layers])(images)
    inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    maps = [layer(tokens, return_attention=True)[1] for layer, tokens in zip(layers, inputs)]
    return ops.convert_to_numpy(ops.stack(maps))
