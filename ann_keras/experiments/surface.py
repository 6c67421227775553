"""Training runs on the noisy surface of tasks 1.3.1 to 1.3.4."""

import functools

import keras
import numpy as np

from ann_keras.data import surface
from ann_keras.models.mlp import surface_mlp
from ann_keras.training import compiled, lbfgs
from ann_keras.training.metrics import LastBatchError


def fit_gradient(
    *,
    seed,
    optimizer,
    learning_rate,
    batch_size,
    epochs,
    momentum=0.0,
    hidden_units=(50, 50),
    noise=0.0,
    jit_compile=True,
):
    """Fit the surface by mini-batch gradient steps.

    Args:
        seed: decides initial weights, noise and order.
        optimizer: "sgd" (Nesterov momentum, if any) or "adam".
        learning_rate, momentum: of the optimizer.
        batch_size: 1,600 is the whole grid.
        epochs: passes over the grid, at least two (the first, which compiles, is not timed).
        hidden_units: of the network.
        noise: standard deviation of the noise on the training heights.
        jit_compile: by XLA, which pays for small networks.

    Returns:
        Dict: "loss" (epochs,) mean over each epoch, "last_batch_mse" (epochs,) of its last
        mini-batch, "test_mse" on the clean surface, "seconds" for all epochs, compiling left out,
        "steps_per_epoch".
    """
    x, noisy, clean = surface.samples(noise, seed)
    keras.utils.set_random_seed(seed)
    model = surface_mlp(*hidden_units)
    if optimizer == "sgd":
        steps = keras.optimizers.SGD(learning_rate, momentum=momentum, nesterov=momentum > 0)
    else:
        steps = keras.optimizers.Adam(learning_rate)
    model.compile(steps, loss="mse", metrics=[LastBatchError()])
    history = compiled.fit(
        model, x, noisy, epochs=epochs, batch_size=batch_size, seed=seed, jit_compile=jit_compile
    )
    return {
        "loss": history.history["loss"],
        "last_batch_mse": history.history["last_batch_mse"],
        "test_mse": _mse(model, x, clean),
        "seconds": history.params["seconds_per_epoch"] * epochs,
        "steps_per_epoch": history.params["steps"],
    }


def fit_lbfgs(*, seed, iterations, noise=0.0, hidden_units=(50, 50), memory=100):
    """Fit the surface by full-batch L-BFGS from the same start as ``fit_gradient``.

    Args:
        iterations: L-BFGS steps, the published runs' "epochs".
        memory: pairs that approximate the curvature; 100 is PyTorch's default.

    Returns:
        Dict: "loss" (iterations,) after each iteration, "test_mse" on the clean surface,
        "seconds" for all iterations, tracing left out.
    """
    x, noisy, clean = surface.samples(noise, seed)
    minimizer = _minimizer(tuple(hidden_units), memory)
    keras.utils.set_random_seed(seed)
    minimizer.model.set_weights(surface_mlp(*hidden_units).get_weights())
    result = minimizer.run(x, noisy, iterations=iterations)
    return {
        "loss": result.loss,
        "test_mse": _mse(minimizer.model, x, clean),
        "seconds": result.seconds_per_iteration * iterations,
    }


@functools.cache  # tracing takes seconds and serves every noise level and seed
def _minimizer(hidden_units, memory):
    model = surface_mlp(*hidden_units)
    model.compile(loss="mse")
    return lbfgs.Minimizer(model, memory=memory)


def epochs_to(loss, target):
    """Epochs until a loss curve first is at or under a target, infinity if it never is."""
    reached = np.flatnonzero(np.asarray(loss) <= target)
    return float(reached[0] + 1) if len(reached) else float("inf")


def summarize(results, target):
    """What counts of gradient runs: how soon they reach a training MSE, and how steadily.

    Args:
        results: of ``fit_gradient``, one a seed.
        target: training MSE to reach.

    Returns:
        Dict of lists, one value a seed: "epochs_to_target" and "seconds_to_target" (those of the
        whole run where the target is not reached: a lower bound), "reached" (0 or 1),
        "seconds_per_step", "final_loss", "oscillation" of the last mini-batch's loss.
    """
    numbers = {}
    for result in results:
        total = len(result["loss"])
        epochs = epochs_to(result["loss"], target)
        row = {
            "epochs_to_target": min(epochs, total),
            "seconds_to_target": float(result["seconds"]) * min(epochs, total) / total,
            "reached": float(epochs <= total),
            "seconds_per_step": float(result["seconds"] / (total * result["steps_per_epoch"])),
            "final_loss": float(result["loss"][-1]),
            "oscillation": oscillation(result["last_batch_mse"]),
        }
        for name, value in row.items():
            numbers.setdefault(name, []).append(value)
    return numbers


def oscillation(loss):
    """Spread of a loss curve from one epoch to the next: sd of the steps of log10 loss.

    Taken over the second half of the curve, where the trend is small.
    """
    loss = np.log10(np.asarray(loss))
    return float(np.diff(loss[(len(loss) - 1) // 2 :]).std())


def _mse(model, x, targets):
    return float(np.mean((model(x).numpy() - targets) ** 2))
