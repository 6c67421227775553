"""Scores of samples over three seeds, for judges of the generative models."""

import numpy as np

ORDINARY = {"frechet": 10, "precision": 0.3, "recall": 0.2, "confident": 0.5, "coverage": 0.4,
            "diversity": 0.9, "background": 0.02, "noisy": 1, "classes": {}}
FLOOR = {name: np.float64(0.9 + place / 100) for place, name in enumerate(ORDINARY)}


def shares(given):
    """Shares of ten classes; half are 0, unless said, and the rest is shared out evenly."""
    given = {0: 0.5, 1: 0, 4: 0.02, 7: 0.02} | given
    rest = (1 - sum(given.values())) / (10 - len(given))
    return [given.get(digit, rest) for digit in range(10)]


def scores(**changes):
    """Arrays over seeds; a single value is that of all three, classes are as of ``shares``."""
    found = {name: [value] * 3 if np.isscalar(value) or isinstance(value, dict) else value
             for name, value in (ORDINARY | changes).items()}
    found["classes"] = [shares(given) for given in found["classes"]]
    return {name: np.array(values) for name, values in found.items()}
