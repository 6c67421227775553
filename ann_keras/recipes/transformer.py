"""The vision transformer on MNIST, task 3.3.2."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import data, models, training
from ann_keras.recipes.fields import adam

_STEPS_THAT_PAY_FOR_XLA = 300  # compiling takes seconds, and saves about 40% of a step


@dataclass(frozen=True)
class Recipe:
    """How a vision transformer is trained; by default the best row of the report's Table 3."""

    dim: int = 128  # report: features of a token
    depth: int = 8  # report: blocks of attention and perceptron
    mlp_dim: int = 128  # report: hidden units of the blocks' perceptrons and of the head
    heads: int = 8  # report: of attention; they share the features of a token
    patch_size: int = 7  # report: side of a patch in pixels
    attention_scale: Literal["model", "head"] = "model"  # report: scores are over √dim of this (D9)
    learning_rate: float = 1e-3  # report: Adam's, in the first epoch
    decay: float = 0.95  # report: factor on the learning rate after each epoch
    beta_1: float = 0.9  # report: decay of Adam's mean of gradients, PyTorch's default
    beta_2: float = 0.999  # report: decay of Adam's mean of squares, PyTorch's default
    epsilon: float = 1e-7  # ours: of Adam, Keras' default; report 1e-8, none repeated for it
    batch_size: int = 128  # report: images a step
    epochs: int = 20  # report: passes over the training images
    source: Literal["full", "sample"] = "full"  # report: of MNIST


def sized(recipe, row):
    """The recipe with the sizes of a row of Table 3, dim/depth/mlp_dim such as "128/8/128"."""
    dim, depth, mlp_dim = map(int, row.split("/"))
    return replace(recipe, dim=dim, depth=depth, mlp_dim=mlp_dim)


def train(recipe, seed, checkpoint=None):
    """Train with Adam, whose rate falls after each epoch; the test images are looked at as well.

    Args:
        seed: decides initial weights and order.
        checkpoint: folder; an interrupted run goes on from its last epoch.

    Returns:
        Dict: "loss" and "test_accuracy" (epochs,), "step_loss" (epochs, steps), cross-entropy in
        nats of every mini-batch, "seconds" an epoch, training and test (median, so that tracing
        in the first does not count), and "weights", flat.
    """
    import keras

    (x_train, y_train), (x_test, y_test) = data.mnist.load(recipe.source)
    steps = math.ceil(len(x_train) / recipe.batch_size)
    keras.utils.set_random_seed(seed)
    losses = training.metrics.BatchLosses(_cross_entropy, steps)
    model = build(recipe, steps, [losses])
    follow = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(step_loss=losses.previous.numpy().tolist())
    )
    history = training.resume.fit(model, data.mnist.scale(x_train), y_train, epochs=recipe.epochs,
                                  batch_size=recipe.batch_size, seed=seed,
                                  validation_data=(data.mnist.scale(x_test), y_test),
                                  jit_compile=recipe.epochs * steps >= _STEPS_THAT_PAY_FOR_XLA,
                                  callbacks=[follow], checkpoint=checkpoint)
    return {"loss": history["loss"], "test_accuracy": history["val_accuracy"],
            "step_loss": history["step_loss"], "seconds": np.median(history["seconds"]),
            "weights": models.weights.flatten(model)}


def build(recipe, steps, metrics=()):
    """The compiled network with new weights, for epochs of so many steps."""
    import keras

    model = _network(recipe)
    rate = keras.optimizers.schedules.ExponentialDecay(
        recipe.learning_rate, decay_steps=steps, decay_rate=recipe.decay, staircase=True
    )
    model.compile(adam(recipe, rate), metrics=["accuracy", *metrics],
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def model_of(run):
    """The trained network of a run of ``train``."""
    model = _network(run.recipe)
    models.weights.restore(model, run["weights"])
    return model


def attend(training):
    """How much the class token of a run of ``train`` heeds each patch of ten test images.

    Returns:
        Dict: "digits" (10, 28, 28), the first image of each digit from 0 to 9; "attention"
        (depth, 10, patches) in each block, mean over heads.
    """
    _, (images, labels) = data.mnist.load(training.recipe.source)
    digits = np.stack([images[np.argmax(labels == digit)] for digit in range(10)])
    maps = models.vit.attention_maps(model_of(training), data.mnist.scale(digits))
    return {"digits": digits, "attention": maps.mean(axis=2)[:, :, 0, 1:]}


def time_epochs(recipe, rows, steps=4, rounds=3):
    """Dict of "seconds" (rows,) an epoch, of sizes such as "128/8/128".

    Each is from the fastest of a few rounds of some steps, after one that is not timed. One after
    another they compare better than by their trainings, beside which other work goes on. Without
    XLA, which would compile for longer than it saves.
    """
    (x, y), _ = data.mnist.load(recipe.source)
    images, seconds = min(steps * recipe.batch_size, len(x)), []
    for row in rows:
        model = build(sized(recipe, row), math.ceil(images / recipe.batch_size))
        history = training.resume.fit(model, data.mnist.scale(x[:images]), y[:images],
                                      epochs=rounds + 1, batch_size=recipe.batch_size,
                                      checkpoint=None)
        seconds.append(min(history["seconds"][1:]) * len(x) / images)
    return {"seconds": seconds}


def _network(recipe):
    return models.vit.vision_transformer(
        recipe.dim, recipe.depth, recipe.mlp_dim, heads=recipe.heads,
        patch_size=recipe.patch_size, attention_scale=recipe.attention_scale,
    )


def _cross_entropy(labels, logits):
    import keras

    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
