"""The ablation of task 3.2.2: what is changed, how changes are measured and judged.

A comparison is one of validation accuracies at each run's best epoch. Runs with the same seed
share images, so differences are paired by seed; a verdict needs the 95% interval of their mean
to lie on one side of a threshold, and is "undecided" otherwise.
"""

import numpy as np

from ann_keras import plots

LITTLE = 0.002  # accuracy that counts as little
A_LOT = 1.5  # ratio of fluctuations that counts as a lot more

# What is changed, one factor at a time: options of ``strided_convnet``. Paddings follow the
# kernels, so that all sizes stay as published; two more blocks like the third come after it.
VARIANTS = {
    "filters": {
        "half the filters": {"filters": [8, 16, 16, 32]},
        "twice the filters": {"filters": [32, 64, 64, 128]},
    },
    "kernel size": {
        "smaller kernels": {"kernel_sizes": [2, 2, 1, 2], "paddings": [1, 0, 0, 0]},
        "larger kernels": {"kernel_sizes": [6, 6, 5, 2], "paddings": [3, 2, 2, 0]},
    },
    "dropout": {"no dropout": {"dropout": [0.0, 0.0, 0.0, 0.0]}},
    "depth": {
        "six blocks": {
            "filters": [16, 32, 32, 32, 32, 64],
            "kernel_sizes": [4, 4, 3, 3, 3, 2],
            "paddings": [2, 1, 1, 1, 1, 0],
            "dropout": [0.2, 0.4, 0.4, 0.4, 0.4, 0.0],
        },
    },
    "pooling": {"pooling": {"pooling": True}},
    "activation": {
        "sigmoid": {"activation": "sigmoid"},
        "tanh": {"activation": "tanh"},
    },
    "batch norm": {"no batch norm": {"batch_norm": False}},
}

_SMALLEST_FLUCTUATION = 1e-4  # one image of 10,000: less cannot be told from none
NOT_RUN = "undecided", "Not run on this preset."  # of a claim whose variants are left out


def chosen(runs, name):
    """Accuracies (seeds,) at the epoch of the highest validation accuracy, the first if equal.

    Args:
        runs: as of ``convnet.run_seeds``.
        name: of the accuracy, such as "test_accuracy".
    """
    epochs = runs["val_accuracy"].argmax(axis=1)
    return np.take_along_axis(runs[name], epochs[:, np.newaxis], axis=1)[:, 0]


def gains(ablation, label):
    """Validation accuracy of a variant above the published network's, (seeds,)."""
    return chosen(ablation[label], "val_accuracy") - chosen(ablation["published"], "val_accuracy")


def effects(ablation):
    """How much each factor matters: its most different variant, by factor.

    Returns:
        Dict of (seeds,): the ``gains`` of the variant whose mean is furthest from 0, with the
        sign that makes the mean positive.
    """
    result = {}
    for factor, variants in VARIANTS.items():
        differences = [gains(ablation, label) for label in variants if label in ablation]
        if differences:
            largest = max(differences, key=lambda values: abs(values.mean()))
            result[factor] = largest * (1.0 if largest.mean() >= 0 else -1.0)
    return result


