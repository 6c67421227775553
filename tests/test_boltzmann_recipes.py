"""What tasks 4.1.1 to 4.1.7 train and measure."""

from dataclasses import replace

import numpy as np
import pytest
import task_4_1_1
import task_4_1_2
import task_4_1_3
import task_4_1_6
import task_4_1_7

from ann_keras import data, models
from ann_keras.evaluation import labels, restoration
from ann_keras.models import boltzmann
from ann_keras.recipes import convnet, dbm, rbm
from ann_keras.runs.run import Finished, Results, Run

SMALL = rbm.Recipe(components=5, batch_size=100, epochs=3, source="sample")
DEEP = dbm.Recipe(
    layers=(784, 6, 5), pretraining_epochs=(1, 1), epochs=3, learning_rate=0.01,
    mean_field_updates=3, gibbs_steps=1, source="sample",
)


def finished(function, recipe, seed=0, **arguments):
    values = {name: np.asarray(value)
              for name, value in function(recipe, seed, **arguments).items()}
    return Finished(values, Run(function, recipe=recipe, seed=seed), 0.0)


@pytest.fixture(scope="module")
def small():
    """An RBM that is kept after its first epoch as well."""
    return finished(rbm.train, SMALL, snapshots=(1,))


@pytest.fixture(scope="module")
def trained():
    return finished(rbm.train, replace(SMALL, epochs=2))


@pytest.fixture(scope="module")
def deep():
    return finished(dbm.train, DEEP)


@pytest.fixture(scope="module")
def labelling():
    return finished(convnet.train, convnet.LABELLING_SMOKE)


def components(weights):
    return weights[..., :5 * 784]


def test_snapshots_are_the_machine_on_its_way(small):
    assert small["weights"].shape == (2, 5 * 784 + 5 + 784)
    assert len(small["pseudo_likelihood"]) == 3
    first = rbm.train(replace(SMALL, epochs=1), 0)
    np.testing.assert_array_equal(small["weights"][0], first["weights"])
    assert np.abs(components(small["weights"][1]) - components(first["weights"])).max() > 0.01


def test_a_falling_rate_ends_with_small_steps(small):
    falling = rbm.train(replace(SMALL, falling=True), 0, snapshots=(1, 2))
    np.testing.assert_allclose(falling["weights"][0], small["weights"][0], rtol=1e-6)
    steady = rbm.train(SMALL, 0, snapshots=(1, 2))
    last = [np.abs(np.diff(components(run["weights"]), axis=0)[-1]).mean()
            for run in (falling, steady)]
    assert last[0] < 0.6 * last[1]


@pytest.mark.parametrize("changes", [
    {"binarization": "threshold"}, {"binarization": "draw"}, {"method": "cd"}, {"gibbs_steps": 2},
    {"momentum": 0.5}, {"weight_decay": 0.1}, {"centering": True}, {"shuffle": True},
])
def test_every_setting_of_an_rbm_counts(changes, small):
    one_epoch = rbm.train(replace(SMALL, epochs=1, **changes), 0)
    assert (one_epoch["weights"] != small["weights"][0]).any()


def test_a_machine_is_rebuilt_from_its_run(trained, small):
    machine, weights = rbm.rbm_of(trained), trained["weights"]
    np.testing.assert_array_equal(machine.components_.ravel(), components(weights))
    np.testing.assert_array_equal(machine.intercept_hidden_, weights[5 * 784:][:5])
    np.testing.assert_array_equal(machine.intercept_visible_, weights[-784:])
    early = rbm.rbm_of(small, 0)
    np.testing.assert_array_equal(early.components_.ravel(), components(small["weights"][0]))


def test_the_bracket_holds_the_exact_likelihood(trained):
    machine = rbm.rbm_of(trained)
    rows, test_rows, _ = data.mnist.rows("sample")
    found = rbm.bracket(machine, rows, test_rows, temperatures=300, binarization="threshold",
                        chains=50, burn_in=100)
    known = machine.log_likelihood(data.mnist.binary(test_rows)).mean()
    assert found["upper"] == pytest.approx(known, abs=0.15)
    assert found["lower"] == pytest.approx(known, abs=0.15)
    assert found["low"] <= found["upper"] <= found["high"]


