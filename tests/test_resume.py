"""Training that goes on after an interruption, and the losses of its mini-batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.models.mlp import nar_mlp
from ann_keras.training import compiled
from ann_keras.training.metrics import BatchLosses
from ann_keras.training.resume import Resume


@pytest.fixture
def eager():
    """Without graphs, which take longer to trace than a few steps do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def data():
    x = np.random.default_rng(0).normal(size=(70, 5)).astype(np.float32)
    return x, x[:, :1] * 0.3


def network(metrics=()):
    keras.utils.set_random_seed(0)
    model = nar_mlp(5, 4)
    model.compile("adam", "mse", metrics=list(metrics))
    return model


class Interrupt(keras.callbacks.Callback):
    """Stops the process's training as Ctrl-C does, in the epoch after ``epochs``."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epochs:
            raise KeyboardInterrupt


def test_training_in_parts_is_training_at_once(eager):
    whole, parts = network(), network()
    loss = compiled.fit(whole, *data(), epochs=5, seed=3).history["loss"]
    first = compiled.fit(parts, *data(), epochs=2, seed=3)
    second = compiled.fit(parts, *data(), epochs=5, seed=3, initial_epoch=2)
    assert first.history["loss"] + second.history["loss"] == loss
    assert second.epoch == [2, 3, 4]
    for one, other in zip(whole.get_weights(), parts.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_early_stopping_tells_the_epoch_after_earlier_ones(eager):
    stopping = keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=10.0)
    compiled.fit(network(), *data(), epochs=9, initial_epoch=4, callbacks=[stopping])
    assert stopping.stopped_epoch == 5


def test_interrupted_training_goes_on_with_its_logs(tmp_path, eager):
    expected = compiled.fit(network(), *data(), epochs=4, seed=1).history["loss"]
    with pytest.raises(KeyboardInterrupt):
        compiled.fit(
            network(), *data(), epochs=4, seed=1, callbacks=[Resume(tmp_path), Interrupt(2)]
        )
    resume = Resume(tmp_path)
    history = compiled.fit(network(), *data(), epochs=4, seed=1, callbacks=[resume])
    assert history.epoch == [2, 3], "the finished epochs are not repeated"
    assert [logs["loss"] for logs in resume.logs] == expected


def test_a_run_killed_while_it_writes_goes_on_from_the_epoch_before(tmp_path, monkeypatch, eager):
    expected = compiled.fit(network(), *data(), epochs=4, seed=1).history["loss"]
    save = keras.Model.save_weights

    def killed(self, path, *args):
        save(self, path, *args)
        if "epoch_3" in str(path):
            path.write_bytes(path.read_bytes()[:100])
            raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "save_weights", killed)
    with pytest.raises(KeyboardInterrupt):
        compiled.fit(network(), *data(), epochs=4, seed=1, callbacks=[Resume(tmp_path)])
    monkeypatch.undo()
    resume, model = Resume(tmp_path), network()
    history = compiled.fit(model, *data(), epochs=4, seed=1, callbacks=[resume])
    assert history.epoch == [2, 3]
    assert [logs["loss"] for logs in resume.logs] == expected
    assert [file.name for file in tmp_path.glob("*.h5")] == ["epoch_4.weights.h5"]
    again = compiled.fit(model, *data(), epochs=2, seed=1)
    assert again.epoch == [0, 1], "the model's next training is one of its own"


def test_batch_losses_are_those_of_each_step():
    x, y = data()
    losses = BatchLosses(keras.losses.mean_squared_error, steps=3)
    model = network([losses])
    weights = model.get_weights()
    compiled.fit(
        model, x, y, batch_size=25, shuffle=False, validation_data=(x[:9], y[:9]), epochs=1
    )
    model.set_weights(weights)  # the first step's loss is that of the initial weights
    first = np.mean((model(x[:25]).numpy() - y[:25]) ** 2)
    found = keras.ops.convert_to_numpy(losses.previous)
    assert found.shape == (3,) and found[0] == pytest.approx(first, rel=1e-5)
    assert (found > 0).all() and len(set(found.tolist())) == 3
