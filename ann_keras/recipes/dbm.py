"""The DBM on MNIST, tasks 4.1.6 and 4.1.7: its training from nothing, and its likelihood."""

import io
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ann_keras import data, evaluation, models
from ann_keras.files import write_whole
from ann_keras.training import progress


@dataclass(frozen=True)
class Recipe:
    """How each layer is trained as a restricted machine, then both together, on binary digits."""

    layers: tuple[int, int, int] = (784, 512, 1024)  # report: units
    pretraining_epochs: tuple[int, int] = (20, 20)  # ours: passes for each layer; report 64, 120
    pretraining_rates: tuple[float, float] = (0.05, 0.01)  # report: learning rate of each layer
    pretraining_decays: tuple[float, float] = (1e-3, 2e-4)  # report: L2 penalty of each layer
    pretraining_momenta: tuple[float, float] = (0.5, 0.9)  # report: at first, and later
    pretraining_slow_epochs: int = 5  # report: epochs with the first of these momenta
    pretraining_batch_size: int = 100  # ours: digits a step; report 48
    pretraining_gibbs_steps: int = 1  # ours: of contrastive divergence; report: more and more
    epochs: int = 60  # ours: passes for both together; report up to 500
    learning_rate: float = 0.005  # ours: falls to 0 in equal steps; report 0.002
    batch_size: int = 100  # report: digits a step
    momentum: float = 0.5  # ours: share of the last change that is added to a change
    weight_decay: float = 0.0  # ours: L2 penalty
    max_norm: float = 6.0  # report: longest vector of incoming weights
    mean_field_updates: int = 10  # ours: of the hidden units, a step; report 50
    particles: int = 100  # report: persistent chains
    gibbs_steps: int = 5  # ours: of the chains, a step
    centering: bool = True  # ours: subtract moving means of all units in the gradient
    # ours: pixels white from half grey on, or drawn anew in each epoch with grey as probability
    binarization: Literal["threshold", "draw"] = "threshold"
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits


QUICK = replace(Recipe(), layers=(784, 64, 128), pretraining_epochs=(5, 5), epochs=10,
                source="sample")
SMOKE = replace(QUICK, layers=(784, 20, 30), pretraining_epochs=(1, 1), epochs=2)


def train(recipe, seed, checkpoint=None):
    """Pre-train a DBM layer by layer, then train both together.

    Args:
        seed: of weights and of all draws.
        checkpoint: folder; an interrupted run goes on from its last joint epoch.

    Returns:
        Dict: "weights", flat; "visible_particles" and "top_particles", states of v and h₂ that
        the chains ended with; "seconds" of the training.
    """
    grey, _, _ = data.mnist.rows(recipe.source)

    def rows(phase, epoch):
        return data.mnist.binarized(grey, recipe.binarization, (seed, phase, epoch))

    machine = models.dbm.DBM(recipe.layers, particles=recipe.particles, seed=seed)
    file = Path(checkpoint) / "dbm.npz" if checkpoint is not None else None
    done, before, start = 0, 0.0, time.perf_counter()
    first = sum(recipe.pretraining_epochs)
    if file is not None and file.is_file():
        with np.load(file) as saved:
            state = dict(saved)
        done, before = int(state.pop("done")), float(state.pop("seconds"))
        machine.set_state(state)
    else:
        _pretrain(machine, recipe, rows)
    for epoch in range(done, recipe.epochs):
        machine.fit(rows(0, epoch), batch_size=recipe.batch_size,
                    learning_rate=recipe.learning_rate * (1 - epoch / recipe.epochs),
                    momentum=recipe.momentum, weight_decay=recipe.weight_decay,
                    max_norm=recipe.max_norm, mean_field_updates=recipe.mean_field_updates,
                    gibbs_steps=recipe.gibbs_steps, centering=recipe.centering)
        if file is not None:
            state = io.BytesIO()
            seconds = before + time.perf_counter() - start
            np.savez(state, done=epoch + 1, seconds=seconds, **machine.get_state())
            write_whole(file, state.getvalue())
        progress.report(first + epoch + 1, first + recipe.epochs)
    visible, top = machine.chains()
    return {"weights": models.weights.flatten(machine), "visible_particles": visible,
            "top_particles": top, "seconds": before + time.perf_counter() - start}


def _pretrain(machine, recipe, rows):
    settings = zip(recipe.pretraining_epochs, recipe.pretraining_rates, recipe.pretraining_decays)
    done, total = 0, sum(recipe.pretraining_epochs) + recipe.epochs
    for layer, (epochs, rate, decay) in enumerate(settings, start=1):
        for epoch in range(epochs):
            machine.pretrain(
                layer, rows(layer, epoch), batch_size=recipe.pretraining_batch_size,
                learning_rate=rate, weight_decay=decay,
                momentum=recipe.pretraining_momenta[epoch >= recipe.pretraining_slow_epochs],
                gibbs_steps=recipe.pretraining_gibbs_steps,
            )
            done += 1
            progress.report(done, total)


def machine_of(run):
    """The ``DBM`` of a run of ``train``; its draws begin at seed 0."""
    machine = models.dbm.DBM(run.recipe.layers)
    models.weights.restore(machine, run["weights"])
    return machine


def score(training, temperatures=10_000, binarization="threshold"):
    """Bound on the log-likelihood of the binary test digits by AIS from both sides, nats an image.

    Returns:
        Dict: "upper" by forward AIS and "lower" by reverse AIS, the lower one from the chains of
        training and from the resampled ends of forward AIS.
    """
    ais = evaluation.ais
    rows, test_rows, _ = data.mnist.rows(training.recipe.source)
    machine = machine_of(training)
    network = ais.of_dbm(machine, data.mnist.binary(rows).mean(axis=0))
    forward = ais.forward(network, temperatures=temperatures)
    first, second = machine.kernels
    inputs = (training["visible_particles"] @ first + training["top_particles"] @ second.T
              + machine.biases[1])
    hidden = np.random.default_rng(0).random(inputs.shape) < 1 / (1 + np.exp(-inputs))
    reverse = max(ais.reverse(network, start, temperatures=temperatures).log_partition
                  for start in (hidden, forward.resample()))
    unseen = data.mnist.binarized(test_rows, binarization)
    bound = machine.bound(unseen, 0.0).mean()
    return {"upper": bound - forward.log_partition, "lower": bound - reverse}
