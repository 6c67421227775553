"""The PyTorch side of a benchmark: eager float32 training, written as PyTorch's tutorials do."""

import dataclasses
import functools
import os
import warnings

import keras_side
import numpy as np
import pytorch_networks
import torch
from cases import Timing, timed
from torch.nn import functional

warnings.filterwarnings("ignore", message="CUDA initialization")  # of CUDA builds without a card


def train(case, seed):
    """Train from the weights that the Keras side starts with; returns a ``Timing``."""
    threads = best_threads(case)
    torch.set_num_threads(threads)
    return _train(case, seed)._replace(threads=threads)


@functools.cache
def best_threads(case):
    """1 or the number of cores, whichever trains faster in a short trial.

    Small networks may gain nothing from threads that wait for each other, and lose a hundredfold
    while another program has a core.
    """
    trial = dataclasses.replace(case, epochs=max(1, case.epochs // 50), memory=5)
    seconds = {}
    for threads in {1, os.cpu_count()}:
        torch.set_num_threads(threads)
        seconds[threads] = _train(trial, seed=0).seconds
    return min(seconds, key=seconds.get)


def _train(case, seed):
    torch.manual_seed(seed)
    network = copy(case, keras_side.build(case, seed))
    x, y = tensors(case)
    if case.optimizer == "lbfgs":
        return _minimize(case, network, x, y)
    step = stepper(case, network)

    def epoch():
        order, total = torch.randperm(len(x)), 0.0
        # One gather an epoch, as on our side; the usual one a batch is slower.
        shuffled = x[order]
        labels = shuffled if y is x else y[order]
        batches = zip(shuffled.split(case.batch_size), labels.split(case.batch_size))
        for inputs, targets in batches:
            total += step(inputs, targets).item() * len(inputs)
        return total / len(x)

    epoch()
    seconds, losses = timed(lambda: [epoch() for _ in range(case.epochs)])
    return Timing(seconds, losses[-1])


def tensors(case):
    """Inputs and targets in PyTorch's layout: channels first, classes as numbers.

    Models that learn from inputs alone have these as targets, too.
    """
    x, y = keras_side.load(case)
    if x.ndim == 4:
        x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    inputs = torch.from_numpy(x)
    if y is None or case.network == "autoencoder":
        return inputs, inputs
    _, loss = keras_side.NETWORKS[case.network]
    if loss == "categorical_crossentropy":
        y = y.argmax(axis=1)
    elif loss != "mse":
        y = y.astype(np.int64)
    return inputs, torch.from_numpy(y)


def copy(case, model):
    """The network of a case with the weights of its Keras model."""
    network = pytorch_networks.BUILDERS[case.network]()
    pytorch_networks.copy_weights(model, network)
    return network


def stepper(case, network):
    """A function of inputs and targets that makes one step of training, and gives the loss."""
    if case.network in ("gan", "conv_gan"):
        return _gan_stepper(case, **network)
    if case.optimizer == "adam":
        optimizer = _adam(case, network)
    else:
        optimizer = torch.optim.SGD(
            network.parameters(), lr=case.learning_rate, momentum=case.momentum,
            nesterov=case.momentum > 0,
        )

    def step(inputs, targets):
        optimizer.zero_grad()
        loss = _loss(network(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _loss(outputs, targets):
    if isinstance(outputs, tuple):
        return _negative_elbo(*outputs, targets)
    if targets.is_floating_point():
        return functional.mse_loss(outputs, targets)
    return functional.cross_entropy(outputs, targets)


def _negative_elbo(logits, mean, log_variance, images):
    reconstruction = functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return (reconstruction + divergence) / len(images)


def _gan_stepper(case, generator, discriminator):
    """As ``stepper``, of real images; trains both networks and gives the sum of their losses."""
    generator_optimizer, discriminator_optimizer = (
        _adam(case, part, eps=1e-8) for part in (generator, discriminator)
    )
    criterion = functional.binary_cross_entropy_with_logits

    def logits(real, fake):
        if case.network == "gan":
            return discriminator(real), discriminator(fake)
        return discriminator(torch.cat([real, fake])).chunk(2)  # normalised in one batch

    def step(real, _):
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        fake = generator(torch.randn(len(real), pytorch_networks.LATENT))

        discriminator_optimizer.zero_grad()
        of_real, of_fake = logits(real, fake.detach())
        discriminator_loss = 0.5 * (criterion(of_real, ones) + criterion(of_fake, zeros))
        discriminator_loss.backward()
        discriminator_optimizer.step()

        generator_optimizer.zero_grad()
        of_fake = discriminator(fake) if case.network == "gan" else logits(real, fake)[1]
        generator_loss = criterion(of_fake, ones)
        # Else the discriminator's kernels would get gradients, too, which nobody uses.
        generator_loss.backward(inputs=list(generator.parameters()))
        generator_optimizer.step()
        return generator_loss + discriminator_loss

    return step


def _adam(case, network, eps=1e-7):  # Keras' default
    return torch.optim.Adam(
        network.parameters(), lr=case.learning_rate, betas=(case.beta_1, 0.999), eps=eps
    )


def _minimize(case, network, x, y):
    # One iteration a call, as the published run counts its epochs. PyTorch now takes the line
    # search's evaluations out of max_eval (pull request 135026). By default that is 1 here, and
    # the first step that is too long is the last; 25 are what it granted before.
    optimizer = torch.optim.LBFGS(
        network.parameters(), lr=1, max_iter=1, max_eval=1 + 25, history_size=case.memory,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        loss = _loss(network(x), y)
        loss.backward()
        return loss

    for _ in range(1 + case.memory):  # untimed on our side too
        optimizer.step(closure)
    seconds, _ = timed(lambda: [optimizer.step(closure) for _ in range(case.epochs)])
    with torch.no_grad():
        return Timing(seconds, _loss(network(x), y).item())
