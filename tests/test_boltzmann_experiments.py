"""What tasks 4.1.1 to 4.1.7 train, measure and judge by."""

from types import SimpleNamespace

import numpy as np
import pytest

from ann_keras.experiments import boltzmann, dbm, filters, labels, restoration, samples
from ann_keras.models import boltzmann as exact
from ann_keras.report.task import Task

SMALL = {"components": 5, "learning_rate": 0.1, "batch_size": 100, "seed": 0, "source": "sample"}


@pytest.fixture
def task(tmp_path):
    return Task("4.1.2", "smoke", SimpleNamespace(seeds=1), tmp_path)


def test_checkpoints_are_the_machine_on_its_way():
    way = boltzmann.train_rbm(iterations=3, checkpoints=[1], **SMALL)
    assert way["components"].shape == (2, 5, 784) and len(way["pseudo_likelihood"]) == 3
    first = boltzmann.train_rbm(iterations=1, **SMALL)
    np.testing.assert_array_equal(way["components"][0], first["components"])
    assert np.abs(way["components"][1] - first["components"]).max() > 0.01


def test_a_falling_rate_ends_with_small_steps():
    fast = boltzmann.train_rbm(iterations=1, **SMALL)
    falling = boltzmann.train_rbm(iterations=4, checkpoints=[1, 3], falling=True, **SMALL)
    np.testing.assert_allclose(falling["components"][0], fast["components"], rtol=1e-6)
    steady = boltzmann.train_rbm(iterations=4, checkpoints=[1, 3], **SMALL)
    last = [np.abs(np.diff(run["components"], axis=0)[-1]).mean() for run in (falling, steady)]
    assert last[0] < 0.6 * last[1]


def test_a_machine_is_rebuilt_from_its_run():
    run = boltzmann.train_rbm(iterations=1, **SMALL)
    rbm = boltzmann.rbm_of(run)
    np.testing.assert_array_equal(rbm.components_, run["components"])
    np.testing.assert_array_equal(rbm.intercept_hidden_, run["hidden_bias"])
    np.testing.assert_array_equal(rbm.intercept_visible_, run["visible_bias"])


def test_the_bracket_holds_the_exact_likelihood():
    run = boltzmann.train_rbm(iterations=4, **SMALL)
    found = boltzmann.bracket(run, source="sample", temperatures=1_000, chains=50, burn_in=200)
    _, rows, _ = boltzmann.digits("sample")
    known = boltzmann.rbm_of(run).log_likelihood(boltzmann.binary(rows)).mean()
    assert found["upper"] == pytest.approx(known, abs=0.15)
    assert found["lower"] == pytest.approx(known, abs=0.15)
    assert found["low"] <= found["upper"] <= found["high"]


def test_exact_scores_are_of_each_checkpoint():
    run = boltzmann.train_rbm(iterations=2, checkpoints=[1], **SMALL)
    scores = boltzmann.exact_scores(run, "sample")
    _, rows, _ = boltzmann.digits("sample")
    names = "components", "hidden_bias", "visible_bias"
    rbm = boltzmann.rbm_of({name: run[name][-1] for name in names})
    total = exact.log_partition(rbm.components_, rbm.intercept_hidden_, rbm.intercept_visible_)
    expected = (-rbm.free_energy(boltzmann.binary(rows)) - total).mean()
    assert scores.shape == (2, 2) and scores[1, 1] == pytest.approx(expected, abs=1e-3)
    assert scores[0, 1] != scores[1, 1]


def test_scores_follow_the_weights_and_are_kept(task):
    settings = SimpleNamespace(source="sample", temperatures=20)
    runs = [boltzmann.train_rbm(iterations=number, **SMALL) for number in (1, 2)]
    first, again, other = (
        boltzmann.scores(task, "rbm", [run], settings) for run in (runs[0], runs[0], runs[1])
    )
    assert first == again and first["error"] != other["error"]
    rows = boltzmann.digits("sample")[1]
    hidden = 1 / (1 + np.exp(-rows @ runs[0]["components"].T - runs[0]["hidden_bias"]))
    # One step from states drawn by these probabilities: the error of their means is a little less.
    means = hidden @ runs[0]["components"] + runs[0]["visible_bias"]
    error = np.mean((1 / (1 + np.exp(-means)) - rows) ** 2)
    assert first["error"][0] == pytest.approx(error, rel=0.2)


@pytest.mark.parametrize("curve, expected", [
    ([-100, -50, -10, -10, -10], 3), ([-10, -10, -10], 1), ([0, -10, -13, -10, -10, -10], 4),
])
def test_iterations_until_a_curve_stays(curve, expected):
    assert boltzmann.stays_within(np.array(curve, float), 2.0) == expected


@pytest.mark.parametrize("curve, expected", [
    ([0, 5, 8, 9, 10, 10, 9, 11, 10], 4),  # 9 of 10
    ([0, 5, 8.9, 8.9, 8.9, 8.9, 9, 11, 10], 7),
    ([-3, 7, 7, 7, 7, 7], 2),
    ([5, 4, 3, 2, 1, 0], 1),
    ([2], 1),
])
def test_iterations_until_a_curve_has_made_most_of_its_way(curve, expected):
    assert boltzmann.iterations_to(np.array(curve, float), share=0.9) == expected


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


