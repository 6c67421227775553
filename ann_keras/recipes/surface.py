"""The network 2-50-50-1 on the noisy surface, tasks 1.3.1 to 1.3.4."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import data, models, training
from ann_keras.recipes.fields import adam, added

GRID = 1_600  # points of the surface: a batch of all of them is full-batch descent


@dataclass(frozen=True)
class Recipe:
    """How the surface is fitted; by default the report's SGD on the full batch, task 1.3.4."""

    optimizer: Literal["sgd", "adam", "lbfgs"] = "sgd"  # report; L-BFGS takes one step an epoch
    learning_rate: float = 0.05  # report: of SGD and Adam
    momentum: float = 0.0  # report: Nesterov's, of SGD
    beta_1: float = added(0.9, before=0.9)  # report: of Adam, decay of the mean gradient
    beta_2: float = added(0.999, before=0.999)  # report: of Adam, decay of the mean square
    epsilon: float = added(1e-7, before=1e-7)  # ours: of Adam, Keras' default; report 1e-8
    batch_size: int = GRID  # report: points a step of SGD and Adam
    epochs: int = 2500  # report: passes over the grid
    hidden_units: tuple[int, ...] = (50, 50)  # report: units of each hidden layer
    noise: float = 0.0  # report: standard deviation on the training heights
    memory: int = 100  # report: pairs by which L-BFGS knows the curvature, PyTorch's default
    jit_compile: bool = True  # ours: by XLA, which pays for small networks


def train(recipe, seed):
    """Fit the surface.

    Args:
        recipe: ``Recipe``; at least two epochs of SGD and Adam, since the first, which compiles,
            is not timed.
        seed: decides initial weights, noise and order; the same network for every optimizer.

    Returns:
        Dict: "loss" (epochs,), the mean over each epoch; "last_batch_mse" (epochs,), of its last
        mini-batch, or L-BFGS' full batch; "test_mse" on the clean surface; "seconds" for all
        epochs, compiling left out; "steps_per_epoch"; "weights", flat.
    """
    import keras

    x, noisy, clean = data.surface.samples(recipe.noise, seed)
    keras.utils.set_random_seed(seed)
    model = models.mlp.surface_mlp(*recipe.hidden_units)
    if recipe.optimizer == "lbfgs":
        minimizer = training.lbfgs.of_network(
            models.mlp.surface_mlp, *recipe.hidden_units, memory=recipe.memory
        )
        minimizer.model.set_weights(model.get_weights())
        model, found = minimizer.model, minimizer.run(x, noisy, iterations=recipe.epochs)
        curves = {"loss": found.loss, "last_batch_mse": found.loss}
        seconds, steps = found.seconds_per_iteration, 1
    else:
        optimizer = adam(recipe)
        if recipe.optimizer == "sgd":
            optimizer = keras.optimizers.SGD(
                recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0
            )
        model.compile(optimizer, loss="mse", metrics=[training.metrics.LastBatchError()])
        history = training.compiled.fit(model, x, noisy, epochs=recipe.epochs,
                                        batch_size=recipe.batch_size, seed=seed,
                                        jit_compile=recipe.jit_compile)
        curves = {name: history.history[name] for name in ("loss", "last_batch_mse")}
        seconds, steps = history.params["seconds_per_epoch"], history.params["steps"]
    return curves | {"test_mse": float(np.mean((model(x).numpy() - clean) ** 2)),
                     "seconds": seconds * recipe.epochs,
                     "steps_per_epoch": steps,
                     "weights": models.weights.flatten(model)}
