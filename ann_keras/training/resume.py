"""Training that goes on from its last epoch after an interruption."""

import json
from pathlib import Path

import keras


class Resume(keras.callbacks.BackupAndRestore):
    """``BackupAndRestore`` that also gives back logs and the states of random generators.

    Give it to ``compiled.fit`` (or ``fit``) in each run; the folder is kept until it is deleted.

    Args:
        folder: for weights, optimizer state, logs, and the states of ``SeedGenerator``s, which
            Keras does not save: noise goes on as if there had been no interruption.

    Attributes:
        logs: dicts of the values logged for each epoch, those of earlier runs included.
    """

    def __init__(self, folder):
        super().__init__(str(folder), delete_checkpoint=False)
        self.logs, self._states = [], []  # an entry an epoch
        self._log_file = Path(folder) / "logs.json"
        self._state_file = Path(folder) / "random.json"

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        done = self.model._initial_epoch or 0
        if done:
            self.logs = json.loads(self._log_file.read_text())[:done]
            if self._state_file.is_file():
                self._states = json.loads(self._state_file.read_text())[:done]
                for variable, state in zip(self._generators(), self._states[-1], strict=True):
                    variable.assign(state)

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append({name: _plain(value) for name, value in (logs or {}).items()})
        # Before the weights: an epoch without its logs could not be taken up.
        _write(self._log_file, self.logs)
        if generators := self._generators():
            self._states.append([_plain(keras.ops.convert_to_numpy(v)) for v in generators])
            _write(self._state_file, self._states)
        super().on_epoch_end(epoch, logs)

    def _generators(self):
        """The state of each ``SeedGenerator`` of the model; other variables are among weights."""
        return [v for v in self.model.variables if v.name == "seed_generator_state"]


def _write(file, values):
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(values))
    temporary.replace(file)


def _plain(value):
    return value.tolist() if hasattr(value, "tolist") else value
