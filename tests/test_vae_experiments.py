"""What the VAE half of tasks 4.3.1 to 4.3.3 trains, scores and keeps."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from ann_keras.errors import UserError
from ann_keras.experiments import boltzmann, decoding, vae
from ann_keras.models import weights
from ann_keras.models.vae import VAE
from ann_keras.report.task import Task
from ann_keras.training import compiled
from ann_keras.training.finite import StopOnNaN
from ann_keras.training.resume import Resume, Seconds


class Board:
    """Stands for a Scoreboard; its convnet is sure of digit 3 for every fourth image."""

    def __init__(self):
        self.judge, self.scored = self, []

    def probabilities(self, images):
        sure = np.arange(len(images)) % 4 == 0
        return np.where(sure[:, np.newaxis], np.eye(10)[3], 0.1)

    def score(self, images):
        self.scored.append(images)
        return {"frechet": float(images.mean())}


SMALL = {
    "latent_dim": 3, "hidden_dim": [6, 5], "epochs": 3, "batch_size": 400, "learning_rate": 0.01,
    "beta_1": 0.5, "binarize": True, "kl_weight": 1.0, "falling": True, "seed": 1,
    "source": "sample", "samples": 120, "judge_epochs": 1, "keep": True,
}


@pytest.fixture(scope="module")
def run():
    return vae.train(Board(), **SMALL)


@pytest.fixture
def task(tmp_path):
    return Task("4.3.1", "smoke", SimpleNamespace(seeds=1), tmp_path)


def tiny_run(latent_dim=2, hidden_dim=4, binarize=True):
    keras.utils.set_random_seed(3)
    model = VAE(latent_dim, hidden_dim, binarize=binarize)
    return model, {"latent_dim": latent_dim, "hidden_dim": (hidden_dim,), "binarize": binarize,
                   "encoder": weights.flatten(model.encoder),
                   "decoder": weights.flatten(model.decoder)}


def test_a_resumed_run_is_an_uninterrupted_one(run, tmp_path, monkeypatch):
    def interrupted(self, epoch, logs=None):
        logs["seconds"] = 0.0
        if epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Seconds, "on_epoch_end", interrupted)
        with pytest.raises(KeyboardInterrupt):
            vae.train(Board(), checkpoint=tmp_path / "state", **SMALL)
    epochs, fit = [], compiled.fit
    monkeypatch.setattr(compiled, "fit", lambda *a, **o: epochs.append(fit(*a, **o)) or epochs[0])
    resumed = vae.train(Board(), checkpoint=tmp_path / "state", **SMALL)
    assert epochs[0].epoch == [1, 2]
    assert resumed.keys() == run.keys()
    for name in run.keys() - {"seconds"}:
        np.testing.assert_array_equal(resumed[name], run[name], err_msg=name)


def test_a_run_tells_what_was_trained(run):
    for prefix in ("", "test_"):
        elbo, reconstruction, kl = (np.array(run[prefix + name]) for name in vae._TERMS)
        np.testing.assert_allclose(elbo, -reconstruction - kl, rtol=1e-5)
        assert len(elbo) == 3 and elbo[-1] > elbo[0]
    model = vae.vae_of(run)
    assert model.binarize and (model.latent_dim, model.hidden_dim) == (3, (6, 5))
    test = vae.unseen("sample", True)
    assert set(np.unique(test)) == {0, 1}
    assert np.mean(test) == pytest.approx(boltzmann.digits("sample")[1].mean(), abs=1e-3)
    np.testing.assert_array_equal(test, vae.unseen("sample", True))
    rows = boltzmann.digits("sample")[0][: len(test)]
    seen = boltzmann.drawn(rows)
    for images, kl in ((test, run["test_kl"][-1]), (seen, run["seen_kl"])):
        assert vae.kl_of_dimensions(*model.encode(images)).sum() == pytest.approx(kl, rel=1e-4)
    assert run["seen_elbo"] == pytest.approx(-run["seen_reconstruction"] - run["seen_kl"])
    samples = model.sample(120, seed=1)
    assert run["score_frechet"] == pytest.approx(samples.mean(), rel=1e-4)
    assert run["images"].shape == (100, 784) and run["images"].dtype == np.uint8
    np.testing.assert_allclose(run["images"] / 255, samples[:100], atol=0.003)
    np.testing.assert_allclose(run["confident_classes"], 0.25 * np.eye(10)[3])


def test_grey_images_stay_grey_and_weights_may_be_left_out():
    grey = vae.unseen("sample", False)
    np.testing.assert_array_equal(grey, boltzmann.digits("sample")[1])
    run = vae.train(Board(), **SMALL | {"binarize": False, "epochs": 1, "keep": False})
    assert "encoder" not in run and "decoder" not in run
    with pytest.raises(ValueError, match="kept no weights"):
        vae.vae_of(run)


@pytest.mark.parametrize("falling, last", [(False, 0.01), (True, 1e-4)])
def test_the_rate_of_adam(falling, last, monkeypatch):
    fit, optimizers = compiled.fit, []

    def watched(model, *arguments, **options):
        optimizers.append((model.optimizer, float(model.optimizer.learning_rate)))
        return fit(model, *arguments, **options)

    monkeypatch.setattr(compiled, "fit", watched)
    vae.train(Board(), **SMALL | {"falling": falling, "batch_size": 1_500, "beta_1": 0.7})
    (optimizer, first), = optimizers
    assert first == pytest.approx(0.01) and optimizer.beta_1 == 0.7
    assert int(optimizer.iterations) == 9  # 4,000 images, three epochs
    assert float(optimizer.learning_rate) == pytest.approx(last, rel=1e-3)


def test_published_and_binary_runs_are_the_scripts_settings(task):
    calls = []

    def recorder(name, compute, **options):
        calls.append((name, options))
        return {}

    settings = SimpleNamespace(
        latent_dim=300, hidden_dim=1024, epochs=100, batch_size=3000, learning_rate=1e-3,
        source="full", samples=10_000, judge_epochs=10, binary_latent_dim=50,
        binary_hidden_dim=(500, 400), binary_epochs=200, binary_batch_size=128,
    )
    watched = SimpleNamespace(run=recorder, seeds=[0, 1])
    vae.trained(watched, settings, Board(), of="4.3.3")
    vae.binary(watched, settings, Board())
    (name, first), (_, second), (_, binary), _ = calls
    assert name == "VAE, seed 0" and first["of"] == "4.3.3" and first["resumable"]
    assert (first["beta_1"], first["kl_weight"], first["falling"], first["binarize"]) == (
        0.5, 1.0, False, False)
    assert (first["batch_size"], first["epochs"], first["hidden_dim"]) == (3000, 100, 1024)
    assert first["keep"] and not second["keep"] and second["seed"] == 1
    assert binary["binarize"] and binary["falling"] and binary["hidden_dim"] == [500, 400]
    assert (binary["latent_dim"], binary["epochs"], binary["batch_size"]) == (50, 200, 128)


@pytest.mark.parametrize("binarize", [False, True])
def test_likelihoods_of_parts_are_those_of_direct_calls(task, monkeypatch, binarize):
    monkeypatch.setattr(vae, "_PART", 5)
    model, run = tiny_run(binarize=binarize)
    settings = SimpleNamespace(source="sample", images=12, codes=7)
    found = vae.likelihood(task, "tiny", run, settings)
    rows = vae.unseen("sample", binarize)
    expected = np.concatenate([
        model.log_likelihood(rows[start:stop], 7, seed=start)
        for start, stop in ((0, 5), (5, 10), (10, 12))
    ])
    np.testing.assert_allclose(found["iwae"], expected, rtol=1e-5)
    draws = [model.elbo(rows[5:10], seed=seed) for seed in range(50, 60)]
    np.testing.assert_allclose(found["elbo"][5:10], np.mean(draws, axis=0), rtol=1e-5)

    def computed(*arguments, **options):
        raise RuntimeError("computed")

    monkeypatch.setattr(vae, "_bounds", computed)
    again = vae.likelihood(task, "tiny", run, settings)
    np.testing.assert_array_equal(again["iwae"], found["iwae"])
    with pytest.raises(RuntimeError):  # other weights are another run
        vae.likelihood(task, "tiny", run | {"decoder": run["decoder"] + 1}, settings)
    with pytest.raises(UserError, match="between 1 and 1000"):
        vae.likelihood(task, "tiny", run, SimpleNamespace(source="sample", images=1001, codes=1))


def test_a_dimension_is_active_where_its_mean_varies():
    sign = np.array([1.0, -1.0] * 50)[:, np.newaxis]
    means = 5 + sign * np.sqrt([0.02, 0.0099, 0.0101, 0])
    np.testing.assert_array_equal(vae.active_dimensions(means), [True, False, True, False])


def test_kl_by_dimension():
    means, deviations = np.array([[1, 0], [-3, 0]]), np.array([[2, 1], [0.5, 1]])
    by_hand = np.mean([0.5 * (4 + 1 - 1 - np.log(4)), 0.5 * (0.25 + 9 - 1 - np.log(0.25))])
    np.testing.assert_allclose(vae.kl_of_dimensions(means, deviations), [by_hand, 0])
    model, run = tiny_run()
    found = vae.latent_dimensions(run, "sample")
    model.compile("sgd")
    logs = compiled.evaluate(model, vae.unseen("sample", True))
    assert found["kl"].sum() == pytest.approx(logs["kl"], rel=1e-4)
    means = model.encode(vae.unseen("sample", True))[0]
    np.testing.assert_array_equal(found["active"], means.var(axis=0) > 0.01)


def test_walks_lead_from_digit_to_digit():
    model, _ = tiny_run()
    rows, labels = np.random.default_rng(0).random((6, 784)), np.array([4, 1, 1, 7, 4, 0])
    lines = vae.walks(model, rows, labels, [(1, 7), (0, 4)], steps=3)
    assert lines.shape == (2, 3, 784)
    means = model.encode(rows)[0]
    for line, (first, last) in zip(lines, ((1, 3), (5, 0))):
        codes = np.stack([means[first], (means[first] + means[last]) / 2, means[last]])
        np.testing.assert_allclose(line, model.decode(codes), atol=1e-6)


def test_the_loss_of_a_vae_is_the_cross_entropy():
    model, _ = tiny_run()
    found = vae.losses(model, boltzmann.digits("sample")[1])
    assert found["logged"] == pytest.approx(found["cross_entropy"], rel=1e-2)
    assert found["squared_error"] < 0.8 * found["logged"]


class Poison(keras.callbacks.Callback):
    """Makes all weights NaN, before or after an epoch counted from 0."""

    def __init__(self, epoch, after=False):
        super().__init__()
        self.epoch, self.after = epoch, after

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch and not self.after:
            self.model.set_weights([w * np.nan for w in self.model.get_weights()])

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch and self.after:
            self.model.set_weights([w * np.nan for w in self.model.get_weights()])


def line():
    """A compiled model and data that it can learn."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)], name="line")
    model.compile(keras.optimizers.Adam(0.01), "mse")
    x = np.linspace(-1, 1, 20, dtype=np.float32)[:, np.newaxis]
    return model, x, 2 * x


