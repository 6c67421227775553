"""The stacked autoencoder of task 3.1.1: pre-training, classifier phase and fine-tuning.

Tasks 4.3.2 and 4.2.6 decode noise by its decoders after pre-training.
"""

import time
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import data, evaluation, models, training
from ann_keras.recipes.fields import from_zero


@dataclass(frozen=True)
class Pretraining:
    """How the encoders and decoders are trained, layer by layer; by default as published."""

    hidden_units: tuple[int, ...] = (256, 64)  # report: of the encoders, from the pixels up
    images: int | None = 6_000  # report: training images of each phase, drawn anew; None for all
    pretraining_epochs: int = from_zero(20)  # report: of each encoder; 0 leaves random weights
    pretraining_optimizer: Literal["sgd", "adam"] = "sgd"  # report: with Keras' other settings
    pretraining_rate: float = 0.1  # report: learning rate of pre-training
    batch_size: int = 128  # report: images a step
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits


@dataclass(frozen=True)
class Recipe(Pretraining):
    """How the stacked autoencoder is trained; by default as published."""

    classifier_epochs: int = from_zero(30)  # report: of the softmax layer, encoders in part frozen
    frozen: int = from_zero(1)  # report: encoders that stand still in the classifier phase (D7)
    fine_tuning_epochs: int = from_zero(50)  # report: of the whole network
    learning_rate: float = 1.0  # report: of SGD in the classifier phase and fine-tuning
    digits: int = 1_000  # report: random test images of the published accuracy (D6)
    validation: int = from_zero(0)  # ours: last training images that stand in for the test images


PRETRAINING_QUICK = Pretraining(source="sample")
PRETRAINING_SMOKE = Pretraining((20, 10), images=500, pretraining_epochs=1, source="sample")
BY_ADAM = Pretraining(  # ours: trained further than published
    images=None, pretraining_epochs=50, pretraining_optimizer="adam", pretraining_rate=1e-3
)
BY_ADAM_QUICK = replace(BY_ADAM, pretraining_epochs=15, source="sample")
BY_ADAM_SMOKE = replace(BY_ADAM_QUICK, hidden_units=(20, 10), pretraining_epochs=1)
CODES = {  # kinds of codes that ``score`` decodes, as they are called
    "codes": "codes of test digits", "normal": "N(0, I)", "uniform": "uniform in [0, 1]",
    "fitted": "Gaussian fitted to codes",
}


def train(recipe, seed):
    """All phases of a stacked autoencoder.

    Args:
        recipe: ``Recipe``; with fewer training images than its ``images``, all are taken. Without
            pre-training and frozen encoders the network is trained from random weights alone.
        seed: decides initial weights, the images of each phase, their order, and the test sample.

    Returns:
        Dict of float arrays.
        "pretraining_1_loss", … (epochs,): MSE per pixel or code, for each encoder;
        "classifier_loss", "fine_tuning_loss" (epochs,): cross-entropy in nats;
        "classifier_accuracy", "accuracy": on all test images after either phase;
        "sample_accuracy": at the end, on a random sample of the test images;
        "code_sd": standard deviation over test images of the last encoder's codes before the
        classifier phase, the mean over codes;
        "encoder_change": how far pre-training moved the first encoder's kernel, over its norm;
        "weights": of encoders and classifier at the end.

    Raises:
        ValueError: as many validation images as training images.
    """
    import keras

    (x, y), (x_test, y_test) = _digits(recipe.source, recipe.validation)
    stack, random, result = pretrained(recipe, seed, x)
    result["code_sd"] = stack.encode(x_test).std(axis=0).mean()

    def accuracy(rows=slice(None)):
        predicted = np.argmax(stack.classifier(x_test[rows]), axis=1)
        return np.mean(predicted == np.argmax(y_test[rows], axis=1))

    for number, (name, fit, epochs, options) in enumerate((
        ("classifier", stack.train_classifier, recipe.classifier_epochs, {"frozen": recipe.frozen}),
        ("fine_tuning", stack.fine_tune, recipe.fine_tuning_epochs, {}),
    ), start=100):
        chosen = random.permutation(len(x))[: recipe.images]
        result[f"{name}_loss"] = fit(
            x[chosen], y[chosen], optimizer=keras.optimizers.SGD(recipe.learning_rate),
            epochs=epochs, batch_size=recipe.batch_size, fit=training.compiled.fit,
            seed=1000 * seed + number, **options,
        ).history["loss"] if epochs else []
        result["accuracy" if name == "fine_tuning" else f"{name}_accuracy"] = accuracy()
    result["sample_accuracy"] = accuracy(random.permutation(len(x_test))[: recipe.digits])
    return result | {"weights": models.weights.flatten(stack.classifier)}


