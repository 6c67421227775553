"""What the accuracies of Table 3 say, task 3.3.2."""

import numpy as np
import scipy.stats

#: The 27 rows that cross all levels; Table 3 has 13 more, with larger sizes.
CROSSED = {"dim": (32, 64, 128), "depth": (4, 6, 8), "mlp_dim": (64, 128, 256)}


def row_sizes(row):
    """(dim, depth, mlp_dim) of a row such as "128/8/128".

    Raises:
        ValueError: the text is not three whole numbers.
    """
    try:
        dim, depth, mlp_dim = (int(part) for part in row.split("/"))
    except ValueError:
        raise ValueError(f"a row is dim/depth/mlp_dim such as 128/8/128, got {row!r}") from None
    return dim, depth, mlp_dim


def rank_correlation(first, second):
    """Spearman's correlation of two lists of numbers."""
    return float(scipy.stats.spearmanr(first, second).statistic)


def crossed(rows):
    """Those rows that belong to the crossed part of Table 3 (``CROSSED``).

    Returns:
        Dict of row → (dim, depth, mlp_dim).
    """
    sizes = {row: row_sizes(row) for row in rows}
    levels = CROSSED.values()
    return {
        row: size for row, size in sizes.items()
        if all(value in allowed for value, allowed in zip(size, levels))
    }


def main_effects(accuracy):
    """Shares of the variance of the crossed rows' accuracy that dim, depth and mlp_dim explain.

    Args:
        accuracy: dict of row → test accuracy.

    Returns:
        Dict of factor → share that the means of its levels explain (η²).
    """
    sizes = crossed(accuracy)
    values = np.array([accuracy[row] for row in sizes])
    effects = {}
    for name, column in zip(CROSSED, np.transpose(list(sizes.values()))):
        parts = [values[column == level] for level in np.unique(column)]
        between = sum(len(part) * (part.mean() - values.mean()) ** 2 for part in parts)
        effects[name] = float(between / np.sum((values - values.mean()) ** 2))
    return effects


def matched_steps(values, compare=np.divide):
    """What a larger dim changes in rows of equal depth and mlp_dim.

    Args:
        values: dict of row → number.
        compare: function of the value with the larger and the one with the smaller dim.

    Returns:
        Dict of (dim, next larger dim) → median over such pairs of rows, for dims that have some.
    """
    sizes = {row_sizes(row): value for row, value in values.items()}
    dims = sorted({dim for dim, _, _ in sizes})
    steps = {}
    for low, high in zip(dims, dims[1:]):
        found = [
            float(compare(value, sizes[low, depth, mlp_dim]))
            for (dim, depth, mlp_dim), value in sizes.items()
            if dim == high and (low, depth, mlp_dim) in sizes
        ]
        if found:
            steps[low, high] = float(np.median(found))
    return steps