@pytest.mark.parametrize("after, found", [(False, "loss"), (True, "line/dense.*/kernel")])
def test_training_stops_on_nan_and_the_last_good_weights_stay(tmp_path, after, found):
    model, x, y = line()
    with pytest.raises(UserError, match=f"^{found} of line is not finite after epoch 3: "):
        compiled.fit(model, x, y, epochs=5, callbacks=[Poison(2, after), StopOnNaN(),
                                                       Resume(tmp_path)])
    again, x, y = line()
    resume = Resume(tmp_path)
    history = compiled.fit(again, x, y, epochs=5, callbacks=[StopOnNaN(), resume])
    assert history.epoch == [2, 3, 4] and len(resume.logs) == 5
    whole, x, y = line()
    expected = compiled.fit(whole, x, y, epochs=5, callbacks=[StopOnNaN()]).history["loss"]
    np.testing.assert_array_equal([logs["loss"] for logs in resume.logs], expected)


def test_a_vae_that_diverges_stops_with_the_epoch(tmp_path):
    with pytest.raises(UserError, match="of vae.* is not finite after epoch 1"):
        vae.train(Board(), checkpoint=tmp_path, **SMALL | {"learning_rate": 1e30})
    assert not list(tmp_path.iterdir()), "nothing of a bad epoch is kept"


