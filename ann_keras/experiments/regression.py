"""Training runs of the regression exercise, tasks 1.4.1 to 1.4.4."""

import functools

import keras
import numpy as np

from ann_keras.data import regression
from ann_keras.models.mlp import mish_regressor
from ann_keras.training import compiled, lbfgs

TABLE_2 = {"hidden_units": [16, 16, 16], "activations": ["mish", "mish", "tanh"]}

# XLA takes a second longer to compile this network and runs an epoch four times as fast.
_EPOCHS_THAT_PAY_FOR_XLA = 200


def fit_gradient(
    *,
    seed,
    hidden_units=TABLE_2["hidden_units"],
    activations=TABLE_2["activations"],
    optimizer="adam",
    learning_rate=0.05,
    batch_size=64,
    epochs=80,
    patience=10,
    validation_split=0.2,
    dropout=0.0,
    training_points=2_000,
    test_points=1_000,
    student_number=regression.PUBLISHED_STUDENT,
    source="closed form",
):
    """Train the regressor as published: mini-batches, early stopping with best weights restored.

    Args:
        seed: decides points, initial weights and order.
        optimizer: name of a Keras optimizer.
        patience: epochs without a better validation loss before training stops; 0 for never,
            and the weights of the last epoch are kept then.
        others: of ``mish_regressor``, ``regression.split`` and ``compiled.fit``.

    Returns:
        Dict: "train_mse" (all training points), "test_mse", "epochs" run, curves "loss" and
        "val_loss" (epochs,), "prediction" on the test points (test_points,).
    """
    (x_train, y_train), test = regression.split(
        seed, student_number=student_number, source=source,
        training_points=training_points, test_points=test_points,
    )
    keras.utils.set_random_seed(seed)
    model = mish_regressor(tuple(hidden_units), tuple(activations), dropout=dropout)
    steps = keras.optimizers.get(optimizer)
    steps.learning_rate = learning_rate
    model.compile(steps, loss="mse")
    stopping = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
    history = compiled.fit(
        model, x_train, y_train, epochs=epochs, batch_size=batch_size, seed=seed,
        validation_split=validation_split, callbacks=[stopping] if patience else [],
        jit_compile=epochs > _EPOCHS_THAT_PAY_FOR_XLA,
    )
    curves = {name: history.history[name] for name in ("loss", "val_loss")}
    return _scores(model, (x_train, y_train), test) | curves | {"epochs": len(history.epoch)}


def fit_lbfgs(
    *,
    seed,
    iterations,
    memory=100,
    hidden_units=TABLE_2["hidden_units"],
    activations=TABLE_2["activations"],
    training_points=2_000,
    test_points=1_000,
    student_number=regression.PUBLISHED_STUDENT,
    source="closed form",
):
    """Fit the same regressor by full-batch L-BFGS on all training points, none held out.

    Args:
        seed: decides points and initial weights.
        iterations: L-BFGS steps.
        memory: pairs that approximate the curvature.
        others: of ``mish_regressor`` and ``regression.split``.

    Returns:
        Dict as of ``fit_gradient``, with "loss" (iterations,).
    """
    train, test = regression.split(
        seed, student_number=student_number, source=source,
        training_points=training_points, test_points=test_points,
    )
    network = tuple(hidden_units), tuple(activations)
    minimizer = _minimizer(*network, memory)
    keras.utils.set_random_seed(seed)
    minimizer.model.set_weights(mish_regressor(*network).get_weights())
    result = minimizer.run(*train, iterations=iterations)
    return _scores(minimizer.model, train, test) | {"loss": result.loss}


@functools.cache  # tracing takes seconds and serves every seed
def _minimizer(hidden_units, activations, memory):
    model = mish_regressor(hidden_units, activations)
    model.compile(loss="mse")
    return lbfgs.Minimizer(model, memory=memory)


def _scores(model, train, test):
    def error(x, y):
        prediction = model(x).numpy()
        return prediction[:, 0], float(np.mean((prediction - y) ** 2))

    _, train_mse = error(*train)
    prediction, test_mse = error(*test)
    return {"train_mse": train_mse, "test_mse": test_mse, "prediction": prediction}
