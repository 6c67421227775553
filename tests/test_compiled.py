"""Compiled training does what model.fit does: same numbers, same stopping, same callbacks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.training import compiled

pytestmark = pytest.mark.filterwarnings("ignore:Even though the .tf.config.*:UserWarning")
ROWS = 37  # a prime: every batch size leaves a remainder
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, 3)).astype("float32")
Y = (np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:]).astype("float32")
X_OTHER = RANDOM.normal(size=(11, 3)).astype("float32")
Y_OTHER = (np.sin(X_OTHER[:, :1]) + X_OTHER[:, 1:2] * X_OTHER[:, 2:]).astype("float32")


@pytest.fixture
def eager():
    """Without graphs, which take longer to trace than a few steps do: what Python does counts."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


without_graphs = pytest.mark.usefixtures("eager")


def regressor(optimizer=None, metrics=("mae",), layers=list):
    """A small network, the same weights at every call; eager in model.fit, which saves tracing.

    ``layers`` returns those between its two own.
    """
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((3,)), keras.layers.Dense(6, activation="tanh"), *layers(),
        keras.layers.Dense(1),
    ])
    optimizer = optimizer or keras.optimizers.SGD(0.05)
    model.compile(optimizer, loss="mse", metrics=list(metrics), run_eagerly=True)
    return model


def both(build, x=X, y=Y, *, jit_compile=False, callbacks=list, **options):
    """(model, history) trained by model.fit and by compiled.fit, without shuffling.

    ``build`` and ``callbacks`` are called once for each of the two.
    """
    expected = build()
    history = expected.fit(x, y, shuffle=False, verbose=0, callbacks=callbacks(), **options)
    ours = build()
    own_history = compiled.fit(ours, x, y, shuffle=False, verbose=0, callbacks=callbacks(),
                               jit_compile=jit_compile, **options)
    return (expected, history), (ours, own_history)


def assert_same_training(expected, ours):
    (model, history), (own_model, own_history) = expected, ours
    assert own_history.epoch == history.epoch
    assert set(own_history.history) == set(history.history)
    for name, values in history.history.items():
        np.testing.assert_allclose(own_history.history[name], values, rtol=1e-5, atol=1e-5,
                                   err_msg=name)
    for weight, own_weight in zip(model.variables, own_model.variables, strict=True):
        np.testing.assert_allclose(own_weight.numpy(), weight.numpy(), rtol=1e-5, atol=1e-5)
    assert int(own_model.optimizer.iterations) == int(model.optimizer.iterations)


def nesterov():
    return keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True)


def adam():
    return keras.optimizers.Adam(0.01)


def decaying():
    return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5))


def weight_average():
    return keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)


@pytest.mark.parametrize(
    "optimizer, batch_size, validation, jit_compile",
    [
        # XLA would reject a loop of no steps over the few rows that are held out.
        (nesterov, 15, {"validation_data": (X_OTHER, Y_OTHER)}, True),
        (decaying, 37, {}, False),  # one batch, no remainder
        (weight_average, 50, {"validation_split": 0.1}, False),  # more than there are rows
        (adam, 10, {"validation_split": 0.3}, False),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_losses_metrics_and_weights_are_those_of_fit(
    optimizer, batch_size, validation, jit_compile
):
    def build():
        return regressor(optimizer(), metrics=["mae", keras.metrics.RootMeanSquaredError("rms")])

    expected, ours = both(build, epochs=3, batch_size=batch_size, jit_compile=jit_compile,
                          **validation)
    losses = expected[1].history["loss"]
    assert losses[-1] < losses[0]
    assert_same_training(expected, ours)


def test_integer_classes_dropout_batch_statistics_and_penalties_are_those_of_fit():
    labels = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 0)

    def build():
        keras.utils.set_random_seed(0)
        model = keras.Sequential([
            keras.Input((3,)), keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3, activation="softmax",
                               kernel_regularizer=keras.regularizers.L2(0.1)),
        ])
        model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy",
                      metrics=["accuracy"], run_eagerly=True)
        return model

    assert_same_training(*both(build, y=labels, epochs=3, batch_size=10, validation_split=0.2))


