"""The benchmarks: both sides do the same arithmetic, every case runs, and the page adds up."""

import dataclasses
import functools
import itertools
import json
import types

import cases
import keras
import numpy as np
import pytest
import run

from ann_keras import models
from ann_keras.models.attention import SelfAttention

TINY = {"rows": 90, "batch_size": 40, "epochs": 2, "memory": 3}


@pytest.fixture
def small_transformer(torch, monkeypatch):
    """A vision transformer on both sides that XLA compiles in seconds."""
    import pytorch_networks

    build, sizes = models.vit.vision_transformer, (32, 2, 48)
    monkeypatch.setattr(models.vit, "vision_transformer", lambda *published: build(*sizes))
    build_theirs = functools.partial(pytorch_networks.VisionTransformer, *sizes)
    monkeypatch.setitem(pytorch_networks.BUILDERS, "vit", build_theirs)


@pytest.mark.parametrize("name", cases.CASES)
def test_a_tiny_round_of_each_case(small_transformer, name, monkeypatch):
    import boltzmann_side

    monkeypatch.setattr(boltzmann_side, "TEMPERATURES", 20)
    case = dataclasses.replace(cases.CASES[name], **TINY)
    result = run.measure(case, rounds=1, machine=50.0)
    json.dumps(result)  # as it is saved
    for side in ("ours", "theirs"):
        for field in ("seconds", "final_loss"):
            (value,) = result[field][side]
            # A forecast's last value, or a bound, may have either sign.
            assert np.isfinite(value) and (value > 0 or case.optimizer in (None, "pcd"))
    assert result["build_seconds"]["ours"][0] > 0
    assert result["ratio"]["median"] == pytest.approx(
        result["seconds"]["ours"][0] / result["seconds"]["theirs"][0]
    )


# Adam's small constant is added before the bias correction in Keras and after it in PyTorch.
@pytest.mark.parametrize(
    "name, tolerance",
    [
        ("surface_sgd", 1e-4), ("surface_nesterov", 1e-4), ("surface_adam", 1e-3),
        ("nar_mlp", 1e-3), ("nar_lstm", 1e-3), ("closed_loop_mlp", 1e-4),
        ("closed_loop_lstm", 1e-4), ("vit_adam", 1e-3), ("autoencoder_pretraining", 1e-5),
        ("autoencoder_fine_tuning", 1e-4),
    ],
)
def test_both_sides_do_the_same_arithmetic(small_transformer, name, tolerance):
    case = dataclasses.replace(cases.CASES[name], **TINY, shuffle=False, jit_compile=False)
    result = run.measure(case, rounds=1, machine=50.0)
    ours, theirs = (result["final_loss"][side][0] for side in ("ours", "theirs"))
    assert ours == pytest.approx(theirs, rel=tolerance)


def test_both_sides_train_the_strided_convnet_alike(torch, monkeypatch):
    import keras_side
    import pytorch_networks
    import pytorch_side

    # Without dropout, which is random; and by SGD, since Adam makes steps of full length of the
    # biases' gradients, which are rounding errors before a normalisation.
    build = functools.partial(models.cnn.strided_convnet, dropout=(0, 0, 0, 0))
    monkeypatch.setattr(models.cnn, "strided_convnet", build)
    build = functools.partial(pytorch_networks.strided_convnet, dropout=(0, 0, 0, 0))
    monkeypatch.setitem(pytorch_networks.BUILDERS, "strided_convnet", build)
    case = dataclasses.replace(
        cases.CASES["strided_convnet_adam"], **TINY, optimizer="sgd", learning_rate=0.01,
        shuffle=False,
    )
    ours, theirs = (side.train(case, seed=0).loss for side in (keras_side, pytorch_side))
    assert ours == pytest.approx(theirs, rel=5e-4)


def test_both_sides_get_ahead_by_lbfgs(torch):
    import keras_side
    import pytorch_side

    case = dataclasses.replace(cases.CASES["surface_lbfgs"], memory=10, epochs=60)
    ours, theirs = (side.train(case, seed=1).loss for side in (keras_side, pytorch_side))
    assert theirs < 0.015 and 1 / 3 < ours / theirs < 3  # 0.07 at the start


@pytest.mark.parametrize(
    "name",
    [
        "surface_sgd", "convnet_adam", "strided_convnet_adam", "autoencoder_pretraining",
        "autoencoder_fine_tuning", "vit_adam", "nar_mlp", "nar_lstm",
    ],
)
def test_copied_networks_give_the_same_outputs(torch, name):
    import keras_side
    import pytorch_side

    case = dataclasses.replace(cases.CASES[name], rows=20)
    model = keras_side.build(case, seed=3)
    network = pytorch_side.copy(case, model).eval()
    outputs = network(pytorch_side.tensors(case)[0])
    expected = model(keras_side.load(case)[0], training=False).numpy()
    if name in ("convnet_adam", "strided_convnet_adam", "autoencoder_fine_tuning"):
        outputs = torch.softmax(outputs, dim=1)
    np.testing.assert_allclose(outputs.detach().numpy(), expected, atol=1e-6)


def test_a_network_of_other_sizes_gets_no_weights(torch):
    import pytorch_networks

    model = models.mlp.surface_mlp(50, 40)
    with pytest.raises(ValueError, match=r"\(40, 50\) where \(50, 50\) fit"):
        pytorch_networks.copy_weights(model, pytorch_networks.surface_mlp())


