"""The compiled LSTM is Keras' LSTM: results, states and gradients; and the stateful NAR network."""

import functools
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.layers import lstm
from ann_keras.layers.lstm import CompiledLSTM
from ann_keras.models.lstm import nar_lstm
from ann_keras.training import compiled

STEPS, FEATURES, UNITS = 6, 3, 4  # the same in most tests: one compilation serves them
TINY = {"steps": 3, "features": 1, "units": 2}


def values(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def built(kind, batch=None, *, steps=STEPS, features=FEATURES, units=UNITS, **options):
    """A layer whose weights, biases too, are all different and the same at every call."""
    layer = kind(units, **options)
    layer.build((batch, steps, features))
    layer.set_weights([0.7 * values(*w.shape, seed=10 + i, dtype=w.dtype)
                       for i, w in enumerate(layer.weights)])
    return layer


def both(*arguments, **options):
    return (built(keras.layers.LSTM, *arguments, **options),
            built(CompiledLSTM, *arguments, **options))


def results(layer, x, states=None, **options):
    """Outputs, and gradients of a weighted sum of them in weights, inputs and initial states.

    Those of a CompiledLSTM in a graph, where networks are trained.
    """
    def compute(x, states):
        with tf.GradientTape() as tape:
            tape.watch([x, *(states or [])])
            outputs = tf.nest.flatten(layer(x, initial_state=states, **options))
            total = tf.add_n([
                tf.reduce_sum(output * values(*output.shape, seed=20 + i, dtype=x.dtype.name))
                for i, output in enumerate(outputs)
            ])
        weights = [weight.value for weight in layer.trainable_weights]
        return outputs, tape.gradient(total, [*weights, x, *(states or [])])

    if isinstance(layer, CompiledLSTM):
        compute = tf.function(compute, autograph=False)
    states = None if states is None else [tf.constant(state) for state in states]
    return compute(tf.constant(x), states)


def assert_same(expected, ours, tolerance=1e-5):
    expected, ours = tf.nest.flatten(expected), tf.nest.flatten(ours)
    assert len(expected) == len(ours)
    for one, other in zip(expected, ours):
        largest = np.abs(one).max()
        assert one.dtype == other.dtype and largest > 1e-3
        np.testing.assert_allclose(other, one, atol=tolerance * min(1, largest), rtol=tolerance)


@pytest.fixture
def loops(monkeypatch):
    """One entry for each time that the compiled loop was entered, not Keras' own."""
    entered, recurrence = [], lstm._recurrence

    def recorded(*arguments):
        entered.append(1)
        return recurrence(*arguments)

    monkeypatch.setattr(lstm, "_recurrence", recorded)
    return entered


@pytest.mark.parametrize("batch, options", [
    (3, {}),
    (3, {"return_sequences": True, "return_state": True, "use_bias": False}),
    (1, {"return_sequences": True}),
    (1, {"go_backwards": True, "return_sequences": True, "return_state": True}),
])
def test_outputs_states_and_gradients_are_those_of_keras(loops, batch, options):
    x = values(batch, STEPS, FEATURES)
    states = [values(batch, UNITS, seed=1), values(batch, UNITS, seed=2)]
    expected, ours = (results(layer, x, states) for layer in both(**options))
    assert len(loops) == 1
    assert len(ours[0]) == (3 if "return_state" in options else 1)
    assert len(ours[1]) == (5 if "use_bias" in options else 6)
    assert_same(expected, ours)


def test_gradients_outside_a_graph():
    expected, ours = both(return_sequences=True)
    x, gradients = values(3, STEPS, FEATURES), []
    for layer in (expected, ours):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(x) ** 2)
        gradients.append(tape.gradient(total, [weight.value for weight in layer.weights]))
    assert_same(*gradients)


def test_without_initial_states_it_starts_from_zero():
    x, states = values(3, STEPS, FEATURES), np.zeros((3, UNITS), "float32")
    _, layer = both(return_sequences=True)
    np.testing.assert_array_equal(layer(x), layer(x, initial_state=[states, states]))