def test_dropout_masks_change_from_step_to_step_and_rest_in_validation():
    keras.utils.set_random_seed(0)
    # Half of 400 inputs of 1 are dropped, the others doubled: the mean output tells the mask.
    model = keras.Sequential([
        keras.Input((400,)), keras.layers.Dropout(0.5),
        keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"),
    ])
    model.compile(keras.optimizers.SGD(0.0), loss="mae")
    x, y = np.full((4, 400), 1 / 400, "float32"), np.full((4, 1), -10, "float32")
    history = compiled.fit(model, x, y, epochs=6, batch_size=4, validation_data=(x, y), verbose=0)
    outputs = np.array(history.history["loss"]) - 10
    assert len(set(outputs)) == 6
    assert np.abs(outputs - 1).max() < 5 * np.sqrt(1 / 1600)
    np.testing.assert_allclose(history.history["val_loss"], 11, rtol=1e-5)


class OwnStep(keras.Model):
    """Finds the factor between the first column and ``factor`` times it, without an optimizer."""

    def __init__(self, factor=10):
        super().__init__()
        self.factor = factor
        self.slope = self.add_weight(shape=(), initializer="zeros")
        self.error = keras.metrics.Mean(name="error")
        self.compile("sgd", run_eagerly=True)

    def call(self, x):
        return self.slope * x[:, :1]

    def train_step(self, data):
        x, _ = data
        residual = self.factor * x[:, :1] - self(x)
        self.slope.assign_add(tf.reduce_mean(residual * x[:, :1]))
        self.error.update_state(tf.square(residual))
        return {"error": self.error.result()}

    def test_step(self, data):
        x, _ = data
        self.error.update_state(tf.abs(self.factor * x[:, :1] - self(x)))
        return {"error": self.error.result()}


def test_own_training_step_is_run_as_written():
    expected, ours = both(OwnStep, epochs=5, batch_size=10, validation_split=0.2)
    assert float(ours[0].slope.numpy()) == pytest.approx(10, abs=0.5)
    np.testing.assert_allclose(ours[0].slope.numpy(), expected[0].slope.numpy(), rtol=1e-5)
    assert set(ours[1].history) == set(expected[1].history) == {"error", "val_error"}
    for name, values in expected[1].history.items():
        np.testing.assert_allclose(ours[1].history[name], values, rtol=1e-5)


@without_graphs
def test_own_training_step_without_targets_is_given_the_inputs_as_in_fit():
    kinds = []

    class WithoutTargets(OwnStep):
        def train_step(self, data):
            kinds.append(type(data).__name__ in ("tuple", "list"))
            return super().train_step((data if tf.is_tensor(data) else data[0], None))

        test_step = train_step

    _, ours = both(WithoutTargets, y=None, epochs=5, batch_size=10)
    assert float(ours[0].slope.numpy()) == pytest.approx(10, abs=0.5)
    assert set(kinds) == {False}


@without_graphs
def test_inputs_and_targets_in_dicts():
    def build():
        keras.utils.set_random_seed(0)
        first, second = keras.Input((1,), name="first"), keras.Input((2,), name="second")
        joined = keras.layers.Concatenate()([first, second])
        outputs = {"sum": keras.layers.Dense(1)(joined), "sign": keras.layers.Dense(1)(second)}
        model = keras.Model({"first": first, "second": second}, outputs)
        model.compile("sgd", loss={"sum": "mse", "sign": "mae"}, run_eagerly=True)
        return model

    x = {"first": X[:, :1], "second": X[:, 1:]}
    y = {"sum": Y, "sign": np.sign(Y)}
    assert_same_training(*both(build, x, y, epochs=2, batch_size=10, validation_split=0.2))


@without_graphs
def test_training_goes_on_where_the_last_call_ended():
    def build():
        return regressor(adam())

    once, twice = build(), build()
    compiled.fit(once, X, Y, epochs=4, batch_size=10, shuffle=False, verbose=0)
    for _ in range(2):
        compiled.fit(twice, X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0)
    for a, b in zip(once.get_weights(), twice.get_weights()):
        np.testing.assert_array_equal(a, b)


