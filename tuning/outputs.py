"""What is left of a search: its table of trials, the best one, and figures of the space."""

import csv
import io
import json
from dataclasses import dataclass, field

import keras_tuner
import numpy as np

from ann_keras import plots
from ann_keras.files import write_whole
from ann_keras.report import tables

_TREES = 300  # of the random forest that importance is read from
_REPEATS = 20  # permutations of each hyperparameter
_FEWEST = 10  # completed trials from which importance is worth a look
_LEVELS = 8  # of a factor up to which each is shown


@dataclass(frozen=True)
class Row:
    """One trial."""

    trial: int  # its number
    status: str  # of keras-tuner
    objective: float | None  # None unless it is completed; then the rest is empty, too
    hyperparameters: dict  # by name
    settings: dict = field(default_factory=dict)  # what ``Search.values`` makes of them
    metrics: dict = field(default_factory=dict)  # numbers beside the objective
    message: str = ""  # last line of what went wrong
    factors: dict = field(default_factory=dict)  # what figures show


def rows(search, trials):
    """``Row``s of keras-tuner trials, best first, then those without an objective."""
    sign = 1 if search.direction == "min" else -1
    return sorted((_row(search, trial) for trial in trials), key=lambda row: (
        row.objective is None, sign * (row.objective or 0), row.trial
    ))


def _row(search, trial):
    hp = keras_tuner.HyperParameters()
    search.values(hp)
    hp.values = {name: trial.hyperparameters.values.get(name) for name in hp.values}
    values, message = dict(hp.values), reason(trial) if trial.message else ""
    if trial.status != "COMPLETED":
        return Row(int(trial.trial_id), trial.status, None, values, message=message)
    settings = search.values(hp)
    metrics = {name: float(trial.metrics.get_best_value(name))
               for name in trial.metrics.metrics if name != search.objective}
    return Row(int(trial.trial_id), trial.status, float(trial.score), values, settings, metrics,
               message, search.factors(values, settings))


def reason(trial):
    """Last line of what went wrong in a trial."""
    line = (trial.message or "no reason given").strip().splitlines()[-1]
    return line.removeprefix("keras_tuner.src.errors.FailedTrialError: ")


def as_text(search, best):
    """A table of the best trials."""
    columns = zip(*_table(search, best))
    shown = [column for column in columns if column[0] not in ("status", "message")]
    names, *lines = zip(*shown)
    return tables.text(names, lines)


def save(folder, search, found, compared):
    """Write trials.csv, best.json, evaluation.csv and the figures.

    Args:
        folder: that receives them.
        search: ``search.Search``.
        found: of ``rows``.
        compared: dict of name → {"settings": …, quantity: list over seeds, …}.

    Returns:
        Names of the files.
    """
    files = {"trials.csv": _csv(_table(search, found))}
    done = [row for row in found if row.objective is not None]
    best = done[0] if done else None
    important = importance(search, done) if len(done) >= _FEWEST else {}
    files["best.json"] = json.dumps({
        "objective": search.objective, "direction": search.direction,
        "trials": len(found), "completed": len(done),
        "best": best and {"trial": best.trial, search.objective: best.objective,
                          "settings": best.settings, **best.metrics},
        "importance": important, "medians": medians(done),
        "compared": compared,
    }, indent=1) + "\n"
    if compared:
        files["evaluation.csv"] = _csv(_evaluation(compared))
    if len(done) > 1:
        files["parallel_coordinates.png"] = _png(parallel_coordinates(search, done))
        files["marginals.png"] = _png(marginals(search, done))
    if important:
        files["importance.png"] = _png(draw_importance(search, important))
    for name, content in files.items():
        write_whole(folder / name, content)
    return list(files)


def _png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def importance(search, done):
    """How much the order of trials depends on each factor.

    Permutation importance (Breiman, "Random forests", 2001) in a forest that predicts the rank of
    the objective: the loss of R² where one column is shuffled. It is taken on the trials that the
    forest was fitted to, so it compares hyperparameters and says nothing of how well it predicts.

    Returns:
        Dict of name → (mean, standard deviation over permutations), largest first.
    """
    from scipy.stats import rankdata
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    columns, table = _encoded(done)
    ranks = rankdata([row.objective for row in done])
    forest = RandomForestRegressor(_TREES, min_samples_leaf=3, random_state=0)
    found = permutation_importance(
        forest.fit(table, ranks), table, ranks, n_repeats=_REPEATS, random_state=0
    )
    order = np.argsort(found.importances_mean)[::-1]
    return {columns[place]: (found.importances_mean[place], found.importances_std[place])
            for place in order}


def medians(done):
    """Median objective of the trials at each level of a factor: dict of factor → level → median.

    Factors with more than eight levels, most often those of a range, are left out.
    """
    found = {name: _medians(done, name) for name in (done[0].factors if done else ())}
    return {name: levels for name, levels in found.items() if 1 < len(levels) <= _LEVELS}


def _medians(done, name):
    levels = {}
    for row in done:
        levels.setdefault(str(row.factors.get(name)), []).append(row.objective)
    return {level: float(np.median(own)) for level, own in sorted(levels.items())}


