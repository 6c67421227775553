"""Training and scoring of the DBM of tasks 4.1.6 and 4.1.7."""

import functools
import os
import time
from pathlib import Path

import numpy as np

from ann_keras.evaluation import ais
from ann_keras.experiments.boltzmann import binary, digest, digits, drawn, unseen
from ann_keras.models.dbm import DBM

PRETRAINING = (  # options of DBM.pretrain by layer, protocol of section 4.1
    {"learning_rate": 0.05, "momentum": 0.5, "weight_decay": 1e-3},
    {"learning_rate": 0.01, "momentum": 0.5, "weight_decay": 2e-4},
)
JOINT = {"momentum": 0.5, "weight_decay": 0.0, "centering": True, "max_norm": 6.0}


def trained(task, settings, seed, *, of=None, **options):
    """The run of ``train`` that the script's settings ask for, or another task's copy of it.

    Args:
        options: others of ``train``.
    """
    return task.run(
        ", ".join(["DBM", *options.values(), f"seed {seed}"]), train, of=of, resumable=True,
        seed=seed, layers=list(settings.layers),
        pretraining_epochs=list(settings.pretraining_epochs), joint_epochs=settings.joint_epochs,
        joint_rate=settings.joint_rate, mean_field_updates=settings.mean_field_updates,
        gibbs_steps=settings.gibbs_steps, source=settings.source, **options,
    )


def train(
    *, layers, pretraining_epochs, joint_epochs, joint_rate, mean_field_updates, gibbs_steps,
    seed, source, binarization="threshold", checkpoint=None,
):
    """Pre-train a DBM layer by layer, then train both together, on binary training images.

    Args:
        layers: units.
        pretraining_epochs: of each layer, by the rates of ``PRETRAINING``; momentum rises to 0.9
            after five.
        joint_epochs: of ``DBM.fit``, with ``JOINT``.
        joint_rate: learning rate of the first of them; it falls to zero in equal steps.
        mean_field_updates, gibbs_steps: of ``DBM.fit``.
        seed: of weights and of all draws.
        source: of MNIST.
        binarization: "threshold" for ``binary`` images, "draw" for images ``drawn`` anew before
            each epoch.
        checkpoint: folder; an interrupted run goes on from its last joint epoch.

    Returns:
        Dict: "kernel_1", "kernel_2", "bias_0", "bias_1" and "bias_2"; "visible_particles" and
        "top_particles", states of v and h₂ that training left; "seconds" of the training.
    """
    grey = digits(source)[0]
    fixed = binary(grey)

    def rows(phase, epoch):
        return fixed if binarization == "threshold" else drawn(grey, (seed, phase, epoch))

    machine = DBM(layers, seed=seed)
    file = Path(checkpoint) / "dbm.npz" if checkpoint is not None else None
    done, before, start = 0, 0.0, time.perf_counter()
    if file is not None and file.is_file():
        with np.load(file) as saved:
            state = dict(saved)
        done, before = int(state.pop("done")), float(state.pop("seconds"))
        machine.set_state(state)
    else:
        for layer, (epochs, options) in enumerate(zip(pretraining_epochs, PRETRAINING), start=1):
            for epoch in range(epochs):
                faster = {"momentum": 0.9} if epoch >= 5 else {}
                machine.pretrain(layer, rows(layer, epoch), **options | faster)
    for epoch in range(done, joint_epochs):
        machine.fit(
            rows(0, epoch), learning_rate=joint_rate * (1 - epoch / joint_epochs),
            gibbs_steps=gibbs_steps, mean_field_updates=mean_field_updates, **JOINT,
        )
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary = file.with_suffix(".new.npz")
            seconds = before + time.perf_counter() - start
            np.savez(temporary, done=epoch + 1, seconds=seconds, **machine.get_state())
            os.replace(temporary, file)
    names = ("kernel_1", "kernel_2", "bias_0", "bias_1", "bias_2")
    weights = dict(zip(names, (*machine.kernels, *machine.biases), strict=True))
    visible, top = machine.chains()
    return weights | {"visible_particles": visible, "top_particles": top,
                      "seconds": before + time.perf_counter() - start}


def machine_of(run):
    """The ``DBM`` of a run of ``train``."""
    kernels, biases = ([run[f"{name}_{k}"] for k in numbers]
                       for name, numbers in (("kernel", (1, 2)), ("bias", (0, 1, 2))))
    machine = DBM([len(bias) for bias in biases])
    machine.set_weights([*kernels, *biases])
    return machine


def scores(task, runs, settings, *, of=None, **options):
    """Bound on the log-likelihood of the binary test images by AIS from both sides, in nats.

    Args:
        task: that keeps the scores.
        runs: of ``train``, one a seed.
        settings: of the script: its source and temperatures.
        of: another task that makes the same ones.
        options: ``binarization`` of the images, as of ``train``.

    Returns:
        Dict of arrays (seeds,): "upper" by forward AIS and "lower" by reverse AIS, the lower one
        from the chains of training and from the resampled ends of forward AIS.
    """
    found = [
        task.run(
            ", ".join(["DBM, likelihood", *options.values(), f"seed {seed}"]),
            functools.partial(_score, run), of=of, weights=digest(run["kernel_1"]),
            source=settings.source, temperatures=settings.temperatures, **options,
        )
        for seed, run in enumerate(runs)
    ]
    return {side: np.array([float(values[side]) for values in found])
            for side in ("upper", "lower")}


def _score(run, *, weights, source, temperatures, binarization="threshold"):
    rows, test_rows, _ = digits(source)
    machine = machine_of(run)
    network = ais.of_dbm(machine, binary(rows).mean(axis=0))
    forward = ais.forward(network, temperatures=temperatures)
    visible, top = run["visible_particles"], run["top_particles"]
    first, second = machine.kernels
    inputs = visible @ first + top @ second.T + machine.biases[1]
    hidden = np.random.default_rng(0).random(inputs.shape) < 1 / (1 + np.exp(-inputs))
    reverse = max(
        ais.reverse(network, start, temperatures=temperatures).log_partition
        for start in (hidden, forward.resample())
    )
    bound = machine.bound(unseen(test_rows, binarization), 0.0).mean()
    return {"upper": bound - forward.log_partition, "lower": bound - reverse}
