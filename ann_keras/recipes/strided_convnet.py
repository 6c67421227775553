"""The strided convnet of task 3.2.2 on part of MNIST."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import data, models, training
from ann_keras.recipes.fields import adam, from_zero


@dataclass(frozen=True)
class Recipe:
    """Blocks of the network, and how it is trained by Adam; by default as published."""

    filters: tuple[int, ...] = (16, 32, 32, 64)  # report: of each block's convolution
    kernel_sizes: tuple[int, ...] = (4, 4, 3, 2)  # report: side of each block's kernel, in pixels
    paddings: tuple[int, ...] = from_zero((2, 1, 1, 0))  # report: rows of zeros around each input
    dropout: tuple[float, ...] = (0.2, 0.4, 0.4, 0.0)  # report: share dropped after each block
    strides: tuple[int, ...] = (2, 2)  # report: pixels a step of the first kernels; others take 1
    activation: Literal["relu", "elu", "gelu", "tanh", "sigmoid"] = "relu"  # report: of each block
    batch_norm: bool = True  # report: whether blocks normalise over the batch
    pooling: bool = False  # report: whether blocks pool maxima in place of strides
    images: int = 10_000  # report: training images, drawn at random
    validation: int = 10_000  # ours: of the other training images, to choose the epoch by
    digits: int = 2_000  # report: test images of the published score, drawn at random (D8)
    epochs: int = 20  # report: passes over the training images
    batch_size: int = 100  # report: images a step
    learning_rate: float = 0.001  # report: of Adam
    beta_1: float = 0.9  # report: of Adam, decay of the mean gradient, PyTorch's default
    beta_2: float = 0.999  # report: of Adam, decay of the mean square, PyTorch's default
    epsilon: float = 1e-7  # ours: of Adam, Keras' default; report 1e-8, PyTorch's
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits


# Changes of one factor at a time. Paddings follow the kernels, so that all sizes stay as
# published; two more blocks like the third come after it.
VARIANTS = {
    "filters": {"half the filters": {"filters": (8, 16, 16, 32)},
                "twice the filters": {"filters": (32, 64, 64, 128)}},
    "kernel size": {"smaller kernels": {"kernel_sizes": (2, 2, 1, 2), "paddings": (1, 0, 0, 0)},
                    "larger kernels": {"kernel_sizes": (6, 6, 5, 2), "paddings": (3, 2, 2, 0)}},
    "dropout": {"no dropout": {"dropout": (0.0, 0.0, 0.0, 0.0)}},
    "depth": {
        "six blocks": {"filters": (16, 32, 32, 32, 32, 64), "kernel_sizes": (4, 4, 3, 3, 3, 2),
                       "paddings": (2, 1, 1, 1, 1, 0), "dropout": (0.2, 0.4, 0.4, 0.4, 0.4, 0.0)},
    },
    "pooling": {"pooling": {"pooling": True}},
    "activation": {"sigmoid": {"activation": "sigmoid"}, "tanh": {"activation": "tanh"}},
    "batch norm": {"no batch norm": {"batch_norm": False}},
}


def train(recipe, seed):
    """Train the convnet, and score it after each epoch.

    Args:
        seed: decides images, initial weights, dropout and order.

    Returns:
        Dict: "parameters"; (epochs,) each: "loss", "accuracy" (both in training, with dropout),
        "val_accuracy", "subset_test_accuracy" on the recipe's ``digits`` and "test_accuracy" on
        the whole test set; "weights" at the end.

    Raises:
        ValueError: more images than there are, or no such network.
    """
    import keras

    train_data, validation, test, subset = _draw_images(recipe, seed)
    keras.utils.set_random_seed(seed)
    model = network(recipe)
    history = training.compiled.fit(
        model, *train_data, epochs=recipe.epochs, batch_size=recipe.batch_size,
        validation_data=validation, seed=seed,
        callbacks=[keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: logs.update(_test(model, *test, subset))
        )],
    ).history
    names = ("loss", "accuracy", "val_accuracy", "subset_test_accuracy", "test_accuracy")
    return {name: history[name] for name in names} | {
        "parameters": model.count_params(), "weights": models.weights.flatten(model),
    }


def network(recipe):
    """The compiled model of a recipe."""
    model = models.cnn.strided_convnet(filters=recipe.filters, kernel_sizes=recipe.kernel_sizes,
                                       paddings=recipe.paddings, dropout=recipe.dropout,
                                       strides=recipe.strides, activation=recipe.activation,
                                       batch_norm=recipe.batch_norm, pooling=recipe.pooling)
    model.compile(adam(recipe), loss="categorical_crossentropy", metrics=["accuracy"],
                  jit_compile=False)  # XLA is slow at convolutions on CPU
    return model


def _draw_images(recipe, seed):
    """Training, validation and test pairs of images and labels, and rows of the test subset.

    The same images validate whatever the number trained on.
    """
    (x, y), (x_test, y_test) = data.mnist.load(recipe.source)
    if recipe.images + recipe.validation > len(x) or recipe.digits > len(x_test):
        raise ValueError(
            f"{recipe.images} training and {recipe.validation} validation images of {len(x)}, "
            f"{recipe.digits} test images of {len(x_test)}: there are not as many"
        )
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(x))
    subset = generator.choice(len(x_test), recipe.digits, replace=False)
    train_data, validation = (
        (data.mnist.scale(x[rows]), data.mnist.one_hot(y[rows]))
        for rows in (order[: recipe.images], order[len(x) - recipe.validation :])
    )
    return train_data, validation, (data.mnist.scale(x_test), y_test), subset


def _test(model, images, labels, subset):
    """Accuracy on all test images and on a subset of them."""
    right = model.predict(images, batch_size=1000, verbose=0).argmax(axis=1) == labels
    return {"test_accuracy": float(right.mean()),
            "subset_test_accuracy": float(right[subset].mean())}
