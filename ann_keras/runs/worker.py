"""A process that computes runs: with one thread, so that numbers are the same on any machine.

How many threads add up a sum decides how it is rounded. Two runs side by side, one thread each,
also do more than one run on two threads.
"""

import contextlib
import functools
import gc
import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

from ann_keras import command
from ann_keras.errors import UserError
from ann_keras.runs import run as runs

_SECONDS_WORTH_COLLECTING = 5.0  # a collection takes up to a second where many graphs live
_one_at_a_time = threading.Lock()  # random states and threads belong to the process


def begin():
    """Make this process a worker of the one that started it, with which it ends."""
    parent = multiprocessing.parent_process()

    def watch():
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's


def compute(address, arguments, progress_file, label, tensorboard):
    """Call the function of a run.

    Args:
        address: as of ``run.address``.
        arguments: of the function.
        progress_file: for notes on how far it has come.
        label: of the run.
        tensorboard: folder for curves, or None.

    Returns:
        (what it gave, seconds, whether this process has grown so much that it should end).
    """
    with _one_at_a_time:
        command.quiet_tensorflow()
        import scipy.linalg  # noqa: F401 its BLAS is another than NumPy's, and limited with it
        from threadpoolctl import threadpool_limits

        from ann_keras.training import progress

        threadpool_limits(1)
        progress.write_to(progress_file)
        start = time.perf_counter()
        try:
            with _watched(tensorboard, label, arguments):
                values = runs.find(*address)(**arguments)
        except OSError as error:  # no space for a checkpoint, say
            raise UserError(f"{label}: {error.strerror or error}") from error
        seconds = time.perf_counter() - start
        progress.write_to(None)
        if seconds > _SECONDS_WORTH_COLLECTING:
            gc.collect()  # graphs of a finished run hold its data in reference cycles
        return values, seconds, _memory() > _MUCH


def compute_apart(*arguments):
    """``compute`` in a process that has no other threads, for a Dask worker.

    A worker's own threads draw from Python's global random state, from which Keras takes seeds.
    """
    with _one_at_a_time:
        try:
            values, seconds, grown = _process().submit(compute, *arguments).result()
        except BrokenExecutor:
            _process.cache_clear()
            raise
        if grown:
            _process().shutdown()
            _process.cache_clear()
        return values, seconds, False


@functools.cache
def _process():
    multiprocessing.current_process().daemon = False  # as a Dask worker is: it could have no child
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=begin)


_MUCH = 3 * 2**30  # bytes: TensorFlow keeps every program that XLA has compiled


def _memory():
    """The most that this process had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


@contextlib.contextmanager
def _watched(folder, label, arguments):
    """TensorBoard's folder of a run, if there is to be one."""
    if folder is None:
        yield
        return
    from ann_keras.training import tensorboard  # imports Keras

    tensorboard.write_to(folder)
    settings = {name: value for name, value in arguments.items() if not isinstance(value, dict)}
    with tensorboard.run(label.replace(", ", "/").replace(" ", "_"), settings):
        yield
