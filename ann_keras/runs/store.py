"""Finished runs in a folder, found by what they compute.

    runs/<function>/<key>.npz              what a run gave, its content and its seconds
    runs/<function>/<key>_checkpoint/      of a run that is under way: where it goes on
    runs/index.csv                         a line a run, for people

A run is one file, written once: a new one leaves the others as they are.
"""

import csv
import io
import json
import shutil
import zipfile
import zlib
from pathlib import Path

import filelock
import numpy as np

from ann_keras.errors import UserError
from ann_keras.files import write_whole
from ann_keras.runs.run import Finished

FORMAT = 1  # of the files; a higher one is not read
_LOCK, _PROGRESS = "lock", "progress"
# What NumPy raises on files that are no archive of arrays; TypeError for a single array.
_DAMAGE = (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error)


class Store:
    """The runs of one preset.

    Args:
        folder: that holds them; made when the first is written.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def read(self, run):
        """What a run gave, a ``Finished``; None if it is not there or another's.

        Raises:
            UserError: a later version of this package wrote it, or it is damaged: what took hours
                is not computed again without a word.
        """
        path = self._path(run)
        if not path.is_file():
            return None
        values = _read(path)
        try:
            if str(values.pop("_run")) != run.text:
                return None
            newer, seconds = int(values.pop("_format")) > FORMAT, float(values.pop("_seconds"))
            del values["_label"]
        except (AttributeError, *_DAMAGE) as error:
            raise UserError(f"{path} is damaged: delete it to compute {run.label} again") from error
        if newer:
            raise UserError(f"{path} was written by a newer version of ann_keras")
        return Finished(values, run, seconds)

    def write(self, run, values, seconds):
        """Keep what a run gave, a dict of numbers and arrays; returns it as ``read`` does.

        Raises:
            UserError: the folder cannot be written.
        """
        arrays = {name: np.asarray(value) for name, value in values.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, _format=FORMAT, _run=run.text, _label=run.label,
                            _seconds=seconds, **arrays)
        write_whole(self._path(run), buffer.getvalue())
        shutil.rmtree(self.checkpoint(run), ignore_errors=True)
        return Finished(arrays, run, seconds)

    def checkpoint(self, run):
        """Folder of a run that is under way."""
        return self._path(run).with_name(f"{run.key}_checkpoint")

    def lock(self, run):
        """A lock that one process holds at a time, and that ends with it.

        Raises:
            UserError: the folder cannot be written.
        """
        folder = self.checkpoint(run)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot write to {folder}: {error.strerror}") from error
        return filelock.FileLock(folder / _LOCK, thread_local=False)

    def release(self, run, lock):
        """Give a lock back; without checkpoints nothing of the run stays."""
        folder = self.checkpoint(run)
        if folder.is_dir() and not {path.name for path in folder.iterdir()} - {_LOCK, _PROGRESS}:
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()

    def progress(self, run):
        """File in which a run that is under way notes how far it has come."""
        return self.checkpoint(run) / _PROGRESS

    def forget(self, run):
        """Delete the checkpoints of a run whose lock is held."""
        for path in self.checkpoint(run).iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink(missing_ok=True)

    def history(self):
        """(content, seconds) of every stored run."""
        return [(json.loads(str(run)), float(seconds)) for _, run, _, seconds in self._headers()]

    def write_index(self):
        """Write ``index.csv``: function, arguments, seconds and file of every run."""
        with filelock.FileLock(self.folder / "index.lock"):  # another process may end meanwhile
            rows = [[str(label), f"{float(seconds):.1f}", path.stat().st_size,
                     path.relative_to(self.folder).as_posix()]
                    for path, _, label, seconds in self._headers()]
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(
                [["run", "seconds", "bytes", "file"], *sorted(rows)]
            )
            write_whole(self.folder / "index.csv", text.getvalue())

    def _headers(self):
        """(path, content, label, seconds) of every stored run."""
        for path in self.folder.glob("*/*.npz"):
            values = _read(path, ("_run", "_label", "_seconds"))
            if values is not None:
                yield path, *values.values()

    def _path(self, run):
        return self.folder / run.name / f"{run.key}.npz"


def _read(path, names=None):
    """Some arrays of a file, or all; None if it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names or archive.files}
    except _DAMAGE:
        return None
