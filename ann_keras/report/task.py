"""One task of the report: its runs, measurements, verdicts, figures and tables, and their files.

Everything goes to one folder, ``results/<preset>/task_…``, when the task has ended:

    config.json     the settings
    summary.json    measurements over seeds, claims with verdicts, names of figures and tables
    *.png, *.csv    figures and tables

Runs are kept in ``results/<preset>/runs``, for all tasks.
"""

import contextlib
import csv
import dataclasses
import hashlib
import inspect
import io
import json
import os
import platform
from importlib import metadata
from pathlib import Path

import numpy as np

from ann_keras.files import write_whole
from ann_keras.report import decide, published
from ann_keras.runs.run import Result, Results, Run, value_text

NOT_JUDGED = "not judged"  # in place of a verdict where settings are not the preset's
_LIBRARIES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "scikit-learn")
_LONGEST = 60  # characters of a folder's name that tell what differs


class Task:
    """Collects what one task measures and writes it down.

    Args:
        identifier: of the report, such as "1.3.6".
        preset: "smoke", "quick" or "report".
        settings: the frozen dataclass that the script runs with; ``settings.seeds`` counts seeds.
        engine: ``runs.engine.Engine`` that computes and keeps runs.
        results: folder above the presets.
        changes: settings that differ from the preset's, dict of name → value. Such a task has a
            folder of its own and judges no claim.

    Attributes:
        folder: that is written; others are left alone.
        seeds: list of numbers.
        runs: that were begun.
    """

    def __init__(self, identifier, preset, settings, engine, results="results", changes=None):
        self.published = published.TASKS[identifier]
        self.identifier, self.preset, self.settings = identifier, preset, settings
        self.seeds = list(range(settings.seeds))
        self.changes = changes or {}
        name = f"task_{identifier.replace('.', '_')}"
        self.folder = Path(results) / preset / "--".join([name, *_words(self.changes)])
        self._engine, self._runs, self._files = engine, {}, {}
        self._measurements, self._claims, self._figures, self._tables = {}, {}, [], []

    def run(self, function, recipe=None, **arguments):
        """Begin a run, unless it is stored or begun already.

        Args:
            function: of ``recipe``, unless None, and the arguments, as of ``runs.run.Run``.
            arguments: a ``Result`` or ``Results`` stands for what those runs give.

        Returns:
            A ``Result``; reading its values waits for them.
        """
        if recipe is not None:
            arguments["recipe"] = recipe
        run = Run(function, **{name: _as_runs(value) for name, value in arguments.items()})
        self._runs[run.key] = run
        return self._engine.submit(run)

    def repeat(self, function, recipe=None, *, seeds=None, **arguments):
        """Begin one run a seed, as ``run``; returns ``Results``.

        Args:
            function: receives ``seed`` if it takes one, and of ``Results`` those of its seed.
            seeds: numbers, or how many; by default those of the ``Results``, else the task's.
        """
        groups = [value for value in arguments.values() if isinstance(value, Results)]
        if seeds is None:
            seeds = range(len(groups[0])) if groups else self.seeds
        seeds = range(seeds) if isinstance(seeds, int) else seeds
        takes_seed = "seed" in inspect.signature(function).parameters
        return Results(
            self.run(function, recipe, **({"seed": seed} if takes_seed else {}), **{
                name: value[place] if isinstance(value, Results) else value
                for name, value in arguments.items()
            })
            for place, seed in enumerate(seeds)
        )

    def measure(self, name, values, *, better=None, unit="", deviation=None):
        """Record one measured quantity, a number or one a seed, and return its mean over seeds.

        The published value of the same name, if there is one, is set beside it.

        Args:
            name: slash path such as "adam/val_accuracy/last".
            better: "higher" or "lower", None where neither is better.
            deviation: the D-point that it measures, of values that were not published.
        """
        values = np.atleast_1d(np.asarray(values, np.float64))
        if not values.size or not np.isfinite(values).all():
            raise ValueError(f"{name} is not a number: {values}")
        entry = {"name": name, "values": values.tolist(), "mean": float(values.mean()),
                 "sd": float(values.std(ddof=1)) if values.size > 1 else 0.0}
        known = published.VALUES.get((self.identifier, name))
        if known is not None:
            entry |= {"published": known.value, "place": known.place}
            deviation, unit = known.deviation, unit or known.unit
        if deviation:
            entry["deviation"] = deviation
        self._measurements[name] = entry | {"better": better, "unit": unit}
        return entry["mean"]

    def decide(self, found):
        """Judge claims by the one rule, ``decide.judge``.

        Args:
            found: dict of claim, such as "1.3.6-b" → its ``values``, or a pair of these by the
                published and the corrected protocol.

        Raises:
            ValueError: the claim is another task's.
        """
        for identifier, values in found.items():
            claim = published.CLAIMS[identifier]
            if claim.task != self.identifier:
                raise ValueError(f"claim {identifier} is not of task {self.identifier}")
            protocols = values if isinstance(values, tuple) else (values,)
            self._claims[identifier] = decide.judge(claim, *protocols)

    def figure(self, stem, figure):
        """Keep a matplotlib figure as ``<stem>.png`` and close it."""
        buffer = io.BytesIO()
        # Without the version in it, equal pictures are equal files.
        figure.savefig(buffer, format="png", metadata={"Software": None})
        figure.clear()
        self._files[f"{stem}.png"] = buffer.getvalue()
        self._figures.append(f"{stem}.png")

    def table(self, stem, columns, rows):
        """Keep rows (lists as long as ``columns``) as ``<stem>.csv``."""
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows([columns, *rows])
        self._files[f"{stem}.csv"] = buffer.getvalue()
        self._tables.append(f"{stem}.csv")

    def save(self):
        """Write figures, tables, settings and, last, the summary.

        Raises:
            ValueError: a claim of the task has no verdict.
            UserError: the folder cannot be written.
        """
        missing = [c for c, claim in published.CLAIMS.items()
                   if claim.task == self.identifier and c not in self._claims]
        if missing:
            raise ValueError(f"task {self.identifier} ends without a verdict on {missing}")
        claims = [{"id": identifier} | _plain(verdict)
                  for identifier, verdict in sorted(self._claims.items())]
        if self.changes:
            differ = f"settings differ: {_listed(self.changes)}."
            claims = [{"id": identifier, "verdict": NOT_JUDGED, "evidence": differ, "n": 0}
                      for identifier in self._claims]
        summary = {
            "task": self.identifier,
            "preset": self.preset,
            "seeds": self.seeds,
            "seconds": round(sum(self._engine.read(run).seconds for run in self.runs), 1),
            "environment": environment(),
            "measurements": list(self._measurements.values()),
            "claims": claims,
            "figures": self._figures,
            "tables": self._tables,
        }
        if self.changes:
            summary["changes"] = {name: value_text(value) for name, value in self.changes.items()}
        config = {"preset": self.preset} | dataclasses.asdict(self.settings)
        files = self._files | {"config.json": json.dumps(config, indent=1) + "\n",
                               "summary.json": json.dumps(summary, indent=1) + "\n"}
        for name, content in files.items():
            write_whole(self.folder / name, content)

    @property
    def runs(self):
        return list(self._runs.values())

    def figures(self):
        """Paths of the pictures."""
        return [self.folder / name for name in self._figures]

    def findings(self):
        """What was found, for whoever has waited: a text of several lines."""
        lines = []
        for entry in self._measurements.values():
            if "published" in entry:
                values = entry["values"]
                spread = f" ({min(values):.4g} to {max(values):.4g})" if len(values) > 1 else ""
                lines.append(f"  {entry['name']}: published {entry['published']:g}, "
                             f"reproduced {np.median(values):.4g}{spread} {entry['unit']}".rstrip())
        for identifier, found in self._claims.items():
            verdict = NOT_JUDGED if self.changes else found.verdict
            lines.append(f"  {identifier} {verdict}: {published.CLAIMS[identifier].text}")
        if self.changes:
            lines.append(f"  settings differ: {_listed(self.changes)}")
        lines += [f"  {path}" for path in self.figures()]
        found = sum(map(self._engine.is_stored, self.runs))
        if found:
            lines.append(f"  {found} of {len(self._runs)} runs were there; --fresh repeats them")
        return "\n".join([*lines, f"  saved to {self.folder}"])


def _as_runs(value):
    if isinstance(value, Result):
        return value.run
    return [result.run for result in value] if isinstance(value, Results) else value


def _plain(verdict):
    """A ``decide.Verdict`` as a summary holds it, without what it lacks; JSON has no infinity."""
    found = dataclasses.asdict(verdict)
    for effect in found["effects"]:
        effect |= {end: None for end in ("low", "high") if not np.isfinite(effect[end])}
    return {name: value for name, value in found.items() if value not in ("", ())}


def _words(changes):
    """What differs, as parts of a file's name: none or one."""
    if not changes:
        return []
    text = "_".join(f"{name}-{value_text(value)}" for name, value in changes.items())
    text = "".join(c if c.isalnum() or c in ".-_" else "-" for c in text)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return [text]


def _listed(changes):
    return ", ".join(f"{name.replace('_', ' ')} {value_text(value)}"
                     for name, value in changes.items())


def environment():
    """Versions and machine that a result depends on, as a dict of strings."""
    versions = {}
    for library in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[library] = metadata.version(library)
    device = f"{os.cpu_count()} CPU cores, {platform.machine()}"
    return {"python": platform.python_version()} | versions | {"device": device}
