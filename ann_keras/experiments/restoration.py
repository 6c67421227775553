"""Digits with a part removed, restored by an RBM and labelled by a convnet, tasks 4.1.4, 4.1.5."""

import numpy as np

from ann_keras import plots
from ann_keras.experiments import boltzmann
from ann_keras.experiments.labels import Judge

SIDE = 28


def prepare(task, settings):
    """What both tasks use: the RBMs of task 4.1.2, one a seed, the judge, test rows and labels.

    Raises:
        UserError: there are fewer test digits than the script asks for.
    """
    machines = [
        boltzmann.rbm_of(boltzmann.published_rbm(task, settings, seed, of="4.1.2"))
        for seed in task.seeds
    ]
    judge = Judge(task, epochs=settings.epochs, source=settings.source, of="4.1.3")
    rows, labels = boltzmann.test_digits(settings.source, settings.images)
    return machines, judge, rows, labels


def known_pixels(region, lines):
    """Which pixels are kept when so many lines of a region are removed.

    Args:
        region: "top", "bottom" or "middle" for rows, "left" or "right" for columns.
        lines: how many.

    Returns:
        Boolean array (784,), False where the image is removed.

    Raises:
        ValueError: an unknown region, or more lines than there are.
    """
    if not 0 <= lines <= SIDE:
        raise ValueError(f"0 to {SIDE} lines can be removed, got {lines}")
    starts = {
        "top": 0, "bottom": SIDE - lines, "middle": (SIDE - lines) // 2, "left": 0,
        "right": SIDE - lines,
    }
    if region not in starts:
        raise ValueError(f"unknown region {region!r}: choose from {sorted(starts)}")
    known = np.ones((SIDE, SIDE), bool)
    removed = slice(starts[region], starts[region] + lines)
    if region in ("left", "right"):
        known[:, removed] = False
    else:
        known[removed] = False
    return known.ravel()


def restore(rbm, rows, known, steps, *, clamped):
    """Images whose removed pixels are an RBM's.

    Args:
        rbm: ``BernoulliRBM``.
        rows: whole images (n, 784).
        known: boolean (784,), False where they are removed, to black.
        steps: Gibbs steps from the images so cut.
        clamped: hold the known pixels in every step; the report lets all of them run free.

    Returns:
        Probabilities of the last step (n, 784), and the same with the known pixels put back.
    """
    cut = np.where(known, rows, 0)
    seen = rbm.reconstruct(cut, known if clamped else None, steps, probabilities=True)
    return seen, np.where(known, rows, seen)


def compare(machines, judge, rows, known, steps):
    """Which digits are seen after a part is removed, and restored in two ways.

    Args:
        machines: ``BernoulliRBM``s, one a seed.
        judge: ``labels.Judge``.
        rows, known, steps: as of ``restore``.

    Returns:
        Dict of labels: "whole" and "cut" (1, n), and (seeds, n) each: "free" (as published:
        free-running, the known pixels put back at the end), "free_raw" (not put back) and
        "clamped".
    """
    images = {"whole": [rows], "cut": [np.where(known, rows, 0)], "free": [], "free_raw": [],
              "clamped": []}
    for rbm in machines:
        raw, free = restore(rbm, rows, known, steps, clamped=False)
        images["free"].append(free)
        images["free_raw"].append(raw)
        images["clamped"].append(restore(rbm, rows, known, steps, clamped=True)[1])
    return {name: np.stack([judge.labels(part) for part in parts])
            for name, parts in images.items()}


def shares(predicted, labels):
    """Share of right labels (seeds,), and by digit, mean over seeds, (10,), of ``compare``."""
    right = predicted == labels
    return right.mean(axis=1), np.array([right[:, labels == digit].mean() for digit in range(10)])


def margin(share, number):
    """Half the 95% interval of a share of so many images (normal approximation)."""
    return 1.96 * np.sqrt(share * (1 - share) / number)


def draw(task, stem, images):
    """Images in a grid: ``images`` by row title, each (n, 784)."""
    figure, axes = plots.image_grid(len(images), len(next(iter(images.values()))))
    for line, (title, parts) in zip(axes, images.items(), strict=True):
        for panel, part in zip(line, parts):
            panel.imshow(part.reshape(SIDE, SIDE), cmap="gray", vmin=0, vmax=1)
        line[0].set_ylabel(title, fontsize=8)
    task.figure(stem, figure)
