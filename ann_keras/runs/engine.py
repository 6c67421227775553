"""Where runs are computed: side by side, in processes of this machine or on a Dask cluster.

Both are reached by ``concurrent.futures``. A run begins as soon as those that it depends on have
ended, the longest first; what is in the store is not computed again.
"""

import concurrent.futures
import dataclasses
import json
import multiprocessing
import os
import shutil
import sys
import threading
import time

from ann_keras.errors import UserError
from ann_keras.runs import run as runs, worker
from ann_keras.runs.store import Store

_STARTS = 3  # of a run whose worker dies, until something must be wrong with it
_LONG = 60.0  # seconds from which on it counts which run begins first
_PAUSE = 0.5  # seconds between two looks at runs that another process computes
_REPORT = 60.0  # seconds between two lines of progress where there is no terminal
_ANSWER, _WORKERS = 10, 60  # seconds that a scheduler has to answer, and to have a worker


class NotReady(Exception):
    """A value was read of a run that is not finished, by an engine that does not wait."""


@dataclasses.dataclass(eq=False)
class _Job:
    run: runs.Run
    state: str = "waiting"  # then "running", "elsewhere" (in another process), "done", "failed"
    finished: runs.Finished | None = None
    error: BaseException | None = None
    seconds: float | None = None  # estimated
    rank: float = 0.0  # seconds of it and of the runs that wait for it
    starts: int = 0
    look: float = 0.0  # when to look again whether another process has finished it
    lock: object = None
    begin: float = 0.0


