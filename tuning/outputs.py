"""What is left of a search: its table of trials, the best one, and figures of the space."""

import csv
import io
import json
from dataclasses import dataclass, field, replace

import numpy as np

from ann_keras import plots
from ann_keras.files import write_whole
from ann_keras.report import tables

_FEWEST = 10  # completed trials from which importance is worth a look
_LEVELS = 8  # of a factor up to which each is shown


@dataclass(frozen=True)
class Row:
    """One trial."""

    trial: int  # its number
    status: str  # of keras-tuner
    message: str  # last line of what went wrong
    hyperparameters: dict  # by name
    objective: float | None = None  # None unless it is completed; then the rest is empty, too
    settings: dict = field(default_factory=dict)  # what ``Search.values`` makes of them
    metrics: dict = field(default_factory=dict)  # numbers beside the objective
    factors: dict = field(default_factory=dict)  # what figures show


def rows(search, trials):
    """``Row``s of keras-tuner trials, best first, then those without an objective."""
    sign = 1 if search.direction == "min" else -1
    return sorted((_row(search, trial) for trial in trials), key=lambda row: (
        row.objective is None, sign * (row.objective or 0), row.trial
    ))


def _row(search, trial):
    hp = search.space()
    hp.values = {name: trial.hyperparameters.values.get(name) for name in hp.values}
    chosen = dict(hp.values)
    row = Row(int(trial.trial_id), trial.status, reason(trial) if trial.message else "", chosen)
    if trial.status != "COMPLETED":
        return row
    settings = search.values(hp)
    metrics = {name: float(trial.metrics.get_best_value(name))
               for name in trial.metrics.metrics if name != search.objective}
    return replace(row, objective=float(trial.score), settings=settings, metrics=metrics,
                   factors=search.factors(chosen, settings))


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
    """Write trials.csv, best.json, evaluation.csv and the figures; their names.

    Args:
        found: of ``rows``.
        compared: dict of name → {"settings": …, quantity: list over seeds, …}.
    """
    done = [row for row in found if row.objective is not None]
    best = done[0] if done else None
    important = importance(done) if len(done) >= _FEWEST else {}
    files = {"trials.csv": _csv(_table(search, found))}
    files["best.json"] = json.dumps({
        "objective": search.objective, "direction": search.direction,
        "trials": len(found), "completed": len(done),
        "best": best and {"trial": best.trial, search.objective: best.objective,
                          "settings": best.settings, **best.metrics},
        "importance": important, "medians": medians(done), "compared": compared,
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


def importance(done):
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

    names, table = _encoded(done)
    ranks = rankdata([row.objective for row in done])
    forest = RandomForestRegressor(300, min_samples_leaf=3, random_state=0).fit(table, ranks)
    found = permutation_importance(forest, table, ranks, n_repeats=20, random_state=0)
    return {names[column]: (found.importances_mean[column], found.importances_std[column])
            for column in np.argsort(found.importances_mean)[::-1]}


def medians(done):
    """Median objective of the trials at each level of a factor: dict of factor → level → median.

    Factors with more than eight levels, most often those of a range, are left out.
    """
    found = {name: _medians(done, name) for name in (done[0].factors if done else ())}
    return {name: levels for name, levels in found.items() if 1 < len(levels) <= _LEVELS}


def _medians(done, name):
    levels = {}
    for row in done:
        levels.setdefault(str(row.factors[name]), []).append(row.objective)
    return {level: float(np.median(own)) for level, own in sorted(levels.items())}


def draw_importance(search, found):
    figure, (axes,) = plots.panels(height=1.2 + 0.35 * len(found))
    means, deviations = np.array(list(found.values())).T
    axes.barh(list(found), means, xerr=deviations, color="C0")
    axes.invert_yaxis()
    axes.set(xlabel=f"importance for the rank by {search.objective} (loss of R² when shuffled)")
    return figure


def parallel_coordinates(search, done):
    """A line a trial through its factors, coloured by rank, the best on top."""
    names, table = _encoded(done)
    figure, (axes,) = plots.panels(width=max(7, 1.3 * len(names) + 1.5), height=4.4)
    places = (table - table.min(axis=0)) / np.ptp(table, axis=0)
    colors = plots.shades(len(done))
    lines = places + np.random.default_rng(0).uniform(-0.015, 0.015, places.shape)
    for rank in reversed(range(len(done))):
        axes.plot(lines[rank], color=colors[rank], lw=1 if rank else 2.5,
                  alpha=1 if rank < 5 else 0.4)
    for column, name in enumerate(names):
        values = [row.factors[name] for row in done]
        for text, place in _ticks(values, places[:, column]):
            axes.annotate(text, (column, place), fontsize=8, xytext=(5, 0),
                          textcoords="offset points", va="center",
                          bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.5})
    axes.set_xticks(range(len(names)), names, rotation=15)
    axes.set(yticks=[], title=f"{len(done)} trials by {search.objective}: dark is good, "
                              "the thick line is the best")
    return figure


def marginals(search, done):
    """The objective of each trial against each of its factors."""
    names, _ = _encoded(done)
    columns = min(3, len(names))
    lines = -(-len(names) // columns)
    figure, axes = plots.panels(len(names), lines, columns, width=3.2 * columns, height=2.7 * lines)
    objective = np.array([row.objective for row in done])
    for panel, name in zip(axes, names):
        values = [row.factors[name] for row in done]
        if _are_numbers(values):
            panel.set_xscale("log" if _are_wide(values) else "linear")
        else:
            middle = _medians(done, name)
            values = [list(middle).index(str(value)) for value in values]
            panel.plot(range(len(middle)), list(middle.values()), "_", ms=18, color="black")
            panel.set_xticks(range(len(middle)), list(middle), rotation=30, fontsize=8)
            panel.set_xlim(-0.5, len(middle) - 0.5)
        panel.plot(values, objective, "o", color="C0", ms=4, alpha=0.6)
        panel.set_xlabel(name)
        if objective.min() > 0 and objective.max() > 10 * objective.min():
            panel.set_yscale("log")
    for panel in axes[::columns]:
        panel.set_ylabel(search.objective)
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
    names, columns = [], []
    for name in done[0].factors:
        values, middle = [row.factors[name] for row in done], _medians(done, name)
        if len(middle) == 1:
            continue
        if _are_numbers(values):
            column = np.log(values) if _are_wide(values) else values
        else:
            order = sorted(middle, key=middle.get)
            column = [order.index(str(value)) for value in values]
        names.append(name)
        columns.append(column)
    return names, np.array(columns, float).T


def _ticks(values, places):
    """Texts and places of at most eight values of one axis."""
    known = dict(zip(np.round(places, 3)[::-1], values[::-1]))  # the best trial's of each place
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
        chosen = (row.hyperparameters[name] for name in names)
        numbers = row.objective, *(row.metrics.get(name) for name in metrics)
        objective, *others = ("" if number is None else f"{number:.6g}" for number in numbers)
        yield [row.trial, row.status, objective,
               *(f"{value:.4g}" if isinstance(value, float) else value for value in chosen),
               *others, row.message]


def _evaluation(compared):
    yield ["setting", "quantity", "seeds", "mean", "median", "lowest", "highest"]
    for name, found in compared.items():
        for quantity, values in found.items():
            if quantity != "settings":
                numbers = np.mean(values), np.median(values), np.min(values), np.max(values)
                yield [name, quantity, len(values), *(f"{number:.6g}" for number in numbers)]


def _csv(lines):
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def _png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
