"""Numbers of three seeds, for the judges of generative models."""

import numpy as np

SPREAD = np.array([-0.01, 0.0, 0.01])  # of three seeds, in logarithms or shares


def scattered(value):
    """A value a seed, 1% apart; three given ones stay as they are."""
    return np.asarray(value, float) * np.exp(SPREAD) if np.isscalar(value) else np.array(value)


def classes(*given):
    """Shares (seeds, 10) of each label, by a dict a seed; the rest is shared out evenly."""
    return np.array([[shown.get(digit, (1 - sum(shown.values())) / (10 - len(shown)))
                      for digit in range(10)] for shown in given])
