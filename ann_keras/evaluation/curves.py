"""What loss and accuracy curves show: how soon they are there, and how steadily they get there."""

import numpy as np

#: Losses of ``recipes.surface.train`` whose oscillation is measured, by what they are of.
LOSSES = {"all points": "loss", "the last mini-batch": "last_batch_mse"}

_SMALLEST_FLUCTUATION = 1e-4  # one image of 10,000: less cannot be told from none


def reach(runs, target):
    """How soon trainings reach a loss, of "loss" (seeds, epochs) and "seconds" of all epochs.

    Returns:
        Dict of arrays (seeds,): "epochs" and "seconds" until the loss first is at or under the
        target, those of the whole run, a lower bound, where it never is; "reached", whether it is.
    """
    under = runs["loss"] <= target
    reached = under.any(axis=1)
    epochs = np.where(reached, under.argmax(axis=1) + 1, under.shape[1])
    return {"epochs": epochs, "seconds": runs["seconds"] * epochs / under.shape[1],
            "reached": reached}


def oscillation(losses):
    """Spread of losses (seeds, epochs) from one epoch to the next: sd of the steps of log10 loss.

    Taken over the second half of the epochs, where the trend is small, for each seed.
    """
    late = np.log10(losses[:, (losses.shape[1] - 1) // 2 :])
    return np.diff(late, axis=1).std(axis=1)


def fluctuation(values):
    """Epoch-to-epoch standard deviation of values (seeds, epochs) in the second half, (seeds,).

    From the differences of neighbouring epochs, √(mean d² / 2), which a slow rise hardly moves;
    at least one image in 10,000.
    """
    steps = np.diff(values[:, (values.shape[1] - 1) // 2 :], axis=1)
    squares = (steps**2).sum(axis=1) / max(1, steps.shape[1])
    return np.maximum(np.sqrt(squares / 2), _SMALLEST_FLUCTUATION)


def at_best_epoch(runs, name):
    """An accuracy, such as "test_accuracy", at the epoch of the highest "val_accuracy", the first
    if equal: (seeds,) of runs that have arrays (seeds, epochs), a number of one that has (epochs,).
    """
    epochs = np.argmax(runs["val_accuracy"], axis=-1)
    return np.take_along_axis(np.asarray(runs[name]), epochs[..., np.newaxis], axis=-1)[..., 0]
