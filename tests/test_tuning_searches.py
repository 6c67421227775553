"""Every search: its space, a smoke trial, its objective, and what an interruption leaves."""

import csv
import dataclasses
import functools
import json
import math
from types import SimpleNamespace

import keras
import keras_tuner
import numpy as np
import pytest
from keras_tuner.errors import FailedTrialError

import tuning
from ann_keras import data, models, recipes
from ann_keras.errors import UserError
from ann_keras.training import resume
from tuning import __main__ as command, run as runs

SAMPLES = 12  # of each space
FASTER = {  # without what other searches show as well
    "timeseries_lstm": {"evaluation_seeds": 0}, "rbm": {"evaluation_seeds": 0},
    "timeseries_mlp": {"origins": (300,)}, "convnet": {"epochs": 1},
    "transformer": {"batch_size": 1_000}, "vae": {"images": 100},
    "regression": {"max_trials": 2, "evaluation_seeds": 0},  # the best of two
}


def search_of(name, preset="smoke", **changes):
    module = tuning.load(name)
    return module.Search(dataclasses.replace(module.PRESETS[preset], **changes))


def setting(**values):
    """Hyperparameters of which those that are not named have their defaults."""
    hp = keras_tuner.HyperParameters()
    hp.values = values
    return hp


@pytest.mark.parametrize("name", tuning.SEARCHES)
def test_settings_are_built_or_refused_before_anything_is_built(name, monkeypatch):
    search = search_of(name, "report", **({"source": "sample"} if name == "transformer" else {}))
    space = search.space()
    built = 0
    for seed in range(SAMPLES):
        drawn = {part.name: part.random_sample(100 * seed + place)
                 for place, part in enumerate(space.space)}
        with monkeypatch.context() as patch:
            patch.setattr(keras.layers.Layer, "__init__", lambda *_, **__: pytest.fail("built"))
            try:
                values = search.values(setting(**drawn))
            except FailedTrialError as refusal:
                assert len(str(refusal)) > 20 and "\n" not in str(refusal)
                continue
        assert json.loads(json.dumps(values)) == values  # best.json gives them to ``evaluate``
        if built < (1 if name == "transformer" else 4) or name == "convnet":
            assert search.build(values).count_params() > 0
        built += 1
    assert built > SAMPLES / 3


@pytest.mark.parametrize("name, values, reason", [
    ("timeseries_mlp", {"lag": 120}, "lag of 120 leaves no window .* 100"),
    ("timeseries_lstm", {"lag": 100}, "lag of 100 leaves no window .* 100"),
    ("autoencoder", {"first_units": 128, "second_units": 160}, "160 > 128"),
    ("convnet", {"kernel_2": 5, "kernel_3": 5, "padding_1": 0, "padding_2": 0, "padding_3": 0,
                 "stride_1": 3, "stride_2": 3}, "block 3: .*5×5.*2×2"),
    ("convnet", {"stride_1": 1, "stride_2": 1}, "multiplications .* more than 8,000,000"),
    ("vae", {"latent_dim": 300, "hidden_dim": 256}, "300 components .* 256"),
])
def test_refusals_say_why(name, values, reason):
    changes = {"origins": (100,)} if name.startswith("timeseries") else {}
    with pytest.raises(FailedTrialError, match=reason):
        search_of(name, "report", **changes).values(setting(**values))


def test_validation_forecasts_cannot_reach_the_test_points():
    with pytest.raises(ValueError, match="at most 900.*got 901"):
        search_of("timeseries_mlp", origins=(500, 901))


@pytest.mark.parametrize("options", [
    {}, {"pooling": True}, {"stride_1": 3, "stride_2": 1}, {"pooling": True, "stride_1": 3},
    {"filters": 8, "kernel_1": 2, "kernel_3": 5, "padding_3": 2},
])
def test_work_is_that_of_the_network(options):
    search, work = search_of("convnet"), 0
    values = search.values(setting(**options))
    model = search.build(values)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            work += math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
    work += math.prod(model.layers[-2].kernel.shape)
    assert tuning.load("convnet").multiplications(**values) == work


