"""Training as one compiled graph, for data that fits in memory.

``keras.Model.fit`` enters and leaves a graph at every step, which costs about 1.5 ms whatever the
model. Here epochs, shuffling, mini-batches, validation and early stopping are loops inside one
``tf.function``; Python only asks it for some epochs at a time, to show progress.
"""

import time

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ann_keras.training import progress, tensorboard

_SECONDS_PER_CALL = 0.5  # how long the graph runs before progress is shown


def fit(
    model, x, y=None, *, epochs=1, batch_size=32, validation_data=None, validation_split=0.0,
    shuffle=True, seed=0, initial_epoch=0, callbacks=(), jit_compile=False, verbose=1,
):
    """Train a compiled Keras model; called like ``model.fit``, and logs the same numbers.

    Runs the model's own ``train_step`` and ``test_step``, so a custom step is trained as written.

    Args:
        model: a built Keras model after ``model.compile(...)``.
        x, y: arrays, or nested tuples and dicts of arrays, n rows each.
        epochs, batch_size: passes over the data, and rows a step; the last step of an epoch takes
            the remainder.
        validation_data: ``(x, y)`` evaluated after each epoch.
        validation_split: share of the last rows held out instead, before shuffling.
        shuffle, seed: a new order each epoch, by the seed and the number of the epoch, so that
            training in parts equals training at once.
        initial_epoch: where to go on, if earlier epochs ran before; callbacks like
            ``BackupAndRestore`` set it too, as in fit. Early stopping begins anew.
        callbacks: Keras callbacks. ``EarlyStopping`` runs inside the graph; any other is called
            after each epoch, and the graph is then left after each epoch.
        jit_compile: compile each epoch by XLA. On CPU about twice as fast for small dense
            networks and several times slower for convolutions: measure before choosing.
        verbose: 1 shows a progress bar on a terminal, 0 nothing.

    Returns:
        A ``keras.callbacks.History``. Its ``params`` also hold ``build_seconds`` (tracing and
        compiling, with the first epoch) and ``seconds_per_epoch`` of the epochs after it.

    Raises:
        ValueError: no rows, rows that differ in number, epochs or batch size below one, a
            validation split outside [0, 1), or an early stopping that watches an unknown name;
            and what the model's ``check_images`` raises of x, if it has one.
    """
    if hasattr(model, "check_images"):  # before training, since graphs know no values
        for images in (x, *(validation_data or ())[:1]):
            model.check_images(images)
    data = _as_tensors((x, y))
    data, validation = _hold_out(data, validation_data, validation_split)
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs and batch size must be positive, got {epochs}, {batch_size}")

    names = _build(model, data, validation)
    stopping = [each for each in callbacks if type(each) is keras.callbacks.EarlyStopping]
    others = [each for each in callbacks if each not in stopping]
    if len(stopping) > 1:
        raise ValueError("give one EarlyStopping at most")
    stopper = _EarlyStopping(stopping[0] if stopping else None, model, names)
    run = _compile(model, data, validation, names, stopper, batch_size, shuffle, seed, jit_compile)

    history = keras.callbacks.History()
    # The history comes last, as in fit: callbacks before it may add to the logs.
    followers = keras.callbacks.CallbackList(
        [*others, *tensorboard.callbacks(), history], model=model, epochs=epochs,
        steps=-(-_rows(data) // batch_size),
    )
    model.stop_training = False
    followers.on_train_begin()
    epoch = getattr(model, "_initial_epoch", None) or initial_epoch
    chunk, seconds, timed, logs = 1, 0.0, 0, {}
    disable = None if verbose else True  # None: shown on terminals only
    with tqdm(total=max(epochs - epoch, 0), desc=model.name, unit="epoch", disable=disable) as bar:
        while epoch < epochs and not model.stop_training and not stopper.stopped.numpy():
            followers.on_epoch_begin(epoch)
            start = time.perf_counter()
            last, table = run(tf.constant(epoch), tf.constant(min(epoch + chunk, epochs)))
            table, count = table.numpy(), int(last) - epoch
            elapsed = time.perf_counter() - start
            if "build_seconds" not in history.params:
                history.params["build_seconds"] = elapsed
            else:
                seconds, timed = seconds + elapsed, timed + count
                history.params["seconds_per_epoch"] = seconds / timed
                if not others:
                    chunk = max(1, int(_SECONDS_PER_CALL * timed / seconds))
            for epoch, row in enumerate(table[:count].tolist(), start=epoch):
                logs = dict(zip(names, row))
                followers.on_epoch_end(epoch, logs)
            epoch += 1
            bar.update(count)
            progress.report(epoch, epochs)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    if stopping:
        stopper.finish(history.epoch)
    followers.on_train_end(logs)
    return history


def evaluate(model, x, y=None, *, batch_size=1000):
    """Dict of loss and metrics, as of ``model.evaluate``; model and data as of ``fit``."""
    data = _as_tensors((x, y))
    _build(model, data, None)
    logs = _graph(model, model.test_step, batch_size)(data)
    return {name: float(value) for name, value in logs.items()}


def _compile(model, data, validation, names, stopper, batch_size, shuffle, seed, jit_compile):
    """The graph that runs epochs [first, last): gives the epoch reached and a row for each."""
    train_epoch = _graph(model, model.train_step, batch_size, jit_compile)
    validate = _graph(model, model.test_step, batch_size, jit_compile)

    @tf.function
    def run(first, last):
        table = tf.TensorArray(tf.float32, last - first, element_shape=(len(names),))
        epoch = first
        while epoch < last and not stopper.stopped:
            source = data
            if shuffle:
                order = tf.random.experimental.stateless_shuffle(
                    tf.range(_rows(data)), seed=tf.stack([tf.constant(seed), epoch])
                )
                source = tf.nest.map_structure(lambda array: tf.gather(array, order), data)
            logs = dict(train_epoch(source))
            if validation is not None:
                logs |= {f"val_{name}": value for name, value in validate(validation).items()}
            row = tf.stack([tf.cast(logs[name], tf.float32) for name in names])
            table = table.write(epoch - first, row)
            stopper.update(epoch, logs)
            epoch += 1
        return epoch, table.stack()

    return run


def _graph(model, step, batch_size, jit_compile=False):
    """Compiled function of data: one step a mini-batch; gives the metrics."""
    @tf.function(jit_compile=jit_compile)
    def run(data):
        rows = _rows(data)
        model.reset_metrics()
        if rows >= batch_size:  # XLA would reject even a loop of no steps whose slice is too long
            for index in tf.range(rows // batch_size):
                step(_slice(data, index * batch_size, batch_size))
        if rows % batch_size:
            step(_slice(data, rows - rows % batch_size, rows % batch_size))
        return model.get_metrics_result()

    return run


def _slice(data, start, size):
    def take(array):
        begin = tf.concat([[start], tf.zeros(array.shape.rank - 1, tf.int32)], 0)
        return tf.slice(array, begin, [size, *array.shape[1:]])

    return tf.nest.map_structure(take, data)


class _EarlyStopping:
    """The state of ``keras.callbacks.EarlyStopping`` as variables inside the graph."""

    def __init__(self, callback, model, names):
        self.callback, self.model = callback, model
        self.stopped = tf.Variable(False, trainable=False)
        self.best_epoch = tf.Variable(0, trainable=False)
        self.best = tf.Variable(0.0, trainable=False)
        if callback is None:
            return
        if callback.monitor not in names:
            raise ValueError(f"early stopping watches {callback.monitor!r}; logged are {names}")
        callback.set_model(model)
        callback._set_monitor_op()
        self.sign = 1.0 if callback.monitor_op is keras.ops.less else -1.0
        self.has_best = tf.Variable(False, trainable=False)
        self.wait = tf.Variable(0, trainable=False)
        kept = [v.value for v in model.variables] if callback.restore_best_weights else []
        self.best_weights = [tf.Variable(value, trainable=False) for value in kept]

    def _improves(self, value, reference):
        return self.sign * (reference - value) > abs(self.callback.min_delta)

    def update(self, epoch, logs):
        """One ``EarlyStopping.on_epoch_end``, as graph operations."""
        callback = self.callback
        if callback is None:
            return
        value = tf.cast(logs[callback.monitor], tf.float32)
        if epoch >= callback.start_from_epoch:
            self.wait.assign_add(1)
            if not self.has_best or self._improves(value, self.best):
                self.has_best.assign(True)
                self.best.assign(value)
                self.best_epoch.assign(epoch)
                for kept, weight in zip(self.best_weights, self.model.variables):
                    kept.assign(weight.value)
                if callback.baseline is None or self._improves(value, callback.baseline or 0.0):
                    self.wait.assign(0)
            elif self.wait >= callback.patience and epoch > 0:
                self.stopped.assign(True)

    def finish(self, epochs):
        """After these epochs, give the model and the callback what Keras would have left there."""
        self.callback.stopped_epoch = epochs[-1] if self.stopped.numpy() else 0
        self.callback.best_epoch, self.callback.best = int(self.best_epoch), float(self.best)
        if self.has_best:
            for kept, weight in zip(self.best_weights, self.model.variables):
                weight.assign(kept)


def _build(model, data, validation):
    """Create the variables of optimizer, loss and metrics outside the graph; return log names."""
    model.optimizer.build(model.trainable_variables)
    names = list(model.test_step(tf.nest.map_structure(lambda array: array[:1], data)))
    model.reset_metrics()
    return names + [f"val_{name}" for name in names] * (validation is not None)


def _as_tensors(data):
    def convert(array):
        array = np.asarray(array)
        if array.dtype.kind == "f":
            array = array.astype(keras.config.floatx())
        return tf.constant(array)

    x, y = data
    tensors = tf.nest.map_structure(convert, x if y is None else (x, y))
    counts = {array.shape[0] for array in tf.nest.flatten(tensors)}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"all arrays need the same number of rows, at least one: got {counts}")
    return tensors


def _hold_out(data, validation_data, split):
    if not 0 <= split < 1:
        raise ValueError(f"validation_split must lie in [0, 1), got {split}")
    if validation_data is not None:
        return data, _as_tensors(validation_data)
    if not split:
        return data, None
    rows = int(_rows(data) * (1 - split))
    if rows == 0:
        raise ValueError(f"validation_split {split} leaves no training rows")
    train = tf.nest.map_structure(lambda array: array[:rows], data)
    return train, tf.nest.map_structure(lambda array: array[rows:], data)


def _rows(data):
    return tf.nest.flatten(data)[0].shape[0]