class RowRecorder(keras.metrics.Metric):
    """Keeps the targets of an epoch in the order in which they were seen; logs their number."""

    def __init__(self, rows):
        super().__init__(name="rows")
        self.order = self.add_variable((rows,), initializer="zeros", name="order")
        self.seen = self.add_variable((), initializer="zeros", dtype="int32", name="seen")

    def update_state(self, y_true, y_pred, sample_weight=None):
        targets = tf.reshape(y_true, [-1])
        places = tf.range(self.seen, self.seen + tf.size(targets))
        self.order.assign(tf.tensor_scatter_nd_update(self.order, places[:, None], targets))
        self.seen.assign_add(tf.size(targets))

    def result(self):
        return tf.cast(self.seen, "float32")


def recorded_training(rows=ROWS, batch_size=10, epochs=4, **options):
    """Linear regression on targets 0, 1, 2, …: initial and final weights, orders of the epochs."""
    recorder = RowRecorder(rows)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), loss="mse", metrics=[recorder])
    initial, orders = model.get_weights(), []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: orders.append(recorder.order.numpy().astype(int))
    )
    targets = np.arange(rows, dtype="float32")[:, None]
    history = compiled.fit(model, X[:rows], targets, batch_size=batch_size, epochs=epochs,
                           callbacks=[keep], verbose=0, **options)
    assert history.history["rows"] == [rows] * epochs
    return initial, model.get_weights(), np.array(orders)


def stochastic_gradient_descent(weights, orders, batch_size, rate=0.01):
    """The same training in NumPy, rows in the given orders."""
    kernel, bias = (weight.astype("float64") for weight in weights)
    for order in orders:
        for start in range(0, len(order), batch_size):
            rows = order[start:start + batch_size]
            error = X[rows] @ kernel + bias - rows[:, None]
            kernel = kernel - rate * 2 * X[rows].T @ error / len(rows)
            bias = bias - rate * 2 * error.mean(0)
    return kernel, bias


@pytest.fixture(scope="module")
def shuffled():
    """A recorded training, in a graph."""
    return recorded_training(seed=1)


def test_shuffled_epochs_visit_every_row_once_in_new_orders(shuffled):
    initial, final, orders = shuffled
    assert (np.sort(orders) == np.arange(ROWS)).all()
    assert len({tuple(order) for order in [*orders, range(ROWS)]}) == len(orders) + 1
    # Inputs, targets and batches follow that order.
    for weight, own_weight in zip(stochastic_gradient_descent(initial, orders, 10), final):
        np.testing.assert_allclose(own_weight, weight, rtol=1e-4)


@without_graphs
def test_rows_keep_their_order_without_shuffling():
    _, _, orders = recorded_training(shuffle=False, epochs=2)
    assert (orders == np.arange(ROWS)).all()


@without_graphs
def test_shuffling_is_decided_by_the_seed(shuffled):
    _, weights, orders = shuffled
    _, again, same = recorded_training(seed=1)
    np.testing.assert_array_equal(orders, same)
    for a, b in zip(weights, again):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    _, other_weights, others = recorded_training(seed=2)
    assert all((a != b).any() for a, b in zip(orders, others))
    assert (weights[0] != other_weights[0]).any()


def test_every_order_is_as_likely():
    _, _, orders = recorded_training(rows=3, batch_size=3, epochs=600)
    _, counts = np.unique(orders, axis=0, return_counts=True)
    # Each of the six orders is expected 100 times, with standard deviation 9.
    assert len(counts) == 6 and np.abs(counts - 100).max() < 45


@without_graphs
def test_held_out_rows_are_the_last_and_never_trained():
    rows, trained, batch_size, rate, epochs = 40, 30, 10, 0.5, 7
    model = keras.Sequential([
        keras.Input((rows,)),
        keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros"),
    ])
    model.compile(keras.optimizers.SGD(rate), loss="mse")
    # Each row has a weight of its own, which every visit brings nearer to 1 by the same share.
    x, y = np.eye(rows, dtype="float32"), np.ones((rows, 1), "float32")
    history = compiled.fit(model, x, y, epochs=epochs, batch_size=batch_size, verbose=0,
                           validation_split=0.25)
    weights = model.get_weights()[0][:, 0]
    np.testing.assert_allclose(weights[:trained], 1 - (1 - 2 * rate / batch_size) ** epochs,
                               rtol=1e-5)
    assert not weights[trained:].any()
    assert history.history["val_loss"] == [1] * epochs


