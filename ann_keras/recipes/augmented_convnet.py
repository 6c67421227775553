"""Either convnet on augmented MNIST, beyond the accuracies that the report publishes (task 3.2.2).

What the published protocol lacks: augmentation (Simard, Steinkraus and Platt, ICDAR 2003, drew such
images for MNIST), a learning rate that falls to zero along a cosine (Loshchilov and Hutter, ICLR
2017), and weights averaged over the last steps (Polyak and Juditsky, SIAM J. Control Optim. 30:838,
as an exponential average). Probabilities are means over augmented copies of the test image
(Krizhevsky, Sutskever and Hinton, NIPS 2012). No epoch is chosen: the weights at the end count.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import data, models, training
from ann_keras.recipes.fields import adam, added, from_zero


@dataclass(frozen=True)
class Recipe:
    """How a convnet is trained; nothing of it is the report's."""

    network: Literal["strided", "pooled"] = "strided"  # ours: of task 3.2.2 or of task 1.3.5
    rotation: float = 10.0  # ours: largest one in degrees, either way
    shift: float = 1.0  # ours: largest one in pixels, in each direction
    zoom: float = 0.1  # ours: largest change of size, as a share, each direction for itself
    epochs: int = 20  # ours: passes over the training images
    batch_size: int = 100  # ours: images a step
    learning_rate: float = 0.003  # ours: of Adam in the first step; it ends at 0
    beta_1: float = added(0.9, before=0.9)  # ours: of Adam, decay of the mean gradient
    beta_2: float = added(0.999, before=0.999)  # ours: of Adam, decay of the mean square
    epsilon: float = added(1e-7, before=1e-7)  # ours: of Adam, Keras' default
    averaging: float = 0.995  # ours: share of the averaged weights that a step keeps
    copies: int = 16  # ours: augmented ones of a scored image, whose probabilities are averaged
    validation: int = from_zero(0)  # ours: training images held out, drawn at random
    source: Literal["full", "sample"] = "full"  # ours: MNIST, or the sample of 4,000 digits


def train(recipe, seed):
    """Train a convnet on augmented images, and score it once, at the end.

    Args:
        seed: decides held-out images, initial weights, augmentation, dropout and order.

    Returns:
        Dict: "loss" (epochs,) on augmented images, "parameters", "test_accuracy" on the whole
        test set, "test_accuracy_plain" of the images as they are, "val_accuracy", NaN without
        held-out images, and "weights".

    Raises:
        ValueError: no image left to train on, or an augmentation that leaves nothing of one.
    """
    import keras

    (x, y), test = data.mnist.load(recipe.source)
    if not recipe.validation < len(x):
        raise ValueError(f"{recipe.validation} validation images leave none of {len(x)}")
    order = np.random.default_rng(seed).permutation(len(x))
    held_out, kept = order[: recipe.validation], order[recipe.validation :]
    keras.utils.set_random_seed(seed)
    model = {"strided": models.cnn.strided_convnet, "pooled": models.cnn.pooled_convnet}[
        recipe.network
    ]()
    inputs = keras.Input(model.input_shape[1:])
    augment = augmentation(recipe)
    trainer = keras.Model(inputs, model(augment(inputs)), name=model.name)
    steps = recipe.epochs * -(-len(kept) // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    trainer.compile(adam(recipe, rate, use_ema=True, ema_momentum=recipe.averaging),
                    loss="categorical_crossentropy")
    history = training.compiled.fit(trainer, data.mnist.scale(x[kept]), data.mnist.one_hot(y[kept]),
                                    epochs=recipe.epochs, batch_size=recipe.batch_size, seed=seed)
    copies = recipe.copies
    return {
        "loss": history.history["loss"],
        "parameters": model.count_params(),
        "val_accuracy": _accuracy(model, augment, copies, x[held_out], y[held_out]),
        "test_accuracy": _accuracy(model, augment, copies, *test),
        "test_accuracy_plain": _accuracy(model, lambda images, training: images, 1, *test),
        "weights": models.weights.flatten(model),
    }


def augmentation(recipe):
    """Keras layers that move images (n, 28, 28, 1) at random in training, and leave them alone
    otherwise; what moves in is black.

    Raises:
        ValueError: it would turn by more than half, shift by more than an image or shrink to none.
    """
    import keras

    if not (0 <= recipe.rotation <= 180 and 0 <= recipe.shift <= 28 and 0 <= recipe.zoom < 1):
        raise ValueError(
            "an augmentation is a rotation of 0 to 180 degrees, a shift of 0 to 28 pixels and a "
            f"zoom from 0 to below 1, got {recipe.rotation:g}, {recipe.shift:g}, {recipe.zoom:g}"
        )
    black = {"fill_mode": "constant", "fill_value": 0.0}
    return keras.Sequential([
        keras.layers.RandomRotation(recipe.rotation / 360, **black),
        keras.layers.RandomTranslation(recipe.shift / 28, recipe.shift / 28, **black),
        keras.layers.RandomZoom(recipe.zoom, recipe.zoom, **black),
    ], name="augmentation")


def _accuracy(model, augment, copies, images, labels):
    """Share of images whose highest mean probability, over augmented copies, is their label's."""
    if not len(images):
        return np.nan
    batches = np.array_split(data.mnist.scale(images), -(-len(images) // 1000))
    outputs = [sum(model(augment(batch, training=True), training=False) for _ in range(copies))
               for batch in batches]
    return np.mean(np.concatenate(outputs).argmax(axis=1) == labels)
