"""Training that goes on from its last epoch after an interruption."""

import json
import time
from pathlib import Path

import keras

from ann_keras.training import compiled


def fit(model, x, y=None, *, checkpoint, callbacks=(), **options):
    """``compiled.fit`` that goes on from a checkpoint.

    Args:
        model, x, y, options: as of ``compiled.fit``.
        checkpoint: folder of ``Resume``; None trains without one.
        callbacks: called before ``Resume``, so that it keeps what they log.

    Returns:
        Dict of name → values logged, one an epoch, those of earlier runs included; "seconds" of
        each epoch among them.
    """
    resume = [] if checkpoint is None else [Resume(checkpoint)]
    history = compiled.fit(model, x, y, callbacks=[Seconds(), *callbacks, *resume], **options)
    return resume[0].history() if resume else history.history


class Seconds(keras.callbacks.Callback):
    """Adds the seconds of the epoch, validation included, to the logs."""

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = time.perf_counter() - self._start


class Resume(keras.callbacks.Callback):
    """Keeps weights, optimizer, random states and logs of the last epoch, and goes on from there.

    Unlike ``keras.callbacks.BackupAndRestore`` it also gives back what was logged and the states
    of ``SeedGenerator``s, so that noise goes on as if there had been no interruption; and a run
    that is killed while it writes loses nothing that was kept before. Give it to ``compiled.fit``
    (or ``fit``) in each run; its folder is kept until it is deleted.

    Attributes:
        logs: dicts of the values logged for each epoch, those of earlier runs included.
    """

    def __init__(self, folder):
        super().__init__()
        self.logs = []
        self._folder = Path(folder)
        self._state = self._folder / "state.json"

    def history(self):
        """Dict of name → values logged, one an epoch, those of earlier runs included."""
        return {name: [logs[name] for logs in self.logs] for name in self.logs[0]}

    def on_train_begin(self, logs=None):
        if not self._state.is_file():
            return
        state = json.loads(self._state.read_text())
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self.model.load_weights(self._folder / state["weights"])
        for variable, value in zip(self._generators(), state["generators"], strict=True):
            variable.assign(value)
        self.logs = state["logs"]
        self.model._initial_epoch = len(self.logs)  # where Keras looks for it too

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append({name: _plain(value) for name, value in (logs or {}).items()})
        self._folder.mkdir(parents=True, exist_ok=True)
        weights = self._folder / f"epoch_{epoch + 1}.weights.h5"
        self.model.save_weights(weights)
        # The state names its weights and changes in one step: there is always one whole pair.
        temporary = self._state.with_suffix(".new")
        generators = [_plain(keras.ops.convert_to_numpy(v)) for v in self._generators()]
        temporary.write_text(json.dumps(
            {"weights": weights.name, "generators": generators, "logs": self.logs}
        ))
        temporary.replace(self._state)
        for file in self._folder.glob("epoch_*.weights.h5"):
            if file != weights:
                file.unlink()

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None  # else the model's next training would skip epochs

    def _generators(self):
        """States of the model's ``SeedGenerator``s, which Keras leaves out of saved weights."""
        return [v for v in self.model.variables if v.name == "seed_generator_state"]


def _plain(value):
    return value.tolist() if hasattr(value, "tolist") else value
