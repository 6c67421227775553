"""The Keras side of a benchmark: data, model, and training by this project or by ``model.fit``."""

import time

import keras
import tensorflow as tf
from cases import Timing

from ann_keras import data, models, training


def load(case):
    """Inputs and targets of a case, float32 arrays with ``case.rows`` rows, at most."""
    if case.network == "surface":
        x, y, _ = data.surface.samples()
    else:
        (images, labels), _ = data.mnist.load("sample")
        x, y = data.mnist.scale(images), data.mnist.one_hot(labels)
    return x[: case.rows], y[: case.rows]


def build(case, seed):
    """The model of a case with initial weights by seed, compiled for its optimizer."""
    keras.utils.set_random_seed(seed)
    if case.network == "surface":
        model, loss = models.mlp.surface_mlp(50, 50), "mse"
    else:
        model, loss = models.cnn.pooled_convnet(), "categorical_crossentropy"
    if case.optimizer == "adam":
        optimizer = keras.optimizers.Adam(case.learning_rate)
    else:  # L-BFGS does not use it
        optimizer = keras.optimizers.SGD(
            case.learning_rate, momentum=case.momentum, nesterov=case.momentum > 0
        )
    model.compile(optimizer, loss=loss)
    return model


def train(case, seed):
    """Train as the scripts of this project do; returns a ``Timing``."""
    x, y = load(case)
    model = build(case, seed)
    if case.optimizer == "lbfgs":
        return _minimize(case, model, x, y)
    history = training.compiled.fit(
        model, x, y, epochs=1 + case.epochs, batch_size=case.batch_size, shuffle=case.shuffle,
        seed=seed, jit_compile=case.jit_compile, verbose=0,
    )
    return Timing(
        history.params["seconds_per_epoch"] * case.epochs,
        history.history["loss"][-1],
        history.params["build_seconds"],
    )


def train_by_fit(case, seed):
    """Train by ``model.fit``; returns a ``Timing``."""
    x, y = load(case)
    model = build(case, seed)
    tf.random.set_seed(None)  # with a seed, model.fit repeats one order in every epoch
    options = {"batch_size": case.batch_size, "shuffle": case.shuffle, "verbose": 0}
    start = time.perf_counter()
    model.fit(x, y, epochs=1, **options)
    built = time.perf_counter()
    history = model.fit(x, y, epochs=case.epochs, **options)
    return Timing(time.perf_counter() - built, history.history["loss"][-1], built - start)


def _minimize(case, model, x, y):
    minimizer = training.lbfgs.Minimizer(model, memory=case.memory)
    start = time.perf_counter()
    first = minimizer.run(x, y, iterations=1, verbose=0)
    built = time.perf_counter()
    # The report's runs spend nearly all iterations with a full memory, so those are timed.
    full = minimizer.run(x, y, iterations=case.memory, state=first.state, verbose=0)
    begin = time.perf_counter()
    result = minimizer.run(x, y, iterations=case.epochs, state=full.state, verbose=0)
    return Timing(time.perf_counter() - begin, float(result.loss[-1]), built - start)
