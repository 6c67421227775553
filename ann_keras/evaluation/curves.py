"""What loss and accuracy curves show: how soon they are there, and how steadily they get there."""

import numpy as np

_SMALLEST_FLUCTUATION = 1e-4  # one image of 10,000: less cannot be told from none


def epochs_to(loss, target):
    """Epochs until a loss curve first is at or under a target, infinity if it never is."""
    reached = np.flatnonzero(np.asarray(loss) <= target)
    return float(reached[0] + 1) if len(reached) else float("inf")


def steps_to_share(curve, share):
    """Steps until a rising curve first is at a share of its last value; all, if that is 0."""
    return int(np.argmax(curve >= share * curve[-1])) + 1 if curve[-1] else len(curve)


def summarize(results, target):
    """What counts of gradient runs: how soon they reach a training MSE, and how steadily.

    Args:
        results: of ``recipes.surface.train``, one a seed.
        target: training MSE to reach.

    Returns:
        Dict of lists, one value a seed: "epochs_to_target" and "seconds_to_target" (those of the
        whole run where the target is not reached: a lower bound), "reached" (0 or 1),
        "seconds_per_step", "final_loss", "oscillation" of the last mini-batch's loss.
    """
    rows = []
    for result in results:
        total = len(result["loss"])
        epochs = epochs_to(result["loss"], target)
        rows.append({
            "epochs_to_target": min(epochs, total),
            "seconds_to_target": float(result["seconds"]) * min(epochs, total) / total,
            "reached": float(epochs <= total),
            "seconds_per_step": float(result["seconds"] / (total * result["steps_per_epoch"])),
            "final_loss": float(result["loss"][-1]),
            "oscillation": oscillation(result["last_batch_mse"]),
        })
    return {name: [row[name] for row in rows] for name in rows[0]}


def oscillation(loss):
    """Spread of a loss curve from one epoch to the next: sd of the steps of log10 loss.

    Taken over the second half of the curve, where the trend is small.
    """
    loss = np.log10(np.asarray(loss))
    return float(np.diff(loss[(len(loss) - 1) // 2 :]).std())


def fluctuation(accuracies):
    """Epoch-to-epoch standard deviation of accuracy in the second half of training.

    From the differences of neighbouring epochs, √(mean d² / 2), which a slow rise hardly moves;
    at least one image in 10,000.

    Args:
        accuracies: array (seeds, epochs).

    Returns:
        Array (seeds,).
    """
    steps = np.diff(accuracies[:, (accuracies.shape[1] - 1) // 2 :], axis=1)
    squares = (steps**2).sum(axis=1) / max(1, steps.shape[1])
    return np.maximum(np.sqrt(squares / 2), _SMALLEST_FLUCTUATION)


def at_best_epoch(runs, name):
    """An accuracy at the epoch of the highest validation accuracy, the first if equal.

    Args:
        runs: "val_accuracy" and others, arrays (seeds, epochs) or (epochs,).
        name: of the accuracy, such as "test_accuracy".

    Returns:
        Array (seeds,), or a number.
    """
    epochs = np.argmax(runs["val_accuracy"], axis=-1)
    return np.take_along_axis(np.asarray(runs[name]), epochs[..., np.newaxis], axis=-1)[..., 0]


def late_gain(accuracies):
    """Accuracy in the last third of the epochs above that in the middle third.

    Args:
        accuracies: array (seeds, epochs).

    Returns:
        Array (seeds,).
    """
    begin, third = accuracies.shape[1] // 3, max(1, accuracies.shape[1] // 3)
    middle = accuracies[:, begin : begin + third]
    return accuracies[:, -third:].mean(axis=1) - middle.mean(axis=1)