class Scripted(keras.Model):
    """Its score in each epoch is given; its weight counts the epochs."""

    def __init__(self, scores):
        super().__init__()
        self.scores = tf.constant(scores, "float32")
        self.trained = self.add_weight(shape=(), initializer="zeros", dtype="int32",
                                       trainable=False)
        self.score = keras.metrics.Mean(name="score")
        self.compile("sgd", run_eagerly=True)

    def call(self, x):
        return x

    def look_up(self):
        self.score.update_state(self.scores[tf.maximum(self.trained, 1) - 1])
        return {"score": self.score.result()}

    def train_step(self, data):
        self.trained.assign_add(1)
        return self.look_up()

    def test_step(self, data):
        return self.look_up()


ONE_ROW = np.zeros((1, 1), "float32")


def scripted(fit, scores, stopping, **options):
    """(model, callback, history) of a scripted model, trained by one of the two fits."""
    model, callback = Scripted(scores), keras.callbacks.EarlyStopping(**stopping)
    model(ONE_ROW)
    if fit == "compiled":
        history = compiled.fit(model, ONE_ROW, ONE_ROW, epochs=len(scores), callbacks=[callback],
                               validation_data=(ONE_ROW, ONE_ROW), verbose=0, **options)
    else:
        history = model.fit(ONE_ROW, ONE_ROW, epochs=len(scores), callbacks=[callback],
                            validation_data=(ONE_ROW, ONE_ROW), verbose=0, **options)
    return model, callback, history


@without_graphs
@pytest.mark.parametrize(
    "scores, stopping, epochs, best",
    [
        # scores; settings; epochs run; epoch (from 1) whose weights remain
        ([3, 2, 2, 2, 2, 1], {"mode": "min", "patience": 2}, 4, 4),
        ([1, 2, 3, 2, 5], {"mode": "max", "restore_best_weights": True}, 4, 3),
        ([9, 1, 5, 4, 4, 0], {"mode": "min", "start_from_epoch": 2, "restore_best_weights": True},
         5, 4),
    ],
)
def test_early_stopping_by_hand_and_by_fit(scores, stopping, epochs, best):
    stopping = {"monitor": "val_score"} | stopping
    model, callback, history = scripted("compiled", scores, stopping)
    assert history.history["val_score"] == scores[:epochs] == history.history["score"]
    assert int(model.trained.numpy()) == best
    expected, reference, reference_history = scripted("keras", scores, stopping)
    assert history.epoch == reference_history.epoch
    assert model.trained.numpy() == expected.trained.numpy()
    for name in ("stopped_epoch", "best_epoch", "best"):
        assert getattr(callback, name) == getattr(reference, name), name


class Counter:
    """As much of a model as a callback needs, with one weight."""

    stop_training = False

    def __init__(self):
        self.variables = [keras.Variable(0.0)]

    def get_weights(self):
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights):
        for variable, weight in zip(self.variables, weights):
            variable.assign(weight)


def stop_as_keras(settings, scores):
    model, callback = Counter(), keras.callbacks.EarlyStopping(**settings)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, score in enumerate(scores):
        model.variables[0].assign(epoch + 1)
        callback.on_epoch_end(epoch, {"score": score})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch, float(model.variables[0].numpy()), callback.best_epoch, callback.best


def stop_as_compiled(settings, scores):
    model, callback = Counter(), keras.callbacks.EarlyStopping(**settings)
    stopper = compiled._EarlyStopping(callback, model, ["score"])
    for epoch, score in enumerate(scores):
        model.variables[0].assign(epoch + 1)
        stopper.update(epoch, {"score": tf.constant(score, "float32")})
        if stopper.stopped:
            break
    stopper.finish([epoch])
    best = float(stopper.best) if stopper.has_best else None
    return epoch, float(model.variables[0].numpy()), int(stopper.best_epoch), best


