"""The convnet of Table 1 on MNIST: optimizers one after the other (task 1.3.6), and as a judge.

``LABELLING`` is trained once, with seed 0, and tells which digit generated images show.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import command, data, evaluation, models, training
from ann_keras.recipes.fields import one_source


@dataclass(frozen=True)
class Recipe:
    """How the convnet is trained; by default as published in task 1.3.6."""

    # report: one after the other they train the same network (D1), with Keras' defaults
    optimizers: tuple[Literal["sgd", "adam", "adadelta"], ...] = ("sgd", "adam", "adadelta")
    learning_rate: float | None = None  # report: None for Keras' default of each optimizer
    epochs: int = 15  # report: passes over the training images, of each optimizer
    batch_size: int = 128  # report: images a step
    validation_split: float = 0.1  # report: share of the training images held out, the last ones
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits


Judge = command.group(Recipe, "source")  # as one of the settings of a task
LABELLING = Recipe(optimizers=("adam",), epochs=10, validation_split=0.0)
LABELLING_QUICK = replace(LABELLING, epochs=8, source="sample")
LABELLING_SMOKE = replace(LABELLING_QUICK, epochs=1)


def train(recipe, seed):
    """Train the convnet and score it on the test images at the end.

    Args:
        seed: decides initial weights, dropout and order.

    Returns:
        Dict: "loss" and, with held-out images, "val_accuracy", each of all epochs of the first
        optimizer, then of the second, …; "test_accuracy"; "weights" (34,826,).
    """
    import keras

    (x, y), (x_test, y_test) = data.mnist.load(recipe.source)
    x, y = data.mnist.scale(x), data.mnist.one_hot(y)
    keras.utils.set_random_seed(seed)
    model = models.cnn.pooled_convnet()
    curves = {"loss": [], **({"val_accuracy": []} if recipe.validation_split else {})}
    for stage, name in enumerate(recipe.optimizers):
        optimizer = keras.optimizers.get(name)
        if recipe.learning_rate is not None:
            optimizer.learning_rate = recipe.learning_rate
        model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
        history = training.compiled.fit(
            model, x, y, epochs=recipe.epochs, batch_size=recipe.batch_size,
            validation_split=recipe.validation_split, seed=1000 * stage + seed,
        ).history
        for curve, values in curves.items():
            values += history[curve]
    scores = training.compiled.evaluate(model, data.mnist.scale(x_test), data.mnist.one_hot(y_test))
    return {name: np.array(values) for name, values in curves.items()} | {
        "test_accuracy": scores["accuracy"], "weights": models.weights.flatten(model),
    }


def begin(task, settings):
    """Begin what every comparison of samples needs.

    Args:
        task: ``report.task.Task``, which is given the settings that are returned.
        settings: with ``labelling``, recipe of the labelling convnet, and ``samples``, a number.

    Returns:
        Settings whose recipes are all of one source; dict of "labelling" and "samples", arguments
        of all functions that score samples; the ``Result`` of ``scoreboard.floor``.
    """
    settings = task.settings = one_source(settings)
    scoring = {"labelling": task.run(train, settings.labelling, seed=0),
               "samples": settings.samples}
    floor, source = evaluation.scoreboard.floor, settings.labelling.source
    return settings, scoring, task.run(floor, source=source, **scoring)