def draw_importance(search, found):
    figure, (axes,) = plots.panels(height=1.2 + 0.35 * len(found))
    means, deviations = np.array(list(found.values())).T
    axes.barh(range(len(found)), means, xerr=deviations, color="C0")
    axes.set_yticks(range(len(found)), list(found))
    axes.invert_yaxis()
    axes.set(xlabel=f"importance for the rank by {search.objective} (loss of R² when shuffled)")
    return figure


def parallel_coordinates(search, done):
    """A line a trial through its factors, coloured by rank, the best on top."""
    names, table = _encoded(done)
    figure, (axes,) = plots.panels(width=max(7, 1.5 * len(names) + 3), height=4.4)
    low, span = table.min(axis=0), np.ptp(table, axis=0)
    places = (table - low) / np.where(span > 0, span, 1)
    colors = plots.shades(len(done))
    jitter = np.random.default_rng(0).uniform(-0.015, 0.015, places.shape)
    for rank in range(len(done) - 1, -1, -1):
        axes.plot(range(len(names)), places[rank] + jitter[rank], color=colors[rank],
                  lw=2.5 if rank == 0 else 1, alpha=1 if rank < 5 else 0.4)
    for column, name in enumerate(names):
        values = [row.factors.get(name) for row in done]
        for value, place in _ticks(values, places[:, column]):
            axes.annotate(value, (column, place), fontsize=8, xytext=(5, 0),
                          textcoords="offset points", va="center",
                          bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.5})
    axes.set_xticks(range(len(names)), names, rotation=15)
    axes.set(yticks=[], title=f"{len(done)} trials by {search.objective}: dark is good, "
                              "the thick line is the best")
    return figure


def marginals(search, done):
    """The objective of each trial against each of its factors."""
    names, _ = _encoded(done)
    columns = min(4, len(names))
    lines = -(-len(names) // columns)
    figure, axes = plots.panel_grid(lines, columns, width=3.2 * columns, height=2.7 * lines)
    objective = np.array([row.objective for row in done])
    for panel, name in zip(axes.ravel(), names):
        values = [row.factors.get(name) for row in done]
        if _are_numbers(values):
            panel.plot(values, objective, "o", ms=4, alpha=0.6)
            if _are_wide(values):
                panel.set_xscale("log")
        else:
            levels = sorted(set(map(str, values)))
            for place, level in enumerate(levels):
                own = objective[[str(value) == level for value in values]]
                panel.plot(np.full(len(own), place), own, "o", ms=4, alpha=0.6, color="C0")
                panel.plot(place, np.median(own), "_", ms=18, color="black")
            panel.set_xticks(range(len(levels)), levels, rotation=30, fontsize=8)
        panel.set_xlabel(name)
        if objective.min() > 0 and objective.max() > 10 * objective.min():
            panel.set_yscale("log")
    for panel in axes.ravel()[len(names):]:
        panel.set_visible(False)
    for line in axes:
        line[0].set_ylabel(search.objective)
    return figure


def _are_numbers(values):
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _are_wide(numbers):
    """Whether a logarithmic axis shows them better."""
    return min(numbers) > 0 and max(numbers) > 30 * min(numbers)


def _encoded(done):
    """Names of factors that differ between trials, and numbers for them (trials, names).

    Texts count in the order of their median objective, so that colours and trees see neighbours.
    """
    names = [name for name in done[0].factors
             if len({str(row.factors.get(name)) for row in done}) > 1]
    table = np.zeros((len(done), len(names)))
    for column, name in enumerate(names):
        values = [row.factors.get(name) for row in done]
        if _are_numbers(values):
            table[:, column] = np.log(values) if _are_wide(values) else values
        else:
            middle = _medians(done, name)
            order = sorted(middle, key=middle.get)
            table[:, column] = [order.index(str(value)) for value in values]
    return names, table


def _ticks(values, places):
    """Texts and places of at most eight values of one axis."""
    known = {}
    for value, place in zip(values, places):
        known.setdefault(round(float(place), 3), value)
    chosen = sorted(known)
    if len(chosen) > _LEVELS:
        chosen = [chosen[index] for index in np.linspace(0, len(chosen) - 1, 5).astype(int)]
    return [(f"{known[p]:.3g}" if isinstance(known[p], float) else str(known[p]), p)
            for p in chosen]


def _table(search, found):
    names = list(found[0].hyperparameters) if found else []
    metrics = sorted({name for row in found for name in row.metrics})
    yield ["trial", "status", search.objective, *names, *metrics, "message"]
    for row in found:
        yield [
            row.trial, row.status, "" if row.objective is None else f"{row.objective:.6g}",
            *(_text(row.hyperparameters.get(name, "")) for name in names),
            *(f"{row.metrics[name]:.6g}" if name in row.metrics else "" for name in metrics),
            row.message,
        ]


def _evaluation(compared):
    yield ["setting", "quantity", "seeds", "mean", "median", "lowest", "highest"]
    for name, found in compared.items():
        for quantity, values in found.items():
            if quantity != "settings":
                yield [name, quantity, len(values), *(
                    f"{number(values):.6g}" for number in (np.mean, np.median, np.min, np.max)
                )]


def _text(value):
    return f"{value:.4g}" if isinstance(value, float) else value


def _csv(lines):
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()
