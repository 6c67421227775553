"""Task 3.3.1: the shapes in scaled dot-product attention, and its arithmetic in three ways.

The report writes Q, K and V as projections of N tokens, Q Kᵀ and its softmax as N×N matrices and
the output as N×d_v. Here NumPy, this project's layer and Keras' own function compute them, the
attention behind the report, which clips all scores to one value (D19), stands beside it, and the 16
patches of a digit attend to each other.

    python scripts/task_3_3_1.py                     a few seconds
"""

import itertools
from dataclasses import dataclass

import numpy as np

from ann_keras import command, data, layers, plots
from ann_keras.report import tables

PATCH = 7  # pixels; 16 patches an image, as in task 3.3.2


@dataclass(frozen=True)
class Settings:
    tokens: tuple[int, ...] = (2, 5, 17)  # ours: N
    embedding: int = 12  # ours: d_e
    key_features: tuple[int, ...] = (3, 8)  # ours: d_k
    value_features: tuple[int, ...] = (4, 9)  # ours: d_v
    seeds: int = 5  # ours: of tokens and weights


PRESETS = {"smoke": Settings(seeds=1), "quick": Settings(), "report": Settings()}


def run(task, settings):
    embedding = settings.embedding
    cases = [*itertools.product(settings.tokens, settings.key_features, settings.value_features)]
    found, rows = [], []
    for tokens, d_k, d_v in cases:
        Q, K, V = project(0, tokens, embedding, d_k, d_v)
        output, weights = layers.attention.scaled_dot_product_attention(Q, K, V)
        arrays = {"Q": Q, "K": K, "V": V, "Q Kᵀ": Q @ K.T, "softmax": weights, "output": output}
        shapes = [array.shape for array in arrays.values()]
        square = (tokens, tokens)
        found.append((shapes, [(tokens, d_k), (tokens, d_k), (tokens, d_v), square, square,
                               (tokens, d_v)]))
        rows.append([tokens, d_k, d_v, *("×".join(map(str, shape)) for shape in shapes)])
    columns = ["N", "d_k", "d_v", *arrays]
    print(tables.text(columns, rows))
    task.table("shapes", columns, rows)

    differences = {
        "function": [max(compare_function(*project(seed, tokens, embedding, d_k, d_v))
                         for tokens, d_k, d_v in cases) for seed in task.seeds],
        "layer": [max(compare_layer(seed, tokens) for tokens in settings.tokens)
                  for seed in task.seeds],
    }
    for name, values in differences.items():
        task.measure(f"numpy_against_keras_{name}/max_difference", values, better="lower")
    show_clipping(task, [project(seed, tokens, embedding, d_k, d_v) for seed in task.seeds])
    draw(task)
    task.decide(judge(found))


def judge(found):
    """What the claim is judged by: pairs of all arrays' shapes, computed and as written."""
    return {"3.3.1-a": {"shapes": all(shapes == written for shapes, written in found)}}


def project(seed, tokens, embedding, d_k, d_v):
    """Equation 5 on random tokens: Q, K and V."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(tokens, embedding)).astype(np.float32)
    return [inputs @ (random.normal(size=(embedding, features)) / embedding**0.5).astype(np.float32)
            for features in (d_k, d_k, d_v)]


def clipped_attention(queries, keys, values):
    """The attention behind the report (D19): output and weights.

    Its clip has the lower bound above the upper one, so that all scores become −100.
    """
    scores = np.exp(np.clip(queries @ keys.T / queries.shape[-1] ** 0.5, 100, -100))
    weights = scores / scores.sum(axis=-1, keepdims=True)
    return weights @ values, weights


def show_clipping(task, projections):
    """How far weights and rows of the output lie apart, as written and as clipped."""
    for name, attention, deviation in (
        ("as_written", layers.attention.scaled_dot_product_attention, None),
        ("clipped", clipped_attention, "D19"),
    ):
        results = [attention(*arrays) for arrays in projections]
        for measure, values in (
            ("weights", [np.ptp(weights) for _, weights in results]),
            ("output_rows", [np.ptp(output, axis=0).max() for output, _ in results]),
        ):
            task.measure(f"{name}/{measure}/largest_difference", values, deviation=deviation)


def compare_function(queries, keys, values):
    """Largest difference between Keras' function and the same in NumPy."""
    from keras import ops

    # (batch, N, heads, features) is the layout that Keras wants.
    in_keras = ops.nn.dot_product_attention(
        *(ops.convert_to_tensor(array[None, :, None]) for array in (queries, keys, values))
    )
    output, _ = layers.attention.scaled_dot_product_attention(queries, keys, values)
    return float(np.abs(ops.convert_to_numpy(in_keras)[0, :, 0] - output).max())


def compare_layer(seed, tokens, dim=16):
    """Largest difference between ``SelfAttention`` with one head and the same in NumPy."""
    import keras

    keras.utils.set_random_seed(seed)
    layer = layers.attention.SelfAttention(1, bias_initializer="random_normal")
    inputs = np.random.default_rng(seed).normal(size=(1, tokens, dim)).astype(np.float32)
    in_keras = keras.ops.convert_to_numpy(layer(inputs))
    joint, kernel, bias = layer.get_weights()
    output, _ = layers.attention.scaled_dot_product_attention(*np.split(inputs @ joint, 3, axis=-1))
    return float(np.abs(output @ kernel + bias - in_keras).max())


def draw(task):
    """Attention of a digit's patches with Q = K = V = X: a patch looks at patches like itself."""
    (images, _), _ = data.mnist.load("sample")
    image = data.mnist.scale(images[:1])[0, :, :, 0]
    across = len(image) // PATCH
    patches = image.reshape(across, PATCH, across, PATCH).swapaxes(1, 2).reshape(-1, PATCH**2)
    output, weights = layers.attention.scaled_dot_product_attention(patches, patches, patches)
    result = output.reshape(across, across, PATCH, PATCH).swapaxes(1, 2).reshape(image.shape)

    with plots.figure(task, "attention_of_patches", 3, width=11, height=3.9) as axes:
        for number, (row, column) in enumerate(np.ndindex(across, across), start=1):
            axes[0].text(column * PATCH, row * PATCH, number, color="C3", va="top")
        edges = np.arange(0, len(image) + 1, PATCH) - 0.5
        for panel, pixels, title in (
            (axes[0], image, f"input: N = {len(patches)} patches"),
            (axes[2], result, "output, N×$d_v$, put back in place"),
        ):
            panel.imshow(pixels, cmap="gray_r", vmin=0, vmax=1)
            panel.set(title=title, xticks=edges, yticks=edges, xticklabels=[], yticklabels=[])
            panel.grid(color="C3", alpha=0.6)
        shades = axes[1].imshow(weights, vmin=0)
        ticks = np.arange(0, len(patches), 3)
        axes[1].set(title="softmax(Q Kᵀ / √$d_k$), N×N", xlabel="key: patch", ylabel="query: patch",
                    xticks=ticks, xticklabels=ticks + 1, yticks=ticks, yticklabels=ticks + 1)
        axes[1].grid(False)
        axes[1].figure.colorbar(shades, ax=axes[1], shrink=0.8)


if __name__ == "__main__":
    command.main("3.3.1", run, PRESETS, __doc__)