def test_early_stopping_equals_keras_on_random_scores():
    random = np.random.default_rng(0)
    epochs_run = set()
    for _ in range(60):
        settings = {
            "monitor": "score",
            "mode": str(random.choice(["min", "max"])),
            "patience": int(random.integers(0, 6)),
            "min_delta": float(random.choice([0, 0.25, 0.5, -0.5])),
            "baseline": random.choice([None, 0.0, 0.5]),
            "start_from_epoch": int(random.choice([0, 0, 3, 20])),
            "restore_best_weights": bool(random.integers(2)),
        }
        scores = random.integers(-4, 5, size=12) / 4  # exact in float32, with ties
        scores = np.where(random.random(12) < 0.05, np.nan, scores)
        expected = stop_as_keras(settings, scores)
        np.testing.assert_equal(stop_as_compiled(settings, scores), expected,
                                err_msg=f"{settings}, {scores}")
        epochs_run.add(expected[0])
    assert len(epochs_run) > 8  # the cases differ


def test_early_stopping_on_a_loss_that_worsens_at_once():
    def callbacks():
        return [keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)]

    # What is learned of Y is wrong of -Y.
    expected, ours = both(regressor, epochs=5, batch_size=10, validation_data=(X, -Y),
                          callbacks=callbacks)
    losses = ours[1].history["val_loss"]
    assert len(losses) == 3 and losses == sorted(losses)
    best = compiled.evaluate(ours[0], X, -Y)["loss"]
    assert best == pytest.approx(losses[0], rel=1e-5)
    assert_same_training(expected, ours)


@pytest.mark.parametrize(
    "monitor, mode, lower",
    [("val_loss", "auto", True), ("reward", "max", False), ("accuracy", "min", True),
     ("loss", "max", False)],
)
def test_direction_of_improvement(monitor, mode, lower):
    callback = keras.callbacks.EarlyStopping(monitor, mode=mode)
    assert compiled._EarlyStopping(callback, Counter(), [monitor]).sign == (1 if lower else -1)


def test_long_runs_log_every_epoch():
    scores = list(range(1, 401))
    model = Scripted(scores)
    model(ONE_ROW)
    history = compiled.fit(model, ONE_ROW, ONE_ROW, epochs=390, verbose=0)
    assert history.history["score"] == scores[:390]
    assert history.epoch == list(range(390))
    assert history.params["epochs"] == 390 and history.params["steps"] == 1
    assert 0 < history.params["seconds_per_epoch"] < history.params["build_seconds"]


@without_graphs
def test_numbers_do_not_depend_on_how_often_progress_is_shown(monkeypatch):
    def train():
        model = regressor(adam())
        history = compiled.fit(model, X, Y, epochs=8, batch_size=10, verbose=0)
        return history.history, model.get_weights()

    history, weights = train()
    monkeypatch.setattr(compiled, "_SECONDS_PER_CALL", 0)
    history_in_steps, weights_in_steps = train()
    assert history == history_in_steps
    for a, b in zip(weights, weights_in_steps):
        np.testing.assert_array_equal(a, b)


class Witness(keras.callbacks.Callback):
    """Writes down what it is told, and what the model's first weight then is."""

    def __init__(self, name, notes):
        super().__init__()
        self.name, self.notes = name, notes

    def on_train_begin(self, logs=None):
        self.notes.append((self.name, "begin"))

    def on_epoch_end(self, epoch, logs=None):
        weight = float(self.model.get_weights()[0][0, 0])
        self.notes.append((self.name, epoch, dict(logs), weight))

    def on_train_end(self, logs=None):
        self.notes.append((self.name, "end", dict(logs)))


@without_graphs
def test_callbacks_are_called_every_epoch_in_order_with_the_logs_of_fit():
    notes = []

    def callbacks():
        notes.append([])
        return [Witness("first", notes[-1]), Witness("second", notes[-1])]

    both(regressor, epochs=3, batch_size=10, validation_split=0.2, callbacks=callbacks)
    expected, ours = notes
    assert [note[:2] for note in ours] == [
        (name, when) for when in ("begin", 0, 1, 2, "end") for name in ("first", "second")
    ]
    assert set(ours[2][2]) == {"loss", "mae", "val_loss", "val_mae"}
    for note, own_note in zip(expected, ours, strict=True):
        assert own_note[:2] == note[:2]
        for told, own_told in zip(note[2:], own_note[2:], strict=True):
            assert own_told == pytest.approx(told, rel=1e-5)


