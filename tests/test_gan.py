"""Both GANs: sizes, losses, which weights a step moves, and the same step in PyTorch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.layers.normalization import FusedBatchNormalization
from ann_keras.models.gan import GAN, AlwaysOnDropout, discriminator_loss, generator_loss
from ann_keras.training import compiled, resume

pytestmark = pytest.mark.usefixtures("untraced")

BACKBONES = ["dense", "conv"]


def digits(count=4, seed=0):
    return np.random.default_rng(seed).random((count, 28, 28, 1), dtype="float32")


def noise(count=4, seed=1):
    return np.random.default_rng(seed).normal(size=(count, 10)).astype("float32")


def build(backbone="dense", seed=0, dropout=True, **options):
    """A compiled GAN whose batch statistics and biases count."""
    keras.utils.set_random_seed(seed)
    gan = GAN(backbone, **options)
    generator = np.random.default_rng(2)
    for layer in gan.generator.layers + gan.discriminator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, variance = generator.uniform(0.5, 2, (2, *layer.gamma.shape))
            beta, mean = 0.3 * generator.normal(size=(2, *layer.gamma.shape))
            layer.set_weights([gamma, beta, mean, variance])
        if isinstance(layer, keras.layers.Dropout) and not dropout:
            layer.rate = 0
    gan.compile()
    return gan


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def values(variables):
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def moved(before, variables):
    return [not np.array_equal(old, new) for old, new in zip(before, values(variables))]


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def test_published_parameters():
    counts = [(trainable(gan.generator), trainable(gan.discriminator))
              for gan in (GAN(backbone) for backbone in BACKBONES)]
    assert counts == [(1_463_312, 1_460_225), (1_387_231, 1_387_271)]


def test_sizes_and_settings_of_the_dense_networks():
    gan = GAN("dense", 7)
    dense = layers_of(gan.generator, keras.layers.Dense)
    assert [layer.kernel.shape for layer in dense] == [
        (7, 256), (256, 512), (512, 1024), (1024, 784)]
    assert dense[-1].activation is keras.activations.tanh
    dense = layers_of(gan.discriminator, keras.layers.Dense)
    assert [layer.units for layer in dense] == [1024, 512, 256, 1]
    assert [layer.rate for layer in layers_of(gan.discriminator, AlwaysOnDropout)] == [0.3] * 3
    assert [type(layer).__name__ for layer in gan.discriminator.layers[2:5]] == [
        "Dense", "LeakyReLU", "AlwaysOnDropout"]


def test_sides_of_the_convolutional_networks():
    gan = GAN("conv")
    kinds = FusedBatchNormalization
    assert [layer.output.shape[1:] for layer in layers_of(gan.generator, kinds)] == [
        (5, 5, 320), (7, 7, 160), (14, 14, 10)]
    assert [layer.output.shape[1:] for layer in layers_of(gan.discriminator, kinds)] == [
        (14, 14, 10), (7, 7, 160), (5, 5, 320), (1, 1, 10)]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_initial_weights_are_those_of_pytorch(torch, backbone):
    keras.utils.set_random_seed(0)
    for network, theirs in zip(networks(GAN(backbone)), pytorch_networks(torch, backbone)):
        kinds = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)
        modules = [module for module in theirs if hasattr(module, "weight")
                   and not isinstance(module, torch.nn.BatchNorm2d)]
        for layer, module in zip(layers_of(network, kinds), modules, strict=True):
            weight = module.weight.detach().numpy()
            if weight.size < 100:
                continue
            assert np.abs(layer.kernel).max() == pytest.approx(np.abs(weight).max(), rel=0.25)
            assert np.std(layer.kernel) == pytest.approx(weight.std(), rel=0.3)
            assert np.abs(layer.bias).max() < 1.3 * np.abs(weight).max()
            if layer.bias.shape[0] >= 100:
                bias = module.bias.detach().numpy()
                assert np.std(layer.bias) == pytest.approx(bias.std(), rel=0.3)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_shapes_and_ranges(backbone):
    published, corrected = build(backbone), build(backbone, corrected=True)
    latent = 3 * noise(5)
    raw = published.decode(latent, raw=True)
    np.testing.assert_array_equal(raw, corrected.decode(latent, raw=True))
    assert raw.shape == (5, 28, 28, 1) and raw.dtype == "float32"
    assert -1 <= raw.min() < 0 < raw.max() <= 1
    np.testing.assert_array_equal(published.decode(latent), np.clip(raw, 0, None))
    np.testing.assert_allclose(corrected.decode(latent), (raw + 1) / 2, atol=1e-6)
    assert published.discriminator(digits()).shape == (4, 1)
    drawn = [np.asarray(published.noise(3)) for _ in range(2)]
    assert drawn[0].shape == (3, 10) and (drawn[0] != drawn[1]).all(), "each call draws anew"
    assert published.sample(3).shape == (3, 28, 28, 1)


def test_decoding_in_chunks_changes_nothing(monkeypatch):
    gan = build()
    whole = gan.decode(noise(7))
    monkeypatch.setattr("ann_keras.models.gan._ROWS", 3)
    np.testing.assert_allclose(gan.decode(noise(7)), whole, atol=1e-6)


def test_losses_equal_hand_computed_values():
    # D(x) = 3/4 and 1/2, D(G(z)) = 1/5 and 1/2.
    real, fake = np.log([[3.0], [1.0]]), np.log([[0.25], [1.0]])
    assert float(generator_loss(fake)) == pytest.approx(np.log(5 * 2) / 2)
    expected = 0.5 * (np.log(4 / 3 * 2) / 2 + np.log(5 / 4 * 2) / 2)
    assert float(discriminator_loss(real, fake)) == pytest.approx(expected)
    assert np.isfinite(float(discriminator_loss(-1e4 * np.ones((2, 1)), 1e4 * np.ones((2, 1)))))


def networks(gan):
    return gan.generator, gan.discriminator


@pytest.mark.parametrize("corrected", [False, True])
def test_metrics_are_the_losses_weighted_by_rows(corrected):
    gan = build(corrected=corrected, dropout=False)
    batches = [digits(2, seed=3), digits(6, seed=4)]
    latents = [noise(2, seed=5), noise(6, seed=6)]
    gan.noise = lambda count: latents[[2, 6].index(count)]
    expected = np.zeros(2)
    for images, latent in zip(batches, latents):
        real = gan.discriminator(2 * images - 1 if corrected else images)
        fake = gan.discriminator(gan.generator(latent))
        losses = float(generator_loss(fake)), float(discriminator_loss(real, fake))
        expected += np.array(losses) * len(images) / 8
        logs = gan.test_step((images,))
    assert set(logs) == {"generator_loss", "discriminator_loss"}
    np.testing.assert_allclose(
        [logs["generator_loss"], logs["discriminator_loss"]], expected, rtol=1e-5)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_each_step_trains_its_network_only(backbone):
    gan = build(backbone)
    gan.optimizer.learning_rate = 0.0
    generator = values(gan.generator.trainable_variables)
    discriminator = values(gan.discriminator.trainable_variables)
    gan.train_step(digits())
    assert not any(moved(generator, gan.generator.trainable_variables))
    # A bias before batch normalisation has no gradient but rounding.
    assert np.mean(moved(discriminator, gan.discriminator.trainable_variables)) > 0.7

    gan.optimizer.learning_rate = 1e-3
    gan.discriminator_optimizer.learning_rate = 0.0
    discriminator = values(gan.discriminator.trainable_variables)
    gan.train_step(digits())
    assert not any(moved(discriminator, gan.discriminator.trainable_variables))
    assert np.mean(moved(generator, gan.generator.trainable_variables)) > 0.7


@pytest.mark.parametrize("backbone", BACKBONES)
def test_evaluation_moves_nothing(backbone):
    gan = build(backbone)
    gan.generator(noise()), gan.discriminator(digits())
    variables = gan.trainable_variables + gan.non_trainable_variables
    before = values(variables)
    gan.test_step(digits())
    assert not any(moved(before, variables)), "random states neither"
    gan.decode(noise())
    assert not any(moved(before, variables))


@pytest.mark.parametrize("steps", [1, 3])
def test_discriminator_steps_count_updates(steps):
    gan = build(discriminator_steps=steps)
    draws, draw = [], gan.noise
    gan.noise = lambda count: draws.append(draw(count)) or draws[-1]
    gan.train_step(digits())
    gan.train_step(digits())
    assert int(gan.optimizer.iterations) == 2
    assert int(gan.discriminator_optimizer.iterations) == 2 * steps
    assert len({np.asarray(latent).tobytes() for latent in draws}) == 2 * steps


def test_published_dropout_is_always_on():
    published, corrected = build(), build(corrected=True)
    x = digits()

    def spread(gan, training):
        once, twice = (gan.discriminator(x, training=training).numpy() for _ in range(2))
        return np.abs(once - twice).max()

    assert spread(published, False) > 1e-5 and spread(published, True) > 1e-5
    assert spread(corrected, False) == 0 and spread(corrected, True) > 1e-5


def test_default_optimizers_are_as_published():
    gan = build()
    for optimizer in (gan.optimizer, gan.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        settings = float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2
        assert settings == pytest.approx((1e-3, 0.5, 0.999))
        assert optimizer.epsilon == pytest.approx(1e-8)
    assert gan.optimizer is not gan.discriminator_optimizer


def pytorch_networks(torch, backbone):
    """Generator and discriminator, images (n, 1, 28, 28)."""
    nn = torch.nn
    if backbone == "dense":
        sizes = (10, 256, 512, 1024)
        generator = []
        for inputs, units in zip(sizes, sizes[1:]):
            generator += [nn.Linear(inputs, units), nn.LeakyReLU(0.2)]
        generator += [nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))]
        sizes = (784, 1024, 512, 256)
        discriminator = [nn.Flatten()]
        for inputs, units in zip(sizes, sizes[1:]):
            discriminator += [nn.Linear(inputs, units), nn.LeakyReLU(0.2)]
        discriminator += [nn.Linear(256, 1)]
        return nn.Sequential(*generator), nn.Sequential(*discriminator)
    generator = [
        nn.Unflatten(1, (10, 1, 1)),
        nn.ConvTranspose2d(10, 320, 5, 1, 0), nn.BatchNorm2d(320), nn.ReLU(),
        nn.ConvTranspose2d(320, 160, 5, 1, 1), nn.BatchNorm2d(160), nn.ReLU(),
        nn.ConvTranspose2d(160, 10, 4, 2, 1), nn.BatchNorm2d(10), nn.ReLU(),
        nn.ConvTranspose2d(10, 1, 4, 2, 1), nn.Tanh(),
    ]
    discriminator = [
        nn.Conv2d(1, 10, 4, 2, 1), nn.BatchNorm2d(10), nn.LeakyReLU(0.2),
        nn.Conv2d(10, 160, 4, 2, 1), nn.BatchNorm2d(160), nn.LeakyReLU(0.2),
        nn.Conv2d(160, 320, 5, 1, 1), nn.BatchNorm2d(320), nn.LeakyReLU(0.2),
        nn.Conv2d(320, 10, 5, 1, 0), nn.BatchNorm2d(10), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(10, 1),
    ]
    return nn.Sequential(*generator), nn.Sequential(*discriminator)


def to_pytorch(weights):
    """Keras' order of axes into PyTorch's, also of transposed convolutions."""
    return [weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight.T for weight in weights]


def copy(torch, gan, backbone):
    """PyTorch networks with the weights of ours; batch statistics come after γ and β in both."""
    theirs = pytorch_networks(torch, backbone)
    for model, network in zip(networks(gan), theirs):
        state = [array for name, array in network.state_dict().items() if "num_batches" not in name]
        weights = to_pytorch(values(w for layer in model.layers for w in layer.weights
                                    if "seed" not in w.path))
        for array, weight in zip(state, weights, strict=True):
            array.copy_(torch.tensor(weight))
    return theirs


def state_of(model):
    return to_pytorch(values(w for layer in model.layers for w in layer.weights
                             if "seed" not in w.path))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_same_weights_same_outputs_in_pytorch(torch, backbone):
    gan = build(backbone, dropout=False)
    generator, discriminator = (network.eval() for network in copy(torch, gan, backbone))
    with torch.no_grad():
        images = generator(torch.tensor(noise())).numpy().transpose(0, 2, 3, 1)
        logits = discriminator(torch.tensor(digits().transpose(0, 3, 1, 2))).numpy()
    assert np.ptp(images, axis=0).max() > 1e-3 and np.ptp(logits) > 1e-4
    np.testing.assert_allclose(gan.decode(noise(), raw=True), images, atol=1e-5)
    np.testing.assert_allclose(gan.discriminator(digits(), training=False), logits, atol=1e-5)


@pytest.mark.parametrize("backbone, optimizer, steps, joint", [
    ("dense", "sgd", 2, None), ("dense", "adam", 1, None), ("conv", "sgd", 2, None),
    ("dense", "sgd", 2, True), ("conv", "sgd", 2, False)])
@pytest.mark.parametrize("corrected", [False, True])
def test_train_step_equals_pytorch(torch, backbone, optimizer, steps, joint, corrected):
    gan = build(backbone, dropout=False, corrected=corrected,
                discriminator_steps=steps, joint_batches=joint)
    theirs = copy(torch, gan, backbone)
    if optimizer == "adam":
        # ε counts otherwise in Keras: by √(1 − β₂) at the first step.
        gan.compile(*[keras.optimizers.Adam(1e-3, beta_1=0.5, epsilon=1e-6) for _ in range(2)])
        optimizers = [torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.999), 1e-6 / 0.001**0.5)
                      for network in theirs]
    else:
        rate = 1.0 if backbone == "dense" else 0.01
        gan.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
        optimizers = [torch.optim.SGD(network.parameters(), rate) for network in theirs]
    latents = [noise(seed=5 + step) for step in range(steps)]
    order = iter(latents)
    gan.noise = lambda count: next(order)
    before = [state_of(model) for model in networks(gan)]
    logs = gan.train_step(digits())

    generator, discriminator = theirs
    entropy, losses = torch.nn.BCEWithLogitsLoss(), []
    real = torch.tensor(digits().transpose(0, 3, 1, 2))
    real = 2 * real - 1 if corrected else real
    ones, zeros = torch.ones(4, 1), torch.zeros(4, 1)
    together = backbone == "conv" and joint is None  # without normalisation it is the same
    for latent in latents:
        fake = generator(torch.tensor(latent))
        logits = discriminator(torch.cat([real, fake.detach()])).chunk(2) if together else [
            discriminator(real), discriminator(fake.detach())]
        loss = 0.5 * (entropy(logits[0], ones) + entropy(logits[1], zeros))
        optimizers[1].zero_grad()
        loss.backward()
        optimizers[1].step()
        losses.append(loss.item())
    logits = discriminator(torch.cat([real, fake]))[4:] if together else discriminator(fake)
    loss = entropy(logits, ones)
    optimizers[0].zero_grad()
    loss.backward()
    optimizers[0].step()

    assert float(logs["discriminator_loss"]) == pytest.approx(np.mean(losses), rel=1e-4)
    assert float(logs["generator_loss"]) == pytest.approx(loss.item(), rel=1e-4)
    for model, network, old in zip(networks(gan), theirs, before):
        state = [array.numpy() for name, array in network.state_dict().items()
                 if "num_batches" not in name]
        new = state_of(model)
        assert max(np.abs(a - b).max() for a, b in zip(old, new)) > 5e-4
        for ours, expected in zip(new, state, strict=True):
            # Batch normalisation over four images makes much of rounding.
            np.testing.assert_allclose(ours, expected, atol=1e-4 if backbone == "dense" else 3e-4)


@pytest.mark.parametrize("fit", [compiled.fit, keras.Model.fit])
def test_fit_trains_and_is_repeatable(fit):
    x = np.zeros((24, 28, 28, 1), "float32")
    x[:, 8:20, 8:20] = 0.8

    def run():
        gan = build(seed=3)
        gan.optimizer.learning_rate = 1e-5  # so that the discriminator wins
        history = fit(gan, x, epochs=3, batch_size=16, verbose=0)
        assert int(gan.optimizer.iterations) == 3 * 2
        return history.history, gan.decode(noise(3))

    history, images = run()
    again, same = run()
    assert set(history) == {"generator_loss", "discriminator_loss"}
    assert history["discriminator_loss"][-1] < history["discriminator_loss"][0]
    np.testing.assert_array_equal(images, same)
    assert history == again


def test_convolutional_gan_trains_compiled(traced):
    gan = build("conv")
    history = compiled.fit(gan, digits(6), epochs=1, batch_size=3, verbose=0)
    assert np.isfinite(list(history.history.values())).all()
    assert int(gan.optimizer.iterations) == int(gan.discriminator_optimizer.iterations) == 2


def test_training_goes_on_from_its_checkpoint(tmp_path):
    options = {"batch_size": 8, "verbose": 0}
    whole = build()
    compiled.fit(whole, digits(16), epochs=2, **options)
    resume.fit(build(), digits(16), epochs=1, checkpoint=tmp_path, **options)
    second = build(seed=9)
    resume.fit(second, digits(16), epochs=2, checkpoint=tmp_path, **options)
    np.testing.assert_allclose(second.decode(noise(3)), whole.decode(noise(3)), atol=1e-6)


def test_a_loss_that_is_not_a_number_shows():
    gan = build()
    gan.discriminator.layers[-1].bias.assign([np.nan])
    history = compiled.fit(gan, digits(8), epochs=1, batch_size=4, verbose=0).history
    assert np.isnan(history["generator_loss"]).all()
    assert np.isnan(history["discriminator_loss"]).all()


@pytest.mark.parametrize("options, message", [
    ({"backbone": "transformer"}, "backbone must be"),
    ({"latent_dim": 0}, "must be at least one, got 0 and 1"),
    ({"discriminator_steps": 0}, "must be at least one, got 10 and 0"),
])
def test_gan_rejects(options, message):
    with pytest.raises(ValueError, match=message):
        GAN(**options)


@pytest.mark.parametrize("images, message", [
    (digits()[..., 0], r"\(n, 28, 28, 1\), got \(., 28, 28\)"),
    (digits().reshape(4, 784), r"got \(., 784\)"),
    (255 * digits(), "found 0.* to 2"),
    (2 * digits() - 1, "found -"),
    (np.full((1, 28, 28, 1), np.nan, "float32"), "nan"),
    (np.zeros((4, 28, 28, 1), "uint8"), "uint8"),
])
def test_images_are_rejected(images, message):
    gan = build()
    with pytest.raises(ValueError, match=message):
        gan.check_images(images)
    with pytest.raises(ValueError, match=message):
        compiled.fit(gan, images, epochs=1)
    with pytest.raises(ValueError, match=message):
        gan.train_step(tf.constant(images))


def test_a_single_bad_image_is_refused_before_training():
    gan, images = build(), digits()
    images[-1, -1] = 2
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        compiled.fit(gan, images, epochs=1)


def test_latent_vectors_are_rejected():
    gan = build()
    for latent in (np.zeros((2, 9)), np.zeros(10), np.zeros((0, 10))):
        with pytest.raises(ValueError, match=r"latent vectors must be rows of shape \(n, 10\)"):
            gan.decode(latent)
