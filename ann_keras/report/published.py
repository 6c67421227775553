"""What the published report says: its outline, claims, figures, tables and numbers.

Everything is plain data, read from the TOML and CSV files in ``data/`` beside this module, and
every entry names the task, figure or table of the report in which it stands. Scripts set their
measurements beside `value`, and the page generator walks `TASKS` and the other dictionaries.
"""

import csv
import tomllib
from dataclasses import dataclass
from importlib.resources import files

Cell = int | float | str

#: Components and learning rates of the RBMs of Figure 15.
RBMS = ((50, 0.1), (128, 0.1), (200, 0.1), (300, 0.1), (200, 0.02), (200, 0.05), (200, 0.5))


@dataclass(frozen=True)
class Task:
    """One task of the report, the unit that a script reproduces.

    id: number in the report, such as "1.3.6"; title: ours; section: its number, such as "1.3"
    (titles in `SECTIONS`); chapter: its number (titles in `CHAPTERS`).
    """

    id: str
    title: str
    section: str
    chapter: int


@dataclass(frozen=True)
class Claim:
    """One statement of the report that a measurement can support or refute.

    id: task and letter, such as "1.3.6-b"; task: the task's id; text: the statement in our
    words; numeric: whether the statement is a published number.
    """

    id: str
    task: str
    text: str
    numeric: bool

    @property
    def chapter(self) -> int:
        """Number of the chapter in which the claim stands."""
        return int(self.task.split(".")[0])


@dataclass(frozen=True)
class Figure:
    """One figure of the report.

    number: as printed; task: id of the task that redraws it; caption: ours, with what is on
    each axis; file: stem of the redrawn PNG, such as "fig3_validation_accuracy".
    """

    number: int
    task: str
    caption: str
    file: str


@dataclass(frozen=True)
class Table:
    """One table of the report, complete.

    number: as printed; task: id of the task; caption: ours; columns: their names; rows: one
    tuple a row, with counts as int, accuracies and seconds as float, the rest as str. Tables 1
    and 2 end with their row of totals.
    """

    number: int
    task: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def column(self, name: str) -> tuple[Cell, ...]:
        """The cells of one column, from top to bottom."""
        position = self.columns.index(name)
        return tuple(row[position] for row in self.rows)


@dataclass(frozen=True)
class Value:
    """One published number that a measurement can be set beside.

    name: that of the measurement, a slash path such as "adam/val_accuracy/last", unique within
    its task; task: the task's id; value: in `unit` (empty for a pure number; accuracies are
    fractions, losses nats unless said); note: a qualification, or empty; deviation: id of the
    `Deviation` to read it with, or empty.

    place: where it comes from. "task 1.4.3", "Table 1": printed there. "run behind Figure 3":
    the same run, but not printed. "repeats behind ...", "check behind ...": measured later, with
    the same settings. "architecture of task 2.2.1": follows from the description there.
    """

    name: str
    task: str
    value: int | float
    unit: str
    place: str
    note: str
    deviation: str


@dataclass(frozen=True)
class Deviation:
    """A point where the published run differs from what the report says of it.

    id: "D1" to "D14"; tasks: ids of those that show both runs, published and corrected; text:
    what differs.
    """

    id: str
    tasks: tuple[str, ...]
    text: str


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


def _tasks() -> dict[str, Task]:
    titles = _toml("tasks.toml")["tasks"]
    return {id: Task(id, title, section=id.rpartition(".")[0], chapter=int(id.split(".")[0]))
            for id, title in titles.items()}


def _claims() -> dict[str, Claim]:
    return {row["id"]: Claim(row["id"], row["id"].partition("-")[0], row["text"],
                             row["numeric"] == "yes")
            for row in csv.DictReader(_text("claims.csv").splitlines())}


def _figures() -> dict[int, Figure]:
    return {int(number): Figure(int(number), **entry)
            for number, entry in _toml("figures.toml").items()}


def _tables() -> dict[int, Table]:
    tables = {}
    for number, entry in _toml("tables.toml").items():
        columns, *rows = csv.reader(_text(entry["file"]).splitlines())
        tables[int(number)] = Table(int(number), entry["task"], entry["caption"], tuple(columns),
                                    tuple(tuple(map(_typed, row)) for row in rows))
    return tables


def _values() -> dict[tuple[str, str], Value]:
    found = [Value(**{**row, "value": _typed(row["value"])})
             for row in csv.DictReader(_text("values.csv").splitlines())]
    table = TABLES[3]
    for rank, dim, depth, mlp_dim, accuracy, seconds in table.rows:
        for measure, number, unit in (("test_accuracy", accuracy, "fraction"),
                                      ("seconds", seconds, "s")):
            found.append(Value(f"vit_{dim}_{depth}_{mlp_dim}/{measure}", table.task, number, unit,
                               place="Table 3", note=f"rank {rank}", deviation="D10"))
    return {(entry.task, entry.name): entry for entry in found}


def value(task_id: str, name: str) -> Value:
    """The published number of that task and measurement name; KeyError if there is none."""
    try:
        return VALUES[task_id, name]
    except KeyError:
        known = ", ".join(key for task, key in VALUES if task == task_id) or "none"
        message = f"no published value {name!r} in task {task_id!r}; it has: {known}"
        raise KeyError(message) from None


#: Titles of the chapters by number, in the report's order.
CHAPTERS: dict[int, str] = {int(n): title for n, title in _toml("tasks.toml")["chapters"].items()}
#: Titles of the sections by number ("1.3"), in the report's order.
SECTIONS: dict[str, str] = _toml("tasks.toml")["sections"]
#: Every task by id ("1.3.6"), in the report's order.
TASKS: dict[str, Task] = _tasks()
#: Every claim by id ("1.3.6-b"), in the report's order.
CLAIMS: dict[str, Claim] = _claims()
#: Figures 1 to 23 by number.
FIGURES: dict[int, Figure] = _figures()
#: Tables 1 to 3 by number.
TABLES: dict[int, Table] = _tables()
#: Every published number by (task id, name): those of values.csv, then those of Table 3.
VALUES: dict[tuple[str, str], Value] = _values()
#: Deviations D1 to D14 by id.
DEVIATIONS: dict[str, Deviation] = {
    id: Deviation(id, tuple(entry["tasks"]), entry["text"])
    for id, entry in _toml("deviations.toml").items()}
