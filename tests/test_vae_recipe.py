"""Trainings of the VAE, and what tasks 4.3.1 to 4.3.3 measure of one."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import task_4_3_1
import task_4_3_2
import task_4_3_3

from ann_keras import data, models
from ann_keras.errors import UserError
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import vae
from ann_keras.runs.run import Finished, Run
from ann_keras.training import compiled

pytestmark = pytest.mark.usefixtures("untraced")

SMALL = vae.Recipe(latent_dim=3, hidden_dim=(6, 5), epochs=3, batch_size=1_000, learning_rate=0.01,
                   binarize=True, source="sample")
TERMS = "elbo", "reconstruction", "kl"


class Board:
    """A scoreboard whose convnet is sure of digit 3 for every fourth image."""

    def __init__(self):
        self.judge = self

    def probabilities(self, images):
        sure = np.arange(len(images)) % 4 == 0
        return np.where(sure[:, np.newaxis], np.eye(10)[3], 0.1)

    def score(self, images):
        return {"frechet": float(images.mean())}


def finished(recipe, values, seed=1):
    values = {name: np.asarray(value) for name, value in values.items()}
    return Finished(values, Run(vae.train, recipe=recipe, seed=seed), 0.0)


def train(recipe, seed=1, **options):
    return finished(recipe, vae.train(recipe, seed, **options), seed)


@pytest.fixture(scope="module")
def run():
    return train(SMALL)


@pytest.fixture(params=[False, True], ids=["grey", "binary"])
def tiny(request):
    """A VAE that was not trained, and a run that gave its weights."""
    recipe = replace(SMALL, latent_dim=2, hidden_dim=(4,), binarize=request.param)
    keras.utils.set_random_seed(3)
    model = models.vae.VAE(2, 4, binarize=request.param)
    values = {part: models.weights.flatten(getattr(model, part)) for part in ("encoder", "decoder")}
    return model, finished(recipe, values)


def test_a_resumed_run_is_an_uninterrupted_one(run, tmp_path):
    folder = str(tmp_path / "state")
    train(replace(SMALL, epochs=2), checkpoint=folder)
    resumed = train(SMALL, checkpoint=folder)
    assert resumed.keys() == run.keys()
    for name in run.keys() - {"seconds"}:
        np.testing.assert_allclose(resumed[name], run[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_run_tells_what_was_trained(run):
    for prefix in ("", "test_"):
        elbo, reconstruction, kl = (run[prefix + name] for name in TERMS)
        np.testing.assert_allclose(elbo, -reconstruction - kl, rtol=1e-5)
        assert len(elbo) == 3 and elbo[-1] > elbo[0]
    model = vae.vae_of(run)
    assert model.binarize and (model.latent_dim, model.hidden_dim) == (3, (6, 5))
    test = vae.unseen(SMALL)
    seen = data.mnist.drawn(data.mnist.rows("sample")[0][: len(test)])
    for images, kl in ((test, run["test_kl"][-1]), (seen, run["seen_kl"])):
        assert task_4_3_1.divergences(*model.encode(images)).sum() == pytest.approx(kl, rel=1e-4)
    assert run["seen_elbo"] == pytest.approx(-run["seen_reconstruction"] - run["seen_kl"])


def test_test_images_are_grey_or_drawn_once():
    grey, drawn = vae.unseen(replace(SMALL, binarize=False)), vae.unseen(SMALL)
    np.testing.assert_array_equal(grey, data.mnist.rows("sample")[1])
    assert set(np.unique(drawn)) == {0, 1}
    assert np.mean(drawn) == pytest.approx(grey.mean(), abs=1e-3)
    np.testing.assert_array_equal(drawn, vae.unseen(SMALL))


def test_samples_are_scored(run, monkeypatch):
    monkeypatch.setattr(scoreboard, "board", lambda *_: Board())
    found = vae.score(run, None, 120)
    samples = vae.vae_of(run).sample(120, seed=1)
    assert found["score_frechet"] == pytest.approx(samples.mean())
    assert found["images"].shape == (100, 784) and found["images"].dtype == np.uint8
    np.testing.assert_allclose(found["images"] / 255, samples[:100], atol=0.003)
    np.testing.assert_allclose(found["confident_classes"], 0.25 * np.eye(10)[3])


@pytest.mark.parametrize("falling, last", [(False, 0.01), (True, 1e-4)])
def test_the_rate_of_adam(falling, last, monkeypatch):
    fit, optimizers = compiled.fit, []

    def watched(model, *arguments, **options):
        optimizers.append((model.optimizer, float(model.optimizer.learning_rate)))
        return fit(model, *arguments, **options)

    monkeypatch.setattr(compiled, "fit", watched)
    train(replace(SMALL, falling=falling, batch_size=1_500, beta_1=0.7))
    (optimizer, first), = optimizers
    assert first == pytest.approx(0.01) and optimizer.beta_1 == 0.7
    assert int(optimizer.iterations) == 9  # 4,000 images, three epochs
    assert float(optimizer.learning_rate) == pytest.approx(last, rel=1e-3)


def test_whatever_a_recipe_says_changes_the_training():
    usual = replace(SMALL, epochs=1, images=400, batch_size=200)
    changes = {
        "latent_dim": 2, "hidden_dim": (6,), "batch_size": 100, "learning_rate": 1e-3,
        "beta_1": 0.9, "beta_2": 0.9, "epsilon": 0.1, "falling": True, "binarize": False,
        "kl_weight": 0.0, "images": 380,
    }
    bounds = [train(replace(usual, **{name: value}))["test_elbo"][-1]
              for name, value in changes.items()]
    assert len({train(usual)["test_elbo"][-1], *bounds}) == len(changes) + 1


def test_a_vae_that_diverges_stops_with_the_epoch(tmp_path):
    with pytest.raises(UserError, match="of vae.* is not finite after epoch 1"):
        train(replace(SMALL, learning_rate=1e30), checkpoint=tmp_path)
    assert not list(tmp_path.iterdir()), "nothing of a bad epoch is kept"


def test_likelihoods_of_parts_are_those_of_direct_calls(tiny, monkeypatch):
    monkeypatch.setattr(vae, "_PART", 5)
    model, run = tiny
    task = SimpleNamespace(run=lambda function, **arguments: function(**arguments))
    found = vae.bounds(vae.likelihoods(task, run, digits=12, codes=7))
    rows = vae.unseen(run.recipe)
    expected = np.concatenate([
        model.log_likelihood(rows[start:stop], 7, seed=start)
        for start, stop in ((0, 5), (5, 10), (10, 12))
    ])
    np.testing.assert_allclose(found["iwae"], expected, rtol=1e-5)
    draws = [model.elbo(rows[5:10], seed=seed) for seed in range(50, 60)]
    np.testing.assert_allclose(found["elbo"][5:10], np.mean(draws, axis=0), rtol=1e-5)
    with pytest.raises(UserError, match="1000 test digits: 1001 "):
        vae.likelihood(run, codes=1, start=1_000, stop=1_001)


def test_kl_by_dimension(tiny):
    means, deviations = np.array([[1, 0], [-3, 0]]), np.array([[2, 1], [0.5, 1]])
    by_hand = np.mean([0.5 * (4 + 1 - 1 - np.log(4)), 0.5 * (0.25 + 9 - 1 - np.log(0.25))])
    np.testing.assert_allclose(task_4_3_1.divergences(means, deviations), [by_hand, 0])
    model, run = tiny
    found = task_4_3_1.latent_dimensions(run)
    model.compile("sgd")
    logs = compiled.evaluate(model, vae.unseen(run.recipe))
    assert found["kl"].sum() == pytest.approx(logs["kl"], rel=1e-4)
    means = model.encode(vae.unseen(run.recipe))[0]
    np.testing.assert_array_equal(found["active"], means.var(axis=0) > 0.01)


def test_walks_lead_from_digit_to_digit(tiny):
    model, run = tiny
    lines = task_4_3_3.walks(run, steps=3)["images"]
    assert lines.shape == (5, 3, 784) and lines.dtype == np.uint8
    _, rows, labels = data.mnist.rows("sample")
    for line, digits in zip(lines, task_4_3_3.PAIRS, strict=True):
        first, last = model.encode(rows[[np.argmax(labels == digit) for digit in digits]])[0]
        codes = np.stack([first, (first + last) / 2, last])
        np.testing.assert_allclose(line / 255, model.decode(codes), atol=0.003)


def test_the_loss_of_a_vae_is_the_cross_entropy(tiny):
    _, run = tiny
    found = task_4_3_2.losses_of_vae(run)
    assert found["logged"] == pytest.approx(found["cross_entropy"], rel=1e-2)
    assert found["squared_error"] < 0.8 * found["logged"]
    assert task_4_3_2.losses_of_vae(run) == found, "a run is repeatable"
