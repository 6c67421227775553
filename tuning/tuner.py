"""keras-tuner's loop over trials: each goes on from its last epoch, and none can end the search.

What a search has done lies in a folder of its own, named after all that decides its outcome.
"""

import contextlib
import gc
import hashlib
import json
import resource
import shutil
import time
from pathlib import Path

import grpc
import keras
import keras_tuner
from keras_tuner.errors import FailedTrialError, FatalError
from keras_tuner.src.engine.tuner import maybe_distribute

from ann_keras.errors import UserError
from ann_keras.files import write_whole
from ann_keras.training import tensorboard
from tuning import oracles

_ATTEMPTS = 3  # starts of a trial without a new epoch until it counts as failed
_ATTEMPTS_FILE = "attempts.json"
_GROWTH = 1.5 * 2**30  # bytes of memory that trials may leave behind
_WAIT = 0.1  # seconds between questions for a trial


class Unusable(UserError, FatalError):
    """Bad input, such as data that there are not: it ends the search."""


class LostChief(FatalError):
    """The chief does not answer; the trial goes on when this worker is started again."""


class Tuner(keras_tuner.Tuner):
    """Runs the trials of a search that an oracle asks for, in its ``project_folder``.

    Args:
        strategy: ``tf.distribute.Strategy`` that spreads each model, or None.
        renew: function that is called between trials once the process has grown by 1.5 GiB, since
            TensorFlow keeps every program that XLA has compiled.
    """

    def __init__(self, search, oracle, folder, strategy=None, renew=lambda: None):
        keras_tuner.src.config.DEBUG = False  # it prints tracebacks of trials that fail
        self._renew, self._size, self._asked = renew, None, 0.0
        # A trial that hyperband has stopped may be taken up again.
        self._keep = isinstance(oracle, oracles.Hyperband)
        with contextlib.redirect_stdout(None):  # it announces what it reloads
            super().__init__(
                oracle, search, distribution_strategy=strategy, directory=str(folder.parent),
                project_name=folder.name,
            )

    def _populate_initial_space(self):
        """The oracle has the space already: no model is built to find it."""

    def pre_create_trial(self):
        """Renew a large process; do not ask without pause while the oracle waits for others."""
        size = _resident_memory()
        self._size = self._size or size
        if size - self._size > _GROWTH:
            self._renew()
        time.sleep(max(0.0, self._asked + _WAIT - time.monotonic()))
        self._asked = time.monotonic()

    def _run_and_update_trial(self, trial, *args, **options):
        """As keras-tuner's, but a chief that is away does not make a trial count as failed."""
        try:
            super()._run_and_update_trial(trial, *args, **options)
        except grpc.RpcError as error:
            raise LostChief(error.code().name) from error

    def run_trial(self, trial, **_):
        """Build and train one setting: what ``Search.fit`` gives, seconds, and parameters."""
        keras.backend.clear_session()
        gc.collect()
        search, hp = self.hypermodel, trial.hyperparameters
        folder, before = self._checkpoint(trial.trial_id), hp.values.get("tuner/trial_id")
        if before is not None and not folder.exists() and self._checkpoint(before).exists():
            half = folder.with_name("checkpoint_copy")  # a kill leaves all of it or nothing
            shutil.rmtree(half, ignore_errors=True)
            shutil.copytree(self._checkpoint(before), half)
            half.rename(folder)
        _count_attempt(folder)
        values = search.values(hp)  # refuses bad combinations before anything is built
        epochs = hp.values.get("tuner/epochs", search.max_epochs)
        name, start = f"{search.name}/trial_{trial.trial_id}", time.perf_counter()
        try:
            keras.utils.set_random_seed(0)
            # ``fit`` may build further models: they belong to the strategy too.
            with tensorboard.run(name, hp.values), maybe_distribute(self.distribution_strategy):
                model = search.build(values)
                result = search.fit(values, model, folder, epochs)
        except UserError as error:  # no trial could do better
            raise Unusable(str(error)) from error
        except KeyboardInterrupt:
            (folder / _ATTEMPTS_FILE).unlink(missing_ok=True)  # the trial is not to blame
            raise
        seconds = time.perf_counter() - start
        return {"seconds": seconds, **result, "parameters": model.count_params()}

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        if not self._keep:
            shutil.rmtree(self._checkpoint(trial.trial_id), ignore_errors=True)

    def save(self):
        """The oracle knows all there is to save."""
        if not self._is_worker():
            self.oracle.save()

    def reload(self):
        if not self._is_worker():
            self.oracle.reload()

    def _get_tuner_fname(self):
        """The file by which keras-tuner sees that there is a search to go on with.

        Its own has the name of chief or worker: a chief would forget what one process had done.
        """
        return str(Path(self.project_dir) / "oracle.json")

    def _checkpoint(self, trial_id):
        return Path(self.project_dir) / f"trial_{trial_id}" / "checkpoint"


def _resident_memory():
    """Bytes that this process holds in memory; 0 where there is no /proc to ask."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def _count_attempt(folder):
    """Count the starts of a trial since its last progress; too many raise FailedTrialError.

    A trial that gets its process killed, for lack of memory say, would else be begun for ever.
    """
    file = folder / _ATTEMPTS_FILE
    progress = sorted(path.name + str(path.stat().st_mtime_ns)
                      for path in folder.rglob("*.json") if path != file)
    seen = json.loads(file.read_text()) if file.is_file() else {"progress": None, "starts": 0}
    starts = seen["starts"] + 1 if seen["progress"] == progress else 1
    write_whole(file, json.dumps({"progress": progress, "starts": starts}))
    if starts > _ATTEMPTS:
        raise FailedTrialError(f"its process died {_ATTEMPTS} times without progress")


def project_folder(parent, kind, search, seed, replicas=1, fresh=False):
    """The folder of a search: its name tells the oracle and a hash of all that decides outcomes.

    Devices that share a model, ``replicas``, draw other random numbers than one. ``fresh`` forgets
    what the folder holds. Raises UserError if another version of the search has made it.
    """
    text = json.dumps({
        "search": search.name, "version": search.version, "tuner": kind, "seed": seed,
        "objective": [search.objective, search.direction], "settings": search.identity(),
        "space": search.space().get_config()["space"],
        **({"replicas": replicas} if replicas > 1 else {}),
    }, sort_keys=True)
    folder = Path(parent) / f"{kind}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    file = folder / "space.json"
    if file.is_file() and file.read_text() != text:
        raise UserError(f"{file} is of another version of this search: delete or rename {folder}")
    if fresh and folder.exists():
        shutil.rmtree(folder)
    write_whole(file, text)
    return folder