def test_exact_scores_are_of_each_snapshot(small):
    scores = task_4_1_1.exact_scores(small)
    rows = data.mnist.binary(data.mnist.rows("sample")[1])
    machine = rbm.rbm_of(small, 1)
    total = boltzmann.log_partition(
        machine.components_, machine.intercept_hidden_, machine.intercept_visible_
    )
    expected = (-machine.free_energy(rows) - total).mean()
    assert len(scores["log_likelihood"]) == len(scores["pseudo_likelihood"]) == 2
    assert scores["log_likelihood"][1] == pytest.approx(expected, abs=1e-3)
    assert scores["log_likelihood"][0] != scores["log_likelihood"][1]


def test_scores_are_of_unseen_digits(trained):
    found = rbm.score(trained, temperatures=20, burn_in=10)
    assert rbm.score(trained, temperatures=20, burn_in=10) == found
    drawn = rbm.score(trained, temperatures=20, burn_in=10, binarization="draw")
    assert drawn["error"] == found["error"] and drawn["upper"] != found["upper"]
    _, rows, _ = data.mnist.rows("sample")
    machine = rbm.rbm_of(trained)
    # One step from states drawn by these probabilities: the error of their means is a little less.
    means = machine.transform(rows) @ machine.components_ + machine.intercept_visible_
    error = np.mean((1 / (1 + np.exp(-means)) - rows) ** 2)
    assert found["error"] == pytest.approx(error, rel=0.2)


def test_monitored_as_by_scikit_learn(trained):
    from sklearn.neural_network import BernoulliRBM

    found = rbm.monitor(trained)
    machine, peer = rbm.rbm_of(trained), BernoulliRBM(random_state=10)
    peer.components_ = machine.components_
    peer.intercept_hidden_ = machine.intercept_hidden_
    peer.intercept_visible_ = machine.intercept_visible_
    scores = peer.score_samples(data.mnist.rows("sample")[0])
    assert found["published"] == pytest.approx(scores.mean(), rel=1e-4)
    assert 0 < abs(found["fresh"] - found["published"]) < 4 * found["draw_sd"]
    assert found["draw_sd"] == pytest.approx(scores.std() / np.sqrt(4_000), rel=0.1)
    along = rbm.monitor_along(trained.recipe, trained.seed)["published"]
    assert len(along) == trained.recipe.epochs and along[-1] == pytest.approx(found["published"])


@pytest.mark.parametrize("how", ["none", "threshold", "draw"])
def test_binarized_images(how):
    rows = np.linspace(0, 1, 5_000, dtype=np.float32).reshape(5, -1)
    seen = data.mnist.binarized(rows, how, seed=1)
    assert seen.mean() == pytest.approx(0.5, abs=0.03) and seen.dtype == np.float32
    assert len(np.unique(seen)) == (5_000 if how == "none" else 2)
    assert (seen == data.mnist.binarized(rows, how, seed=2)).all() == (how != "draw")


