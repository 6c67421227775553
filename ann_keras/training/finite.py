"""The end of a training that has left the finite numbers."""

import keras
import numpy as np

from ann_keras.errors import UserError


class StopOnNaN(keras.callbacks.Callback):
    """Ends a run after the epoch in which a logged value or a weight is no finite number.

    Give it before ``resume.Resume``: the checkpoint then keeps the weights of the last good
    epoch. Weights are looked at too, since those of an epoch's last step decide no loss of it.

    Raises:
        UserError: after the epoch, which the message names.
    """

    def on_epoch_end(self, epoch, logs=None):
        bad = [name for name, value in (logs or {}).items() if not np.all(np.isfinite(value))]
        bad = bad or [
            weight.path for weight in self.model.trainable_variables
            if not np.all(np.isfinite(keras.ops.convert_to_numpy(weight)))
        ]
        if bad:
            raise UserError(
                f"{bad[0]} of {self.model.name} is not finite after epoch {epoch + 1}: training "
                "stops here; a smaller learning rate may help"
            )
