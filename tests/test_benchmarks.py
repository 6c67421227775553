"""The benchmarks: both sides do the same arithmetic, every case runs, and the page adds up."""

import dataclasses
import functools
import json

import cases
import keras
import numpy as np
import pytest
import run
import tensorflow as tf
import tensorflow_probability as tfp

from ann_keras import models, training
from ann_keras.layers.attention import SelfAttention
from ann_keras.models.gan import GAN, AlwaysOnDropout

TINY = {"rows": 90, "batch_size": 40, "epochs": 2, "memory": 3}
TINIER = TINY | {"rows": 30, "batch_size": 20, "epochs": 1}


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
    import generative_side

    monkeypatch.setattr(generative_side, "TEMPERATURES", 20)
    case = dataclasses.replace(cases.CASES[name], **TINIER if name == "conv_gan" else TINY)
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


@pytest.fixture
def in_order(torch, monkeypatch):
    """The same rows in each batch of both sides."""
    fit = training.compiled.fit
    monkeypatch.setattr(training.compiled, "fit", functools.partial(fit, shuffle=False))
    monkeypatch.setattr(torch, "randperm", torch.arange)


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
def test_both_sides_do_the_same_arithmetic(small_transformer, in_order, name, tolerance):
    case = dataclasses.replace(cases.CASES[name], **TINY, jit_compile=False)
    result = run.measure(case, rounds=1, machine=50.0)
    ours, theirs = (result["final_loss"][side][0] for side in ("ours", "theirs"))
    assert ours == pytest.approx(theirs, rel=tolerance)


def test_both_sides_train_the_strided_convnet_alike(in_order, monkeypatch):
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
        cases.CASES["strided_convnet_adam"], **TINY, optimizer="sgd", learning_rate=0.01
    )
    ours, theirs = (side.train(case, seed=0).loss for side in (keras_side, pytorch_side))
    assert ours == pytest.approx(theirs, rel=5e-4)


@pytest.fixture
def same_noise(torch, monkeypatch):
    """No dropout, and noise that is the same on both sides and in every step."""
    random = np.random.default_rng(0)
    codes, noise = (random.normal(size=(40, size)).astype(np.float32) for size in (10, 300))
    monkeypatch.setattr(GAN, "noise", lambda self, count: tf.constant(codes)[:count])
    monkeypatch.setattr(AlwaysOnDropout, "call", lambda self, inputs, training=None: inputs)
    monkeypatch.setattr(
        tfp.distributions.MultivariateNormalDiag, "sample",
        lambda self, seed: self.mean() + self.stddev() * noise[:self.batch_shape[0]],
    )
    monkeypatch.setattr(torch, "randn", lambda count, size: torch.from_numpy(codes)[:count])
    monkeypatch.setattr(torch, "randn_like", lambda mean: torch.from_numpy(noise)[:len(mean)])
    monkeypatch.setattr(torch.nn.functional, "dropout", lambda x, *options: x)


@pytest.fixture
def same_epsilon(torch, monkeypatch):
    """Adam with hardly an ε, which counts otherwise in PyTorch, on both sides of the GANs."""
    import pytorch_side

    monkeypatch.setattr(
        "ann_keras.models.gan.adam",
        lambda: keras.optimizers.Adam(1e-3, beta_1=0.5, epsilon=1e-13),
    )
    build = pytorch_side._adam
    monkeypatch.setattr(
        pytorch_side, "_adam", lambda case, network, **eps: build(case, network, eps=1e-13)
    )


@pytest.mark.parametrize(
    "name, rows, batch_size, tolerance",
    [("gan", 60, 40, 2e-4), ("conv_gan", 30, 20, 1e-3), ("vae", 60, 40, 1e-4)],
)
def test_both_sides_train_generative_models_alike(
    same_noise, same_epsilon, in_order, name, rows, batch_size, tolerance
):
    import keras_side
    import pytorch_side

    case = dataclasses.replace(cases.CASES[name], rows=rows, batch_size=batch_size, epochs=1)
    ours, theirs = (side.train(case, seed=0).loss for side in (keras_side, pytorch_side))
    assert ours == pytest.approx(theirs, rel=tolerance)


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


