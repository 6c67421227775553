"""What tasks 2.2.1 to 2.2.3 do alike: runs over seeds, choices, errors and their figures."""

import itertools
from typing import NamedTuple

import numpy as np

from ann_keras import plots
from ann_keras.data import santafe
from ann_keras.experiments import laser


def run_published(task, protocol, seeds, *, of=None, **changes):
    """Runs of the published protocol, one a seed, with some settings changed.

    Args:
        protocol: all arguments of ``laser.train_over_folds`` but the seed.
        seeds: of the runs.
        of: another task that makes the same runs.
        changes: settings that differ from the published ones.

    Returns:
        List of what ``laser.train_over_folds`` gives.
    """
    return [
        task.run(
            f"{protocol['network']} {_label(changes) or 'published'}, seed {seed}",
            laser.train_over_folds, of=of, seed=seed, **(protocol | changes),
        )
        for seed in seeds
    ]


def run_variants(task, protocol, changes, seeds):
    """Errors of the published protocol where some settings are changed.

    Args:
        changes: list of dicts of changed settings.

    Returns:
        Dict of what ``errors`` gives, by names such as "lag 20" or "folds 5, units 25".
    """
    return {
        _label(change): errors(run_published(task, protocol, seeds, **change))
        for change in changes
    }


def choose(task, fit, choice, origins, seeds, **fixed):
    """Closed-loop validation error of every combination of settings, lowest first.

    Args:
        fit: "train_afresh" or "fit_reference" of ``laser``.
        choice: dict of lists.
        origins: first values of the validation forecasts, all inside the training points.
        seeds: number of them; 0 for a method without chance.
        fixed: settings that are the same for all.

    Returns:
        List of dicts: the settings and "nmse", the mean over origins of the median over seeds.
    """
    table = []
    for values in itertools.product(*choice.values()):
        candidate = dict(zip(choice, values))
        name = f"validate {fixed.get('network') or fixed['method']}, {_label(candidate)}"
        errors = [
            task.run(
                name if seed is None else f"{name}, seed {seed}", laser.validate,
                fit=fit, starts=list(origins), **candidate, **fixed,
                **({} if seed is None else {"seed": seed}),
            )["nmse"]
            for seed in (range(seeds) if seeds else [None])
        ]
        table.append(candidate | {"nmse": float(np.mean(np.median(errors, axis=0)))})
    return sorted(table, key=lambda row: row["nmse"])


class Errors(NamedTuple):
    """Errors of some runs, arrays (seeds,).

    mse: of the 100 test points, in the series' units squared.
    nmse: the same over the variance of the test points.
    later: median over later starts of the squared error over the variance of the 100 values.
    """

    mse: np.ndarray
    nmse: np.ndarray
    later: np.ndarray


def errors(runs):
    """``Errors`` of a list of runs with "mse" and "later_mse"."""
    _, test = santafe.load()
    mse = np.array([run["mse"] for run in runs])
    later = np.array([run["later_mse"] for run in runs])
    series = santafe.load_all()
    variance = [
        series[start : start + laser.HORIZON].var()
        for start in laser.later_starts(later.shape[1])
    ]
    return Errors(mse, mse / test.var(), np.median(later / variance, axis=1))


def measure(task, name, runs):
    """Record errors of runs under a name, with their medians; returns the ``Errors``."""
    found = errors(runs)
    for quantity, values in zip(("test_mse", "test_nmse", "later_nmse"), found):
        task.measure(f"{name}/{quantity}", values, better="lower")
        if len(values) > 1:
            task.measure(f"{name}/{quantity}/median", np.median(values), better="lower")
    return found


def draw_losses(task, stem, runs):
    """One panel a fold: training and validation loss against epoch, all seeds as a band."""
    losses = np.array([run["loss"] for run in runs])  # (seeds, folds, epochs)
    validation = np.array([run["val_loss"] for run in runs])
    figure, axes = plots.panels(losses.shape[1], width=9, sharey=True)
    for fold, panel in enumerate(axes):
        plots.curve(panel, losses[:, fold], label="training")
        plots.curve(panel, validation[:, fold], label="validation")
        panel.set(yscale="log", xlabel="epoch", title=f"fold {fold + 1}")
    axes[0].set_ylabel("MSE of the standardised series")
    axes[0].legend(title="mean and range over seeds" if len(losses) > 1 else None)
    task.figure(stem, figure)


def draw_variants(task, stem, published_errors, variants):
    """Box plots over seeds of test MSE and later NMSE, as published and with changed settings."""
    figure, axes = plots.panels(2, width=10, height=4.2, sharey=True)
    groups = {"published": published_errors} | variants
    for panel, quantity, label in (
        (axes[0], "mse", "test MSE (series' units squared)"),
        (axes[1], "later", "median NMSE over later starts"),
    ):
        panel.boxplot(
            [getattr(rows, quantity) for rows in groups.values()], orientation="horizontal"
        )
        panel.set(xscale="log", xlabel=label)
        plots.log_ticks(panel.xaxis)
    axes[0].set_yticks(range(1, 1 + len(groups)), list(groups))
    axes[0].invert_yaxis()
    task.figure(stem, figure)


def is_worse(changed, reference):
    """Whether a changed setting makes forecasts worse; ``Errors`` of runs with and without it.

    Returns:
        False where the errors over later starts are lower (p < 0.05 by ``compare``), True where
        those of the test points or of the later starts are higher, else "undecided".
    """
    def significant(quantity):
        return compare(getattr(changed, quantity), getattr(reference, quantity)) < 0.05

    def higher(quantity):
        return np.median(getattr(changed, quantity)) > np.median(getattr(reference, quantity))

    if significant("later") and not higher("later"):
        return False
    if any(significant(quantity) and higher(quantity) for quantity in ("mse", "later")):
        return True
    return "undecided"


def joint_verdict(verdicts):
    """One verdict of several comparisons: a single counter-example refutes."""
    verdicts = set(verdicts)
    if False in verdicts:
        return False
    return verdicts.pop() if len(verdicts) == 1 else "undecided"


def in_words(variants, names, reference):
    """Medians of changed settings with the p-values of their difference from ``reference``."""
    return "; ".join(
        f"{name} {np.median(variants[name].mse):.0f} "
        f"(p = {compare(variants[name].mse, reference.mse):.1g}) and "
        f"{np.median(variants[name].later):.3f} "
        f"(p = {compare(variants[name].later, reference.later):.1g})"
        for name in names
    )


def compare(errors_a, errors_b):
    """Two-sided p-value that two samples come from one distribution (Mann, Whitney)."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(errors_a, errors_b).pvalue)


def _label(settings):
    """Settings in words, such as "folds 5, units 25"."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())
