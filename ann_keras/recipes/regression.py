"""The regressor of Table 2 on the student's own target, tasks 1.4.1 to 1.4.4."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import data, models, training
from ann_keras.recipes.fields import from_zero

Optimizer = Literal["adam", "nadam", "rmsprop", "sgd", "lbfgs"]

# XLA takes a second longer to compile this network and runs an epoch four times as fast.
_EPOCHS_THAT_PAY_FOR_XLA = 200


@dataclass(frozen=True)
class Recipe:
    """How the target is fitted; by default the report's network and its protocol, task 1.4.3."""

    hidden_units: tuple[int, ...] = (16, 16, 16)  # report: units of each hidden layer, Table 2
    activations: tuple[str, ...] = ("mish", "mish", "tanh")  # report: of each hidden layer, Table 2
    dropout: float = 0.0  # report: rate after each hidden layer, none
    optimizer: Optimizer = "adam"  # report: Adam; L-BFGS takes one step an epoch
    learning_rate: float = 0.05  # report: of all optimizers but L-BFGS
    batch_size: int = 64  # report: points a step of all optimizers but L-BFGS
    epochs: int = 80  # report: passes over the training points, at most
    patience: int = from_zero(10)  # report: epochs without a better validation loss; 0 never stops
    validation_split: float = 0.2  # report: share of the training points; none with L-BFGS
    memory: int = 100  # ours: pairs by which L-BFGS knows the curvature
    training_points: int = 2_000  # report: validation points among them
    test_points: int = 1_000  # report: points that no training sees
    student_number: str = data.regression.PUBLISHED_STUDENT  # report: decides the target
    source: Literal["closed form", "course"] = "closed form"  # report: the course's file


def build(recipe):
    """The network of a recipe, compiled unless L-BFGS is to fit it."""
    import keras

    model = models.mlp.mish_regressor(tuple(recipe.hidden_units), tuple(recipe.activations),
                                      dropout=recipe.dropout)
    if recipe.optimizer != "lbfgs":
        optimizer = keras.optimizers.get(recipe.optimizer)
        optimizer.learning_rate = recipe.learning_rate
        model.compile(optimizer, loss="mse")
    return model


def points(recipe, seed):
    """``data.regression.split`` of a recipe."""
    return data.regression.split(seed, student_number=recipe.student_number, source=recipe.source,
                                 training_points=recipe.training_points,
                                 test_points=recipe.test_points)


def train(recipe, seed):
    """Fit the target; where patience ends it, with the weights of the best validation loss.

    Args:
        seed: decides points, initial weights and order.

    Returns:
        Dict: "loss" and, but for L-BFGS, "val_loss" (epochs,); "epochs" that ran; "train_mse" on
        all training points, "test_mse"; "prediction" on the test points (test_points,);
        "weights", flat.
    """
    import keras

    (x, y), (x_test, y_test) = points(recipe, seed)
    keras.utils.set_random_seed(seed)
    model = build(recipe)
    if recipe.optimizer == "lbfgs":
        minimizer = training.lbfgs.of_network(
            models.mlp.mish_regressor, tuple(recipe.hidden_units), tuple(recipe.activations),
            memory=recipe.memory,
        )
        minimizer.model.set_weights(model.get_weights())
        model = minimizer.model
        curves = {"loss": minimizer.run(x, y, iterations=recipe.epochs).loss}
    else:
        stopping = keras.callbacks.EarlyStopping(
            patience=recipe.patience, restore_best_weights=True
        )
        history = training.compiled.fit(
            model, x, y, epochs=recipe.epochs, batch_size=recipe.batch_size, seed=seed,
            validation_split=recipe.validation_split,
            callbacks=[stopping] if recipe.patience else [],
            jit_compile=recipe.epochs > _EPOCHS_THAT_PAY_FOR_XLA,
        ).history
        curves = {name: history[name] for name in ("loss", "val_loss")}
    fitted, predicted = model(x).numpy(), model(x_test).numpy()
    return curves | {
        "epochs": len(curves["loss"]),
        "train_mse": float(np.mean((fitted - y) ** 2)),
        "test_mse": float(np.mean((predicted - y_test) ** 2)),
        "prediction": predicted[:, 0],
        "weights": models.weights.flatten(model),
    }
