"""One task of the report: its runs, measurements, verdicts, figures and tables, and their files.

Everything goes to one folder, ``results/<preset>/task_…``:

    config.json     the settings
    runs/*.npz      what each training run gave, kept as it ends; a run found is not repeated
    runs.zip        the same in one file, once the task has ended
    summary.json    measurements over seeds, claims with verdicts, names of figures and tables
    *.png, *.csv    figures and tables
"""

import contextlib
import csv
import dataclasses
import gc
import hashlib
import io
import json
import multiprocessing
import os
import platform
import shutil
import time
import uuid
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np

from ann_keras.errors import UserError
from ann_keras.report import published

VERDICTS = ("reproduced", "refuted", "artefact", "undecided")
# What NumPy raises on files that are no archive of arrays; TypeError for a single array.
_DAMAGE = (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error)
_SECONDS_WORTH_COLLECTING = 5.0  # a collection takes up to a second where many graphs live
_LIBRARIES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "scikit-learn")


class Task:
    """Collects what one task measures and writes it down.

    Args:
        identifier: of the report, such as "1.3.6".
        preset: "smoke", "quick" or "report".
        settings: the frozen dataclass that the script runs with; ``settings.seeds`` counts seeds.
        results: folder above the presets.
        fresh: repeat runs that are saved already.
        tensorboard: folder for the curves of trainings, or None.

    Raises:
        UserError: the folder cannot be made or written.
    """

    def __init__(self, identifier, preset, settings, results="results", fresh=False,
                 tensorboard=None):
        self.published = published.TASKS[identifier]
        self.identifier, self.preset, self.settings = identifier, preset, settings
        self.seeds = list(range(settings.seeds))
        self.folder = Path(results) / preset / f"task_{identifier.replace('.', '_')}"
        self.seconds, self.reused = 0.0, 0
        self._measurements, self._claims, self._figures, self._tables = {}, {}, [], []
        self.fresh, self._used_runs = fresh, set()
        self._tensorboard = tensorboard
        try:
            (self.folder / "runs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot write to {self.folder}: {error.strerror}") from error

    def run(self, name, compute, *, of=None, resumable=False, isolated=False, **settings):
        """``compute(**settings)``, or what it gave before if name and settings are the same.

        Runs that were interrupted are thus taken up where they stopped.

        Args:
            name: telling name of the run, such as "adam, seed 0".
            compute: function of the settings that returns a dict of numbers and arrays.
            of: another task that makes the same run; its copy is taken where there is one.
            resumable: the function also takes ``checkpoint``, a folder of its own, from which it
                goes on after an interruption.
            isolated: compute in a process of its own, whose memory is given back: TensorFlow keeps
                every program that XLA has compiled, half a GiB for a large network.
            settings: JSON values that decide the outcome, the seed among them.

        Returns:
            The dict, with NumPy arrays as values.
        """
        key = json.dumps({"name": name} | settings, sort_keys=True)
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        words = "".join(c if c.isalnum() or c in ".-" else " " for c in name).split()
        file = f"{'_'.join(words)}_{digest}.npz"
        if of is not None:
            other = self.folder.with_name(f"task_{of.replace('.', '_')}")
            theirs = _read_run(other, file, key)
            if theirs is not None:
                return theirs[0]
        repeat = self.fresh and file not in self._used_runs
        saved = None if repeat else _read_run(self.folder, file, key)
        if saved is None:
            checkpoint = self.folder / "runs" / f"{Path(file).stem}_checkpoint"
            extra = {"checkpoint": str(checkpoint)} if resumable else {}
            if repeat:
                shutil.rmtree(checkpoint, ignore_errors=True)
            start = time.perf_counter()
            arguments = settings | extra
            with self._watched(name, settings):
                values = _in_process(compute, arguments) if isolated else compute(**arguments)
            values = {field: np.asarray(value) for field, value in values.items()}
            seconds = time.perf_counter() - start
            buffer = io.BytesIO()
            np.savez_compressed(buffer, _key=key, _seconds=seconds, **values)
            self._write(f"runs/{file}", buffer.getvalue())
            shutil.rmtree(checkpoint, ignore_errors=True)
            if seconds > _SECONDS_WORTH_COLLECTING:
                gc.collect()  # graphs of a finished run hold its data in reference cycles
            print(f"  {name}: {seconds:.1f} s", flush=True)
            saved = values, seconds
        elif file not in self._used_runs:
            self.reused += 1
        values, seconds = saved
        if file not in self._used_runs:
            self._used_runs.add(file)
            self.seconds += seconds
        return values

    def measure(self, name, values, *, better=None, unit="", deviation=None):
        """Record one measured quantity, one value a seed.

        The published value of the same name, if there is one, is set beside it.

        Args:
            name: slash path such as "adam/val_accuracy/last".
            values: a number, or one a seed.
            better: "higher" or "lower", None where neither is better.
            unit: of the values, "" for none.
            deviation: the D-point that it measures, of values that were not published.

        Returns:
            The mean over seeds.
        """
        values = np.atleast_1d(np.asarray(values, np.float64))
        if not values.size or not np.isfinite(values).all():
            raise ValueError(f"{name} is not a number: {values}")
        entry = {
            "name": name,
            "values": values.tolist(),
            "mean": float(values.mean()),
            "sd": float(values.std(ddof=1)) if values.size > 1 else 0.0,
        }
        known = published.VALUES.get((self.identifier, name))
        if known is not None:
            entry |= {"published": known.value, "place": known.place}
            deviation, unit = known.deviation, unit or known.unit
        if deviation:
            entry["deviation"] = deviation
        self._measurements[name] = entry | {"better": better, "unit": unit}
        return entry["mean"]

    def claim(self, identifier, verdict, evidence, deviation=None):
        """Judge one of the report's claims.

        Args:
            identifier: of the claim, such as "1.3.6-b".
            verdict: True for "reproduced", False for "refuted", or "artefact" (true of the
                published run, for another reason) or "undecided".
            evidence: the numbers that decide it, in one or two sentences.
            deviation: the D-point behind an artefact.
        """
        if published.CLAIMS[identifier].task != self.identifier:
            raise ValueError(f"claim {identifier} is not of task {self.identifier}")
        if isinstance(verdict, (bool, np.bool_)):
            verdict = "reproduced" if verdict else "refuted"
        if verdict not in VERDICTS:
            raise ValueError(f"unknown verdict {verdict!r}: {VERDICTS}")
        self._claims[identifier] = {"id": identifier, "verdict": verdict, "evidence": evidence}
        if deviation:
            self._claims[identifier]["deviation"] = deviation

    def figure(self, stem, figure):
        """Save a matplotlib figure as ``<stem>.png`` and close it."""
        buffer = io.BytesIO()
        # Without the version in it, equal pictures are equal files.
        figure.savefig(buffer, format="png", metadata={"Software": None})
        figure.clear()
        self._write(f"{stem}.png", buffer.getvalue())
        self._figures.append(f"{stem}.png")

    def table(self, stem, columns, rows):
        """Save rows (lists as long as ``columns``) as ``<stem>.csv``."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerows([columns, *rows])
        self._write(f"{stem}.csv", buffer.getvalue())
        self._tables.append(f"{stem}.csv")

    def save(self):
        """Write settings and summary: a folder without summary.json is unfinished."""
        missing = [
            c for c, claim in published.CLAIMS.items()
            if claim.task == self.identifier and c not in self._claims
        ]
        if missing:
            raise ValueError(f"task {self.identifier} ends without a verdict on {missing}")
        summary = {
            "task": self.identifier,
            "preset": self.preset,
            "seeds": self.seeds,
            "seconds": round(self.seconds, 1),
            "environment": environment(),
            "measurements": list(self._measurements.values()),
            "claims": list(self._claims.values()),
            "figures": self._figures,
            "tables": self._tables,
        }
        config = {"preset": self.preset} | dataclasses.asdict(self.settings)
        self._write("config.json", json.dumps(config, indent=1) + "\n")
        self._write("summary.json", json.dumps(summary, indent=1) + "\n")
        self._pack_runs()

    def _pack_runs(self):
        """Put this task's runs into runs.zip; those of other settings are dropped."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for file in sorted(self._used_runs):
                # A fixed date: equal runs are equal files.
                archive.writestr(zipfile.ZipInfo(file), _run_bytes(self.folder, file))
        self._write("runs.zip", buffer.getvalue())
        shutil.rmtree(self.folder / "runs", ignore_errors=True)

    @contextlib.contextmanager
    def _watched(self, name, settings):
        """TensorBoard's folder of a run, if there is to be one."""
        if self._tensorboard is None:
            yield
            return
        from ann_keras.training import tensorboard  # imports Keras

        tensorboard.write_to(self._tensorboard)
        with tensorboard.run(f"task_{self.identifier}/{name}".replace(" ", "_"), settings):
            yield

    def _write(self, name, content):
        write_whole(self.folder / name, content)


