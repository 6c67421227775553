"""The surface of task 1.3: a damped ripple around the origin, with noise on the training targets.

Source: exercise 1.3 of the report (run settings in docs/deviations.md).
"""

import numpy as np

GRID_POINTS = 40


def height(x, y):
    """z = sin(0.8 (x² + y²)) / (x² + y²)^0.9, with its limit 0 at the origin."""
    r2 = np.asarray(x, np.float64) ** 2 + np.asarray(y, np.float64) ** 2
    safe = np.where(r2 > 0, r2, 1.0)
    return np.where(r2 > 0, np.sin(0.8 * safe) / safe**0.9, 0.0)


def grid(number=GRID_POINTS):
    """A regular number × number grid over [-3, 3]², an array of shape (number², 2)."""
    axis = np.linspace(-3.0, 3.0, number)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def samples(noise=0.0, seed=0, number=GRID_POINTS):
    """Grid points with heights, with and without normal noise of a standard deviation.

    Returns:
        Points of shape (number², 2), noisy heights and clean heights of shape (number², 1), all
        float32. Train on the noisy ones, test on the clean ones.
    """
    x = grid(number)
    clean = height(x[:, 0], x[:, 1])[:, np.newaxis]
    noisy = clean + noise * np.random.default_rng(seed).standard_normal(clean.shape)
    return x.astype(np.float32), noisy.astype(np.float32), clean.astype(np.float32)
