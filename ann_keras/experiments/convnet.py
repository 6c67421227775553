"""Training runs of the MNIST convnets of task 3.2.2."""

import keras
import numpy as np

from ann_keras.data import mnist
from ann_keras.experiments.ablation import VARIANTS
from ann_keras.models import cnn
from ann_keras.training import compiled

NETWORKS = {"strided_convnet": cnn.strided_convnet, "pooled_convnet": cnn.pooled_convnet}


def train(
    *,
    network,
    seed,
    training_images,
    validation_images,
    test_images,
    epochs,
    batch_size,
    learning_rate,
    source,
    options=None,
):
    """Train a convnet with Adam, and score it after each epoch.

    Args:
        network: "strided_convnet" or "pooled_convnet".
        seed: decides images, initial weights and order.
        training_images: random ones of the training set.
        validation_images: others of the training set; the same for any number trained on.
        test_images: random ones of the test set, for the published score (D8).
        epochs, batch_size: of the training.
        learning_rate: of Adam.
        source: of ``mnist.load``.
        options: of the network, the published ones if None.

    Returns:
        Dict: "parameters", and (epochs,) each: "loss", "accuracy" (both in training, with
        dropout), "val_accuracy", "subset_test_accuracy" on ``test_images`` and "test_accuracy"
        on the whole test set.

    Raises:
        ValueError: an unknown network, or more images than there are.
    """
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}: choose from {sorted(NETWORKS)}")
    train_data, validation, test, subset = _draw_images(
        seed, training_images, validation_images, test_images, source
    )
    keras.utils.set_random_seed(seed)
    model = NETWORKS[network](**(options or {}))
    compile(model, learning_rate)
    history = compiled.fit(
        model, *train_data, epochs=epochs, batch_size=batch_size, validation_data=validation,
        seed=seed, callbacks=[_TestAccuracy(*test, subset)],
    ).history
    names = ("loss", "accuracy", "val_accuracy", "subset_test_accuracy", "test_accuracy")
    return {name: history[name] for name in names} | {"parameters": model.count_params()}


def compile(model, learning_rate):
    """Compile as published: Adam on the cross-entropy."""
    model.compile(
        keras.optimizers.Adam(learning_rate), loss="categorical_crossentropy",
        metrics=["accuracy"], jit_compile=False,  # XLA is slow at convolutions on CPU
    )


def run_seeds(task, name, seeds, **settings):
    """Runs of ``train``, one a seed, named after ``name``; arrays of the runs stacked.

    Returns:
        Dict as of ``train``, each with seeds as first axis.
    """
    runs = [task.run(f"{name}, seed {seed}", train, seed=seed, **settings) for seed in seeds]
    return {field: np.stack([run[field] for run in runs]) for field in runs[0]}


def run_ablation(task, protocol, factors, seeds, baseline):
    """The strided convnet with one factor changed at a time.

    Args:
        protocol: all arguments of ``train`` but network, options and seed.
        factors: of ``ablation.VARIANTS``.
        seeds: of the runs.
        baseline: runs of the published network with these seeds, maybe more, as of
            ``run_seeds``; the learning rate is constant, so longer runs begin with the same
            epochs and are cut.

    Returns:
        Dict of runs as of ``run_seeds``, by variant, "published" first.

    Raises:
        ValueError: an unknown factor.
    """
    unknown = sorted(set(factors) - set(VARIANTS))
    if unknown:
        raise ValueError(f"unknown factors {unknown}: choose from {list(VARIANTS)}")
    first = {
        name: values[: len(seeds), : protocol["epochs"]] if values.ndim > 1 else values
        for name, values in baseline.items()
    }
    return {"published": first} | {
        label: run_seeds(
            task, label, seeds, network="strided_convnet", options=options, **protocol
        )
        for factor in factors
        for label, options in VARIANTS[factor].items()
    }


def _draw_images(seed, training_images, validation_images, test_images, source):
    """Training, validation and test pairs of images and labels, and rows of the test subset."""
    (x, y), (x_test, y_test) = mnist.load(source)
    if training_images + validation_images > len(x) or test_images > len(x_test):
        raise ValueError(
            f"{training_images} training and {validation_images} validation images of {len(x)}, "
            f"{test_images} test images of {len(x_test)}: there are not as many"
        )
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(x))
    subset = generator.choice(len(x_test), test_images, replace=False)
    parts = order[:training_images], order[len(x) - validation_images :]
    train_data, validation = ((mnist.scale(x[rows]), mnist.one_hot(y[rows])) for rows in parts)
    return train_data, validation, (mnist.scale(x_test), y_test), subset


class _TestAccuracy(keras.callbacks.Callback):
    """Adds the accuracy on all test images and on a subset to the logs of each epoch."""

    def __init__(self, images, labels, subset):
        super().__init__()
        self.images, self.labels, self.subset = images, labels, subset

    def on_epoch_end(self, epoch, logs=None):
        outputs = self.model.predict(self.images, batch_size=1000, verbose=0)
        right = outputs.argmax(axis=1) == self.labels
        logs["test_accuracy"] = float(right.mean())
        logs["subset_test_accuracy"] = float(right[self.subset].mean())