@pytest.mark.parametrize("batch, go_backwards", [(1, False), (3, True)])
def test_a_stateful_layer_goes_on_from_the_call_before(loops, batch, go_backwards):
    layers = both(batch, stateful=True, return_sequences=True, go_backwards=go_backwards)
    for call in range(2):
        x = values(batch, STEPS, FEATURES, seed=call)
        expected, ours = (results(layer, x) for layer in layers)
        assert_same(expected, ours)
        assert_same([s.value for s in layers[0].states], [s.value for s in layers[1].states])
    assert len(loops) == 2
    first = layers[1](x).numpy()
    layers[1].reset_state()
    assert np.abs(layers[1](x).numpy() - first).max() > 1e-3


def test_two_calls_of_a_stateful_layer_are_one_long_call():
    x = values(1, 2 * STEPS, FEATURES)
    layer = built(CompiledLSTM, 1, stateful=True, return_sequences=True)
    halves = [layer(x[:, :STEPS]), layer(x[:, STEPS:])]
    layer.reset_state()
    np.testing.assert_allclose(layer(x), np.concatenate(halves, 1), atol=1e-6)


def test_a_graph_of_unknown_batch_size(loops):
    expected, ours = both(return_sequences=True, return_state=True)

    @tf.function(input_signature=[tf.TensorSpec([None, STEPS, FEATURES])])
    def graph(x):
        with tf.GradientTape() as tape:
            outputs = ours(x)
            total = tf.reduce_sum(outputs[0] ** 2) + tf.reduce_sum(outputs[2] ** 3)
        return outputs, tape.gradient(total, [weight.value for weight in ours.weights])

    for batch in (1, 3):
        x = values(batch, STEPS, FEATURES)
        with tf.GradientTape() as tape:
            outputs = expected(x)
            total = tf.reduce_sum(outputs[0] ** 2) + tf.reduce_sum(outputs[2] ** 3)
        gradients = tape.gradient(total, [weight.value for weight in expected.weights])
        assert_same((outputs, gradients), graph(x))
    assert len(loops) == 1


def compare_in_a_graph_of_unknown_length(layers, x):
    signature = [tf.TensorSpec([3, None, FEATURES])]
    assert_same(*(tf.function(layer, input_signature=signature)(x) for layer in layers))


def compare_with_a_mask(layers, x):
    mask = np.array([[1] * STEPS, [1, 1, 0, 0, 1, 0], [0] + [1] * (STEPS - 1)], bool)
    assert_same(*(results(layer, x, mask=mask) for layer in layers))
    assert np.abs(layers[0](x, mask=mask)[0] - layers[0](x)[0]).max() > 1e-3


def compare_in_training(layers, x):
    assert_same(*(results(layer, x, training=True) for layer in layers))


@pytest.mark.parametrize(
    "options, compare",
    [
        ({}, compare_with_a_mask),
        ({}, compare_in_a_graph_of_unknown_length),
        ({"activation": "relu"}, compare_in_training),
        ({"recurrent_activation": "hard_sigmoid"}, compare_in_training),
        ({"recurrent_dropout": 0.5, "seed": 3}, compare_in_training),
    ],
    ids=["mask", "unknown length", "activation", "recurrent activation", "recurrent dropout"],
)
def test_keras_own_loop_runs_where_the_compiled_one_does_not_apply(loops, options, compare):
    layers = both(return_sequences=True, return_state=True, **options)
    compare(layers, values(3, STEPS, FEATURES))
    assert not loops


def test_double_precision(loops):
    x, states = values(2, 3, 1, dtype="float64"), [values(2, 2, dtype="float64")] * 2
    layers = both(**TINY, return_sequences=True, return_state=True, dtype="float64")
    expected, ours = (results(layer, x, states) for layer in layers)
    assert loops and {part.dtype for part in tf.nest.flatten(ours)} == {tf.float64}
    assert_same(expected, ours, tolerance=1e-12)


