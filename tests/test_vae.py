import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, logsumexp
from scipy.stats import norm

from ann_keras.models.vae import VAE
from ann_keras.training import compiled

pytestmark = pytest.mark.usefixtures("untraced")

METRICS = {"elbo", "reconstruction", "kl"}


def images(count=16, pixels=784, seed=0):
    return np.random.default_rng(seed).random((count, pixels), dtype="float32")


def blobs(count=64, pixels=12, seed=0):
    """Images that can be learned: mostly dark on the left or on the right."""
    generator = np.random.default_rng(seed)
    left = generator.random((count, 1)) < 0.5
    bright = (np.arange(pixels) < pixels / 2) == left
    return (0.1 * generator.random((count, pixels)) + 0.85 * bright).astype("float32")


def compile_small(**settings):
    model = VAE(2, 16, pixels=12, **settings)
    model.compile(keras.optimizers.Adam(1e-2, beta_1=0.5))
    return model


def tiny(seed=0):
    """One latent component, two pixels, and weights for which the posterior is far from exact."""
    model = VAE(1, 3, pixels=2)
    generator = np.random.default_rng(seed)
    for network in (model.encoder, model.decoder):
        network.set_weights([generator.normal(0, 1.2, w.shape) for w in network.get_weights()])
    # Neither far from the prior nor narrow, lest importance weights have no variance.
    kernel, bias = model.encoder.get_layer("log_variance").get_weights()
    model.encoder.get_layer("log_variance").set_weights([0.2 * kernel, 0.2 * bias + 0.3])
    kernel, bias = model.encoder.get_layer("mean").get_weights()
    model.encoder.get_layer("mean").set_weights([0.3 * kernel, 0.3 * bias])
    return model


def log_bernoulli(x, logits):
    return (x * np.log(expit(logits)) + (1 - x) * np.log(expit(-logits))).sum(axis=-1)


def decode(model, z):
    """Logits of codes (m, 1), by NumPy in float64."""
    first, first_bias, second, second_bias = (
        w.astype(np.float64) for w in model.decoder.get_weights()
    )
    return np.maximum(z @ first + first_bias, 0) @ second + second_bias


def encode(model, x):
    """Mean and standard deviation (n, 1) of images, by NumPy in float64."""
    weights = [w.astype(np.float64) for w in model.encoder.get_weights()]
    hidden = np.maximum(x @ weights[0] + weights[1], 0)
    return hidden @ weights[2] + weights[3], np.exp(0.5 * (hidden @ weights[4] + weights[5]))


def quadrature(model, image):
    """Exact log p(x) and the exact mean of the ELBO, of one image."""
    z, step = np.linspace(-12, 12, 20_001, retstep=True)
    log_joint = norm.logpdf(z) + log_bernoulli(image, decode(model, z[:, np.newaxis]))
    mean, deviation = (float(v[0, 0]) for v in encode(model, image[np.newaxis]))
    density = norm.pdf(z, mean, deviation)
    return (logsumexp(log_joint) + np.log(step),
            step * np.sum(density * (log_joint - norm.logpdf(z, mean, deviation))))


def constant(model, logits, mean=0.0, log_variance=0.0):
    """Every image has the same posterior, and every code the same logits."""
    zeros = [np.zeros(w.shape) for w in model.encoder.get_weights()]
    zeros[-3][:], zeros[-1][:] = mean, log_variance
    model.encoder.set_weights(zeros)
    zeros = [np.zeros(w.shape) for w in model.decoder.get_weights()]
    zeros[-1][:] = logits
    model.decoder.set_weights(zeros)
    return model


def test_parameters():
    model = VAE()
    assert model.encoder.count_params() == 1_418_840
    assert model.decoder.count_params() == 1_111_824
    assert len(model.trainable_variables) == 10
    for weight in model.trainable_variables:
        values = weight.numpy()
        if values.ndim == 1:
            np.testing.assert_array_equal(values, np.float32(0.01))
        else:
            limit = np.sqrt(6 / sum(values.shape))
            assert 0.99 * limit < np.abs(values).max() <= limit * (1 + 1e-6)  # rounded


def test_layers_are_mirrored():
    model = VAE(2, (7, 5), pixels=11)
    assert [w.shape for w in model.encoder.weights[::2]] == [(11, 7), (7, 5), (5, 2), (5, 2)]
    assert [w.shape for w in model.decoder.weights[::2]] == [(2, 5), (5, 7), (7, 11)]
    assert model.encoder.layers[1].activation is keras.activations.relu


