"""Task 3.2.1: a convolution by hand, the size of its output, and what sharing weights saves.

The report convolves a 4×4 matrix with a 2×2 kernel, gives the formula of the output size and says
that convnets have far fewer parameters than fully connected networks. Here the convolution is done
in three ways, the formula is compared with Keras over a grid, and both convnets with dense layers.

    python scripts/task_3_2_1.py                     a few seconds
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from ann_keras import command, models
from ann_keras.report import published, tables

MATRIX = np.array([[2, 5, 4, 1], [3, 1, 2, 0], [4, 5, 7, 1], [1, 2, 3, 4]], np.float32)
KERNEL = np.array([[1, 0], [0, 1]], np.float32)
STRIDE = 2


@dataclass(frozen=True)
class Settings:
    largest_input: int = 12  # ours: n of the grid, from 1 on
    largest_kernel: int = 6  # ours: m
    largest_padding: int = 3  # ours: P, from 0 on
    largest_stride: int = 4  # ours: S
    seeds: int = 1  # counting needs no more


PRESETS = {
    "smoke": Settings(largest_input=5, largest_kernel=3, largest_padding=1, largest_stride=2),
    "quick": Settings(),
    "report": Settings(),
}


def run(task, settings):
    results, known = convolve(), np.empty((2, 2))
    for row, column in np.ndindex(2, 2):
        name = f"convolution/row_{row + 1}/column_{column + 1}"
        task.measure(name, results["NumPy"][row, column])
        known[row, column] = published.value("3.2.1", name).value
    sizes = compare_sizes(settings)
    task.table("output_sizes", ["n", "m", "P", "S", "formula", "Keras"],
               [["none" if cell is None else cell for cell in row] for row in sizes])
    task.measure("output_size/cases", len(sizes))
    task.measure("output_size/differing", sum(row[-2] != row[-1] for row in sizes), better="lower")
    networks = [models.cnn.strided_convnet(), models.cnn.pooled_convnet()]
    layers = [row for model in networks for row in convolutions(model)]
    columns = ["network", "inputs", "outputs", "convolution", "dense layer of equal size"]
    print(tables.text(columns, layers))
    task.table("parameters", columns, layers)
    totals = {}
    for model in networks:
        shared, dense = (sum(row[i] for row in layers if row[0] == model.name) for i in (3, 4))
        task.measure(f"{model.name}/convolution_parameters", shared, better="lower")
        task.measure(f"{model.name}/dense_parameters", dense)
        totals[model.name] = shared, dense
    task.decide(judge(results, known, sizes, totals))


def convolve():
    """The report's convolution (a cross-correlation) in three ways, each (2, 2)."""
    from keras import ops

    windows = np.lib.stride_tricks.sliding_window_view(MATRIX, KERNEL.shape)
    X, K = MATRIX, KERNEL
    sums = [
        [X[i, j] * K[0, 0] + X[i, j + 1] * K[0, 1]
         + X[i + 1, j] * K[1, 0] + X[i + 1, j + 1] * K[1, 1] for j in (0, 2)]
        for i in (0, 2)
    ]
    keras_result = ops.conv(MATRIX[None, :, :, None], KERNEL[:, :, None, None], strides=STRIDE)
    return {"NumPy": np.einsum("ijkl,kl->ij", windows[::STRIDE, ::STRIDE], KERNEL),
            "Keras": ops.convert_to_numpy(keras_result)[0, :, :, 0],
            "sums by hand": np.array(sums)}


def compare_sizes(settings):
    """Rows of n, m, P, S, the size by equation 4 and in Keras, None where they refuse."""
    def by(function, *case):
        try:
            return function(*case)
        except ValueError:
            return None

    grid = itertools.product(
        range(1, settings.largest_input + 1), range(1, settings.largest_kernel + 1),
        range(settings.largest_padding + 1), range(1, settings.largest_stride + 1),
    )
    return [(*case, by(models.cnn.convolution_size, *case), by(size_in_keras, *case))
            for case in grid]


def size_in_keras(n, m, padding, stride):
    from keras import layers

    padded = layers.ZeroPadding2D(padding).compute_output_shape((1, n, n, 1))
    return layers.Conv2D(1, m, strides=stride).compute_output_shape(padded)[1]


def convolutions(model):
    """Rows of a network's name, inputs, outputs and parameters of each convolution, and the
    parameters of a dense layer from as many inputs to as many outputs."""
    import keras

    rows, inputs = [], 0
    for layer in model.layers:
        outputs = math.prod(layer.output.shape[1:])
        if isinstance(layer, keras.layers.Conv2D):
            dense = (inputs + 1) * outputs
            rows.append((model.name, inputs, outputs, layer.count_params(), dense))
        if not isinstance(layer, keras.layers.ZeroPadding2D):  # its zeros are no inputs
            inputs = outputs
    return rows


def judge(results, known, sizes, totals):
    """What the claims are judged by: convolutions (2, 2) by way and the published one, rows of
    ``compare_sizes``, parameters of the convolutions and of dense layers in their place."""
    return {
        "3.2.1-a": {"result": {way: np.array_equal(result, known)
                               for way, result in results.items()}},
        "3.2.1-b": {"sizes": all(row[-2] == row[-1] for row in sizes)},
        "3.2.1-c": {"fewer": {name: dense > 10 * shared
                              for name, (shared, dense) in totals.items()}},
    }


if __name__ == "__main__":
    command.main("3.2.1", run, PRESETS, __doc__)