def test_restored_images_keep_what_is_known():
    class Machine:
        """Answers white, and notes what it is asked."""

        def reconstruct(self, v, known, steps, probabilities):
            self.asked = v, known, steps
            return np.ones_like(v)

    rows, known, machine = np.full((2, 784), 0.3), restoration.known_pixels("top", 5), Machine()
    raw, merged = restoration.restore(machine, rows, known, 7, clamped=False)
    assert machine.asked[1] is None and machine.asked[2] == 7 and (raw == 1).all()
    np.testing.assert_array_equal(machine.asked[0], np.where(known, 0.3, 0.0) * np.ones((2, 1)))
    np.testing.assert_array_equal(merged, np.where(known, 0.3, 1.0) * np.ones((2, 1)))
    restoration.restore(machine, rows, known, 7, clamped=True)
    np.testing.assert_array_equal(machine.asked[1], known)


def test_shares_by_digit():
    truth = np.repeat(np.arange(10), 4)
    guess = truth.copy()
    guess[:3] = 5
    total, by_digit = restoration.shares(np.stack([guess, truth]), truth)
    assert total == pytest.approx([37 / 40, 1.0])
    assert by_digit.tolist() == [0.625] + [1.0] * 9
    assert restoration.margin(0.5, 100) == pytest.approx(0.098)


def block(rows, columns, weight):
    image = np.zeros((28, 28))
    image[slice(*rows), slice(*columns)] = weight
    return image.reshape(1, 784)


def test_a_stroke_is_longer_than_wide_and_a_spot_is_not():
    stroke = block((5, 20), (10, 12), -2.0)
    spot = block((10, 14), (10, 14), 2.0)
    # Uniform on 15 by 2 pixels: variances (15² and 2²) / 12.
    assert filters.elongation(stroke)[0] == pytest.approx(7.5)
    assert filters.elongation(spot)[0] == pytest.approx(1.0)
    apart = stroke + block((5, 20), (20, 22), -2.0)
    assert filters.elongation(apart)[0] == pytest.approx(7.5), "another stroke does not count"
    np.testing.assert_allclose(filters.elongation(-3 * stroke), filters.elongation(stroke))


def test_the_sign_of_the_surround():
    rows, columns = np.indices((28, 28)) - 14
    square = rows**2 + columns**2
    centred = np.exp(-square / 8) - 0.5 * np.exp(-square / 32)
    plain = np.exp(-square / 32)
    found = filters.surround(np.stack([centred.ravel(), -centred.ravel(), plain.ravel()]))
    assert found[0] < 0 and found[0] == pytest.approx(found[1]) and found[2] > 0.3


def test_strength_follows_the_weights_and_contrast_does_not():
    weights = np.random.default_rng(0).normal(size=(3, 784))
    scaled = 2 + weights * [[1], [2], [4]]
    np.testing.assert_allclose(filters.strength(scaled), weights.std(axis=1) * [1, 2, 4])
    np.testing.assert_allclose(filters.contrast(scaled), filters.contrast(weights))
    checks = np.tile([0.0, 3.0], (1, 392))
    assert filters.contrast(checks)[0] == pytest.approx(0.5)


def test_quality_of_samples():
    class Certain:
        """Sure of digit 3 for the first half, of nothing for the rest."""

        def probabilities(self, images):
            half = len(images) // 2
            sure, unsure = np.eye(10)[[3] * half], np.full((len(images) - half, 10), 0.1)
            return np.concatenate([sure, unsure])

    images = np.zeros((4, 784))
    images[0, 29 * 14 : 29 * 14 + 3] = 1.0
    images[1, [0, 400, 700]] = 1.0
    images[2] = 0.4
    found = samples.quality(Certain(), images)
    assert found["confident"] == 0.5 and found["grey"] == 0.25
    assert found["specks"] == 0.5  # two too many in one of four images
    assert found["diversity"] == pytest.approx(np.log(2) / np.log(10))


def test_the_judge_is_the_network_that_was_trained(task):
    judge = labels.Judge(task, epochs=3, source="sample")
    _, rows, truth = boltzmann.digits("sample")
    assert np.mean(judge.labels(rows) == truth) == pytest.approx(judge.test_accuracy)
    assert judge.test_accuracy > 0.85
    np.testing.assert_allclose(judge.probabilities(rows[:5]).sum(axis=1), 1, rtol=1e-5)


DEEP = {
    "layers": [784, 6, 5], "pretraining_epochs": [1, 1], "joint_epochs": 3, "joint_rate": 0.01,
    "mean_field_updates": 3, "gibbs_steps": 1, "seed": 0, "source": "sample",
}


def test_an_interrupted_dbm_goes_on_from_its_last_epoch(tmp_path, monkeypatch):
    whole = dbm.train(**DEEP)
    fit, calls = dbm.DBM.fit, []

    def interrupted(self, *args, **options):
        calls.append(options["learning_rate"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(self, *args, **options)

    monkeypatch.setattr(dbm.DBM, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dbm.train(checkpoint=tmp_path / "state", **DEEP)
    resumed = dbm.train(checkpoint=tmp_path / "state", **DEEP)
    assert calls == pytest.approx([0.01, 0.02 / 3, 0.01 / 3, 0.01 / 3])
    assert resumed.keys() == whole.keys() and 0 < resumed.pop("seconds")
    for name, values in resumed.items():
        np.testing.assert_allclose(values, whole[name], atol=1e-6, err_msg=name)
    machine = dbm.machine_of(whole)
    np.testing.assert_array_equal(machine.kernels[1], whole["kernel_2"])
    np.testing.assert_array_equal(machine.biases[2], whole["bias_2"])
