"""A chief and its workers on one machine: started, watched, and ended together.

keras-tuner's own distributed mode, over loopback. The chief alone would wait for ever for a worker
that died; here whoever dies is started again, and the chief ends when its workers have.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from ann_keras.errors import UserError

ADDRESS = "127.0.0.1"
CHILD = "ANN_KERAS_TUNING_CHILD"  # set in processes that end with the one that started them
REACH = 60  # seconds within which a worker must find its chief
_STARTS = 20  # of one process, until something must be wrong with it
_QUICK = 30.0  # seconds: a process that ends sooner, several times in a row, never worked
_QUICK_ENDS = 3
_PAUSE = 0.2
_VARIABLES = "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"


def names(number):
    """Ids of the workers."""
    return [f"worker-{index}" for index in range(number)]


def place(number, fresh):
    """(id, address, port) of a process among many, from keras-tuner's environment variables.

    None without them; raises UserError if they do not fit together, or to the options.
    """
    found = [os.environ.get(key) for key in _VARIABLES]
    if not any(found):
        return None
    for key, value in zip(_VARIABLES, found):
        if not value:
            raise UserError(f"{key} is not set, but others of keras-tuner's variables are")
    identifier, address, port = found
    if not port.isdecimal():
        raise UserError(f"KERASTUNER_ORACLE_PORT must be a number, got {port!r}")
    if number < 1:
        raise UserError("--workers must tell the chief and every worker how many workers there are")
    known = "chief", *names(number)
    if identifier not in known:
        raise UserError(f"KERASTUNER_TUNER_ID must be one of {', '.join(known)}, "
                        f"got {identifier!r}")
    if fresh:
        raise UserError("--fresh is not for many machines: delete the search's folder first")
    return identifier, address, int(port)


def free_port():
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def check_port(address, port):
    """Raise UserError if nobody could listen there: gRPC would share a port in use silently."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as after a killed chief
        try:
            probe.bind((address, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"cannot listen at {address}:{port}: {reason}") from error


def check_chief(address, port, seconds=REACH):
    """Raise UserError if no chief answers in time."""
    import grpc

    with grpc.insecure_channel(f"{address}:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=seconds)
        except grpc.FutureTimeoutError:
            raise UserError(f"no chief answers at {address}:{port} for {seconds} s") from None


def end_with_parent():
    """End this process when the one that started it has: its end closes our standard input."""
    def watch():
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.buffer.read(1024):
                pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run(command, number, port):
    """Run a command as chief and as a number of workers until the search has ended.

    Raises:
        UserError: the port is in use, or a process does not stay alive; it says what that said.
    """
    check_port(ADDRESS, port)
    # Where this process ends early, those that it has started end by ``end_with_parent``.
    processes = [_Process(name, command, port) for name in ("chief", *names(number))]
    chief, *workers = processes
    try:
        # A worker that is late may find the chief gone: then there was no trial left for it.
        while not (chief.ended or all(worker.ended for worker in workers)):
            for process in processes:
                process.look_after()
            time.sleep(_PAUSE)
    finally:
        for process in reversed(processes):
            process.stop()


class _Process:
    """One process of a search, started again when it dies."""

    def __init__(self, name, command, port):
        self.name, self.ended = name, False
        self._command, self._errors = command, tempfile.TemporaryFile("w+", errors="replace")
        place = zip(_VARIABLES, (name, ADDRESS, str(port)))
        self._environment = os.environ | dict(place, **{CHILD: "1"})
        self._starts, self._quick = 0, 0
        self._start()

    def _start(self):
        self._starts, self._begin = self._starts + 1, time.monotonic()
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.PIPE, stderr=self._errors
        )

    def look_after(self):
        """Note a good end; start a dead process again."""
        code = self._process.poll()
        self.ended = code == 0
        if self.ended or code is None:
            return
        self._errors.seek(0)
        said = self._errors.read().strip().rpartition("\n")[2]
        if code == 2:  # it says itself what is wrong
            raise UserError(said.removeprefix("error: ") or f"{self.name} failed")
        self._quick = self._quick + 1 if time.monotonic() - self._begin < _QUICK else 0
        if self._quick >= _QUICK_ENDS or self._starts >= _STARTS:
            raise UserError(f"{self.name} does not stay alive: {said or f'status {code}'}")
        cause = signal.Signals(-code).name if code < 0 else f"status {code}"
        print(f"  {self.name} ended ({cause}) and is started again", flush=True)
        self._start()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