def _in_process(compute, arguments):
    """``compute(**arguments)`` in a new process that ends with it."""
    from ann_keras.command import quiet_tensorflow

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=quiet_tensorflow) as pool:
        return pool.submit(compute, **arguments).result()


def _read_run(folder, file, key):
    """(values, seconds) of a saved run of these settings in a task's folder, or None."""
    try:
        with np.load(io.BytesIO(_run_bytes(folder, file)), allow_pickle=False) as archive:
            if str(archive["_key"]) != key:
                return None
            names = [name for name in archive.files if not name.startswith("_")]
            return {name: archive[name] for name in names}, float(archive["_seconds"])
    except _DAMAGE:
        return None


def _run_bytes(folder, file):
    path = folder / "runs" / file
    if path.is_file():
        return path.read_bytes()
    with zipfile.ZipFile(folder / "runs.zip") as archive:
        return archive.read(file)


def write_whole(path, content):
    """Write text or bytes to a file so that it is never seen half-written.

    Raises:
        UserError: the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    content = content.encode() if isinstance(content, str) else content
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}") from error


def environment():
    """Versions and machine that a result depends on, as a dict of strings."""
    versions = {}
    for library in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[library] = metadata.version(library)
    device = f"{os.cpu_count()} CPU cores, {platform.machine()}"
    return {"python": platform.python_version()} | versions | {"device": device}