@without_graphs
def test_a_callback_stops_the_training():
    def stop(epoch, logs):
        model.stop_training = epoch == 2

    model = regressor()
    for callbacks, epochs in (([keras.callbacks.LambdaCallback(on_epoch_end=stop)], 3), ([], 5)):
        history = compiled.fit(model, X, Y, epochs=5, callbacks=callbacks, verbose=0)
        assert len(history.epoch) == epochs


@without_graphs
def test_a_callback_changes_the_learning_rate_between_epochs():
    def freeze(epoch, logs):
        if epoch == 1:
            model.optimizer.learning_rate = 0.0

    model = regressor()
    history = compiled.fit(model, X, Y, epochs=5, shuffle=False, verbose=0,
                           callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=freeze)])
    first, second, *rest = history.history["loss"]
    assert first > second > rest[0]
    assert rest == [rest[0]] * 3


@without_graphs
def test_a_learning_rate_scheduler_and_batches_of_32_unless_told_act_as_in_fit():
    def callbacks():
        return [keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))]

    assert_same_training(*both(regressor, epochs=3, callbacks=callbacks))


@without_graphs
def test_early_stopping_beside_another_callback():
    epochs = []

    def callbacks():
        return [
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch)),
            keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True),
        ]

    expected, ours = both(regressor, epochs=5, batch_size=10, validation_data=(X, -Y),
                          callbacks=callbacks)
    assert_same_training(expected, ours)
    assert epochs == [0, 1, 0, 1]


@without_graphs
def test_own_kind_of_early_stopping_is_called_as_any_callback():
    class Impatient(keras.callbacks.EarlyStopping):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    history = compiled.fit(regressor(), X, Y, epochs=5, callbacks=[Impatient()], verbose=0)
    assert len(history.epoch) == 2


@pytest.mark.parametrize("batch_size", [8, 1000])
def test_evaluate_is_that_of_keras(batch_size):
    model = regressor(layers=lambda: [keras.layers.Dropout(0.5)])
    expected = model.evaluate(X, Y, batch_size=batch_size, verbose=0, return_dict=True)
    weights = model.get_weights()
    result = compiled.evaluate(model, X, Y, batch_size=batch_size)
    assert result == pytest.approx(expected, rel=1e-5)
    assert all(type(value) is float for value in result.values())
    for a, b in zip(weights, model.get_weights()):
        np.testing.assert_array_equal(a, b)


@without_graphs
def test_double_precision_data_are_taken():
    wide, narrow = regressor(), regressor()
    compiled.fit(wide, X.astype("float64"), Y.astype("float64"), epochs=1, verbose=0)
    compiled.fit(narrow, X, Y, epochs=1, verbose=0)
    for a, b in zip(wide.get_weights(), narrow.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def untrained():
    return regressor()


@pytest.mark.parametrize(
    "options, words",
    [
        ({"epochs": 0}, "must be positive, got 0, 32"),
        ({"batch_size": 0}, "must be positive, got 1, 0"),
        ({"y": Y[:-1]}, "same number of rows"),
        ({"x": X[:0], "y": Y[:0]}, "at least one"),
        ({"validation_data": (X, Y[:-1])}, "same number of rows"),
        ({"validation_split": 1.0}, r"must lie in \[0, 1\), got 1.0"),
        ({"validation_split": -0.1}, r"must lie in \[0, 1\), got -0.1"),
        ({"validation_split": 0.99}, "leaves no training rows"),
        ({"callbacks": [keras.callbacks.EarlyStopping("val_loss")]},
         r"watches 'val_loss'; logged are \['loss', 'mae'\]"),
        ({"callbacks": [keras.callbacks.EarlyStopping("loss")] * 2}, "one EarlyStopping at most"),
    ],
)
def test_errors(options, words, untrained):
    model = untrained
    weights = model.get_weights()
    with pytest.raises(ValueError, match=words):
        compiled.fit(model, **{"x": X, "y": Y, "verbose": 0} | options)
    for a, b in zip(weights, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_an_undecided_direction_is_refused():
    callback = keras.callbacks.EarlyStopping("score")
    with pytest.raises(ValueError, match="score"):
        compiled._EarlyStopping(callback, Counter(), ["score"])
