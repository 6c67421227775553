"""The Keras side of a benchmark: data, model, and training by this project or by ``model.fit``."""

import math

import keras
import numpy as np
import tensorflow as tf
from cases import Timing, timed

from ann_keras import data, models, training
from ann_keras.layers.attention import SelfAttention
from ann_keras.layers.fourier import FourierConv2D, FourierConv2DTranspose, frequencies

LAG = 80  # of the report's time-series networks
PRODUCTS = keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Dense

# How each network is built, and its loss; generative models have their own.
NETWORKS = {
    "surface": (lambda: models.mlp.surface_mlp(50, 50), "mse"),
    "nar_mlp": (lambda: models.mlp.nar_mlp(LAG), "mse"),
    "nar_lstm": (lambda: models.lstm.nar_lstm(LAG), "mse"),
    "convnet": (lambda: models.cnn.pooled_convnet(), "categorical_crossentropy"),
    "strided_convnet": (lambda: models.cnn.strided_convnet(), "categorical_crossentropy"),
    "autoencoder": (lambda: models.autoencoder.StackedAutoencoder().autoencoders[0], "mse"),
    "autoencoder_classifier": (lambda: models.autoencoder.StackedAutoencoder().classifier,
                               "categorical_crossentropy"),
    "vit": (lambda: models.vit.vision_transformer(128, 8, 128),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
    "gan": (lambda: models.gan.GAN("dense"), None),
    "conv_gan": (lambda: models.gan.GAN("conv"), None),
    "vae": (lambda: models.vae.VAE(), None),
}


def load(case):
    """Inputs and targets of a case, float32 arrays with ``case.rows`` rows, at most.

    Targets are None where the inputs are all that a model learns from.
    """
    rows = slice(case.rows)
    if case.network == "surface":
        x, y, _ = data.surface.samples()
        return x[rows], y[rows]
    if case.network.startswith("nar"):
        x, y = data.santafe.windows(laser(), LAG)
        x, y = x[rows].astype(np.float32), y[rows, np.newaxis].astype(np.float32)
        return (x[np.newaxis], y[np.newaxis]) if case.network == "nar_lstm" else (x, y)
    (images, labels), _ = data.mnist.load("sample")
    x, labels = data.mnist.scale(images[rows]), labels[rows]
    if case.network.startswith(("autoencoder", "vae")):
        x = x.reshape(len(x), -1)
    targets = {"gan": None, "conv_gan": None, "vae": None, "autoencoder": x, "vit": labels}
    return x, targets.get(case.network, data.mnist.one_hot(labels))


def laser():
    """The standardised training points of the laser series, (1000,)."""
    train, _ = data.santafe.load()
    return data.santafe.Scale.of(train).standardise(train)


def build(case, seed):
    """The model of a case with initial weights by seed, compiled for its optimizer."""
    keras.utils.set_random_seed(seed)
    build_network, loss = NETWORKS[case.network]
    model = build_network()
    if case.network in ("gan", "conv_gan"):
        model.compile()  # as published: two times Adam, with PyTorch's ε
        return model
    if case.optimizer == "adam":
        optimizer = keras.optimizers.Adam(case.learning_rate, beta_1=case.beta_1)
    else:  # L-BFGS does not use it
        optimizer = keras.optimizers.SGD(case.learning_rate, case.momentum, case.momentum > 0)
    model.compile(optimizer, loss)
    return model


def train(case, seed):
    """Train, or forecast, as the scripts of this project do; returns a ``Timing``."""
    model = build(case, seed)
    if case.optimizer is None:
        return _forecast(case, model)
    x, y = load(case)
    if case.optimizer == "lbfgs":
        return _minimize(case, model, x, y)
    history = training.compiled.fit(
        model, x, y, epochs=1 + case.epochs, batch_size=case.batch_size, seed=seed,
        jit_compile=case.jit_compile, verbose=0,
    )
    last = {name: values[-1] for name, values in history.history.items()}
    if case.network == "vae":
        loss = -last["elbo"]
    elif case.network in ("gan", "conv_gan"):
        loss = last["generator_loss"] + last["discriminator_loss"]
    else:
        loss = last["loss"]
    seconds = history.params["seconds_per_epoch"] * case.epochs
    return Timing(seconds, loss, history.params["build_seconds"])


def train_by_fit(case, seed):
    """Train by ``model.fit``; returns a ``Timing``."""
    x, y = load(case)
    model = build(case, seed)
    tf.random.set_seed(None)  # with a seed, model.fit repeats one order in every epoch

    def fit(epochs):
        return timed(lambda: model.fit(x, y, case.batch_size, epochs, verbose=0))

    building, _ = fit(1)
    seconds, history = fit(case.epochs)
    return Timing(seconds, history.history["loss"][-1], building)


def forecast_by_predict(case, seed):
    """A closed loop around ``model.predict``; returns a ``Timing``."""
    model, series = build(case, seed), laser()
    recurrent = case.network == "nar_lstm"
    if recurrent:
        windows, _ = data.santafe.windows(series, LAG)
        model(windows[np.newaxis].astype(np.float32))  # the state that our side starts from

    def forecast(steps):
        nonlocal series
        for _ in range(steps):
            window = series[-LAG:].astype(np.float32)[np.newaxis]
            value = model.predict(window[np.newaxis] if recurrent else window, verbose=0).item()
            series = np.append(series, value)

    forecast(1)
    seconds, _ = timed(lambda: forecast(case.epochs))
    return Timing(seconds, float(series[-2]))


def training_flops(case):
    """``flops_per_row`` of a case; None where products do not count.

    L-BFGS' line search takes as many evaluations as it needs, the LSTM's products are small and
    wait for each other, and Boltzmann machines are no Functional models.
    """
    if case.optimizer in (None, "lbfgs", "pcd") or case.network == "nar_lstm":
        return None
    model = build(case, seed=0)
    if case.network == "vae":
        return flops_per_row(model.encoder) + flops_per_row(model.decoder, below=True)
    if case.network in ("gan", "conv_gan"):
        # The discriminator learns from real and fake images, then passes gradients on: through
        # batch normalisation also of the real ones.
        learning = flops_per_row(model.generator) + 2 * flops_per_row(model.discriminator)
        passed = flops_per_row(model.discriminator, below=True, frozen=True)
        return learning + (2 if model.joint_batches else 1) * passed
    return flops_per_row(model)


def flops_per_row(model, below=False, frozen=False):
    """Floating-point operations of the matrix products in a training step, for each row of data.

    Each multiply-add is two operations. A layer's product is made once forward, once for the
    gradient of its kernel, unless it is frozen, and once for that of its inputs, unless nothing
    below it is trained. Products with the zeros around an image count. Of convolutions in the
    Fourier domain the products of channels count, not the transforms. Layers other than
    convolutions, dense layers and self-attention are taken to have no products.

    Args:
        model: a Functional model without branches other than those around blocks and to outputs.
        below: whether something below the model is trained.
        frozen: whether nothing of the model is.
    """
    multiply_adds = 0
    for layer in model.layers:
        trained = bool(layer.trainable_weights) and not frozen
        products = 0  # once
        if isinstance(layer, (FourierConv2D, FourierConv2DTranspose)):
            side = (layer.input if isinstance(layer, FourierConv2D) else layer.output).shape[1]
            number = len(frequencies(side + 2 * layer.border)[0])
            products = 4 * number * math.prod(layer.kernel.shape[2:])  # four in a complex one
        elif isinstance(layer, PRODUCTS):
            transposed = isinstance(layer, keras.layers.Conv2DTranspose)
            positions = math.prod((layer.input if transposed else layer.output).shape[1:-1])
            products = positions * math.prod(layer.kernel.shape)
        elif isinstance(layer, SelfAttention):
            tokens, dim = layer.output.shape[1:]
            products = tokens * 3 * dim**2
            inside = trained or below  # whether queries, keys and values need gradients
            multiply_adds += (1 + 2 * inside) * 2 * tokens**2 * dim  # scores, weighted values
            multiply_adds += (1 + trained + inside) * tokens * dim**2
        multiply_adds += (1 + trained + below) * products
        below = below or trained
    return 2 * multiply_adds


def matrix_product_rate():
    """The best rate of ten float32 products of square matrices, on all cores, in GFLOP/s."""
    multiply = tf.function(tf.matmul)
    matrix = tf.random.normal((2048, 2048))
    multiply(matrix, matrix)  # traced here, untimed
    seconds = [timed(lambda: multiply(matrix, matrix).numpy())[0] for _ in range(10)]
    return 2 * 2048**3 / min(seconds) / 1e9


def _forecast(case, model):
    loop = training.rollout.ClosedLoop(model)
    history = laser()[np.newaxis]
    # The second value is the first that the loop gives.
    building, _ = timed(lambda: loop.forecast(history, 2))
    seconds, values = timed(lambda: loop.forecast(history, case.epochs))
    return Timing(seconds, float(values[0, -1]), building)


def _minimize(case, model, x, y):
    minimizer = training.lbfgs.Minimizer(model, memory=case.memory)

    def minimize(iterations, state=None):
        return timed(lambda: minimizer.run(x, y, iterations=iterations, state=state, verbose=0))

    building, first = minimize(1)
    # The report's runs spend nearly all iterations with a full memory, so those are timed.
    _, full = minimize(case.memory, first.state)
    seconds, result = minimize(case.epochs, full.state)
    return Timing(seconds, float(result.loss[-1]), building)