def test_elbo_of_two_pixels_by_hand():
    # KL of N((1, −2), diag(4, 1/4)) against N(0, I): ½ Σ (σ² + μ² − 1 − log σ²).
    model = constant(VAE(2, 3, pixels=2), [0.5, -1.5], [1, -2], [np.log(4), np.log(0.25)])
    x = np.array([[1, 0], [0.25, 0.9]], np.float32)
    kl = 0.5 * ((4 + 1 - 1 - np.log(4)) + (0.25 + 4 - 1 - np.log(0.25)))
    expected = log_bernoulli(x, np.array([0.5, -1.5])) - kl
    np.testing.assert_allclose(model.elbo(x), expected, rtol=1e-5)
    model.compile("sgd")
    logs = compiled.evaluate(model, x)
    assert logs.keys() == METRICS
    assert logs["kl"] == pytest.approx(kl, rel=1e-5)
    assert logs["elbo"] == pytest.approx(expected.mean(), rel=1e-5)
    assert logs["reconstruction"] == pytest.approx(-expected.mean() - kl, rel=1e-5)


def test_posterior_is_normal_with_the_encoders_moments():
    model, x = tiny(), images(6, 2)
    mean, deviation = encode(model, x)
    np.testing.assert_allclose(model.encode(x)[0], mean, rtol=1e-4)
    np.testing.assert_allclose(model.encode(x)[1], deviation, rtol=1e-4)
    draws = model.posterior(tf.constant(x)).sample(50_000, seed=[0, 1]).numpy()
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.03 * deviation.max())
    np.testing.assert_allclose(draws.std(axis=0), deviation, rtol=0.03)


@pytest.mark.parametrize("seed", range(2))
def test_bounds_and_exact_likelihood(seed, traced):
    model, image = tiny(seed), np.array([0.3, 1], np.float32)
    exact, expected = quadrature(model, image)
    assert expected < exact - 0.02  # a gap to be seen
    many = np.tile(image, (20_000, 1))
    elbo = model.elbo(many)
    error = elbo.std() / np.sqrt(len(elbo))
    assert elbo.mean() == pytest.approx(expected, abs=5 * error)
    assert elbo.mean() < exact
    means = [elbo.mean()]
    for samples in (4, 64):
        bound = model.log_likelihood(many[:4000], samples, chunk=16_000)
        assert bound.mean() < exact + 3 * bound.std() / np.sqrt(len(bound))
        means.append(bound.mean())
    assert means == sorted(means)
    one = model.log_likelihood(many, 1)
    assert one.mean() == pytest.approx(expected, abs=5 * one.std() / np.sqrt(len(one)))
    assert model.log_likelihood(image[np.newaxis], 200_000)[0] == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("samples, chunk", [(1, 1), (7, 3), (3, 8)])
def test_likelihood_in_chunks_is_exact_where_codes_do_not_matter(samples, chunk):
    logits = np.array([0.5, -1.5])
    model, x = constant(VAE(2, 3, pixels=2), logits), images(5, 2)
    np.testing.assert_allclose(
        model.log_likelihood(x, samples, chunk), log_bernoulli(x, logits), rtol=1e-5
    )


def test_chunks_bound_what_is_decoded_at_once(monkeypatch, traced):
    model, shapes = tiny(), []
    likelihood = VAE.likelihood
    monkeypatch.setattr(
        VAE, "likelihood",
        lambda self, codes: shapes.append(codes.shape) or likelihood(self, codes),
    )
    model.log_likelihood(images(9, 2), samples=100, chunk=30)
    model.log_likelihood(images(9, 2), samples=10, chunk=30)
    assert [tuple(shape) for shape in shapes] == [(25, 1, 1), (10, 3, 1)]


def test_blocks_have_noise_of_their_own(traced):
    model = tiny()
    same = np.tile(np.float32([[0.3, 1]]), (2500, 1))
    assert len(np.unique(model.elbo(same))) > 2000
    assert len(np.unique(model.log_likelihood(same[:50], 3, chunk=6))) == 50
    parts = model.log_likelihood(same[:1], 64, chunk=1)
    assert abs(parts - model.log_likelihood(same[:1], 1, chunk=1)) > 1e-4


