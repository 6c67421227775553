"""Both convnets: their rows, and their arithmetic against NumPy and PyTorch."""

import keras
import numpy as np
import pytest

from ann_keras.models.cnn import pooled_convnet, strided_convnet
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


def test_same_weights_same_outputs_in_pytorch(torch, model):
    import pytorch_networks

    network = pytorch_networks.pooled_convnet().eval()
    pytorch_networks.copy_weights(model, network)
    x = digits(8)
    with torch.no_grad():
        expected = network(torch.tensor(x.transpose(0, 3, 1, 2))).softmax(dim=1).numpy()
    np.testing.assert_allclose(model(x), expected, atol=1e-5)


@pytest.fixture(scope="module")
def strided():
    """The convnet of task 3.2.2 with batch statistics and offsets that count."""
    keras.utils.set_random_seed(1)
    model = strided_convnet()
    generator = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            gamma, variance = generator.uniform(0.5, 2, (2, *shape))
            beta, mean = 0.3 * generator.normal(size=(2, *shape))
            layer.set_weights([gamma, beta, mean, variance])
    return model


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_strided_convnet_has_the_published_parameters_and_rows():
    model = strided_convnet()
    assert (model.count_params(), trainable(model)) == (258_086, 257_798)
    kinds = (keras.layers.Conv2D, keras.layers.BatchNormalization, keras.layers.Dense,
             keras.layers.Flatten)
    assert [row(layer) for layer in layers_of(model, kinds)] == [
        ("Conv2D", "(15, 15, 16)", 272), ("FusedBatchNormalization", "(15, 15, 16)", 64),
        ("Conv2D", "(7, 7, 32)", 8_224), ("FusedBatchNormalization", "(7, 7, 32)", 128),
        ("Conv2D", "(7, 7, 32)", 9_248), ("FusedBatchNormalization", "(7, 7, 32)", 128),
        ("Conv2D", "(6, 6, 64)", 8_256), ("FusedBatchNormalization", "(6, 6, 64)", 256),
        ("Flatten", "(2304,)", 0), ("Dense", "(100,)", 230_500), ("Dense", "(10,)", 1_010),
    ]


def test_strided_convnet_has_the_published_settings():
    model = strided_convnet()
    convolutions = layers_of(model, keras.layers.Conv2D)
    assert [layer.kernel_size[0] for layer in convolutions] == [4, 4, 3, 2]
    assert [layer.strides[0] for layer in convolutions] == [2, 2, 1, 1]
    assert [layer.rate for layer in layers_of(model, keras.layers.Dropout)] == [0.2, 0.4, 0.4]
    paddings = [layer.padding[0][0] for layer in layers_of(model, keras.layers.ZeroPadding2D)]
    assert paddings == [2, 1, 1]
    assert [layer.activation.__name__ for layer in layers_of(model, keras.layers.Dense)] == [
        "linear", "softmax"]
    order = [type(layer).__name__ for layer in model.layers[1:11]]
    assert order == [
        "ZeroPadding2D", "Conv2D", "FusedBatchNormalization", "Activation", "Dropout"
    ] * 2


def test_strided_convnet_starts_as_in_pytorch():
    keras.utils.set_random_seed(0)
    model = strided_convnet()
    inputs = {(4, 4, 1, 16): 16, (4, 4, 16, 32): 256, (3, 3, 32, 32): 288, (2, 2, 32, 64): 128,
              (2304, 100): 2304, (100, 10): 100}
    layers = layers_of(model, (keras.layers.Conv2D, keras.layers.Dense))
    assert [layer.kernel.shape for layer in layers] == list(inputs)
    for layer, number in zip(layers, inputs.values()):
        kernel, bias = layer.get_weights()
        for weight in (kernel, bias):
            assert np.abs(weight).max() <= number**-0.5 * (1 + 1e-6)
        assert kernel.std() == pytest.approx((3 * number) ** -0.5, rel=0.1) and bias.std() > 0


@pytest.mark.parametrize("pooling", [False, True])
def test_strided_convnet_equals_pytorch(torch, strided, pooling):
    import pytorch_networks

    model = strided_convnet(pooling=pooling)
    model.set_weights(strided.get_weights())
    network = pytorch_networks.strided_convnet(pooling=pooling).eval()
    assert sum(p.numel() for p in network.parameters()) == 257_798
    pytorch_networks.copy_weights(model, network)
    x = digits(8)
    with torch.no_grad():
        expected = network(torch.tensor(x.transpose(0, 3, 1, 2))).softmax(dim=1).numpy()
    assert np.ptp(expected, axis=0).max() > 1e-3, "images must not all look alike"
    np.testing.assert_allclose(model(x), expected, atol=1e-5)


def test_batch_statistics_move_as_in_pytorch(torch, strided):
    import pytorch_networks

    model = strided_convnet(dropout=(0, 0, 0, 0))
    model.set_weights(strided.get_weights())
    network = pytorch_networks.strided_convnet(dropout=(0, 0, 0, 0)).train()
    pytorch_networks.copy_weights(model, network)
    x = digits(8)
    with torch.no_grad():
        expected = network(torch.tensor(x.transpose(0, 3, 1, 2))).softmax(dim=1).numpy()
    np.testing.assert_allclose(model(x, training=True), expected, atol=1e-5)
    ours = layers_of(model, keras.layers.BatchNormalization)
    theirs = [module for module in network if isinstance(module, torch.nn.BatchNorm2d)]
    for layer, module in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(layer.moving_mean, module.running_mean, atol=1e-5)
        np.testing.assert_allclose(layer.moving_variance, module.running_var, rtol=1e-4)


def test_pooling_keeps_parameters_and_replaces_strides():
    model = strided_convnet(pooling=True)
    assert model.count_params() == 258_086
    assert [layer.strides[0] for layer in layers_of(model, keras.layers.Conv2D)] == [1, 1, 1, 1]
    pools = layers_of(model, keras.layers.MaxPooling2D)
    assert [layer.output.shape[1] for layer in pools] == [15, 7]


@pytest.mark.parametrize("options, message", [
    ({"filters": (16, 32)}, "an entry for each block"),
    ({"filters": (16, 0, 32, 64)}, "filters"),
    ({"dropout": (-0.1, 0.4, 0.4, 0)}, "rate"),
    ({"kernel_sizes": (33, 4, 3, 2)}, "33×33 is larger than the padded input of 32×32"),
    ({"kernel_sizes": (4, 4, 3, 8)}, "8×8 is larger than the padded input of 7×7"),
    ({"kernel_sizes": (4, 0, 3, 2)}, "must be positive"),
    ({"paddings": (2, -1, 1, 0)}, "not negative"),
    ({"activation": "rectify"}, "rectify"),
])
def test_strided_convnet_rejects(options, message):
    with pytest.raises(ValueError, match=message):
        strided_convnet(**options)