class Engine:
    """Computes runs and keeps them in a store.

    Args:
        folder: of the store.
        workers: processes; None for as many as there are cores.
        scheduler: address of a Dask scheduler, whose workers then compute instead.
        fresh: compute anew what is stored, once.
        tensorboard: folder for the curves of trainings, or None.
        waits: whether reading a value waits for it; raises ``NotReady`` otherwise.
        plans: compute nothing.

    Raises:
        UserError: no Dask, no scheduler at that address, or one without workers.
    """

    def __init__(self, folder, *, workers=None, scheduler=None, fresh=False, tensorboard=None,
                 waits=True, plans=False):
        self.store = Store(folder)
        self.waits = waits and not plans
        self._fresh, self._plans, self._tensorboard = fresh, plans, tensorboard
        self._jobs, self._reused, self._slots = {}, set(), []
        self._number = workers or cores()
        self._client = _dask(scheduler) if scheduler else None
        self._changed = threading.Condition()
        self._thread, self._closed, self._history = None, False, None
        self._line = _Progress()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def submit(self, run):
        """Begin a run, unless it is stored or begun already; returns its ``Result``."""
        with self._changed:
            self._submit(run)
            self._changed.notify_all()
        return runs.Result(run, self)

    def read(self, run):
        """What a run gave, a ``Finished``.

        Raises:
            NotReady: it is not finished, and this engine does not wait.
            Exception: what its function raised.
        """
        with self._changed:
            job = self._submit(run)
            self._changed.notify_all()
            while self.waits and job.state not in ("done", "failed"):
                self._changed.wait(_PAUSE)
            if job.state == "failed":
                raise job.error
            if job.state != "done":
                raise NotReady(run.label)
            return job.finished

    def is_stored(self, run):
        """Whether a run was there before this engine began."""
        return run.key in self._reused

    def open_runs(self):
        """Runs that were asked for and are not finished, in order."""
        with self._changed:
            return [job.run for job in self._jobs.values() if job.state not in ("done", "failed")]

    def wait(self, groups):
        """Wait until all runs of one of the groups have ended.

        Args:
            groups: dict of name → runs.

        Returns:
            Names of the groups that have ended.
        """
        with self._changed:
            while True:
                ended = [name for name, group in groups.items()
                         if all(self._jobs[run.key].state in ("done", "failed") for run in group)]
                if ended:
                    return ended
                self._changed.wait(_PAUSE)

    def stored(self):
        """How many of the runs that were asked for were there."""
        return len(self._reused)

    def slots(self):
        """How many runs are computed at a time."""
        return sum(self._client.nthreads().values()) if self._client else self._number

    def close(self):
        """End the workers, and write the store's index if there are new runs."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is None:
            return
        self._thread.join()
        self._line.end()
        for slot in self._slots:
            slot.end()
        for job in self._jobs.values():
            self._release(job)
        if self._client is not None:
            self._client.close()
        if any(job.state == "done" and key not in self._reused for key, job in self._jobs.items()):
            self.store.write_index()

    def estimate(self, run):
        """Seconds that a run will take, by the stored run that is most like it; None if unknown.

        Runs of other presets in the same results folder count where this one has none.
        """
        if self._history is None:
            self._history = {}
            others = [folder for folder in self.store.folder.parent.parent.glob("*/runs")
                      if folder != self.store.folder]
            for store in (self.store, *map(Store, others)):
                known = {}
                for content, seconds in store.history():
                    known.setdefault(content["function"], []).append((content, seconds))
                self._history = known | self._history
        like = self._history.get(run.content["function"])
        if not like:
            return None
        fields = _leaves(run.content["arguments"])
        content, seconds = max(like, key=lambda entry: len(
            fields.items() & _leaves(entry[0]["arguments"]).items()
        ))
        epochs = [float(values.get("recipe.epochs") or 1)
                  for values in (fields, _leaves(content["arguments"]))]
        return seconds * epochs[0] / epochs[1]

    def _submit(self, run):
        if run.key in self._jobs:
            return self._jobs[run.key]
        stored = None if self._fresh else self.store.read(run)
        job = self._jobs[run.key] = _Job(run)
        if stored is not None:
            job.state, job.finished = "done", stored
            self._reused.add(run.key)
            return job
        job.seconds = self.estimate(run)
        job.rank += job.seconds or 0.0
        for dependency in run.dependencies:
            self._submit(dependency).rank += job.rank  # what holds much up comes first
        if not self._plans and self._thread is None:
            self._thread = threading.Thread(target=self._compute, daemon=True)
            self._thread.start()
        return job

    def _compute(self):
        """Begin jobs as workers are free, until the engine is closed."""
        with self._changed:
            self._slots = [_Slot(self._client) for _ in range(self.slots())]
            while not self._closed:
                try:
                    self._step()
                    self._line.show(self._jobs.values(), self._reused, self.store)
                except Exception as error:  # whoever waits must hear of it
                    for job in self._jobs.values():
                        if job.state not in ("done", "failed"):
                            job.state, job.error = "failed", error
                self._changed.notify_all()
                self._changed.wait(_PAUSE)

    def _step(self):
        for slot in self._slots:
            if slot.job is not None and slot.future.done():
                self._take(slot)
        now = time.monotonic()
        ready = [job for job in self._jobs.values()
                 if (job.state == "waiting" or job.state == "elsewhere" and now > job.look)
                 and self._dependencies_done(job)]
        for slot in self._slots:
            while slot.job is None and ready:
                # Long ones first; of short ones those whose graphs the worker has already.
                job = max(ready, key=lambda job: (
                    job.rank if job.rank > _LONG else 0, job.run.name == slot.last, job.rank,
                ))
                ready.remove(job)
                try:
                    if self._lock(job):
                        self._begin(job, slot)
                except (UserError, OSError) as error:
                    self._fail(job, error)

    def _fail(self, job, error):
        """Let a run fail, with an error of one line where the system's is known to people."""
        if isinstance(error, OSError):
            error = UserError(f"{job.run.label}: {error.strerror or error}")
        job.state, job.error = "failed", error
        self._release(job)

    def _release(self, job):
        """Give the lock of a run back, if this process has it."""
        if job.lock is not None:
            self.store.release(job.run, job.lock)
            job.lock = None

    def _dependencies_done(self, job):
        others = [self._jobs[run.key] for run in job.run.dependencies]
        for other in others:
            if other.state == "failed":
                job.state, job.error = "failed", other.error
        return all(other.state == "done" for other in others)

    def _lock(self, job):
        """Whether this process is to compute the run; another one may just do that."""
        lock = self.store.lock(job.run)
        try:
            lock.acquire(blocking=False)
        except TimeoutError:
            job.state, job.look = "elsewhere", time.monotonic() + _PAUSE
            return False
        job.lock = lock
        if job.state == "elsewhere" or not self._fresh:
            stored = self.store.read(job.run)
            if stored is not None:  # another process has finished it meanwhile
                self._release(job)
                job.state, job.finished = "done", stored
                return False
        if self._fresh and not job.starts:
            self.store.forget(job.run)
        return True

    def _begin(self, job, slot):
        run, folder = job.run, str(self.store.checkpoint(job.run).absolute())
        arguments = {name: self._given(value) for name, value in run.arguments.items()}
        if run.takes_checkpoint:
            arguments["checkpoint"] = folder
        job.state, job.begin, job.starts = "running", time.monotonic(), job.starts + 1
        progress = str(self.store.progress(run).absolute())
        slot.begin(job, runs.address(run.function), arguments, progress, run.label,
                   self._tensorboard, notify=self._notify)

    def _given(self, value):
        if isinstance(value, runs.Run):
            return self._jobs[value.key].finished
        if isinstance(value, (list, tuple)) and any(isinstance(v, runs.Run) for v in value):
            return [self._given(item) for item in value]
        return value

    def _take(self, slot):
        job, future, slot.job, slot.future = slot.job, slot.future, None, None
        try:
            values, seconds, grown = future.result()
            job.finished = self.store.write(job.run, values, seconds)
        except _deaths():
            slot.renew()
            if job.starts < _STARTS:
                self._release(job)
                job.state = "waiting"
            else:
                self._fail(job, UserError(f"{job.run.label}: its worker died {_STARTS} times"))
        except Exception as error:
            self._fail(job, error)
        else:
            job.state = "done"
            self._release(job)
            if grown:
                slot.renew()
            self._line.finished(job)

    def _notify(self, _):
        with self._changed:
            self._changed.notify_all()


