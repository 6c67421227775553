"""The convnet of Table 1: its rows, and its arithmetic against NumPy and PyTorch."""

import keras
import numpy as np
import pytest

from ann_keras.models.cnn import pooled_convnet
from ann_keras.report.published import TABLES


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = pooled_convnet()
    model.set_weights([w + 0.05 * np.cos(np.arange(w.size)).reshape(w.shape)
                       for w in model.get_weights()])  # so that biases count
    return model


def digits(number=4, seed=0):
    return np.random.default_rng(seed).random((number, 28, 28, 1), dtype=np.float32)


def row(layer):
    name = type(layer).__name__
    return ("(Input)" if name == "InputLayer" else name, str(layer.output.shape[1:]),
            layer.count_params())


def test_pooled_convnet_is_table_1():
    model = pooled_convnet()
    *published, total = TABLES[1].rows
    assert [row(layer) for layer in model.layers] == published
    assert total[-1] == model.count_params() == 34_826
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == 34_826


def test_layers_are_those_of_the_report(model):
    by_name = {type(layer).__name__: layer for layer in model.layers}
    assert by_name["Dropout"].rate == 0.5
    assert by_name["MaxPooling2D"].pool_size == by_name["MaxPooling2D"].strides == (2, 2)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    for convolution in convolutions:
        assert convolution.kernel_size == (3, 3)
        assert convolution.activation is keras.activations.relu
    assert by_name["Dense"].activation is keras.activations.softmax


def test_outputs_are_probabilities(model):
    outputs = model(digits()).numpy()
    assert outputs.shape == (4, 10) and outputs.min() > 0
    np.testing.assert_allclose(outputs.sum(1), 1, atol=1e-6)
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-4


def test_dropout_acts_in_training_only(model):
    x = digits()
    np.testing.assert_array_equal(model(x), model(x))
    once, twice = model(x, training=True).numpy(), model(x, training=True).numpy()
    assert np.abs(once - model(x)).max() > 1e-3 and np.abs(once - twice).max() > 1e-3


def convolve(images, kernel, bias):
    """Valid cross-correlation, then ReLU; images (n, h, w, c), kernel (3, 3, c, k)."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    return np.maximum(np.einsum("nhwcij,ijck->nhwk", windows, kernel) + bias, 0)


def pool(images):
    number, height, width, channels = images.shape
    images = images[:, : height // 2 * 2, : width // 2 * 2]
    return images.reshape(number, height // 2, 2, width // 2, 2, channels).max((2, 4))


def test_same_weights_same_outputs_in_numpy(model):
    weights = [weight.astype("float64") for weight in model.get_weights()]
    x = digits().astype("float64")
    x = pool(convolve(x, *weights[:2]))
    x = pool(convolve(x, *weights[2:4]))
    logits = x.reshape(len(x), -1) @ weights[4] + weights[5]
    expected = np.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(model(digits()), expected, atol=1e-5)


def test_same_weights_same_outputs_in_pytorch(model):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10), nn.Softmax(dim=1),
    ).eval()
    kernel_1, bias_1, kernel_2, bias_2, kernel_3, bias_3 = model.get_weights()
    # Keras flattens (row, column, channel), PyTorch (channel, row, column).
    kernel_3 = kernel_3.reshape(5, 5, 64, 10).transpose(3, 2, 0, 1).reshape(10, 1600)
    weights = [
        kernel_1.transpose(3, 2, 0, 1), bias_1, kernel_2.transpose(3, 2, 0, 1), bias_2,
        kernel_3, bias_3,
    ]
    x = digits(8)
    with torch.no_grad():
        for parameter, weight in zip(network.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(np.ascontiguousarray(weight)))
        expected = network(torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(model(x), expected, atol=1e-5)
