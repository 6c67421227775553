"""The multilayer perceptrons: Table 2, parameter counts, initial weights, PyTorch's arithmetic."""

import itertools

import keras
import numpy as np
import pytest

from ann_keras.models.mlp import mish_regressor, nar_mlp, surface_mlp
from ann_keras.report.published import TABLES


def points(number=64, seed=0):
    return np.random.default_rng(seed).uniform(-3, 3, (number, 2)).astype("float32")


def dense_parameters(*widths):
    return sum(inputs * units + units for inputs, units in itertools.pairwise(widths))


def activation(layer):
    name = layer.activation.__name__
    return "(None)" if name == "linear" else name


def test_mish_regressor_is_table_2():
    model = mish_regressor()
    rows = [
        (type(layer).__name__, f"({layer.output.shape[-1]})", activation(layer),
         layer.count_params())
        for layer in model.layers[1:]
    ]
    *published, total = TABLES[2].rows
    assert rows == published
    assert total[-1] == model.count_params() == 609
    assert model.input_shape == (None, 2)


@pytest.mark.parametrize("hidden", [(50, 50), (50,), (3, 8, 5)])
def test_surface_mlp_has_relu_layers_and_a_linear_output(hidden):
    model = surface_mlp(*hidden)
    assert model.count_params() == dense_parameters(2, *hidden, 1)
    assert [layer.units for layer in model.layers[1:]] == [*hidden, 1]
    assert [activation(layer) for layer in model.layers[1:]] == ["relu"] * len(hidden) + ["(None)"]
    assert model.input_shape == (None, 2) and model.output_shape == (None, 1)


def test_surface_mlp_of_the_report_has_2751_parameters():
    assert surface_mlp(50, 50).count_params() == 2751


def test_surface_mlp_starts_as_pytorch_does():
    keras.utils.set_random_seed(0)
    model = surface_mlp(400, 900)
    for layer, fan_in in zip(model.layers[1:], (2, 400, 900)):
        limit = fan_in**-0.5
        for weight in (layer.kernel.numpy().ravel(), layer.bias.numpy().ravel()):
            assert np.abs(weight).max() <= limit * (1 + 1e-6)
            if weight.size == 1:  # the bias of the output: nothing to average
                assert weight[0] != 0
                continue
            # Uniform on ±limit: mean 0, variance limit²/3, all of the interval in use.
            assert abs(weight.mean()) < 5 * limit / np.sqrt(3 * weight.size)
            assert weight.var() == pytest.approx(limit**2 / 3, rel=5 * np.sqrt(0.8 / weight.size))
            assert np.abs(weight).max() > 0.98 * limit


def test_layers_start_differently_and_repeatably():
    keras.utils.set_random_seed(1)
    first, second = surface_mlp(30, 30).get_weights(), surface_mlp(30, 30).get_weights()
    keras.utils.set_random_seed(1)
    again = surface_mlp(30, 30).get_weights()
    for a, b, c in zip(first, second, again):
        np.testing.assert_array_equal(a, c)
        assert (a != b).all()
    kernel, bias = first[2:4]
    assert (kernel[0] != bias).all()  # as they would be with one seed for both


def test_mish_regressor_starts_as_keras_does():
    keras.utils.set_random_seed(0)
    for layer, inputs in zip(mish_regressor((300, 300), ("mish", "tanh")).layers[1:], (2, 300)):
        assert not layer.bias.numpy().any()
        limit = np.sqrt(6 / (inputs + layer.units))  # Glorot
        kernel = layer.kernel.numpy()
        assert 0.9 * limit < np.abs(kernel).max() <= limit * (1 + 1e-6)


def test_mish_regressor_takes_other_layers():
    model = mish_regressor((7, 5), ("relu", "tanh"))
    assert model.count_params() == dense_parameters(2, 7, 5, 1)
    assert [activation(layer) for layer in model.layers[1:]] == ["relu", "tanh", "(None)"]


def test_dropout_follows_each_hidden_layer_and_acts_in_training_only():
    model = mish_regressor(dropout=0.25)
    kinds = [type(layer).__name__ for layer in model.layers[1:]]
    assert kinds == ["Dense", "Dropout"] * 3 + ["Dense"]
    assert {layer.rate for layer in model.layers if hasattr(layer, "rate")} == {0.25}
    assert model.count_params() == 609
    x = points()
    plain = mish_regressor()
    plain.set_weights(model.get_weights())
    np.testing.assert_array_equal(model(x), plain(x))
    assert np.abs(model(x, training=True) - plain(x)).max() > 1e-2


def pytorch_outputs(model, activations, x):
    """What PyTorch computes with the weights of the Keras model."""
    torch = pytest.importorskip("torch")
    known = {"mish": torch.nn.Mish, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}
    layers = []
    with torch.no_grad():
        for layer, name in itertools.zip_longest(model.layers[1:], activations):
            kernel, bias = layer.get_weights()
            linear = torch.nn.Linear(*kernel.shape)
            linear.weight.copy_(torch.tensor(kernel.T))
            linear.bias.copy_(torch.tensor(bias))
            layers += [linear] + ([known[name]()] if name else [])
        return torch.nn.Sequential(*layers)(torch.tensor(x)).numpy()


@pytest.mark.parametrize(
    "build, activations",
    [
        (mish_regressor, ("mish", "mish", "tanh")),
        (lambda: surface_mlp(50, 50), ("relu", "relu")),
        (lambda: nar_mlp(2, 7), ("tanh",)),
    ],
    ids=["mish_regressor", "surface_mlp", "nar_mlp"],
)
def test_same_weights_same_outputs_in_pytorch(build, activations):
    keras.utils.set_random_seed(2)
    model, x = build(), points()
    model.set_weights([w + 0.1 * np.cos(np.arange(w.size)).reshape(w.shape)
                       for w in model.get_weights()])  # so that biases count
    outputs = model(x).numpy()
    assert outputs.std() > 0.01
    np.testing.assert_allclose(outputs, pytorch_outputs(model, activations, x), atol=1e-5)


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: surface_mlp(50, 0), "units"),
        (lambda: mish_regressor((16, 16)), "2 layers but 3 activations"),
        (lambda: mish_regressor((16,), ()), "1 layers but 0 activations"),
    ],
)
def test_errors(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def test_nar_mlp_has_the_published_parameters():
    assert nar_mlp().count_params() == 8_201
    assert [type(layer).__name__ for layer in nar_mlp().layers[1:]] == ["Dense", "Dense"]


@pytest.mark.parametrize("lag, units", [(0, 5), (5, 0)])
def test_nar_mlp_rejects_empty_layers(lag, units):
    with pytest.raises(ValueError, match="lag must be positive|units"):
        nar_mlp(lag, units)
