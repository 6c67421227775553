"""Functions of runs, in a module that workers find by its file."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ann_keras.recipes.fields import added


@dataclass(frozen=True)
class Recipe:
    rate: float = 0.1
    epochs: int = 3


@dataclass(frozen=True)
class LaterRecipe:
    """``Recipe`` with a field more."""

    rate: float = 0.1
    epochs: int = 3
    decay: float = added(0.5, before=0.0)


def train(recipe, seed):
    values = np.arange(recipe.epochs) * recipe.rate + seed
    return {"loss": values, "weights": np.eye(2, dtype="float32"), "process": os.getpid()}


def score(training, scale=1.0):
    return {"score": scale * training["loss"].sum(), "rate": training.recipe.rate,
            "seed": training.seed}


def pool(trainings):
    return {"mean": np.mean([training["loss"] for training in trainings])}


def noted(folder, seed=0):
    """Leaves a note of each call."""
    Path(folder, f"{time.monotonic_ns()}_{os.getpid()}").touch()
    return {"seed": seed}


def slow(folder, seconds):
    noted(folder)
    time.sleep(seconds)
    return {"done": 1}


def refuse(seed=0):
    raise ValueError("no such thing\nand more")


def die(folder, times, checkpoint=None):
    """Kills its process a few times; goes on from what it kept."""
    kept = Path(checkpoint, "kept")
    done = int(kept.read_text()) if kept.is_file() else 0
    noted(folder)
    if done < times:
        kept.write_text(str(done + 1))
        os._exit(9)
    return {"died": done}


def drawn(seed):
    """What Keras draws for a new layer, while there is time for other threads to draw as well."""
    import keras

    keras.utils.set_random_seed(seed)
    time.sleep(0.5)
    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    return {"kernel": layer.kernel.numpy()}


def sums(seed):
    """A float32 product whose rounding depends on how many threads add it up."""
    import tensorflow as tf

    random = np.random.default_rng(seed)
    a, b = (random.normal(size=(300, 5000)).astype("float32") for _ in range(2))
    return {"product": tf.linalg.matmul(a, b, transpose_b=True).numpy(),
            "sum": tf.reduce_sum(a).numpy()}
