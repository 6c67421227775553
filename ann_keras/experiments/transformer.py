"""Training runs of the vision transformer, task 3.3.2."""

import math

import keras
import numpy as np

from ann_keras.data import mnist
from ann_keras.models.vit import attention_maps, vision_transformer
from ann_keras.training import resume
from ann_keras.training.metrics import BatchLosses

LEARNING_RATE = 1e-3  # of the first epoch, as published
DECAY = 0.95  # of the learning rate, after each epoch
_STEPS_THAT_PAY_FOR_XLA = 300  # compiling takes seconds, and saves about 40% of a step


def train(
    *, dim, depth, mlp_dim, epochs, seed, source="full", batch_size=128,
    learning_rate=LEARNING_RATE, attention_scale="model", checkpoint=None,
):
    """Train one row of Table 3 as published: Adam, 0.95 times the rate after each epoch.

    Args:
        dim, depth, mlp_dim, attention_scale: of ``vision_transformer``.
        epochs: passes over the training images.
        seed: decides initial weights and order.
        source: of MNIST.
        checkpoint: folder; an interrupted run goes on from its last epoch.

    Returns:
        Dict: "loss" and "test_accuracy" (epochs,), "step_loss" (epochs, steps), cross-entropy in
        nats of every mini-batch, "seconds" an epoch, training and test (median, so that tracing
        in the first does not count), and "attention" (depth, 10, patches): how much the class
        token heeds each patch of the ``examples``, in each block, mean over heads.
    """
    (x_train, y_train), (x_test, y_test) = mnist.load(source)
    steps = math.ceil(len(x_train) / batch_size)
    keras.utils.set_random_seed(seed)
    model = vision_transformer(dim, depth, mlp_dim, attention_scale=attention_scale)
    losses = compile(model, learning_rate, steps)
    history = resume.fit(
        model, mnist.scale(x_train), y_train, epochs=epochs, batch_size=batch_size, seed=seed,
        validation_data=(mnist.scale(x_test), y_test),
        jit_compile=epochs * steps >= _STEPS_THAT_PAY_FOR_XLA,
        callbacks=[_StepLosses(losses)], checkpoint=checkpoint,
    )
    attention = attention_maps(model, mnist.scale(examples(x_test, y_test)))
    return {
        "loss": history["loss"],
        "test_accuracy": history["val_accuracy"],
        "step_loss": history["step_loss"],
        "seconds": np.median(history["seconds"]),
        "attention": attention.mean(axis=2)[:, :, 0, 1:],
    }


def time_epoch(*, dim, depth, mlp_dim, source, batch_size, attention_scale, steps=4, rounds=3):
    """Seconds that one row of Table 3 needs for an epoch, from the fastest of a few short rounds.

    Rows that are timed one after another so compare better than by their training, which other
    work on the machine may slow. Without XLA, which would compile for longer than it saves.

    Args:
        dim, depth, mlp_dim, attention_scale: of ``vision_transformer``.
        source: of MNIST; batch_size: images a step.
        steps, rounds: of training, after one round that is not timed.

    Returns:
        Dict: "seconds".
    """
    (x_train, y_train), _ = mnist.load(source)
    images = min(steps * batch_size, len(x_train))
    model = vision_transformer(dim, depth, mlp_dim, attention_scale=attention_scale)
    compile(model, LEARNING_RATE, math.ceil(images / batch_size))
    history = resume.fit(
        model, mnist.scale(x_train[:images]), y_train[:images], epochs=rounds + 1,
        batch_size=batch_size, checkpoint=None,
    )
    return {"seconds": min(history["seconds"][1:]) * len(x_train) / images}


def examples(images, labels):
    """The first image of each digit, (10, 28, 28), from 0 to 9."""
    return np.stack([images[np.argmax(labels == digit)] for digit in range(10)])


def compile(model, learning_rate, steps):
    """Compile as published: Adam, 0.95 times the rate after each epoch of so many steps.

    Returns:
        The metric that keeps the losses of an epoch's steps.
    """
    schedule = keras.optimizers.schedules.ExponentialDecay(
        learning_rate, decay_steps=steps, decay_rate=DECAY, staircase=True
    )
    losses = BatchLosses(_cross_entropy, steps)
    model.compile(
        keras.optimizers.Adam(schedule),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", losses],
    )
    return losses


class _StepLosses(keras.callbacks.Callback):
    """Adds the loss of every step to the logs."""

    def __init__(self, losses):
        super().__init__()
        self.losses = losses

    def on_epoch_end(self, epoch, logs=None):
        logs["step_loss"] = keras.ops.convert_to_numpy(self.losses.previous).tolist()


def _cross_entropy(labels, logits):
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