def test_seeds():
    model, x = tiny(), images(20, 2)
    for method in (
        model.elbo,
        lambda x, seed=0: model.log_likelihood(x, 5, seed=seed),
        lambda x, seed=0: model.sample(20, seed=seed),
    ):
        np.testing.assert_array_equal(method(x), method(x))
        np.testing.assert_array_equal(method(x), method(x, seed=0))
        assert (method(x) != method(x, seed=1)).any()


def test_samples_follow_the_decoder():
    model = tiny()
    z = np.linspace(-8, 8, 4001)
    expected = np.average(expit(decode(model, z[:, np.newaxis])), axis=0, weights=norm.pdf(z))
    np.testing.assert_allclose(model.sample(20_000).mean(axis=0), expected, atol=0.015)
    codes = images(5, 1)
    np.testing.assert_allclose(model.decode(codes), expit(decode(model, codes)), atol=1e-6)
    x = images(5, 2)
    expected = expit(decode(model, encode(model, x)[0]))
    np.testing.assert_allclose(model(x), expected, atol=1e-6)


@pytest.mark.parametrize("binarize", [False, True])
def test_binarization(binarize):
    logit, pixels = 2.0, 1000
    model = constant(VAE(1, 2, pixels=pixels, binarize=binarize), logit)
    model.compile(keras.optimizers.SGD(0.0))
    x = np.full((1, pixels), 0.25, np.float32)

    def bright(logs):  # from −log p = P log(1 + e^b) − b Σ x
        total = pixels * np.logaddexp(0, logit) - float(logs["reconstruction"])
        model.reset_metrics()
        return total / logit

    assert bright(model.test_step(tf.constant(x))) == pytest.approx(250, abs=0.1)
    counts = np.array([bright(model.train_step(tf.constant(x))) for _ in range(10)])
    if not binarize:
        np.testing.assert_allclose(counts, 250, atol=0.1)
    else:
        np.testing.assert_allclose(counts, counts.round(), atol=0.1)
        assert 200 < counts.min() < counts.max() < 300
        assert np.ptp(counts) > 5


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_weight_of_the_kl_term(weight):
    # The decoder ignores its codes, so only the KL term moves the encoder: ∂KL/∂μ = μ.
    model = constant(VAE(1, 2, pixels=3, kl_weight=weight), 0.5, mean=2.0)
    model.compile(keras.optimizers.SGD(0.1))
    logs = model.train_step(tf.constant(images(4, 3)))
    assert float(logs["kl"]) == pytest.approx(2.0)
    assert float(logs["elbo"]) == pytest.approx(-float(logs["reconstruction"]) - 2.0, rel=1e-6)
    assert model.encoder.get_layer("mean").bias.numpy()[0] == pytest.approx(2 - 0.2 * weight)
    assert VAE.from_config(model.get_config()).kl_weight == weight


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf])
def test_bad_weight_of_the_kl_term(weight):
    with pytest.raises(ValueError, match="kl_weight must be a number from 0 on"):
        VAE(1, 2, kl_weight=weight)


def test_a_step_moves_all_weights_and_steps_lower_the_loss():
    keras.utils.set_random_seed(0)
    model, x = compile_small(), tf.constant(blobs(8))
    before = [w.numpy() for w in model.trainable_variables]
    step = tf.function(model.train_step)
    model.optimizer.build(model.trainable_variables)
    first = float(step(x)["elbo"])
    for weight, old in zip(model.trainable_variables, before):
        assert (weight.numpy() != old).any(), weight.path
    for _ in range(60):
        model.reset_metrics()
        last = float(step(x)["elbo"])
    assert last > first + 1


@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_training(jit_compile, traced):
    keras.utils.set_random_seed(0)
    x = blobs()
    history = compiled.fit(compile_small(binarize=True), x, epochs=20, batch_size=32,
                           validation_data=(x[:32], None), jit_compile=jit_compile,
                           verbose=0).history
    assert history.keys() == METRICS | {f"val_{name}" for name in METRICS}
    assert history["elbo"][-1] > history["elbo"][0] + 1
    assert history["val_elbo"][-1] > history["val_elbo"][0] + 1
    for elbo, reconstruction, kl in zip(*(history[name] for name in
                                          ("elbo", "reconstruction", "kl"))):
        assert elbo == pytest.approx(-reconstruction - kl, rel=1e-4)