def test_gradients_are_finite_differences():
    layer = built(CompiledLSTM, **TINY, return_sequences=True, return_state=True, dtype="float64")
    x, states = values(2, 3, 1, dtype="float64"), values(2, 2, 2, seed=1, dtype="float64")
    arrays = [weight.copy() for weight in layer.get_weights()] + [x, *states]
    cotangents = [values(*output.shape, seed=20 + i, dtype="float64")
                  for i, output in enumerate(layer(x, initial_state=[*states]))]

    def total():
        layer.set_weights(arrays[:3])
        outputs = layer(arrays[3], initial_state=arrays[4:])
        return sum(np.sum(o.numpy() * c) for o, c in zip(outputs, cotangents))

    _, gradients = results(layer, x, states)
    for array, gradient in zip(arrays, gradients, strict=True):
        gradient = gradient.numpy()
        assert gradient.shape == array.shape
        for index in np.ndindex(array.shape):
            value, totals = array[index], []
            for step in (-1e-5, 1e-5):
                array[index] = value + step
                totals.append(total())
            array[index] = value
            slope = (totals[1] - totals[0]) / 2e-5
            assert gradient[index] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_dropout_scales_inputs_by_one_mask_for_all_time_steps(loops):
    layer = built(CompiledLSTM, dropout=0.2, return_sequences=True, seed=1)
    plain = built(keras.layers.LSTM, return_sequences=True)
    x, masks, draw = values(3, STEPS, FEATURES), [], layer.cell.get_dropout_mask

    def drawn(step_input):
        masks.append(draw(step_input).numpy())
        return masks[-1]

    layer.cell.get_dropout_mask = drawn
    for _ in range(100):
        outputs = layer(x, training=True)
        assert masks[-1].shape == (3, FEATURES)
        if len(loops) < 5:
            np.testing.assert_allclose(outputs, plain(x * masks[-1][:, None]), atol=1e-5)
    assert len(loops) == 100
    masks = np.array(masks)
    np.testing.assert_allclose(np.unique(masks), [0, 1.25], rtol=1e-6)
    assert (masks == 0).mean() == pytest.approx(0.2, abs=5 * (0.16 / 900) ** 0.5)


def test_dropout_is_that_of_keras_for_the_same_seed(loops):
    options = {"dropout": 0.5, "return_sequences": True, "seed": 4}
    x = values(3, STEPS, FEATURES)
    expected, ours = (results(layer, x, training=True) for layer in both(**options))
    assert_same(expected, ours)
    assert loops
    layer = both(**options)[1]
    assert np.abs(layer(x, training=True) - layer(x, training=True)).max() > 1e-3


def test_no_dropout_in_inference():
    x, plain = values(3, STEPS, FEATURES), both()[1]
    np.testing.assert_array_equal(both(dropout=0.9)[1](x), plain(x))


def test_nar_lstm_is_the_published_network():
    model = nar_lstm()
    assert model.count_params() == 72_501 == 4 * 100 * (80 + 100 + 1) + 101
    assert model.input_shape == (1, None, 80) and model.output_shape == (1, None, 1)
    assert [layer.stateful for layer in model.layers[1:2]] == [True]
    assert isinstance(model.layers[1], CompiledLSTM)


def test_nar_lstm_of_other_sizes(loops):
    model = nar_lstm(FEATURES, UNITS, batch_size=3)
    assert model.input_shape == (3, None, FEATURES) and model.output_shape == (3, None, 1)
    assert model.count_params() == 4 * UNITS * (FEATURES + UNITS + 1) + UNITS + 1
    loops.clear()  # building knows no number of steps
    assert model(values(3, STEPS, FEATURES)).shape == (3, STEPS, 1)
    assert loops


@pytest.mark.parametrize("sizes, options, words", [
    ((0, 100), {}, "must be positive, got 0, 100, 1"),
    ((80, 0), {}, "must be positive, got 80, 0, 1"),
    ((80, -3), {}, "must be positive"),
    ((80, 100), {"batch_size": 0}, "must be positive, got 80, 100, 0"),
])
def test_errors(sizes, options, words):
    with pytest.raises(ValueError, match=words):
        nar_lstm(*sizes, **options)


def small_network():
    """A NAR network with weights that leave its state far from zero."""
    model = nar_lstm(FEATURES, UNITS)
    model.set_weights([values(*w.shape, seed=30 + i) for i, w in enumerate(model.get_weights())])
    return model


