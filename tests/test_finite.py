"""Trainings stop where numbers are not finite."""

import keras
import numpy as np
import pytest

from ann_keras.errors import UserError
from ann_keras.training import compiled
from ann_keras.training.finite import StopOnNaN
from ann_keras.training.resume import Resume


class Poison(keras.callbacks.Callback):
    """Makes all weights NaN, before or after an epoch counted from 0."""

    def __init__(self, epoch, after=False):
        super().__init__()
        self.epoch, self.after = epoch, after

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch and not self.after:
            self.model.set_weights([w * np.nan for w in self.model.get_weights()])

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch and self.after:
            self.model.set_weights([w * np.nan for w in self.model.get_weights()])


def line():
    """A compiled model and data that it can learn."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)], name="line")
    model.compile(keras.optimizers.Adam(0.01), "mse")
    x = np.linspace(-1, 1, 20, dtype=np.float32)[:, np.newaxis]
    return model, x, 2 * x


@pytest.mark.parametrize("after, found", [(False, "loss"), (True, "line/dense.*/kernel")])
def test_training_stops_on_nan_and_the_last_good_weights_stay(tmp_path, after, found):
    model, x, y = line()
    with pytest.raises(UserError, match=f"^{found} of line is not finite after epoch 3: "):
        compiled.fit(model, x, y, epochs=5, callbacks=[Poison(2, after), StopOnNaN(),
                                                       Resume(tmp_path)])
    again, x, y = line()
    resume = Resume(tmp_path)
    history = compiled.fit(again, x, y, epochs=5, callbacks=[StopOnNaN(), resume])
    assert history.epoch == [2, 3, 4] and len(resume.logs) == 5
    whole, x, y = line()
    expected = compiled.fit(whole, x, y, epochs=5, callbacks=[StopOnNaN()]).history["loss"]
    np.testing.assert_array_equal([logs["loss"] for logs in resume.logs], expected)