def options_of(name, folder, **changes):
    changes = {"max_trials": 1} | FASTER.get(name, {}) | changes
    settings = dataclasses.replace(tuning.load(name).PRESETS["smoke"], **changes)
    return command.Options(search=name, settings=settings, preset="smoke", results=folder)


def trials_of(name, folder):
    """Rows of trials.csv by trial, without what differs from run to run."""
    with open(folder / "smoke" / "tuning" / name / "trials.csv") as file:
        return {row["trial"]: row | {"seconds": None} for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """Function of a search's name: folder of results of its smoke preset, of one trial."""
    @functools.cache
    def folder(name):
        results = tmp_path_factory.mktemp(name)
        runs.run(options_of(name, results))
        return results

    return folder


@pytest.mark.parametrize("name", tuning.SEARCHES)
def test_a_smoke_trial(name, smoke):
    folder = smoke(name)
    search, trials = search_of(name), trials_of(name, folder)
    assert list(sorted(trials)) == [str(trial) for trial in range(
        options_of(name, folder).settings.max_trials)]
    assert all(row["status"] == "COMPLETED" for row in trials.values())
    for part, value in search.space().values.items():
        assert trials["0"][part] == str(value) or float(trials["0"][part]) == value
    assert all(math.isfinite(float(row[search.objective])) for row in trials.values())
    best = json.loads((folder / "smoke" / "tuning" / name / "best.json").read_text())
    order = min if search.direction == "min" else max
    assert best["best"][search.objective] == pytest.approx(
        order(float(row[search.objective]) for row in trials.values()), rel=1e-5
    )
    if "published" in best["compared"]:
        results = best["compared"]["published"]
        assert results["settings"] == search.values(search.space())
        tests = [name for name in results if name.startswith("test_")]
        assert tests and all(np.isfinite(results[name]).all() for name in tests)


def interrupt(patch, owner, name, call):
    """Let a function raise KeyboardInterrupt in place of its call of this number; count calls."""
    calls, function = [], getattr(owner, name)

    def counted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == call:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    patch.setattr(owner, name, counted)
    return calls


def interrupted(options, call, owner, name):
    """Interrupt a search at a call of a function, and go on; number of calls in the second run."""
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, owner, name, call=call)
        with pytest.raises(KeyboardInterrupt):
            runs.run(options)
    with pytest.MonkeyPatch.context() as patch:
        calls = interrupt(patch, owner, name, call=None)
        runs.run(options)
    return len(calls)


def test_an_interrupted_trial_goes_on_from_its_last_epoch(smoke, tmp_path):
    options = options_of("vae", tmp_path)
    assert interrupted(options, 2, resume.Resume, "on_epoch_end") == 1
    assert trials_of("vae", tmp_path) == trials_of("vae", smoke("vae"))


def test_an_interrupted_trial_goes_on_from_its_last_forecast(tmp_path, monkeypatch):
    def validate(recipe, seed, origins):  # without a training
        return {"nmse": np.array([recipe.learning_rate * origins[0] + seed])}

    monkeypatch.setattr(recipes.timeseries, "validate", validate)
    changes = {"max_trials": 2, "origins": (300, 400), "evaluation_seeds": 0}
    whole, parts = (options_of("timeseries_mlp", tmp_path / part, **changes)
                    for part in ("whole", "parts"))
    runs.run(whole)
    # At the second of two parts of the second trial.
    assert interrupted(parts, 4, recipes.timeseries, "validate") == 1
    assert trials_of("timeseries_mlp", parts.results) == trials_of("timeseries_mlp", whole.results)


@pytest.mark.parametrize("name", ["autoencoder", "rbm"])
def test_finished_seeds_are_kept(name, tmp_path, monkeypatch):
    search, seen = search_of(name, seeds=3), []
    values = search.values(search.space())

    def train(first, *rest, **_):
        seed = rest[0] if rest else first.random_state
        seen.append(seed)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return {search.objective.removeprefix("val_" if rest else ""): float(seed)}

    monkeypatch.setattr(search, "_train", train)
    with pytest.raises(KeyboardInterrupt):
        search.fit(values, search.build(values), tmp_path, None)
    result = search.fit(values, search.build(values), tmp_path, None)
    assert seen == [0, 1, 1, 2] and result[search.objective] == 1.0


