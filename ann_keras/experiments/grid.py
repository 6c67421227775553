"""Table 3 as a search, and what its accuracies say, task 3.3.2."""

import keras_tuner
import numpy as np
import scipy.stats

from ann_keras.errors import UserError

#: The 27 rows that cross all levels; Table 3 has 13 more, with larger sizes.
CROSSED = {"dim": (32, 64, 128), "depth": (4, 6, 8), "mlp_dim": (64, 128, 256)}


class _ResumableOracle(keras_tuner.oracles.GridSearchOracle):
    """A grid oracle whose place in the grid is saved too (keras-tuner 1.4.8 loses it, #1055)."""

    def get_state(self):
        """What ``save`` writes: also the trials in grid order, and those to go on from."""
        order = self.start_order[:1]
        while order and (following := self._ordered_ids.next(order[-1])) is not None:
            order.append(following)
        return super().get_state() | {"order": order, "populate_next": self._populate_next}

    def set_state(self, state):
        """The reverse of ``get_state``."""
        super().set_state(state)
        self._populate_next = list(state["populate_next"])
        before = None
        for trial in state["order"]:
            self._ordered_ids.insert(trial, before)
            before = trial


class GridOfRows(keras_tuner.Tuner):
    """Table 3 as a keras-tuner search: one trial a row, best test accuracy first.

    The rows are no full grid, so the one hyperparameter is the row itself. An interrupted search
    goes on with the rows that have no result.

    Args:
        rows: texts such as "128/8/128": dim, depth and mlp_dim.
        train: function of a row that returns its test accuracy.
        directory: of the search's own files.
        name: of the search; settings that change the outcome belong into it.

    Raises:
        ValueError: there is a search over other rows under that name; it is left as it is.
    """

    def __init__(self, rows, train, *, directory, name):
        self.rows, self.train = list(rows), train
        space = keras_tuner.HyperParameters()
        space.Choice("row", self.rows)
        oracle = _ResumableOracle(
            objective=keras_tuner.Objective("test_accuracy", "max"), hyperparameters=space,
            tune_new_entries=False,
        )
        super().__init__(oracle, directory=str(directory), project_name=name)
        # The oracle now has the space of the folder, if that held a search.
        if self.oracle.get_space().get_config()["space"] != space.get_config()["space"]:
            raise ValueError(
                f"{self.project_dir} holds a search over another space: delete or rename it, or "
                "choose another --results folder"
            )

    def run_trial(self, trial, **search_options):
        """The test accuracy of a trial's row, as keras-tuner's objective."""
        return {"test_accuracy": float(self.train(trial.hyperparameters["row"]))}

    def accuracies(self):
        """Dict of row → test accuracy.

        Raises:
            UserError: a trial failed, or there are more rows to try.
        """
        scores = {
            trial.hyperparameters["row"]: trial.score
            for trial in self.oracle.trials.values() if trial.status == "COMPLETED"
        }
        missing = [row for row in self.rows if row not in scores]
        if missing:
            raise UserError(
                f"{self.project_dir} has no result for {missing[0]}: delete it to try again"
            )
        return scores


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
