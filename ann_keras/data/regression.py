"""The regression exercise of task 1.4: a target mixed from five known functions.

The course hands out the values of five "unknown" functions at 13,600 points. They are those of
Hwang, Lay, Maechler, Martin and Schimert, "Regression modeling in back-propagation and
projection pursuit learning", IEEE Transactions on Neural Networks 5(3), 1994, and agree with the
course's file to its six decimals.
"""

import os
from pathlib import Path

import numpy as np

from ann_keras.errors import UserError

PUBLISHED_STUDENT = "R1012984"
POINTS = 13_600

FUNCTIONS = ("additive", "harmonic", "radial", "simple interaction", "complicated interaction")


def functions(x1, x2):
    """The five functions of Hwang et al. (1994, section IV) at points (n,), (n,) in [0, 1]².

    Returns:
        Array of shape (n, 5); columns in the order of ``FUNCTIONS``, T1 to T5 of the course.
    """
    x1, x2 = np.asarray(x1, np.float64), np.asarray(x2, np.float64)
    u, v = x1 - 0.5, x2 - 0.5
    r2 = u**2 + v**2
    additive = 1.3356 * (
        1.5 * (1 - x1)
        + np.exp(2 * x1 - 1) * np.sin(3 * np.pi * (x1 - 0.6) ** 2)
        + np.exp(3 * (x2 - 0.5)) * np.sin(4 * np.pi * (x2 - 0.9) ** 2)
    )
    harmonic = 42.659 * (0.1 + u * (0.05 + u**4 - 10 * u**2 * v**2 + 5 * v**4))
    radial = 24.234 * r2 * (0.75 - r2)
    simple = 10.391 * ((x1 - 0.4) * (x2 - 0.6) + 0.36)
    complicated = 1.9 * (
        1.35 + np.exp(x1) * np.sin(13 * (x1 - 0.6) ** 2) * np.exp(-x2) * np.sin(7 * x2)
    )
    return np.stack([additive, harmonic, radial, simple, complicated], axis=-1)


def weights(student_number):
    """The five largest digits of a student number, descending: R1012984 → (9, 8, 4, 2, 1).

    UserError if it has fewer than five digits, or only zeros.
    """
    digits = sorted((int(c) for c in str(student_number) if c in "0123456789"), reverse=True)
    if len(digits) < 5 or digits[0] == 0:
        raise UserError(f"student number {student_number!r} needs five digits, not all of them 0")
    return tuple(digits[:5])


def target(x1, x2, student_number=PUBLISHED_STUDENT):
    """A student's own target (n,): the ``functions`` averaged with ``weights`` as weights."""
    return np.average(functions(x1, x2), axis=-1, weights=weights(student_number))


def points(seed=0, number=POINTS):
    """Points drawn uniformly from [0, 1]², an array of shape (number, 2)."""
    return np.random.default_rng(seed).uniform(size=(number, 2))


def course_file():
    """The course's own regression.csv from the folder that ANN_KERAS_DATA names.

    Returns:
        Points of shape (13600, 2) and function values of shape (13600, 5); UserError if the file
        is missing or not seven rows of numbers.
    """
    folder = os.environ.get("ANN_KERAS_DATA")
    if not folder:
        raise UserError("the course's points need ANN_KERAS_DATA, the folder of regression.csv")
    path = Path(folder).expanduser() / "regression.csv"
    try:
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    if table.shape != (7, POINTS):
        raise UserError(f"{path} has shape {table.shape}; the course's has (7, {POINTS})")
    return table[:2].T, table[2:].T


def split(
    seed=0, *, student_number=PUBLISHED_STUDENT, source="closed form", training_points=2_000,
    test_points=1_000,
):
    """Training and test points of task 1.4, taken from a random permutation of the 13,600.

    Args:
        seed: decides the permutation and, for the closed form, the points.
        source: "closed form" (points drawn here) or "course" (the course's file).

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: float32, shapes (n, 2) and (n, 1); UserError if
        the source is unknown or lacks its file, or too many points are asked for.
    """
    if training_points + test_points > POINTS:
        raise UserError(f"{training_points} + {test_points} points asked for; there are {POINTS}")
    if source == "closed form":
        x = points(seed)
        values = functions(x[:, 0], x[:, 1])
    elif source == "course":
        x, values = course_file()
    else:
        raise UserError(f"unknown source {source!r}: choose 'closed form' or 'course'")
    y = np.average(values, axis=-1, weights=weights(student_number))
    order = np.random.default_rng([seed, 1]).permutation(len(x))
    train, test = np.split(order[: training_points + test_points], [training_points])
    x, y = x.astype(np.float32), y.astype(np.float32)[:, np.newaxis]
    return (x[train], y[train]), (x[test], y[test])
