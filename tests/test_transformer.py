"""The search over Table 3, what its accuracies say, and training that goes on."""

import keras
import numpy as np
import pytest

from ann_keras.errors import UserError
from ann_keras.experiments import grid, transformer
from ann_keras.models.mlp import nar_mlp
from ann_keras.report import published
from ann_keras.training import compiled
from ann_keras.training.metrics import BatchLosses
from ann_keras.training.resume import Resume
from tuning import transformer as search

TABLE_3 = [f"{row[1]}/{row[2]}/{row[3]}" for row in published.TABLES[3].rows]
SMALL = {"dim": 8, "depth": 1, "mlp_dim": 8, "seed": 0, "source": "sample", "batch_size": 1000}


def test_the_crossed_rows_are_the_27_of_the_grid():
    rows = grid.crossed(TABLE_3)
    assert len(TABLE_3) == 40
    assert {size for size in rows.values()} == {
        (dim, depth, mlp) for dim in (32, 64, 128) for depth in (4, 6, 8) for mlp in (64, 128, 256)
    }


def test_main_effects_of_an_additive_table():
    def accuracy(dim, depth, mlp_dim):
        return 0.9 + 0.03 * np.log2(dim / 32) + 0.01 * (depth - 4) / 2

    values = {row: accuracy(*grid.row_sizes(row)) for row in grid.crossed(TABLE_3)}
    effects = grid.main_effects(values)
    # Both factors have three equidistant levels, so the variances are as the squares of the steps.
    assert effects["dim"] == pytest.approx(0.9) and effects["depth"] == pytest.approx(0.1)
    assert effects["mlp_dim"] == pytest.approx(0, abs=1e-12)


def test_steps_of_dim_are_taken_in_rows_of_equal_depth_and_mlp_dim():
    values = {"32/4/64": 2.0, "32/6/64": 3.0, "64/4/64": 3.0, "64/6/64": 6.0, "64/8/64": 50.0,
              "256/9/64": 9.0}
    assert grid.matched_steps(values) == {(32, 64): pytest.approx(1.75)}
    assert grid.matched_steps(values, np.subtract) == {(32, 64): pytest.approx(2.0)}


def table(rows, score, folder):
    """``table_accuracies`` of a training that gives one number."""
    def train(**arguments):
        row = f"{arguments['dim']}/{arguments['depth']}/{arguments['mlp_dim']}"
        return {"test_accuracy": [score(row)], "seconds": 2.0}

    settings = search.Settings(rows=tuple(rows), source="sample")
    return search.table_accuracies(settings, train, folder)


def test_a_row_without_a_result_is_named(tmp_path):
    def score(row):
        if row == "16/1/1":
            raise ValueError("out of memory")
        return 0.5

    with pytest.raises(UserError, match="no result for 16/1/1 .*out of memory"):
        table(["8/1/1", "16/1/1"], score, tmp_path)


def test_time_of_an_epoch_is_scaled_to_all_images():
    found = transformer.time_epoch(
        dim=8, depth=1, mlp_dim=4, source="sample", batch_size=50, attention_scale="model",
        steps=2, rounds=2,
    )
    assert 0.05 < found["seconds"] < 100  # 80 steps


@pytest.mark.parametrize("row", ["128/8", "a/b/c", "1/2/3/4", ""])
def test_a_row_is_three_numbers(row):
    with pytest.raises(ValueError, match="dim/depth/mlp_dim such as 128/8/128"):
        grid.row_sizes(row)


def test_the_search_tries_each_row_once_and_goes_on(tmp_path):
    rows, tried = ["8/1/1", "16/1/1", "24/1/1"], []

    def score(row):
        tried.append(row)
        if len(tried) == 2:
            raise KeyboardInterrupt
        return int(row.split("/")[0]) / 100

    with pytest.raises(KeyboardInterrupt):
        table(rows, score, tmp_path)
    assert table(rows, score, tmp_path) == {"8/1/1": 0.08, "16/1/1": 0.16, "24/1/1": 0.24}
    assert tried == ["8/1/1", "16/1/1", "16/1/1", "24/1/1"], "a finished row is not repeated"
    table(rows, score, tmp_path)
    assert len(tried) == 4


def data():
    x = np.random.default_rng(0).normal(size=(70, 5)).astype(np.float32)
    return x, x[:, :1] * 0.3


def network(metrics=()):
    keras.utils.set_random_seed(0)
    model = nar_mlp(5, 4)
    model.compile("adam", "mse", metrics=list(metrics))
    return model


