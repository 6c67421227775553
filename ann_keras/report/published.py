"""What the published report says: its outline, claims, figures, tables and numbers.

Everything is plain data, read from the TOML and CSV files in ``data/`` beside this module, and
every entry names the task, figure or table of the report in which it stands. Scripts set their
measurements beside `value`, and the page generator walks `TASKS` and the other dictionaries.
"""

import csv
import math
import tomllib
from dataclasses import dataclass
from importlib.resources import files

Cell = int | float | str

#: Components and learning rates of the RBMs of Figure 15.
RBMS = ((50, 0.1), (128, 0.1), (200, 0.1), (300, 0.1), (200, 0.02), (200, 0.05), (200, 0.5))


@dataclass(frozen=True)
class Task:
    """One task of the report, the unit that a script reproduces."""

    id: str  # number in the report, such as "1.3.6"
    title: str  # ours


@dataclass(frozen=True)
class Clause:
    """One part of a claim: an effect that is measured, and where it must lie for the part to hold.

    estimand: "difference" or "ratio" of means (of two groups, or of one that is a difference or
    ratio already), "share" of runs that do something, "improvement" (how often a run of one group
    beats one of another), "rank correlation", "single run" (what a published number is held
    against) or "exact".
    """

    effect: str  # in words, with what is compared
    estimand: str
    direction: str = "above"  # or "below" the margin, "within" it of the target, "holds" for single
    margin: float = 0.0  # in `unit`; a factor if a ratio lies within; the number that was published
    unit: str = ""  # fractions are given in "points" or "%" of a hundred; "×" for ratios
    paired: bool = True  # two groups have the same seeds, so that each seed gives one difference
    target: float = 0.0
    log: bool = False  # single runs scatter by factors
    bounds: tuple[float, float] = (-math.inf, math.inf)  # of what the effect can be
    fixed: bool = False  # nothing more can be drawn
    why: str = ""  # of a margin that is not the quantity's, or of what is measured


@dataclass(frozen=True)
class Claim:
    """One statement of the report that a measurement can support or refute."""

    id: str  # task and letter, such as "1.3.6-b"
    task: str  # the task's id
    text: str  # the statement in our words
    clauses: dict[str, Clause]  # all of which must hold
    deviation: str = ""  # the D-point by which it is an artefact where the corrected protocol fails


@dataclass(frozen=True)
class Figure:
    """One figure of the report."""

    number: int  # as printed
    task: str  # id of the task that redraws it
    caption: str  # ours, with what is on each axis
    file: str  # stem of the redrawn PNG, such as "fig3_validation_accuracy"


@dataclass(frozen=True)
class Table:
    """One table of the report, complete; Tables 1 and 2 end with their row of totals."""

    task: str  # id of the task
    caption: str  # ours
    columns: tuple[str, ...]  # their names
    rows: tuple[tuple[Cell, ...], ...]  # counts as int, accuracies and seconds as float, else str

    def column(self, name: str) -> tuple[Cell, ...]:
        """The cells of one column, from top to bottom."""
        position = self.columns.index(name)
        return tuple(row[position] for row in self.rows)


@dataclass(frozen=True)
class Value:
    """One published number that a measurement can be set beside.

    place: where it comes from. "task 1.4.3", "Table 1": printed there. "run behind Figure 3":
    the same run, but not printed. "repeats behind ...", "check behind ...": measured later, with
    the same settings. "architecture of task 2.2.1": follows from the description there.
    """

    name: str  # of the measurement, such as "adam/val_accuracy/last", unique within its task
    task: str  # the task's id
    title: str  # what it is, in words
    value: int | float  # in `unit`; accuracies are fractions, losses nats unless said
    unit: str  # empty for a pure number
    place: str
    note: str  # a qualification, or empty
    deviation: str  # id of the `Deviation` to read it with, or empty


@dataclass(frozen=True)
class Deviation:
    """A point where the published run differs from what the report says of it."""

    id: str  # "D1" to "D20"
    tasks: tuple[str, ...]  # ids of those that show both runs, published and corrected
    text: str  # what differs


def _text(name: str) -> str:
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")


def _toml(name: str) -> dict:
    return tomllib.loads(_text(name))


def _typed(text: str) -> Cell:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _tables() -> dict[int, Table]:
    tables = {}
    for number, entry in _toml("tables.toml").items():
        columns, *rows = csv.reader(_text(entry["file"]).splitlines())
        tables[int(number)] = Table(entry["task"], entry["caption"], tuple(columns),
                                    tuple(tuple(map(_typed, row)) for row in rows))
    return tables


def _values() -> dict[tuple[str, str], Value]:
    found = [Value(**{**row, "value": _typed(row["value"])})
             for row in csv.DictReader(_text("values.csv").splitlines())]
    table = TABLES[3]
    for rank, dim, depth, mlp_dim, accuracy, seconds in table.rows:
        for measure, words, number, unit in (
            ("test_accuracy", "test accuracy", accuracy, "fraction"),
            ("seconds", "time of 20 epochs", seconds, "s"),
        ):
            found.append(Value(
                f"vit_{dim}_{depth}_{mlp_dim}/{measure}", table.task,
                f"{words}, dim {dim}, depth {depth}, MLP {mlp_dim}", number, unit,
                place="Table 3", note=f"rank {rank}", deviation="D10",
            ))
    return {(entry.task, entry.name): entry for entry in found}


def _claims() -> dict[str, Claim]:
    quantities = _toml("quantities.toml")
    found = {}
    for chapter in CHAPTERS:
        for id, entry in _toml(f"claims_{chapter}.toml").items():
            task = id.split("-")[0]
            clauses = {}
            for name, given in entry.pop("clauses", {}).items():
                settings = quantities.get(given.pop("quantity", None), {}) | given
                if number := settings.pop("published", None):
                    known = VALUES[task, number]
                    settings = {"estimand": "single run", "direction": "holds",
                                "margin": known.value, "unit": known.unit} | settings
                if settings.get("unit") == "%":
                    settings["bounds"] = (0, 100)
                clauses[name] = Clause(**settings)
            found[id] = Claim(id, task, clauses=clauses, **entry)
    return found


def value(task_id: str, name: str) -> Value:
    """The published number of that task and measurement name; KeyError if there is none."""
    try:
        return VALUES[task_id, name]
    except KeyError:
        known = ", ".join(key for task, key in VALUES if task == task_id) or "none"
        message = f"no published value {name!r} in task {task_id!r}; it has: {known}"
        raise KeyError(message) from None


_OUTLINE = _toml("tasks.toml")
# All in the report's order.
CHAPTERS: dict[int, str] = {int(number): title for number, title in _OUTLINE["chapters"].items()}
SECTIONS: dict[str, str] = _OUTLINE["sections"]  # titles by number, such as "1.3"
TASKS: dict[str, Task] = {id: Task(id, title) for id, title in _OUTLINE["tasks"].items()}
FIGURES: dict[int, Figure] = {
    int(number): Figure(int(number), **entry) for number, entry in _toml("figures.toml").items()
}
#: Captions of the figures that are ours alone, by (task id, stem).
PICTURES: dict[tuple[str, str], str] = {
    tuple(key.split("/")): caption for key, caption in _toml("pictures.toml").items()
}
TABLES: dict[int, Table] = _tables()
#: Every published number by (task id, name): those of values.csv, then those of Table 3.
VALUES: dict[tuple[str, str], Value] = _values()
CLAIMS: dict[str, Claim] = _claims()
DEVIATIONS: dict[str, Deviation] = {
    id: Deviation(id, tuple(entry["tasks"]), entry["text"])
    for id, entry in _toml("deviations.toml").items()
}
