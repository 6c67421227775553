"""Training runs and forecasts of the Santa Fe laser, tasks 2.2.1 to 2.2.3."""

import keras
import numpy as np

from ann_keras.data import santafe
from ann_keras.models.lstm import nar_lstm
from ann_keras.models.mlp import nar_mlp
from ann_keras.models.random_features import random_feature_network
from ann_keras.training import compiled, ridge
from ann_keras.training.rollout import ClosedLoop

HORIZON = 100  # values a forecast has, as in the competition
_DIVERGED = 1e4
# XLA takes a second longer to compile the MLP and runs an epoch two to four times as fast.
_EPOCHS_THAT_PAY_FOR_XLA = 50
_HISTORY = santafe.TRAINING_POINTS  # values before a forecast, for networks with a state


def train_over_folds(
    *, network, seed, lag, units, folds, validation, epochs, batch_size, learning_rate, later
):
    """The published protocol (D4): one network goes from fold to fold and keeps its weights.

    Args:
        network: "mlp" or "lstm".
        seed: decides initial weights and order.
        lag, units: of the network.
        folds, validation: of the time-series split, with a gap of ``lag``.
        epochs: in each fold.
        batch_size: rows a step of the MLP; the LSTM sees one sequence an epoch.
        learning_rate: of Adam.
        later: forecasts from that many later starts.

    Returns:
        Dict: "loss" and "val_loss" (folds, epochs) of the standardised series, and what
        ``_scores`` gives.
    """
    train, _ = santafe.load()
    scale = santafe.Scale.of(train)
    x, y = santafe.windows(scale.standardise(train), lag)
    keras.utils.set_random_seed(seed)
    model = _compile(_NETWORKS[network](lag, units), learning_rate)
    losses, validation_losses = [], []
    split = santafe.expanding_folds(len(x), folds=folds, validation=validation, gap=lag)
    for fold, (fit_on, validate_on) in enumerate(split):
        history = _fit(
            model, (x[fit_on], y[fit_on]), (x[validate_on], y[validate_on]), epochs, batch_size,
            seed=1000 * seed + fold,
        )
        losses.append(history["loss"])
        validation_losses.append(history["val_loss"])
    return {"loss": losses, "val_loss": validation_losses} | _scores(
        _as_forecaster(model), scale, santafe.TRAINING_POINTS, later
    )


def train_afresh(
    *, network, seed, start, lag, units, epochs, batch_size, learning_rate, later=0
):
    """The corrected protocol: a new network for each origin, trained on all that precedes it.

    Args:
        start: the first value to forecast; the network sees ``series[:start]`` alone.
        others: of ``train_over_folds``.

    Returns:
        Dict: "loss" (epochs,) of the standardised series, and what ``_scores`` gives.
    """
    scale, (x, y) = _training_windows(start, lag)
    keras.utils.set_random_seed(seed)
    model = _compile(_NETWORKS[network](lag, units), learning_rate)
    history = _fit(model, (x, y), None, epochs, batch_size, seed)
    return {"loss": history["loss"]} | _scores(_as_forecaster(model), scale, start, later)


def fit_random_features(*, seed, start, lag, pairs, gamma, penalty, later=0):
    """A network of random features whose readout is fitted to all that precedes ``start``.

    Returns:
        Dict as of ``_scores``.
    """
    scale, (x, y) = _training_windows(start, lag)
    model = random_feature_network(lag, pairs, gamma=gamma, seed=seed)
    ridge.fit_readout(model, x, y, penalty=penalty)
    return _scores(_as_forecaster(model), scale, start, later)


def fit_reference(*, method, start, later=0, lag=1, **options):
    """A forecast that needs no network, from all that precedes ``start``.

    Args:
        method: "persistence" (the last value for ever), "linear" (autoregression with a ridge
            ``penalty``) or "kernel ridge" (Gaussian kernel, ``gamma`` and ``penalty``).

    Returns:
        Dict as of ``_scores``.

    Raises:
        ValueError: the method is unknown.
    """
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.linear_model import Ridge

    scale, (x, y) = _training_windows(start, lag)
    if method == "persistence":
        return _scores(
            lambda history: np.repeat(history[:, -1:], HORIZON, axis=1), scale, start, later
        )
    if method == "linear":
        regressor = Ridge(alpha=options["penalty"])
    elif method == "kernel ridge":
        regressor = KernelRidge(
            kernel="rbf", gamma=options["gamma"], alpha=options["penalty"]
        )
    else:
        raise ValueError(f"unknown method {method!r}")
    regressor.fit(x, y)

    def forecast(history):
        windows, values = history[:, -lag:], []
        for _ in range(HORIZON):
            values.append(regressor.predict(windows))
            windows = np.column_stack([windows[:, 1:], values[-1]])
        return np.stack(values, axis=1)

    return _scores(forecast, scale, start, later)