def dense_network():
    inputs = keras.Input((3,))
    hidden = keras.layers.BatchNormalization(trainable=False)(keras.layers.Dense(4)(inputs))
    return keras.Model(inputs, keras.layers.Dense(5)(hidden))


def frozen_network():
    model = dense_network()
    model.layers[1].trainable = False
    return model


def convolutional_network():
    inputs = keras.Input((6, 6, 2))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)  # (6, 6, 4)
    x = keras.layers.Conv2D(5, 2, strides=2)(x)  # (3, 3, 5)
    return keras.Model(inputs, keras.layers.Dense(7)(keras.layers.Flatten()(x)))


def attention_network(embed):
    inputs = x = keras.Input((3, 4))
    if embed:
        x = keras.layers.Dense(4)(x)
    return keras.Model(inputs, SelfAttention(2)(x))


@pytest.mark.parametrize(
    "model, multiply_adds",
    [
        (dense_network, 2 * 3 * 4 + 3 * 4 * 5),
        (frozen_network, 3 * 4 + 2 * 4 * 5),
        (convolutional_network, 2 * 36 * 9 * 2 * 4 + 3 * 9 * 4 * 4 * 5 + 3 * 45 * 7),
        # Projection of 3 tokens, scores and weighted values of 2 heads, output projection.
        (lambda: attention_network(False), 2 * 3 * 4 * 12 + 3 * 2 * 2 * 3 * 3 * 2 + 3 * 3 * 4 * 4),
        (
            lambda: attention_network(True),
            2 * 3 * 4 * 4 + 3 * 3 * 4 * 12 + 3 * 2 * 2 * 3 * 3 * 2 + 3 * 3 * 4 * 4,
        ),
    ],
)
def test_operations_of_tiny_networks_counted_by_hand(model, multiply_adds):
    import keras_side

    assert keras_side.flops_per_row(model()) == 2 * multiply_adds


@pytest.mark.parametrize("name", cases.CASES)
def test_operations_are_those_that_pytorch_counts(torch, name):
    import keras_side
    import pytorch_side
    from torch.utils.flop_counter import FlopCounterMode

    case = dataclasses.replace(cases.CASES[name], rows=20)
    flops = keras_side.training_flops(case)
    if case.optimizer in (None, "lbfgs", "pcd") or name == "nar_lstm":
        assert flops is None
        return
    network = pytorch_side.copy(case, keras_side.build(case, seed=0))
    x, y = pytorch_side.tensors(case)
    loss = torch.nn.MSELoss() if y.is_floating_point() else torch.nn.CrossEntropyLoss()
    with FlopCounterMode(display=False) as counter:
        loss(network(x), y).backward()
    assert counter.get_total_flops() == 20 * flops


def test_matrix_product_rate_is_that_of_the_fastest(monkeypatch):
    import keras_side

    ticks = itertools.accumulate([0.0, 2.0, 9.0, 0.5, 9.0, 1.0])
    clock = types.SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr(keras_side, "time", clock)
    rate = keras_side.matrix_product_rate(size=100, products=3)
    assert rate == pytest.approx(2 * 100**3 / 0.5 / 1e9)


def summary(ours, theirs, flops=None, **settings):
    case = dataclasses.replace(
        cases.CASES["surface_sgd"], epochs=100, published_epochs=1000, **settings
    )
    timings = ([cases.Timing(value, 0.5, 3.0) for value in side] for side in (ours, theirs))
    return run.summarize(case, *timings, flops, machine=50.0)


def test_page_says_what_was_measured(tmp_path):
    # 1600 rows in 100 epochs, in 2 s: 80,000 a second, with 250,000 operations each.
    timed = summary([1.0, 2.0, 6.0], [4.0, 4.0, 4.0], flops=250_000, target=0.6)
    run.save(tmp_path, [timed], rounds=3, machine=50.0)
    text = (tmp_path / "README.md").read_text()
    assert "| 1000 | 20.0 | 40.0 | **0.50** (0.25–1.50) | ≤ 0.6, met | 3.0 |" in text
    assert "| 20.0 (40%) |" in text and "share of 50 GFLOP/s" in text.replace("\n", " ")
    record = json.loads((tmp_path / "training.json").read_text())
    assert record["rounds"] == 3 and record["peak_memory_mib"] > 0
    assert record["machine_gflops"] == 50.0
    assert record["cases"][0]["matrix_products"] == {
        "flops_per_row": 250_000, "gflops": pytest.approx(20.0),
        "share_of_machine": pytest.approx(0.4),
    }


@pytest.mark.parametrize("target, shown", [(None, "| none |"), (1.0, "| ≤ 1, missed |")])
def test_page_without_a_target_or_with_one_missed(target, shown):
    record = {
        "rounds": 1, "machine_gflops": 50.0, "peak_memory_mib": 1.0, "environment": {"keras": "3"},
        "cases": [summary([2.0], [1.0], target=target)],
    }
    assert shown in run.page(record) and run.page(record).count("| – |") == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--rounds", "0"], "--rounds must be at least 1"),
        (["--cases"], "at least one case"),
        (["--cases", "surface_sdg"], "surface_sdg"),
        (["--results", "{file}"], "cannot write to"),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: object())
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as stop:
        run.main([argument.format(file=file) for argument in arguments])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_missing_pytorch_is_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        run.main(["--results", str(tmp_path / "results")])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "pip install -r benchmarks/requirements.txt" in error and error.count("\n") == 1
    assert not (tmp_path / "results").exists()