def sequence_losses(model, *pieces):
    """Loss on each piece (x, y), the first from zero state, each other from where it ended."""
    sequence = built(keras.layers.LSTM, return_sequences=True)
    sequence.set_weights(model.get_weights()[:3])
    kernel, bias = model.get_weights()[3:]
    outputs = sequence(np.concatenate([x for x, _ in pieces], 1)).numpy() @ kernel + bias
    ends = np.cumsum([x.shape[1] for x, _ in pieces])[:-1]
    return [np.mean((output - y) ** 2)
            for output, (_, y) in zip(np.split(outputs, ends, axis=1), pieces)]


def piece(seed):
    return values(1, STEPS, FEATURES, seed=seed), values(1, STEPS, 1, seed=seed + 1)


def test_training_starts_from_zero_state_and_tests_go_on_from_it():
    model, train, first, second = small_network(), piece(1), piece(3), piece(5)
    model.compile(keras.optimizers.SGD(0.0), loss="mse", jit_compile=False)
    expected = sequence_losses(model, train, first, second)
    alone = sequence_losses(model, first)[0]
    assert abs(expected[1] - alone) > 1e-3 and abs(expected[2] - expected[1]) > 1e-3
    model(train[0])  # a state that must not count
    for _ in range(2):
        losses = [model.train_on_batch(*train), model.test_on_batch(*first),
                  model.test_on_batch(*second)]
        np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_compiled_training_starts_each_epoch_from_zero_state():
    model, train, validation = small_network(), piece(1), piece(3)
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    expected = sequence_losses(model, train, validation)
    history = compiled.fit(model, *train, epochs=3, batch_size=1, validation_data=validation,
                           verbose=0).history
    np.testing.assert_allclose(history["loss"], [expected[0]] * 3, rtol=1e-5)
    np.testing.assert_allclose(history["val_loss"], [expected[1]] * 3, rtol=1e-5)


def test_a_saved_network_comes_back_the_same(tmp_path):
    model, x = small_network(), piece(1)[0]
    expected = [model(x).numpy() for _ in range(2)]  # the second from the state of the first
    assert np.abs(expected[0] - expected[1]).max() > 1e-3
    model.save(tmp_path / "nar.keras")
    loaded = keras.models.load_model(tmp_path / "nar.keras")
    # The class of the model is what resets the state in training.
    assert type(loaded) is type(model) is not keras.Model
    assert type(loaded.layers[1]) is CompiledLSTM and loaded.layers[1].stateful
    np.testing.assert_allclose([loaded(x) for _ in range(2)], expected, atol=1e-6)


@functools.cache
def loaded_torch():
    sys.modules.setdefault("triton", None)  # its LLVM crashes beside TensorFlow's
    return pytest.importorskip("torch")


def test_same_weights_same_outputs_in_pytorch():
    torch = loaded_torch()
    model, x = small_network(), values(1, 2 * STEPS, FEATURES)
    kernel, recurrent_kernel, bias, readout, readout_bias = model.get_weights()
    recurrent = torch.nn.LSTM(FEATURES, UNITS, batch_first=True)
    linear = torch.nn.Linear(UNITS, 1)
    weights = {
        recurrent.weight_ih_l0: kernel.T, recurrent.weight_hh_l0: recurrent_kernel.T,
        # PyTorch adds two biases; its gates are in the same order: i, f, g, o.
        recurrent.bias_ih_l0: 0.3 * bias, recurrent.bias_hh_l0: 0.7 * bias,
        linear.weight: readout.T, linear.bias: readout_bias,
    }
    with torch.no_grad():
        for parameter, value in weights.items():
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
        first, state = recurrent(torch.from_numpy(x[:, :STEPS]))
        second, _ = recurrent(torch.from_numpy(x[:, STEPS:]), state)
        expected = [linear(part).numpy() for part in (first, second)]
    for part, outputs in zip(np.split(x, 2, axis=1), expected):
        assert outputs.std() > 0.01
        np.testing.assert_allclose(model(part), outputs, atol=1e-5)
