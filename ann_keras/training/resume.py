"""Training that goes on from its last epoch after an interruption."""

import json
from pathlib import Path

import keras


class Resume(keras.callbacks.BackupAndRestore):
    """``BackupAndRestore`` that also gives back what was logged before the interruption.

    Give it to ``compiled.fit`` (or ``fit``) in each run; the folder is kept until it is deleted.

    Args:
        folder: for weights, optimizer state and logs.

    Attributes:
        logs: dicts of the values logged for each epoch, those of earlier runs included.
    """

    def __init__(self, folder):
        super().__init__(str(folder), delete_checkpoint=False)
        self.logs = []
        self._log_file = Path(folder) / "logs.json"

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        done = self.model._initial_epoch or 0
        if done:
            self.logs = json.loads(self._log_file.read_text())[:done]

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append({name: _plain(value) for name, value in (logs or {}).items()})
        # Before the weights: an epoch without its logs could not be taken up.
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._log_file.with_suffix(".new")
        temporary.write_text(json.dumps(self.logs))
        temporary.replace(self._log_file)
        super().on_epoch_end(epoch, logs)


def _plain(value):
    return value.tolist() if hasattr(value, "tolist") else value
