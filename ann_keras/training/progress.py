"""How far a training has come, in a file that whoever waits for it can read."""

import contextlib
import time
from pathlib import Path

_PAUSE = 1.0  # seconds between two notes
_file, _last = None, 0.0


def write_to(file):
    """Let trainings of this process note their progress in a file; None for no notes."""
    global _file, _last
    _file, _last = file and Path(file), 0.0


def report(done, total):
    """Note that so many epochs of a training are done."""
    global _last
    now = time.monotonic()
    if _file is None or now - _last < _PAUSE:
        return
    _last = now
    with contextlib.suppress(OSError):  # on another machine the folder may be missing
        _file.write_text(f"{done} of {total}")
