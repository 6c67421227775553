"""Training runs of the stacked autoencoder, task 3.1.1."""

import functools

import keras
import numpy as np

from ann_keras.data import mnist
from ann_keras.models.autoencoder import StackedAutoencoder
from ann_keras.training import compiled

SAMPLE = 1_000  # test images that the published accuracy is measured on (D6)


def train(
    *,
    seed,
    hidden_units=(256, 64),
    images=6_000,
    pretraining_epochs=20,
    classifier_epochs=30,
    fine_tuning_epochs=50,
    pretraining_optimizer="sgd",
    pretraining_rate=0.1,
    learning_rate=1.0,
    batch_size=128,
    frozen=1,
    validation=0,
    source="full",
):
    """All phases of a stacked autoencoder; the defaults are the published settings.

    Args:
        seed: decides initial weights, the images of each phase, their order, and the test sample.
        hidden_units: of the encoders.
        images: training images of each phase, drawn anew for each without replacement; all of
            them if there are fewer.
        pretraining_epochs: of each encoder; 0 leaves its random initial weights.
        classifier_epochs, fine_tuning_epochs: of the other phases.
        pretraining_optimizer: name of a Keras optimizer, with learning rate ``pretraining_rate``.
        learning_rate: of SGD in the other phases.
        frozen: encoders that stand still in the classifier phase; 0 trains the whole network, so
            that without pre-training it is a network trained from random weights alone.
        validation: if positive, so many last training images take the place of the test images,
            which are not looked at.
        source: of MNIST.

    Returns:
        Dict of float arrays.
        "pretraining_1_loss", … (epochs,): MSE per pixel or code, for each encoder;
        "classifier_loss", "fine_tuning_loss" (epochs,): cross-entropy in nats;
        "classifier_accuracy", "accuracy": on all test images after either phase;
        "sample_accuracy": at the end, on a random sample of ``SAMPLE`` test images;
        "code_sd": standard deviation over test images of the last encoder's codes before the
        classifier phase, the mean over codes;
        "encoder_change": how far pre-training moved the first encoder's kernel, over its norm.

    Raises:
        ValueError: as many validation images as training images.
    """
    training, (x_test, y_test) = _digits(source, validation)
    keras.utils.set_random_seed(seed)
    stack = StackedAutoencoder(tuple(hidden_units))
    random = np.random.default_rng(seed)
    options = {"batch_size": batch_size, "fit": compiled.fit}
    result = {}

    def phase(number, fit, epochs, labelled=True, **settings):
        """Losses of one phase; its draw is made whether or not it has epochs."""
        chosen = random.permutation(len(training[0]))[:images]
        if not epochs:
            return []
        data = [array[chosen] for array in training[: 1 + labelled]]
        history = fit(*data, epochs=epochs, seed=1000 * seed + number, **settings, **options)
        return history.history["loss"]

    def accuracy(rows=slice(None)):
        predicted = np.argmax(stack.classifier(x_test[rows]), axis=1)
        return np.mean(predicted == np.argmax(y_test[rows], axis=1))

    before = stack.classifier.layers[1].kernel.numpy()
    for layer, _ in enumerate(hidden_units, start=1):
        optimizer = keras.optimizers.get(pretraining_optimizer)
        optimizer.learning_rate = pretraining_rate
        result[f"pretraining_{layer}_loss"] = phase(
            layer, functools.partial(stack.pretrain, layer), pretraining_epochs, labelled=False,
            optimizer=optimizer,
        )
    moved = stack.classifier.layers[1].kernel.numpy() - before
    result["encoder_change"] = np.linalg.norm(moved) / np.linalg.norm(before)
    result["code_sd"] = stack.encode(x_test).std(axis=0).mean()
    for number, (name, fit, epochs, settings) in enumerate(
        (
            ("classifier", stack.train_classifier, classifier_epochs, {"frozen": frozen}),
            ("fine_tuning", stack.fine_tune, fine_tuning_epochs, {}),
        ),
        start=100,
    ):
        optimizer = keras.optimizers.SGD(learning_rate)
        result[f"{name}_loss"] = phase(number, fit, epochs, optimizer=optimizer, **settings)
        result["accuracy" if name == "fine_tuning" else f"{name}_accuracy"] = accuracy()
    result["sample_accuracy"] = accuracy(random.permutation(len(x_test))[:SAMPLE])
    return result


def parse_sizes(text):
    """Hidden units from text such as "256/64".

    Raises:
        ValueError: there is something else than numbers between slashes.
    """
    try:
        return [int(units) for units in text.split("/")]
    except ValueError:
        raise ValueError(f'hidden units are written as "256/64", got {text!r}') from None


def _digits(source, validation):
    """Training and test images (n, 784) in [0, 1] and one-hot labels (n, 10)."""

    def prepared(images, labels):
        return mnist.scale(images).reshape(len(images), -1), mnist.one_hot(labels)

    (x, y), test = mnist.load(source)
    if not validation:
        return prepared(x, y), prepared(*test)
    if not validation < len(x):
        raise ValueError(f"{validation} validation images leave none of {len(x)} to train on")
    return prepared(x[:-validation], y[:-validation]), prepared(x[-validation:], y[-validation:])
