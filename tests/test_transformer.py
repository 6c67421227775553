"""Trainings of the vision transformer, and the search over the rows of Table 3."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.data import mnist
from ann_keras.recipes import transformer
from ann_keras.runs.run import Finished, Run
from tuning import oracles, transformer as search
from tuning.tuner import Tuner, project_folder

SMALL = transformer.Recipe(
    dim=8, depth=1, mlp_dim=8, patch_size=14, batch_size=1_000, epochs=2, source="sample"
)
CURVES = "loss", "test_accuracy", "step_loss"


@pytest.fixture(scope="module", autouse=True)
def untraced():
    """Without graphs, which take longer to trace than a few steps do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def run():
    values = transformer.train(SMALL, 0)
    values = {name: np.asarray(value) for name, value in values.items()}
    return Finished(values, Run(transformer.train, recipe=SMALL, seed=0), 0.0)


def test_losses_of_every_step(run):
    assert run["step_loss"].shape == (2, 4) and run["test_accuracy"].shape == (2,)
    np.testing.assert_allclose(run["step_loss"].mean(axis=1), run["loss"], rtol=1e-5)
    assert run["loss"][1] < run["loss"][0]


def test_an_interrupted_training_is_the_same(run, tmp_path):
    transformer.train(replace(SMALL, epochs=1), 0, checkpoint=str(tmp_path))
    resumed = transformer.train(SMALL, 0, checkpoint=str(tmp_path))
    for name in (*CURVES, "weights"):
        np.testing.assert_array_equal(run[name], resumed[name])


def test_the_trained_network_comes_back(run):
    _, (images, labels) = mnist.load("sample")
    found = np.argmax(transformer.model_of(run)(mnist.scale(images)), axis=1) == labels
    assert found.mean() == pytest.approx(run["test_accuracy"][-1], abs=1e-6)


def test_attention_of_a_trained_network_to_each_digit(run):
    found = transformer.attend(run)
    _, (images, labels) = mnist.load("sample")
    places = [np.flatnonzero((images == digit).all(axis=(1, 2)))[0] for digit in found["digits"]]
    assert labels[places].tolist() == list(range(10))
    assert found["attention"].shape == (1, 10, 4)
    assert (found["attention"] > 0).all() and (found["attention"].sum(axis=2) < 1).all()


def test_all_of_a_recipe_reaches_network_and_optimizer():
    recipe = replace(SMALL, heads=4, patch_size=4, attention_scale="head", learning_rate=0.1,
                     decay=0.5, beta_1=0.5, beta_2=0.9, epsilon=0.01)
    model = transformer.build(recipe, steps=3)
    attention = model.get_layer("block_1_attention")
    assert (attention.heads, attention.scale) == (4, pytest.approx(2**-0.5))
    assert model.get_layer("patches").patch_size == 4
    adam = model.optimizer.get_config()
    assert [adam[name] for name in ("beta_1", "beta_2", "epsilon")] == [0.5, 0.9, 0.01]
    rate = keras.optimizers.schedules.deserialize(adam["learning_rate"])
    assert [float(rate(step)) for step in (0, 2, 3, 6)] == pytest.approx([0.1, 0.1, 0.05, 0.025])


def test_times_of_an_epoch_are_scaled_to_all_images():
    found = transformer.time_epochs(
        replace(SMALL, batch_size=50), ["8/1/4", "16/1/4"], steps=2, rounds=2
    )
    assert len(found["seconds"]) == 2
    assert all(0.05 < seconds < 100 for seconds in found["seconds"])  # 80 steps


def test_the_search_trains_each_row_of_the_table_once(tmp_path, monkeypatch):
    trained = []

    def train(recipe, seed, checkpoint):
        trained.append((recipe, seed))
        return {"test_accuracy": [0.0, recipe.dim / 100], "seconds": 2.0}

    monkeypatch.setattr(transformer, "train", train)
    rows = "8/1/1", "16/1/1", "24/1/1"
    found = search.Search(search.Settings(rows=rows, source="sample"))
    oracle = oracles.create("grid", found, seed=1)
    Tuner(found, oracle, project_folder(tmp_path, "grid", found, seed=1)).search(verbose=0)
    published = transformer.Recipe(epochs=1, source="sample")
    assert trained == [(transformer.sized(published, row), 0) for row in rows]
    assert [trial.score for trial in oracle.get_best_trials(3)] == [0.24, 0.16, 0.08]