STACK = {
    "hidden_units": [12, 5], "images": 300, "epochs": 2, "optimizer": "sgd", "rate": 0.1,
    "batch_size": 128, "seed": 0, "source": "sample", "samples": 40, "judge_epochs": 1,
}


def test_noise_has_the_moments_it_should():
    random = np.random.default_rng(0)
    mixing = np.array([[1.0, 0.0], [0.8, 0.1], [0.0, 0.3]])
    codes = (0.5 + random.normal(size=(400, 2)) @ mixing.T).astype(np.float32)
    found = decoding.noise(codes, 40_000, random)
    assert all(drawn.shape == (40_000, 3) for drawn in found.values())
    np.testing.assert_allclose(found["fitted"].mean(axis=0), codes.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(np.cov(found["fitted"].T), np.cov(codes.T), atol=0.03)
    np.testing.assert_allclose(np.cov(found["normal"].T), np.eye(3), atol=0.03)
    assert abs(found["normal"].mean()) < 0.01
    assert 0 <= found["uniform"].min() < 0.01 and 0.99 < found["uniform"].max() <= 1


@pytest.mark.parametrize("loss, name", [("mse", "squared_error"),
                                        ("binary_crossentropy", "cross_entropy")])
def test_the_loss_is_read_off_the_model(loss, name):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(6, "sigmoid")])
    model.compile("sgd", loss)
    found = decoding.losses(model, np.random.default_rng(0).random((30, 6), dtype=np.float32))
    assert found["logged"] == pytest.approx(found[name], rel=1e-4)
    assert abs(found["squared_error"] - found["cross_entropy"]) > 0.1