def late_gain(accuracies):
    """Accuracy in the last third of the epochs above that in the middle third, (seeds,)."""
    epochs = accuracies.shape[1]
    third = max(1, epochs // 3)
    middle = accuracies[:, epochs // 3 : epochs // 3 + third]
    return accuracies[:, -third:].mean(axis=1) - middle.mean(axis=1)


def fluctuation(accuracies):
    """Epoch-to-epoch standard deviation in the second half of training, (seeds,).

    From the differences of neighbouring epochs, √(mean d² / 2), which a slow rise hardly moves;
    at least one image in 10,000.
    """
    steps = np.diff(accuracies[:, (accuracies.shape[1] - 1) // 2 :], axis=1)
    squares = (steps**2).sum(axis=1) / max(1, steps.shape[1])
    return np.maximum(np.sqrt(squares / 2), _SMALLEST_FLUCTUATION)


def interval(differences):
    """95% confidence interval (Student's t) of the mean of paired differences, one a seed.

    Returns:
        Its lower and upper end; infinite for a single seed.
    """
    from scipy.stats import t

    differences = np.asarray(differences)
    number = differences.size
    if number < 2:
        return -np.inf, np.inf
    margin = t.ppf(0.975, number - 1) * differences.std(ddof=1) / np.sqrt(number)
    return differences.mean() - margin, differences.mean() + margin


def decide(differences, threshold=0.0):
    """Whether a mean difference lies above a threshold: True, False or "undecided".

    Undecided where the 95% interval holds the threshold.
    """
    low, high = interval(differences)
    return True if low > threshold else False if high < threshold else "undecided"


def judge_ranking(ablation, named=("filters", "kernel size", "dropout")):
    """Whether the least of the named factors matters more than the most of the others.

    This and the following give (verdict, evidence) of a claim, from ``run_ablation``'s runs.
    """
    sizes = effects(ablation)
    others = {factor: values for factor, values in sizes.items() if factor not in named}
    if not others or not set(named) <= set(sizes):
        return NOT_RUN
    least = min(named, key=lambda factor: sizes[factor].mean())
    most = max(others, key=lambda factor: others[factor].mean())
    order = sorted(sizes, key=lambda factor: -sizes[factor].mean())
    listed = ", ".join(f"{factor} {100 * sizes[factor].mean():.2f}" for factor in order)
    return decide(sizes[least] - sizes[most]), (
        "Largest change of validation accuracy by each factor, in percentage points: "
        f"{listed}. {least.capitalize()} against {most}: {_points(sizes[least] - sizes[most])}."
    )


def judge_depth(ablation):
    """Whether six blocks gain less than ``LITTLE``."""
    if "six blocks" not in ablation:
        return NOT_RUN
    gain = gains(ablation, "six blocks")
    return decide(-gain, -LITTLE), (
        f"Six blocks instead of four change validation accuracy by {_points(gain)}; a gain "
        f"below {100 * LITTLE:.1f} counts as no help."
    )


def judge_dropout(ablation):
    """Whether without dropout the first epoch is better and the late gain smaller."""
    if "no dropout" not in ablation:
        return NOT_RUN
    without, published = (ablation[name]["val_accuracy"] for name in ("no dropout", "published"))
    lead = without[:, 0] - published[:, 0]
    late = late_gain(published) - late_gain(without)
    answers = decide(lead), decide(late)
    verdict = False if False in answers else "undecided" if "undecided" in answers else True
    return verdict, (
        f"Without dropout validation accuracy after one epoch is higher by {_points(lead)}, and "
        "the gain from the middle to the last third of the epochs smaller by "
        f"{_points(late)}; the best epoch changes by {_points(gains(ablation, 'no dropout'))}."
    )


def judge_pooling(ablation):
    """Whether pooling multiplies the fluctuation from epoch to epoch by ``A_LOT`` or more."""
    if "pooling" not in ablation:
        return NOT_RUN
    runs = [ablation[name]["val_accuracy"] for name in ("pooling", "published")]
    pooled, strided = (fluctuation(accuracies) for accuracies in runs)
    ratio = np.log(pooled / strided)
    low, high = np.exp(interval(ratio))
    between = f"95% interval {low:.2f} to {high:.2f}" if np.isfinite(high) else "one seed"
    return decide(ratio, np.log(A_LOT)), (
        f"Pooling multiplies the fluctuation of validation accuracy from epoch to epoch by "
        f"{np.exp(ratio.mean()):.2f} ({between}), {100 * pooled.mean():.3f} against "
        f"{100 * strided.mean():.3f} percentage points; {A_LOT} times counts as a lot more."
    )


def judge_activation(ablation):
    """Whether both other activations lose."""
    if not {"sigmoid", "tanh"} <= set(ablation):
        return NOT_RUN
    losses = {name: -gains(ablation, name) for name in ("sigmoid", "tanh")}
    answers = [decide(loss) for loss in losses.values()]
    verdict = False if False in answers else "undecided" if "undecided" in answers else True
    listed = " and ".join(f"{name} by {_points(loss)}" for name, loss in losses.items())
    return verdict, f"ReLU's validation accuracy is higher than that of {listed}."


def judge_batch_norm(ablation):
    """Whether batch normalisation helps, by less than ``LITTLE``."""
    if "no batch norm" not in ablation:
        return NOT_RUN
    gain = -gains(ablation, "no batch norm")
    low, high = interval(gain)
    verdict = "undecided"
    if low > LITTLE or high < 0:
        verdict = False  # helps a lot, or harms
    elif gain.mean() > 0 and high < LITTLE:
        verdict = True
    return verdict, (
        f"Batch normalisation adds {_points(gain)}; below {100 * LITTLE:.1f} counts as a little."
    )


def measure(task, ablation):
    """Record the accuracies of every variant, and ``ablation.csv``."""
    rows = []
    for label, runs in ablation.items():
        row = [label, int(runs["parameters"][0])]
        for name in ("val_accuracy", "test_accuracy"):
            values = chosen(runs, name)
            mean = task.measure(f"ablation/{label}/{name}", values, better="higher")
            row.append(f"{mean:.4f}")
        gain = gains(ablation, label)
        low, high = interval(gain)
        row += [f"{gain.mean():+.4f}", f"{low:+.4f}", f"{high:+.4f}"]
        rows.append([*row, f"{fluctuation(runs['val_accuracy']).mean():.5f}"])
    columns = ["variant", "parameters", "validation accuracy", "test accuracy", "gain",
               "gain from", "gain to", "fluctuation"]
    task.table("ablation", columns, rows)


def draw(task, ablation):
    """Gains of every variant, a dot a seed and a bar at the mean."""
    labels = [label for label in ablation if label != "published"]
    figure, (axes,) = plots.panels(width=7.5, height=1.2 + 0.34 * len(labels))
    for place, label in enumerate(labels):
        gain = 100 * gains(ablation, label)
        axes.plot(gain, np.full(len(gain), place), "o", color="C0", alpha=0.5)
        axes.plot(gain.mean(), place, "|", color="black", ms=16, mew=2)
    axes.axvline(0, color="black", lw=1)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel("change in validation accuracy against the published network (points)")
    task.figure("ablation", figure)


def _points(differences):
    """Mean and 95% interval of differences of accuracy, in words."""
    low, high = 100 * np.array(interval(differences))
    between = f"95% interval {low:+.2f} to {high:+.2f}" if np.isfinite(low) else "one seed"
    return f"{100 * np.mean(differences):+.2f} percentage points ({between})"