def test_keras_fit():
    keras.utils.set_random_seed(0)
    model, x = compile_small(), blobs()
    history = model.fit(x, epochs=15, batch_size=24, validation_data=(x, None), verbose=0).history
    assert history.keys() == METRICS | {f"val_{name}" for name in METRICS}
    assert history["elbo"][-1] > history["elbo"][0] + 1
    assert model.evaluate(x, verbose=0, return_dict=True).keys() == METRICS


def test_runs_repeat():
    runs = []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(seed)
        runs.append(compiled.fit(compile_small(binarize=True), blobs(), epochs=2, verbose=0))
    first, again, other = (run.history["elbo"] for run in runs)
    assert first == again != other


def test_same_weights_same_outputs_and_step_in_pytorch(torch):
    model, x = VAE(), images()
    linear = [torch.nn.Linear(*w.shape) for w in model.trainable_variables[::2]]
    for layer, kernel, bias in zip(linear, model.weights[::2], model.weights[1::2]):
        layer.weight.data = torch.tensor(kernel.numpy().T.copy())
        layer.bias.data = torch.tensor(bias.numpy())
    first, mean, log_variance, second, logits = linear
    pixels = torch.tensor(x)
    hidden = first(pixels).relu()
    code = mean(hidden)
    outputs = logits(second(code).relu())
    for ours, theirs in zip([*model.encoder(x), model.decoder(code.detach().numpy())],
                            [code, log_variance(hidden), outputs]):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-5)

    # With hardly any noise the code is its mean, and a step the same.
    model.encoder.get_layer("log_variance").set_weights([np.zeros((1024, 300)), np.full(300, -40)])
    model.compile(keras.optimizers.SGD(0.1))
    model.train_step(tf.constant(x))
    reconstruction = torch.nn.functional.binary_cross_entropy_with_logits(
        outputs, pixels, reduction="none").sum(1)
    (reconstruction + 0.5 * code.square().sum(1)).mean().backward()
    for layer, kernel, bias in zip(linear, model.weights[::2], model.weights[1::2]):
        if layer is log_variance:  # ∂KL/∂log σ² = (σ² − 1)/2
            np.testing.assert_allclose(bias.numpy(), -40 + 0.1 / 2, rtol=1e-6)
            continue
        moved = layer.weight - 0.1 * layer.weight.grad
        np.testing.assert_allclose(kernel.numpy().T, moved.detach().numpy(), atol=2e-5)
        moved = layer.bias - 0.1 * layer.bias.grad
        np.testing.assert_allclose(bias.numpy(), moved.detach().numpy(), atol=2e-5)


@pytest.mark.parametrize(
    "settings",
    [{"latent_dim": 0}, {"hidden_dim": 0}, {"hidden_dim": (3, 0)}, {"pixels": 0}],
)
def test_sizes_below_one(settings):
    with pytest.raises(ValueError, match="must be at least 1"):
        VAE(**({"latent_dim": 2, "hidden_dim": 3} | settings))


@pytest.mark.parametrize("method", ["elbo", "encode", "log_likelihood"])
@pytest.mark.parametrize(
    "x, message",
    [
        (images(2, 3), r"images must be rows of shape \(n, 2\), got \(2, 3\)"),
        (images(2, 2)[0], "images must be rows of shape"),
        (images(0, 2), "images must be rows of shape"),
        (images(2, 2) - 1, r"must lie in \[0, 1\]"),
        (images(2, 2) * 255, r"must lie in \[0, 1\]"),
        (np.full((2, 2), np.nan), r"must lie in \[0, 1\]"),
    ],
)
def test_bad_images(method, x, message):
    with pytest.raises(ValueError, match=message):
        getattr(tiny(), method)(x)


def test_a_single_bad_image_is_refused_before_training():
    model, good, bad = tiny(), images(8, 2), images(8, 2)
    model.compile(keras.optimizers.Adam())
    bad[-1, -1] = 2
    for x, validation in ((bad, None), (good, (bad, None))):
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
            compiled.fit(model, x, validation_data=validation)
    assert model.optimizer.iterations == 0


def test_too_few_samples_and_bad_codes():
    model = tiny()
    with pytest.raises(ValueError, match="number of samples must be at least 1, got 0"):
        model.sample(0)
    for samples, chunk in [(0, 5), (5, 0)]:
        with pytest.raises(ValueError, match="samples and chunk must be at least 1"):
            model.log_likelihood(images(2, 2), samples, chunk)
    with pytest.raises(ValueError, match=r"codes must be rows of shape \(n, 1\), got \(2, 3\)"):
        model.decode(np.zeros((2, 3)))