@pytest.mark.parametrize("name", ["gan", "conv_gan"])
def test_copied_gans_give_the_same_outputs(torch, name):
    import keras_side
    import pytorch_side

    case = dataclasses.replace(cases.CASES[name], rows=20)
    model = keras_side.build(case, seed=3)
    network = pytorch_side.copy(case, model).eval()
    codes = np.random.default_rng(0).normal(size=(20, 10)).astype(np.float32)
    images = network["generator"](torch.from_numpy(codes)).detach().numpy()
    expected = model.decode(codes, raw=True)
    np.testing.assert_allclose(images.transpose(0, 2, 3, 1), expected, atol=1e-6)
    # Our dropout is always on where it is published.
    for layer in model.discriminator.layers:
        if isinstance(layer, AlwaysOnDropout):
            layer.rate = 0
    logits = network["discriminator"](pytorch_side.tensors(case)[0]).detach().numpy()
    expected = model.discriminator(keras_side.load(case)[0], training=False)
    assert np.ptp(logits) > 1e-4
    np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_copied_vae_gives_the_same_outputs(torch, same_noise):
    import keras_side
    import pytorch_side

    case = dataclasses.replace(cases.CASES["vae"], rows=20)
    model = keras_side.build(case, seed=3)
    network = pytorch_side.copy(case, model)
    outputs = network(pytorch_side.tensors(case)[0])
    posterior = model.posterior(keras_side.load(case)[0])
    expected = (
        model.decoder(posterior.sample(seed=0)), posterior.mean(),
        2 * np.log(posterior.stddev().numpy()),
    )
    for theirs, ours in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(theirs.detach().numpy(), ours, atol=1e-5)


def test_a_network_of_other_sizes_gets_no_weights(torch):
    import pytorch_networks

    model = models.mlp.surface_mlp(50, 40)
    with pytest.raises(ValueError, match=r"\(40, 50\) where \(50, 50\) fit"):
        pytorch_networks.copy_weights(model, pytorch_networks.BUILDERS["surface"]())


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


def transposing_network():
    inputs = keras.Input((3, 3, 2))
    x = keras.layers.Conv2DTranspose(4, 5, strides=2)(inputs)  # (9, 9, 4)
    return keras.Model(inputs, keras.layers.Conv2DTranspose(5, 3, padding="same")(x))


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
        (transposing_network, 2 * 9 * 25 * 2 * 4 + 3 * 81 * 9 * 4 * 5),
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


def test_operations_in_the_fourier_domain_counted_by_hand():
    import keras_side
    from ann_keras.layers.fourier import FourierConv2D, FourierConv2DTranspose

    # 5 × 5 pixels have 13 frequencies, the others being conjugates; a complex product is 4.
    inputs = keras.Input((4, 4, 2))
    x = FourierConv2DTranspose(3, 2)(inputs)
    x = FourierConv2D(6, 3)(x)
    multiply_adds = 2 * 13 * 4 * 2 * 3 + 3 * 13 * 4 * 3 * 6
    assert keras_side.flops_per_row(keras.Model(inputs, x)) == 2 * multiply_adds


@pytest.mark.parametrize("below, frozen, products", [
    (True, False, (3, 3)), (True, True, (2, 2)), (False, True, (1, 1)),
])
def test_operations_of_a_part_of_a_model(below, frozen, products):
    import keras_side

    multiply_adds = products[0] * 3 * 4 + products[1] * 4 * 5
    assert keras_side.flops_per_row(dense_network(), below, frozen) == 2 * multiply_adds


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
    with FlopCounterMode(display=False) as counter:
        pytorch_side.stepper(case, network)(*pytorch_side.tensors(case))
    if name == "conv_gan":  # its large convolutions are fewer products in the Fourier domain
        assert 2 * 20 * flops < counter.get_total_flops() < 4 * 20 * flops
    else:
        assert counter.get_total_flops() == 20 * flops


def test_scoreboard_scores_as_many_samples_as_digits(monkeypatch):
    import generative_side

    scored, score = [], generative_side.Scoreboard.score
    monkeypatch.setattr(
        generative_side.Scoreboard, "score",
        lambda self, images: scored.append((self, images)) or score(self, images),
    )
    case = dataclasses.replace(cases.CASES["scoreboard"], rows=70)
    timing = generative_side.score(case, seed=1)
    _, (board, samples) = scored
    assert samples.shape == (70, 784) and board._digits.shape == (70, 1600)
    assert timing.loss == pytest.approx(score(board, samples)["frechet"]) and timing.loss > 0
    assert (0 <= samples).all() and (samples <= 1).all()
    assert timing.seconds > 0 and timing.build_seconds > 0


def test_digits_of_the_scoreboard_are_all_different():
    import generative_side

    parts = [generative_side.digits(10_000, first) for first in (0, -3)]
    rows = np.concatenate(parts)
    assert rows.shape == (20_000, 784)
    assert len(np.unique(np.packbits(rows > 0, axis=1), axis=0)) > 19_950
    np.testing.assert_allclose(rows.mean(axis=1)[:4000], rows.mean(axis=1)[4000:8000], rtol=1e-5)


@pytest.mark.parametrize("name, seconds", [("scoreboard", 20.0), ("ais", 60.0), ("dbm_epoch", 4.0)])
def test_a_limit_stands_for_a_peer(name, seconds):
    assert run._limit(cases.CASES[name], 0).seconds == pytest.approx(seconds)


def test_matrix_product_rate_is_that_of_the_fastest(monkeypatch):
    import keras_side

    seconds = iter([2.0, 0.5, *[1.0] * 8])
    monkeypatch.setattr(keras_side, "timed", lambda work: (next(seconds), None))
    assert keras_side.matrix_product_rate() == pytest.approx(2 * 2048**3 / 0.5 / 1e9)


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