def cores():
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _leaves(value, path=""):
    """Dict of dotted path → text of each value inside nested JSON values."""
    if isinstance(value, dict):
        found = {}
        for name, item in value.items():
            found |= _leaves(item, f"{path}.{name}" if path else name)
        return found
    return {path: value if isinstance(value, (int, float)) else json.dumps(value)}


class _Slot:
    """Room for one run at a time: a process of its own, or a place on the cluster."""

    def __init__(self, client):
        self._client, self._executor, self.job, self.future = client, None, None, None
        self.last = None  # function of the run before

    def begin(self, job, *arguments, notify):
        if self._executor is None:
            self._executor = self._client.get_executor(pure=False) if self._client else (
                concurrent.futures.ProcessPoolExecutor(
                    1, multiprocessing.get_context("spawn"), initializer=worker.begin
                )
            )
        try:
            compute = worker.compute_apart if self._client else worker.compute
            self.future = self._executor.submit(compute, *arguments)
        except concurrent.futures.BrokenExecutor:  # its process died since the last run
            self.renew()
            return self.begin(job, *arguments, notify=notify)
        self.job, self.last = job, job.run.name
        self.future.add_done_callback(notify)

    def renew(self):
        """Let the next run have a new process."""
        if self._client is None and self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor = None

    def end(self):
        """End the process, in the middle of a run if need be."""
        if self._client is not None and self.future is not None:
            self.future.cancel()
        if self._executor is None or self._client is not None:
            return
        if self.job is not None:
            for process in (self._executor._processes or {}).values():
                process.kill()
        self._executor.shutdown(wait=True, cancel_futures=True)


def _dask(address):
    """The client of a Dask scheduler that has workers."""
    try:
        from dask.distributed import Client
    except ImportError:
        raise UserError("--scheduler needs Dask: pip install 'ann_keras[cluster]'") from None
    try:
        client = Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(f"no Dask scheduler answers at {address}") from error
    try:
        client.wait_for_workers(1, timeout=_WORKERS)
    except TimeoutError:
        client.close()
        raise UserError(
            f"the scheduler at {address} had no worker for {_WORKERS} seconds"
        ) from None
    return client


def _deaths():
    """Errors that say that a worker died."""
    dask = sys.modules.get("distributed")
    return (concurrent.futures.BrokenExecutor, concurrent.futures.CancelledError,
            *([dask.KilledWorker] if dask else []))


class _Progress:
    """What is done and under way: a line that changes on a terminal, now and then one elsewhere."""

    def __init__(self):
        self._terminal, self._shown, self._last = sys.stderr.isatty(), 0, time.monotonic()

    def finished(self, job):
        self._clear()
        print(f"  {job.run.label}: {job.finished.seconds:.1f} s", flush=True)

    def show(self, jobs, stored, store):
        running = [job for job in jobs if job.state in ("running", "elsewhere")]
        pause = 0 if self._terminal else _REPORT
        if not running or time.monotonic() - self._last < pause:
            return
        self._last = time.monotonic()
        new = [job for job in jobs if job.run.key not in stored]
        done = sum(job.state in ("done", "failed") for job in new)
        parts = [f"{job.run.name}{self._epochs(job, store)}" for job in running]
        text = f"  {done} of {len(new)} runs done{self._left(new)}; {', '.join(parts)}"
        if self._terminal:
            text = text[: shutil.get_terminal_size().columns - 1]
            print(f"\r{text:<{self._shown}}", end="", file=sys.stderr, flush=True)
            self._shown = len(text)
        else:
            print(text, flush=True)

    def end(self):
        self._clear()

    def _clear(self):
        if self._shown:
            print(f"\r{'':<{self._shown}}\r", end="", file=sys.stderr, flush=True)
            self._shown = 0

    @staticmethod
    def _epochs(job, store):
        if job.state == "elsewhere":
            return " (in another process)"
        try:
            return f" (epoch {store.progress(job.run).read_text()})"
        except OSError:
            return ""

    @staticmethod
    def _left(new):
        """Time left, by what runs took before, here or elsewhere."""
        took = [job.finished.seconds for job in new if job.state == "done"]
        usual = sum(took) / len(took) if took else 0.0
        left = sum(usual if job.seconds is None else job.seconds
                   for job in new if job.state == "waiting")
        now = time.monotonic()
        left += sum(max(0.0, (job.seconds or usual) - (now - job.begin))
                    for job in new if job.state == "running")
        parts = max(1, sum(job.state == "running" for job in new))
        return f", about {left / parts / 60:.0f} min left" if left / parts > 90 else ""