def test_the_stack_is_pretrained_as_asked_and_decodes_every_kind(monkeypatch):
    phases, fit, stacks = [], compiled.fit, []
    make = decoding.StackedAutoencoder

    def watched(model, x, y, **options):
        rate = float(model.optimizer.learning_rate)
        phases.append((model.name, type(model.optimizer).__name__, round(rate, 6), len(x),
                       options["epochs"], options["batch_size"], options["seed"]))
        return fit(model, x, y, **options)

    monkeypatch.setattr(compiled, "fit", watched)
    monkeypatch.setattr(decoding, "StackedAutoencoder",
                        lambda *units: stacks.append(make(*units)) or stacks[0])
    board = Board()
    result = decoding.train(board, **STACK | {"seed": 2})
    assert phases == [("autoencoder_1", "SGD", 0.1, 300, 2, 128, 2001),
                      ("autoencoder_2", "SGD", 0.1, 300, 2, 128, 2002)]
    rows = boltzmann.digits("sample")[1]
    stack, = stacks
    seen = stack.decode(stack.encode(rows))
    by_kind = dict(zip(("normal", "uniform", "fitted", "codes"), board.scored, strict=True))
    np.testing.assert_allclose(by_kind["codes"], seen[:40], atol=1e-6)
    assert result["error"] == pytest.approx(np.mean((seen - rows) ** 2), rel=1e-5)
    for kind, images in by_kind.items():
        assert images.shape == (40, 784)
        assert decoding.scores([result, result], kind)["frechet"] == pytest.approx(
            [images.mean()] * 2)
        np.testing.assert_allclose(result[f"{kind}_images"] / 255, images[:10], atol=0.003)
    assert result["logged"] == pytest.approx(result["squared_error"], rel=1e-4)


def test_an_adam_stack_learns_from_all_images():
    wide = STACK | {"hidden_units": [24, 12], "epochs": 6, "rate": 0.01}
    few, adam = (decoding.train(Board(), **wide | change) for change in (
        {}, {"optimizer": "adam", "images": None}))
    contrast = [np.std(run["codes_images"], axis=0).mean() for run in (few, adam)]
    assert contrast[1] > 10 * contrast[0], "published pre-training tells digits apart little"
    assert adam["error"] < 0.75 * few["error"]
