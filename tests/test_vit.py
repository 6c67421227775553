import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras
from ann_keras.models.vit import attention_maps, vision_transformer

ROOT = Path(__file__).parents[1]


def digits(count=4, seed=0):
    return np.random.default_rng(seed).random((count, 28, 28, 1), dtype="float32")


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def expected_parameters(dim, depth, mlp_dim):
    embedding = 49 * dim + dim + dim + 17 * dim
    attention = 3 * dim**2 + dim**2 + dim
    perceptron = dim * mlp_dim + mlp_dim + mlp_dim * dim + dim
    head = dim * mlp_dim + mlp_dim + mlp_dim * 10 + 10
    return embedding + depth * (4 * dim + attention + perceptron) + head


@pytest.mark.parametrize(
    "sizes, parameters",
    [((64, 6, 128), 213_642), ((128, 8, 128), 820_106), ((32, 4, 512), None)],
)
def test_parameters(sizes, parameters):
    count = vision_transformer(*sizes).count_params()
    assert count == expected_parameters(*sizes)
    assert parameters in (None, count)


def test_shapes_and_attention_maps():
    model = vision_transformer(32, 3, 16)
    assert model(digits()).shape == (4, 10)
    maps = attention_maps(model, digits())
    assert maps.shape == (3, 4, 8, 17, 17)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-6)


def test_attention_maps_of_a_single_block():
    assert attention_maps(vision_transformer(16, 1, 8), digits()).shape == (1, 4, 8, 17, 17)


def test_attention_maps_need_attention():
    with pytest.raises(ValueError, match="no self-attention"):
        attention_maps(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), digits())


def test_initial_weights_are_those_of_pytorch():
    model = vision_transformer(64, 1, 256)
    for name, fan_in in [("patch_embedding", 49), ("block_1_mlp_output", 256), ("logits", 256)]:
        for weight in map(to_numpy, model.get_layer(name).weights):
            assert np.abs(weight).max() <= fan_in**-0.5 * (1 + 1e-6)
            assert weight.std() == pytest.approx((3 * fan_in) ** -0.5, rel=0.5)
    for name in ("positions", "class_token"):
        values = to_numpy(model.get_layer(name).weights[0])
        assert values.std() == pytest.approx(1, rel=0.4)
    kernels = [to_numpy(w) for w in model.get_layer("block_1_attention").weights]
    assert all(np.abs(kernel).max() <= 1 / 8 for kernel in kernels)


def test_without_positions_the_order_of_patches_is_lost():
    keras.utils.set_random_seed(0)
    model = vision_transformer(32, 2, 16)
    images = digits()
    swapped = images.copy()
    swapped[:, :7, :7], swapped[:, 21:, 7:14] = images[:, 21:, 7:14], images[:, :7, :7]
    assert np.abs(to_numpy(model(images)) - to_numpy(model(swapped))).max() > 1e-4
    positions = model.get_layer("positions")
    positions.set_weights([np.zeros_like(positions.get_weights()[0])])
    np.testing.assert_allclose(to_numpy(model(images)), to_numpy(model(swapped)), atol=1e-5)


def test_attention_scales_differ():
    keras.utils.set_random_seed(0)
    by_model = vision_transformer(32, 2, 16, attention_scale="model")
    by_head = vision_transformer(32, 2, 16, attention_scale="head")
    by_head.set_weights(by_model.get_weights())
    assert by_model.get_layer("block_1_attention").scale == pytest.approx(32**-0.5)
    assert by_head.get_layer("block_1_attention").scale == pytest.approx(4**-0.5)
    assert np.abs(to_numpy(by_model(digits())) - to_numpy(by_head(digits()))).max() > 1e-4


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"patch_size": 5}, "patch_size 5 does not divide 28"),
        ({"heads": 6}, "dim 32 is not divisible by the number of heads 6"),
        ({"attention_scale": "heads"}, "attention_scale must be"),
        ({"heads": 0}, "at least 1"),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        vision_transformer(32, 2, 16, **settings)


def test_saved_model_gives_the_same_logits(tmp_path):
    model = vision_transformer(16, 2, 8, attention_scale="head")
    model.save(tmp_path / "vit.keras")
    loaded = keras.models.load_model(tmp_path / "vit.keras")
    np.testing.assert_array_equal(to_numpy(loaded(digits())), to_numpy(model(digits())))


@pytest.mark.parametrize("sizes", [(32, 2, 48), (128, 8, 128)])
def test_same_weights_same_logits_in_pytorch(torch, sizes):
    import pytorch_networks

    model = vision_transformer(*sizes)
    network = pytorch_networks.VisionTransformer(*sizes)
    assert sum(p.numel() for p in network.parameters()) == model.count_params()
    pytorch_networks.copy_weights(model, network)
    images = digits(8)
    with torch.no_grad():
        expected = network(torch.from_numpy(images.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(to_numpy(model(images)), expected, atol=1e-5)


TRAIN_A_LITTLE = """
import sys
sys.modules["tensorflow"] = None  # as if it were not installed
import numpy as np
import keras
from ann_keras.models.vit import vision_transformer

keras.utils.set_random_seed(0)
model = vision_transformer(16, 1, 16)
model.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(True))
generator = np.random.default_rng(0)
labels = generator.integers(0, 2, 64)
images = generator.random((64, 28, 28, 1)).astype("float32") * 0.1 + labels[:, None, None, None]
losses = model.fit(images, labels, epochs=4, batch_size=16, verbose=0).history["loss"]
assert losses[-1] < losses[0] - 0.5, losses
print(keras.backend.backend())
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_trains_under_other_backends(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", TRAIN_A_LITTLE],
        env=environment, capture_output=True, text=True, timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == backend