def pretrained(recipe, seed, x):
    """A stacked autoencoder after pre-training on images (n, 784), drawn anew for each layer.

    Returns:
        ``StackedAutoencoder``; the random generator that drew the images; the dict of ``train``
        as far as pre-training gives it.
    """
    import keras

    keras.utils.set_random_seed(seed)
    stack = models.autoencoder.StackedAutoencoder(recipe.hidden_units)
    random, result = np.random.default_rng(seed), {}
    before = stack.classifier.layers[1].kernel.numpy()
    for layer, _ in enumerate(recipe.hidden_units, start=1):
        optimizer = keras.optimizers.get(recipe.pretraining_optimizer)
        optimizer.learning_rate = recipe.pretraining_rate
        chosen = random.permutation(len(x))[: recipe.images]  # whether or not there are epochs
        result[f"pretraining_{layer}_loss"] = stack.pretrain(
            layer, x[chosen], optimizer=optimizer, epochs=recipe.pretraining_epochs,
            batch_size=recipe.batch_size, fit=training.compiled.fit, seed=1000 * seed + layer,
        ).history["loss"] if recipe.pretraining_epochs else []
    moved = stack.classifier.layers[1].kernel.numpy() - before
    result["encoder_change"] = np.linalg.norm(moved) / np.linalg.norm(before)
    return stack, random, result


def _digits(source, validation):
    """Training and test images (n, 784) in [0, 1] and one-hot labels (n, 10)."""

    def prepared(images, labels):
        return data.mnist.scale(images).reshape(len(images), -1), data.mnist.one_hot(labels)

    (x, y), test = data.mnist.load(source)
    if not validation:
        return prepared(x, y), prepared(*test)
    if not validation < len(x):
        raise ValueError(f"{validation} validation images leave none of {len(x)} to train on")
    return prepared(x[:-validation], y[:-validation]), prepared(x[-validation:], y[-validation:])


def pretrain(recipe, seed):
    """Pre-train the encoders and decoders alone.

    Args:
        seed: decides initial weights, the images of each layer and their order.

    Returns:
        Dict: "seconds" of the training; of the first autoencoder "logged", the loss that Keras
        gives for the test images, and their "squared_error" and "cross_entropy" (nats), means a
        pixel; "error", mean squared error a pixel through all layers; "autoencoder_1", …, all
        weights of each layer's encoder and decoder, flat.
    """
    rows, test_rows, _ = data.mnist.rows(recipe.source)
    start = time.perf_counter()
    stack, _, _ = pretrained(recipe, seed, rows)
    seconds = time.perf_counter() - start
    seen = stack.decode(stack.encode(test_rows))
    return losses(stack.autoencoders[0], test_rows) | {
        "seconds": seconds, "error": np.mean((seen - test_rows) ** 2),
        **{model.name: models.weights.flatten(model) for model in stack.autoencoders},
    }


def stack_of(run):
    """The ``StackedAutoencoder`` of a run of ``pretrain``."""
    stack = models.autoencoder.StackedAutoencoder(run.recipe.hidden_units)
    for model in stack.autoencoders:
        models.weights.restore(model, run[model.name])
    return stack


def score(training, labelling, samples, kind):
    """Score so many images that the decoders of a run of ``pretrain`` make of a kind of ``CODES``.

    Returns:
        Dict: "score_…" as ``Scoreboard.score`` names them, and "images" (10, 784), uint8.
    """
    scoreboard, recipe = evaluation.scoreboard, training.recipe
    rows, test_rows, _ = data.mnist.rows(recipe.source)
    board = scoreboard.board(labelling, recipe.source, samples)
    stack, random = stack_of(training), np.random.default_rng(training.seed)
    for _ in recipe.hidden_units:  # noise comes after the draws of which images a layer saw
        random.permutation(len(rows))
    if kind == "codes":
        codes = stack.encode(test_rows[:samples])
    else:
        codes = noise(stack.encode(rows), samples, random)[kind]
    return scoreboard.kept(board, stack.decode(codes))


def noise(codes, number, random):
    """Codes of nothing, dict of arrays (number, d): "normal" from N(0, I), as in the VAE, "uniform"
    in [0, 1], where sigmoid codes lie, and "fitted", a Gaussian fitted to codes (n, d) of images.
    """
    shape = number, codes.shape[1]
    # By the covariance's own factors: the codes of few images may not span all dimensions.
    values, vectors = np.linalg.eigh(np.cov(codes.T.astype(np.float64)))
    factor = vectors * np.sqrt(np.maximum(values, 0))
    kinds = {"normal": random.normal(size=shape), "uniform": random.random(shape),
             "fitted": codes.mean(axis=0) + random.normal(size=shape) @ factor.T}
    return {kind: drawn.astype(np.float32) for kind, drawn in kinds.items()}


def losses(autoencoder, rows):
    """The loss that a compiled autoencoder logs for rows (n, d), and what it could be.

    Returns:
        Dict: "logged", "squared_error" and "cross_entropy" (nats), means a pixel.
    """
    outputs = np.clip(autoencoder.predict(rows, batch_size=1000, verbose=0), 1e-7, 1 - 1e-7)
    entropy = -(rows * np.log(outputs) + (1 - rows) * np.log1p(-outputs))
    return {"logged": training.compiled.evaluate(autoencoder, rows, rows)["loss"],
            "squared_error": np.mean((outputs - rows) ** 2), "cross_entropy": np.mean(entropy)}