def test_an_interrupted_dbm_goes_on_from_its_last_epoch(deep, tmp_path, monkeypatch):
    fit, calls = models.dbm.DBM.fit, []

    def interrupted(self, *args, **options):
        calls.append(options["learning_rate"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(self, *args, **options)

    monkeypatch.setattr(models.dbm.DBM, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dbm.train(DEEP, 0, checkpoint=tmp_path / "state")
    resumed = dbm.train(DEEP, 0, checkpoint=tmp_path / "state")
    assert calls == pytest.approx([0.01, 0.02 / 3, 0.01 / 3, 0.01 / 3])
    assert resumed.keys() == deep.keys() and 0 < resumed.pop("seconds")
    for name, values in resumed.items():
        np.testing.assert_array_equal(values, deep[name], err_msg=name)


class Asked:
    """A DBM that learns nothing, and notes what it is asked."""

    def __init__(self, layers, **options):
        self.calls = [(layers, options)]

    def pretrain(self, layer, rows, **options):
        self.calls.append((layer, rows.sum(), options))

    def fit(self, rows, **options):
        self.calls.append((rows.sum(), options))

    def chains(self):
        return None, None


@pytest.mark.parametrize("changes", [
    {"layers": (784, 7, 5)}, {"pretraining_epochs": (1, 1)}, {"pretraining_rates": (0.06, 0.01)},
    {"pretraining_decays": (1e-3, 0.1)}, {"pretraining_momenta": (0.6, 0.9)},
    {"pretraining_slow_epochs": 1}, {"pretraining_batch_size": 50}, {"pretraining_gibbs_steps": 2},
    {"epochs": 2}, {"learning_rate": 0.02}, {"batch_size": 50}, {"momentum": 0.6},
    {"weight_decay": 0.1}, {"max_norm": 2.0}, {"mean_field_updates": 4}, {"particles": 50},
    {"gibbs_steps": 2}, {"centering": False}, {"binarization": "draw"},
])
def test_every_setting_of_a_dbm_counts(changes, monkeypatch):
    monkeypatch.setattr(models.dbm, "DBM", Asked)
    monkeypatch.setattr(models.weights, "flatten", lambda machine: machine.calls)
    recipe = replace(DEEP, pretraining_epochs=(2, 1))
    usual, changed = (dbm.train(each, 0)["weights"]
                      for each in (recipe, replace(recipe, **changes)))
    assert usual != changed


def test_a_deep_machine_is_rebuilt_from_its_run_and_scored(deep):
    machine = dbm.machine_of(deep)
    np.testing.assert_array_equal(machine.kernels[0].ravel(), deep["weights"][:784 * 6])
    np.testing.assert_array_equal(machine.biases[2], deep["weights"][-5:])
    found, drawn = (dbm.score(deep, temperatures=100, binarization=how)
                    for how in ("threshold", "draw"))
    assert found["upper"] == pytest.approx(found["lower"], abs=1)
    assert drawn["upper"] < found["upper"]


@pytest.mark.parametrize("curve, expected", [
    ([0, 5, 8, 9, 10, 10, 9, 11, 10], 4),  # 9 of 10
    ([0, 5, 8.9, 8.9, 8.9, 8.9, 9, 11, 10], 7),
    ([-3, 7, 7, 7, 7, 7], 2),
    ([5, 4, 3, 2, 1, 0], 1),
    ([2], 1),
])
def test_iterations_until_a_curve_has_made_most_of_its_way(curve, expected):
    assert task_4_1_2.iterations_converging(np.array([curve, curve], float)).tolist() == (
        [expected] * 2)


@pytest.mark.parametrize("region, kept", [
    ("top", np.s_[12:, :]), ("bottom", np.s_[:16, :]), ("left", np.s_[:, 12:]),
    ("right", np.s_[:, :16]),
])
def test_removed_lines(region, kept):
    expected = np.zeros((28, 28), bool)
    expected[kept] = True
    np.testing.assert_array_equal(restoration.known_pixels(region, 12), expected.ravel())


def test_the_middle_is_between_equal_parts():
    rows = restoration.known_pixels("middle", 12).reshape(28, 28).all(axis=1)
    assert rows.tolist() == [True] * 8 + [False] * 12 + [True] * 8


@pytest.mark.parametrize("region, lines", [("corner", 3), ("top", 29), ("top", -1)])
def test_other_regions_are_refused(region, lines):
    with pytest.raises(ValueError, match="unknown region|lines can be removed"):
        restoration.known_pixels(region, lines)


class Brightness:
    """A judge to whom an image shows its number of tenths of white."""

    def labels(self, images):
        return np.round(10 * images.mean(axis=1)).astype(int)


def test_restored_images_keep_what_is_known():
    class White:
        """A machine that answers white, and notes what it is asked."""

        asked = []

        def reconstruct(self, v, known, steps, probabilities):
            self.asked.append((v, known, steps))
            return np.ones_like(v)

    rows, known = np.full((3, 784), 0.4), restoration.known_pixels("top", 14)
    found = restoration.compare(White(), Brightness(), rows, known, 7, shown=[2])
    (cut, nothing, steps), (again, held, _) = White.asked
    assert nothing is None and held is known and steps == 7
    np.testing.assert_array_equal(cut, np.tile(np.where(known, 0.4, 0), (3, 1)))
    np.testing.assert_array_equal(cut, again)
    shown = {kind: values[0] for kind, values in found.items() if not kind.endswith("_images")}
    assert shown == {"whole": 4, "cut": 2, "free": 7, "free_raw": 10, "clamped": 7}
    assert found["free_images"].shape == (1, 784) and found["free_images"].max() == 255


def test_right_labels_by_kind():
    run = {"whole": [1, 2], "cut": [1, 0], "free": [0, 2], "free_raw": [0, 0], "clamped": [1, 2]}
    results = Results([{kind: np.array(values) for kind, values in run.items()}] * 3)
    right = restoration.right(results, np.array([1, 2]))
    shares = {kind: values.mean(axis=1).tolist() for kind, values in right.items()}
    assert shares == {"whole": [1.0], "cut": [0.5], "free": [0.5] * 3, "free_raw": [0.0] * 3,
                      "clamped": [1.0] * 3}


def test_the_judge_is_the_network_that_was_trained(labelling):
    judge = labels.Judge(labelling)
    _, rows, truth = data.mnist.rows("sample")
    assert np.mean(judge.labels(rows) == truth) == pytest.approx(judge.test_accuracy)
    assert judge.test_accuracy > 0.6
    np.testing.assert_allclose(judge.probabilities(rows[:5]).sum(axis=1), 1, rtol=1e-5)


def test_digits_are_restored_by_the_machine_that_was_trained(trained, labelling):
    found = rbm.restore(trained, labelling, "left", 10, 1, 20, [3])
    judge, (rows, _) = labels.Judge(labelling), data.mnist.test_rows("sample", 20)
    known = restoration.known_pixels("left", 10)
    np.testing.assert_array_equal(found["whole"], judge.labels(rows))
    np.testing.assert_array_equal(found["cut"], judge.labels(np.where(known, rows, 0)))
    kept = found["clamped_images"][0, known] / 255
    np.testing.assert_allclose(kept, rows[3, known], atol=0.003)


def test_digits_are_followed_along_their_chains(trained, labelling):
    found = task_4_1_3.follow(trained, labelling, (1, 3), 30)
    _, truth = data.mnist.test_rows("sample", 30)
    assert 9 in truth and found["labels"].shape == (2, 30) and found["nine"].shape == (2, 784)
    assert (0 < found["error"]).all() and (0 < found["sharpness"]).all()


@pytest.mark.parametrize("name", ["RBM", "DBM"])
def test_samples_are_states_and_probabilities(name, trained, deep, labelling):
    found = task_4_1_7.sample({"RBM": trained, "DBM": deep}[name], labelling, 2, 12)
    for start in task_4_1_7.STARTS:
        states, grey = (found[f"{start}/{kind}/images"] for kind in task_4_1_7.KINDS)
        assert states.shape == grey.shape == (10, 784)
        assert set(np.unique(states)) == {0, 255} and len(np.unique(grey)) > 10
        assert found[f"{start}/states/grey"] == 0 < found[f"{start}/probabilities/grey"]


def block(rows, columns, weight):
    image = np.zeros((28, 28))
    image[slice(*rows), slice(*columns)] = weight
    return image.reshape(1, 784)


def test_a_stroke_is_longer_than_wide_and_a_spot_is_not():
    elongation = task_4_1_6.elongation
    stroke = block((5, 20), (10, 12), -2.0)
    spot = block((10, 14), (10, 14), 2.0)
    # Uniform on 15 by 2 pixels: variances (15² and 2²) / 12.
    assert elongation(stroke)[0] == pytest.approx(7.5)
    assert elongation(spot)[0] == pytest.approx(1.0)
    apart = stroke + block((5, 20), (20, 22), -2.0)
    assert elongation(apart)[0] == pytest.approx(7.5), "another stroke does not count"
    np.testing.assert_allclose(elongation(-3 * stroke), elongation(stroke))


def test_the_sign_of_the_surround():
    rows, columns = np.indices((28, 28)) - 14
    square = rows**2 + columns**2
    centred = np.exp(-square / 8) - 0.5 * np.exp(-square / 32)
    plain = np.exp(-square / 32)
    found = task_4_1_6.surround(np.stack([centred.ravel(), -centred.ravel(), plain.ravel()]))
    assert found[0] < 0 and found[0] == pytest.approx(found[1]) and found[2] > 0.3


def test_strength_follows_the_weights_and_contrast_does_not():
    weights = np.random.default_rng(0).normal(size=(3, 784))
    scaled, contrast = 2 + weights * [[1], [2], [4]], task_4_1_6.MEASURES["contrast"]
    strength = task_4_1_6.MEASURES["strength"]
    np.testing.assert_allclose(strength(scaled), weights.std(axis=1) * [1, 2, 4])
    np.testing.assert_allclose(contrast(scaled), contrast(weights))
    checks = np.tile([0.0, 3.0], (1, 392))
    assert contrast(checks)[0] == pytest.approx(0.5)


def test_filters_are_of_the_layer(trained, deep):
    machine = dbm.machine_of(deep)
    np.testing.assert_array_equal(task_4_1_6.filters(deep, 2), machine.filters(2))
    measured = task_4_1_6.measure(trained, 1)
    assert measured.keys() == task_4_1_6.MEASURES.keys()
    np.testing.assert_array_equal(
        measured["strength"], components(trained["weights"]).reshape(5, 784).std(axis=1)
    )