def validate(fit, starts, **settings):
    """Forecasts from origins inside the training points, by the function that ``fit`` names.

    Returns:
        Dict: "nmse" (starts,), the squared error over the variance of the training series.
    """
    train, _ = santafe.load()
    for start in starts:
        if not settings["lag"] < start <= len(train) - HORIZON:
            raise ValueError(
                f"validation origins must lie in {settings['lag'] + 1} to "
                f"{len(train) - HORIZON}, got {start}"
            )
    errors = [_FITS[fit](start=start, **settings)["mse"] for start in starts]
    return {"nmse": np.array(errors) / train.var()}


def _training_windows(start, lag):
    """The scale of the values before ``start``, and their standardised windows."""
    known = santafe.load_all()[:start]
    scale = santafe.Scale.of(known)
    return scale, santafe.windows(scale.standardise(known), lag)


def _compile(model, learning_rate):
    model.compile(keras.optimizers.Adam(learning_rate), loss="mse")
    return model


def _fit(model, train, validation, epochs, batch_size, seed):
    """Losses of a training run, as a dict of lists."""
    recurrent = len(model.input_shape) == 3

    def shaped(x, y):
        x, y = x.astype(np.float32), y.astype(np.float32)[:, np.newaxis]
        return (x[np.newaxis], y[np.newaxis]) if recurrent else (x, y)

    history = compiled.fit(
        model, *shaped(*train), epochs=epochs, batch_size=1 if recurrent else batch_size,
        validation_data=None if validation is None else shaped(*validation), seed=seed,
        # The LSTM's loops are compiled anyway.
        jit_compile=not recurrent and epochs >= _EPOCHS_THAT_PAY_FOR_XLA,
    )
    return history.history


def _as_forecaster(model):
    """A function: standardised histories (starts, points) → forecasts (starts, HORIZON)."""

    def forecast(history):
        network = model
        if network.input_shape[0] not in (None, len(history)):
            network = nar_lstm(
                network.input_shape[-1], network.layers[1].units, batch_size=len(history)
            )
            network.set_weights(model.get_weights())
        return ClosedLoop(network).forecast(history, HORIZON)

    return forecast


def _scores(forecast, scale, start, later):
    """Errors of a forecaster from ``start`` and from later starts, in the series' own units.

    Returns:
        Dict: "forecast" (HORIZON,), "mse"; with later > 0 also "later_mse" (later,). A forecast
        that diverges is cut off at ±10,000, forty times the largest value of the series.
    """
    series = santafe.load_all()

    def errors(starts):
        first = min(_HISTORY, min(starts))
        history = np.stack([series[s - first : s] for s in starts])
        values = scale.restore(forecast(scale.standardise(history)))
        values = np.clip(np.nan_to_num(values, nan=_DIVERGED), -_DIVERGED, _DIVERGED)
        truth = np.stack([series[s : s + HORIZON] for s in starts])
        return values, np.mean((values - truth) ** 2, axis=1)

    values, mse = errors([start])
    result = {"forecast": values[0], "mse": mse[0]}
    if later:
        result["later_mse"] = errors(later_starts(later))[1]
    return result


def later_starts(number):
    """Origins after the 1,100 published points, at equal distances, each with 100 values left."""
    first = santafe.TRAINING_POINTS + santafe.TEST_POINTS
    last = len(santafe.load_all()) - HORIZON
    return np.linspace(first, last, number).astype(int).tolist()


_NETWORKS = {"mlp": nar_mlp, "lstm": nar_lstm}
_FITS = {
    "train_afresh": train_afresh,
    "fit_reference": fit_reference,
}
