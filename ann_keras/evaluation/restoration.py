"""Digits with a part removed, restored by an RBM and labelled by a convnet, tasks 4.1.4, 4.1.5."""

import numpy as np

from ann_keras.evaluation import scoreboard

SIDE = 28
KINDS = {"cut": "cut, not restored", "free": "free-running", "clamped": "known pixels held"}


def known_pixels(region, lines):
    """Which pixels are kept when so many lines of a region are removed, boolean (784,).

    Raises:
        ValueError: an unknown region, or more lines than there are.
    """
    if not 0 <= lines <= SIDE:
        raise ValueError(f"0 to {SIDE} lines can be removed, got {lines}")
    end = SIDE - lines
    starts = {"top": 0, "bottom": end, "middle": end // 2, "left": 0, "right": end}
    if region not in starts:
        raise ValueError(f"unknown region {region!r}: choose from {sorted(starts)}")
    known = np.ones((SIDE, SIDE), bool)
    known[starts[region] : starts[region] + lines] = False
    return (known.T if region in ("left", "right") else known).ravel()


def compare(rbm, judge, rows, known, steps, shown=()):
    """Which digits are seen after a part is removed, and restored in two ways.

    Args:
        rows: whole images (n, 784).
        known: boolean (784,), False where they are removed, to black.
        steps: Gibbs steps of the ``BernoulliRBM`` from the images so cut.
        shown: positions of images that are given too.

    Returns:
        Dict of labels (n,): "whole"; "cut"; "free", as published: all pixels run free, the known
        ones are put back at the end; "free_raw", not put back; "clamped", the known pixels held in
        every step. And "…_images" (shown, 784) of each, uint8, if some are shown.
    """
    cut = np.where(known, rows, 0)
    free, held = (rbm.reconstruct(cut, mask, steps, probabilities=True) for mask in (None, known))
    images = {"whole": rows, "cut": cut, "free": np.where(known, rows, free), "free_raw": free,
              "clamped": np.where(known, rows, held)}
    found = {kind: judge.labels(part) for kind, part in images.items()}
    if shown:
        found |= {f"{kind}_images": scoreboard.to_bytes(part[list(shown)])
                  for kind, part in images.items()}
    return found


def right(results, labels):
    """Which labels of ``compare``, of one run a seed, are right: dict of bool arrays (seeds, n);
    (1, n) for "whole" and "cut", which no machine has seen."""
    alone = {kind: results[kind][:1] == labels for kind in ("whole", "cut")}
    return alone | {kind: results[kind] == labels for kind in ("free", "free_raw", "clamped")}
