"""The PyTorch side of a benchmark: eager float32 training, written as PyTorch's tutorials do."""

import dataclasses
import functools
import os
import sys
import time
import warnings

# PyTorch's CUDA builds import Triton with the first optimizer, for nothing here, and Triton's LLVM
# crashes beside TensorFlow's. None makes the import fail in the way that PyTorch expects.
sys.modules.setdefault("triton", None)

import keras_side  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from cases import Timing  # noqa: E402
from torch import nn  # noqa: E402

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
    criterion = nn.CrossEntropyLoss() if case.network == "convnet" else nn.MSELoss()
    if case.optimizer == "lbfgs":
        return _minimize(case, network, criterion, x, y)
    return _fit(case, network, criterion, x, y)


def tensors(case):
    """Inputs and targets in PyTorch's layout: channels first, classes as numbers."""
    x, y = keras_side.load(case)
    if case.network == "convnet":
        x, y = np.ascontiguousarray(np.moveaxis(x, -1, 1)), y.argmax(axis=1)
    return torch.from_numpy(x), torch.from_numpy(y)


def copy(case, model):
    """The network of a case with the weights of its Keras model."""
    if case.network == "surface":
        network = nn.Sequential(
            nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 1)
        )
    elif case.network == "nar_mlp":
        network = nn.Sequential(nn.Linear(80, 100), nn.Tanh(), nn.Linear(100, 1))
    elif case.network == "nar_lstm":
        network = Sequence(80, 100)
    else:
        network = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
        )
    with torch.no_grad():
        trained = (p for p in network.parameters() if p.requires_grad)
        for parameter, values in zip(trained, model.get_weights(), strict=True):
            parameter.copy_(torch.tensor(_in_pytorch_layout(values)))
    return network


class Sequence(nn.Module):
    """An LSTM and a linear readout at every step."""

    def __init__(self, inputs, units):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True)
        # PyTorch has two biases where Keras has one.
        nn.init.zeros_(self.lstm.bias_hh_l0).requires_grad_(False)
        self.readout = nn.Linear(units, 1)

    def forward(self, x):
        return self.readout(self.lstm(x)[0])


def _in_pytorch_layout(values):
    if values.ndim == 4:  # (3, 3, in, out) → (out, in, 3, 3)
        return values.transpose(3, 2, 0, 1)
    if values.shape == (1600, 10):  # the flattened image is 5 × 5 × 64 in Keras, 64 × 5 × 5 here
        return values.reshape(5, 5, 64, 10).transpose(3, 2, 0, 1).reshape(10, 1600)
    return values.T


def _fit(case, network, criterion, x, y):
    if case.optimizer == "adam":
        # eps as in Keras
        optimizer = torch.optim.Adam(network.parameters(), lr=case.learning_rate, eps=1e-7)
    else:
        optimizer = torch.optim.SGD(
            network.parameters(), lr=case.learning_rate, momentum=case.momentum,
            nesterov=case.momentum > 0,
        )

    def epoch():
        order = torch.randperm(len(x)) if case.shuffle else torch.arange(len(x))
        total = 0.0
        # One gather an epoch, as on our side; the usual one a batch is slower.
        batches = zip(x[order].split(case.batch_size), y[order].split(case.batch_size))
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss = criterion(network(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        return total / len(x)

    epoch()
    start = time.perf_counter()
    for _ in range(case.epochs):
        loss = epoch()
    return Timing(time.perf_counter() - start, loss)


def _minimize(case, network, criterion, x, y):
    # One iteration a call, as the published run counts its epochs. PyTorch now takes the line
    # search's evaluations out of max_eval (pull request 135026). By default that is 1 here, and
    # the first step that is too long is the last; 25 are what it granted before.
    optimizer = torch.optim.LBFGS(
        network.parameters(), lr=1, max_iter=1, max_eval=1 + 25, history_size=case.memory,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        loss = criterion(network(x), y)
        loss.backward()
        return loss

    for _ in range(1 + case.memory):  # untimed on our side too
        optimizer.step(closure)
    start = time.perf_counter()
    for _ in range(case.epochs):
        optimizer.step(closure)
    seconds = time.perf_counter() - start
    with torch.no_grad():
        return Timing(seconds, criterion(network(x), y).item())