def test_forecast_errors_of_fewer_epochs_are_not_taken_for_those_of_more(tmp_path, monkeypatch):
    search = search_of("timeseries_mlp", origins=(300, 400, 500), seeds=3)
    values = search.values(search.space())
    found = {300: [1, 2, 9], 400: [5, 4, 3], 500: [7, 0, 0]}

    def validate(recipe, seed, origins):
        return {"nmse": np.array([100 * recipe.epochs + found[origins[0]][seed]], float)}

    monkeypatch.setattr(recipes.timeseries, "validate", validate)
    for epochs in (1, 2):  # as Hyperband gives them, with the checkpoint of before
        result = search.fit(values, search.build(values), tmp_path, epochs)
        assert result["val_nmse"] == pytest.approx(100 * epochs + (2 + 4 + 0) / 3)
        assert result["worst_origin"] == 100 * epochs + 4


def test_objective_does_not_depend_on_the_test_points(tmp_path, monkeypatch):
    search = search_of("timeseries_mlp", origins=(900,))
    values = search.values(setting(lag=10))
    known = search.fit(values, search.build(values), tmp_path / "known", 1)
    series = data.santafe.load_all().copy()
    series[data.santafe.TRAINING_POINTS:] = 77.0
    monkeypatch.setattr(data.santafe, "load_all", lambda: series)
    assert search.fit(values, search.build(values), tmp_path / "changed", 1) == known


def test_rbm_is_compared_on_test_images():
    search = search_of("rbm")
    found = search.evaluate({"components": 10, "learning_rate": 0.1, "epochs": 1}, seed=2)
    rows, test, _ = data.mnist.rows("sample")
    rbm = models.rbm.BernoulliRBM(10, 0.1, search.settings.batch_size, 1, 2, monitor=False)
    exact = rbm.fit(rows).log_likelihood(data.mnist.binary(test)).mean()
    assert found["test_log_likelihood"] == pytest.approx(exact, abs=10)
    assert found["test_log_likelihood"] < exact < found["test_log_likelihood"] + found["test_gap"]


def test_an_rbm_is_trained_and_scored_on_its_parts_of_the_training_images(monkeypatch):
    search, parts = search_of("rbm"), []
    monkeypatch.setattr(search, "_score", lambda *arguments: parts.append(arguments) or {})
    values = {"components": 50, "learning_rate": 0.2, "epochs": 2}
    found = search._train(search.build(values, seed=3))
    rows, _, _ = data.mnist.rows("sample")
    (model, seen, held_out), = parts
    np.testing.assert_array_equal(seen, rows[:search.settings.images])
    np.testing.assert_array_equal(held_out, rows[-search.settings.validation:])
    same = models.rbm.BernoulliRBM(50, 0.2, search.settings.batch_size, 2, 3, monitor=False)
    np.testing.assert_array_equal(model.components_, same.fit(seen).components_)
    expected = same.score_samples(data.mnist.binary(held_out)).mean()
    assert found["val_pseudo_likelihood"] == pytest.approx(expected)


def test_images_that_judge_are_not_trained_on():
    from tuning import images

    settings = SimpleNamespace(source="sample", images=3_000, validation=1_000)
    (x, y), (held_out, labels) = images.held_out(settings)
    (every, digits), _ = data.mnist.load("sample")
    np.testing.assert_array_equal(x, data.mnist.scale(every[:3_000]))
    np.testing.assert_array_equal(held_out, data.mnist.scale(every[3_000:]))
    assert (np.argmax(np.concatenate([y, labels]), axis=1) == digits).all()
    settings.images = 3_001
    with pytest.raises(UserError, match="3001 images .* 1000 .* 4000"):
        images.held_out(settings)