class Interrupt(keras.callbacks.Callback):
    """Stops the process's training as Ctrl-C does, in the epoch after ``epochs``."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epochs:
            raise KeyboardInterrupt


def test_a_search_over_other_rows_has_a_folder_of_its_own(tmp_path):
    assert table(["8/1/1", "16/1/1"], lambda row: 0.5, tmp_path).keys() == {"8/1/1", "16/1/1"}
    before = {file: file.read_bytes()
              for file in (tmp_path / "search").rglob("*") if file.is_file()}
    assert len(before) > 2
    assert table(["8/1/1", "24/1/1"], lambda row: 0.7, tmp_path)["24/1/1"] == 0.7
    assert all(file.read_bytes() == content for file, content in before.items())


def test_training_in_parts_is_training_at_once():
    whole, parts = network(), network()
    loss = compiled.fit(whole, *data(), epochs=5, seed=3).history["loss"]
    first = compiled.fit(parts, *data(), epochs=2, seed=3)
    second = compiled.fit(parts, *data(), epochs=5, seed=3, initial_epoch=2)
    assert first.history["loss"] + second.history["loss"] == loss
    assert second.epoch == [2, 3, 4]
    for one, other in zip(whole.get_weights(), parts.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_early_stopping_tells_the_epoch_after_earlier_ones():
    stopping = keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=10.0)
    compiled.fit(network(), *data(), epochs=9, initial_epoch=4, callbacks=[stopping])
    assert stopping.stopped_epoch == 5


def test_interrupted_training_goes_on_with_its_logs(tmp_path):
    expected = compiled.fit(network(), *data(), epochs=4, seed=1).history["loss"]
    with pytest.raises(KeyboardInterrupt):
        compiled.fit(
            network(), *data(), epochs=4, seed=1, callbacks=[Resume(tmp_path), Interrupt(2)]
        )
    resume = Resume(tmp_path)
    history = compiled.fit(network(), *data(), epochs=4, seed=1, callbacks=[resume])
    assert history.epoch == [2, 3], "the finished epochs are not repeated"
    assert [logs["loss"] for logs in resume.logs] == expected


def test_a_run_killed_while_it_writes_goes_on_from_the_epoch_before(tmp_path, monkeypatch):
    expected = compiled.fit(network(), *data(), epochs=4, seed=1).history["loss"]
    save = keras.Model.save_weights

    def killed(self, path, *args):
        save(self, path, *args)
        if "epoch_3" in str(path):
            path.write_bytes(path.read_bytes()[:100])
            raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "save_weights", killed)
    with pytest.raises(KeyboardInterrupt):
        compiled.fit(network(), *data(), epochs=4, seed=1, callbacks=[Resume(tmp_path)])
    monkeypatch.undo()
    resume, model = Resume(tmp_path), network()
    history = compiled.fit(model, *data(), epochs=4, seed=1, callbacks=[resume])
    assert history.epoch == [2, 3]
    assert [logs["loss"] for logs in resume.logs] == expected
    assert [file.name for file in tmp_path.glob("*.h5")] == ["epoch_4.weights.h5"]
    again = compiled.fit(model, *data(), epochs=2, seed=1)
    assert again.epoch == [0, 1], "the model's next training is one of its own"


def test_batch_losses_are_those_of_each_step():
    x, y = data()
    losses = BatchLosses(keras.losses.mean_squared_error, steps=3)
    model = network([losses])
    weights = model.get_weights()
    compiled.fit(
        model, x, y, batch_size=25, shuffle=False, validation_data=(x[:9], y[:9]), epochs=1
    )
    model.set_weights(weights)  # the first step's loss is that of the initial weights
    first = np.mean((model(x[:25]).numpy() - y[:25]) ** 2)
    found = keras.ops.convert_to_numpy(losses.previous)
    assert found.shape == (3,) and found[0] == pytest.approx(first, rel=1e-5)
    assert (found > 0).all() and len(set(found.tolist())) == 3


def test_a_transformer_run_that_was_interrupted_is_the_same(tmp_path, monkeypatch):
    whole = transformer.train(epochs=2, **SMALL)
    transformer.train(epochs=1, checkpoint=str(tmp_path), **SMALL)
    resumed = transformer.train(epochs=2, checkpoint=str(tmp_path), **SMALL)
    for name in ("loss", "test_accuracy", "step_loss"):
        np.testing.assert_array_equal(whole[name], resumed[name])
    assert np.shape(whole["step_loss"]) == (2, 4)
    np.testing.assert_allclose(np.mean(whole["step_loss"], 1), whole["loss"], rtol=1e-5)
