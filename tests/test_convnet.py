"""Training runs of task 3.2.2, and how the ablation measures and judges."""

import keras
import numpy as np
import pytest

from ann_keras.data import mnist
from ann_keras.experiments import ablation, convnet
from ann_keras.models.cnn import strided_convnet
from ann_keras.report.task import Task

OPTIONS = {"training_images": 150, "validation_images": 80, "test_images": 60, "epochs": 2,
           "batch_size": 50, "learning_rate": 1e-3, "source": "sample"}


def test_images_are_drawn_apart_and_validation_does_not_depend_on_their_number():
    train, validation, test, subset = convnet._draw_images(0, 1_000, 500, 300, "sample")
    more, same, *_ = convnet._draw_images(0, 2_000, 500, 300, "sample")
    assert train[0].shape == (1_000, 28, 28, 1) and validation[1].shape == (500, 10)
    np.testing.assert_array_equal(validation[0], same[0])
    np.testing.assert_array_equal(train[0], more[0][:1_000])
    (images, _), (test_images, test_labels) = mnist.load("sample")
    everything, rest, *_ = convnet._draw_images(0, 3_500, 500, 300, "sample")
    drawn = np.concatenate([everything[0], rest[0]])
    assert len(drawn) == len(images) == 4_000
    np.testing.assert_allclose(drawn.sum(0), mnist.scale(images).sum(0), rtol=1e-4)
    np.testing.assert_array_equal(test[0], mnist.scale(test_images))
    assert len(set(subset)) == 300 and (test[1] == test_labels).all()
    assert (convnet._draw_images(1, 1_000, 500, 300, "sample")[0][0] != train[0]).any()


@pytest.mark.parametrize("changes", [
    {"training_images": 3_921}, {"test_images": 1_001}, {"network": "resnet"},
])
def test_train_rejects(changes):
    with pytest.raises(ValueError, match="not as many|unknown network"):
        convnet.train(**{"network": "strided_convnet", "seed": 0, **OPTIONS, **changes})


def test_scores_are_of_the_images_they_name(monkeypatch):
    kept = []

    class Keeping(convnet._TestAccuracy):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            kept.append((self.model, self.subset))

    monkeypatch.setattr(convnet, "_TestAccuracy", Keeping)
    result = convnet.train(network="pooled_convnet", seed=3, **OPTIONS)
    assert result["parameters"] == 34_826
    model, subset = kept[-1]
    assert len(kept) == len(result["loss"]) == 2 and len(subset) == 60
    _, (x, y) = mnist.load("sample")
    right = model(mnist.scale(x)).numpy().argmax(1) == y
    assert result["test_accuracy"][-1] == pytest.approx(right.mean())
    assert result["subset_test_accuracy"][-1] == pytest.approx(right[subset].mean())
    _, (images, labels), *_ = convnet._draw_images(3, 150, 80, 60, "sample")
    right = model(images).numpy().argmax(1) == labels.argmax(1)
    assert result["val_accuracy"][-1] == pytest.approx(right.mean())


def test_a_longer_run_begins_with_the_shorter_one():
    """What lets the ablation take the published runs' first epochs."""
    keras.backend.clear_session()
    short, long = (
        convnet.train(network="strided_convnet", seed=0, **OPTIONS | {"epochs": epochs})
        for epochs in (1, 2)
    )
    np.testing.assert_allclose(short["loss"], long["loss"][:1], rtol=1e-5)
    assert short["test_accuracy"] == long["test_accuracy"][:1]


def test_ablation_cuts_its_baseline_and_passes_options(monkeypatch, tmp_path):
    from dataclasses import make_dataclass

    calls = []

    def train(**settings):
        calls.append(settings)
        return {"val_accuracy": [0.5, 0.6], "parameters": 1}

    monkeypatch.setattr(convnet, "train", train)
    settings = make_dataclass("Settings", ["seeds"], frozen=True)(3)
    task = Task("3.2.2", "smoke", settings, tmp_path)
    baseline = {"val_accuracy": np.arange(15.0).reshape(3, 5), "parameters": np.full(3, 258_086)}
    runs = convnet.run_ablation(task, {"epochs": 2}, ["activation"], [0, 1], baseline)
    assert list(runs) == ["published", "sigmoid", "tanh"]
    assert runs["published"]["val_accuracy"].tolist() == [[0, 1], [5, 6]]
    assert [call["seed"] for call in calls] == [0, 1, 0, 1]
    assert calls[0]["options"] == {"activation": "sigmoid"} and calls[0]["epochs"] == 2
    assert runs["tanh"]["val_accuracy"].shape == (2, 2)
    with pytest.raises(ValueError, match="unknown factors"):
        convnet.run_ablation(task, {"epochs": 2}, ["colour"], [0], baseline)


@pytest.mark.parametrize("factor", ablation.VARIANTS)
def test_each_variant_changes_what_it_says_and_no_more(factor):
    def layers_of(model, kind):
        return [layer for layer in model.layers if isinstance(layer, kind)]

    def describe(model):
        convolutions = layers_of(model, keras.layers.Conv2D)
        return {
            "filters": [layer.filters for layer in convolutions],
            "kernel size": [layer.kernel_size[0] for layer in convolutions],
            "dropout": [layer.rate for layer in layers_of(model, keras.layers.Dropout)],
            "depth": len(convolutions),
            "pooling": (len(layers_of(model, keras.layers.MaxPooling2D)),
                        [layer.strides[0] for layer in convolutions]),
            "activation": {layer.activation.__name__
                           for layer in layers_of(model, keras.layers.Activation)},
            "batch norm": len(layers_of(model, keras.layers.BatchNormalization)),
        }

    published = describe(strided_convnet())
    for options in ablation.VARIANTS[factor].values():
        model = strided_convnet(**options)
        changed = {name for name, value in describe(model).items() if value != published[name]}
        if factor == "depth":  # more blocks have more of everything
            assert {"depth", "filters", "batch norm"} <= changed
            assert "pooling" in changed and "activation" not in changed
        else:
            assert changed == {factor}
        (flatten,) = layers_of(model, keras.layers.Flatten)
        assert flatten.input.shape[1:3] == (6, 6), "the picture keeps its published size"
        assert model(np.zeros((2, 28, 28, 1))).shape == (2, 10)


def runs_of(*validation):
    """Runs with given validation accuracies (seeds, epochs), test accuracies 0.1 lower."""
    accuracies = np.array(validation)
    return {"val_accuracy": accuracies, "test_accuracy": accuracies - 0.1,
            "parameters": np.ones(len(accuracies))}


def constant(*accuracies, epochs=6):
    return runs_of(*([value] * epochs for value in accuracies))


def test_validation_chooses_the_epoch():
    runs = {"val_accuracy": np.array([[0.1, 0.9, 0.9], [0.8, 0.2, 0.3]]),
            "test_accuracy": np.array([[0.3, 0.4, 0.5], [0.6, 0.7, 0.8]])}
    assert ablation.chosen(runs, "test_accuracy").tolist() == [0.4, 0.6]


def test_interval_is_student_t():
    low, high = ablation.interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3)
    assert ablation.interval([1.0]) == (-np.inf, np.inf)


def test_decide():
    assert ablation.decide([1.0, 1.1, 0.9]) is True
    assert ablation.decide([1.0, 1.1, 0.9], 2.0) is False
    assert ablation.decide([1.0, -1.0]) == ablation.decide([5.0]) == "undecided"


def test_effects_take_the_most_different_variant_with_a_positive_mean():
    table = {
        "published": constant(0.9, 0.9),
        "half the filters": constant(0.87, 0.89), "twice the filters": constant(0.91, 0.91),
        "no batch norm": constant(0.93, 0.95),
    }
    sizes = ablation.effects(table)
    assert list(sizes) == ["filters", "batch norm"]
    assert sizes["filters"] == pytest.approx([0.03, 0.01])
    assert sizes["batch norm"] == pytest.approx([0.03, 0.05])


def test_late_gain_and_fluctuation():
    rising = np.array([[0.0, 0.0, 0.3, 0.5, 0.6, 0.8]])
    assert ablation.late_gain(rising) == pytest.approx([0.7 - 0.4])
    assert ablation.late_gain(rising[:, :1]) == 0
    jumping = np.array([[0.5] * 5 + [0.9, 0.8, 0.9, 0.8, 0.9]])
    jumps = np.array([0.4, 0.1, 0.1, 0.1, 0.1])
    assert ablation.fluctuation(jumping) == pytest.approx([np.sqrt((jumps**2).mean() / 2)])
    noise = 0.9 + 0.01 * np.random.default_rng(0).normal(size=(1, 20_000))
    assert ablation.fluctuation(noise) == pytest.approx(0.01, rel=0.05)
    assert ablation.fluctuation(np.full((2, 5), 0.9)).tolist() == [1e-4, 1e-4]


def verdicts(judge, **variants):
    published = variants.pop("published", constant(0.98, 0.981, 0.98))
    named = {name.replace("_", " "): runs for name, runs in variants.items()}
    verdict, evidence = judge({"published": published} | named)
    assert evidence.endswith(".")
    return verdict


def test_depth_batch_norm_and_activation_are_judged_by_their_gains():
    better, same, worse = (
        constant(*(np.array([0.98, 0.981, 0.98]) + change + [0, 1e-5, -1e-5]))
        for change in (0.01, 0.0005, -0.01)
    )
    slightly_worse = constant(0.979, 0.980, 0.97901)
    assert verdicts(ablation.judge_depth, six_blocks=better) is False
    assert verdicts(ablation.judge_depth, six_blocks=same) is True
    assert verdicts(ablation.judge_depth, six_blocks=worse) is True
    assert verdicts(ablation.judge_depth, six_blocks=constant(0.99, 0.97, 0.98)) == "undecided"
    assert verdicts(ablation.judge_batch_norm, no_batch_norm=slightly_worse) is True
    assert verdicts(ablation.judge_batch_norm, no_batch_norm=worse) is False
    assert verdicts(ablation.judge_batch_norm, no_batch_norm=better) is False
    assert verdicts(ablation.judge_activation, sigmoid=worse, tanh=slightly_worse) is True
    assert verdicts(ablation.judge_activation, sigmoid=worse, tanh=better) is False
    unclear = constant(0.99, 0.97, 0.98)
    assert verdicts(ablation.judge_activation, sigmoid=worse, tanh=unclear) == "undecided"


def test_ranking_compares_the_least_named_with_the_most_of_the_others():
    drop = [0.0001, 0.0, -0.0001]
    table = {
        label: constant(*(np.array([0.98, 0.981, 0.98]) - change + drop))
        for label, change in (("half the filters", 0.05), ("smaller kernels", 0.03),
                              ("no dropout", 0.02), ("six blocks", 0.005), ("tanh", 0.01))
    } | {"published": constant(0.98, 0.981, 0.98)}
    verdict, evidence = ablation.judge_ranking(table)
    assert verdict is True and "Dropout against activation" in evidence
    table["sigmoid"] = constant(0.93, 0.931, 0.9301)
    assert ablation.judge_ranking(table)[0] is False
    del table["no dropout"]
    assert ablation.judge_ranking(table) == ablation.NOT_RUN


def test_dropout_needs_a_fast_rise_and_a_stop():
    def curves(first, middle, last):
        return runs_of(*([first + s, first + s, middle, middle, last, last + s]
                         for s in (0, 1e-4, 2e-4)))

    published = curves(0.8, 0.95, 0.98)
    judge = ablation.judge_dropout
    assert verdicts(judge, published=published, no_dropout=curves(0.9, 0.97, 0.975)) is True
    assert verdicts(judge, published=published, no_dropout=curves(0.7, 0.97, 0.975)) is False
    assert verdicts(judge, published=published, no_dropout=curves(0.9, 0.90, 0.975)) is False


def test_pooling_must_fluctuate_half_as_much_again():
    def jumping(size):
        return runs_of(*(0.9 + size * (1 + s) * np.array([0, 0, 1, -1, 1, -1.0])
                         for s in (0, 0.01, 0.02)))

    published = jumping(0.01)
    for size, verdict in ((0.02, True), (0.014, False), (0.005, False)):
        assert verdicts(ablation.judge_pooling, published=published,
                        pooling=jumping(size)) is verdict


def test_claims_whose_variants_are_left_out_are_undecided():
    table = {"published": constant(0.9)}
    for judge in (ablation.judge_ranking, ablation.judge_depth, ablation.judge_dropout,
                  ablation.judge_pooling, ablation.judge_activation, ablation.judge_batch_norm):
        assert judge(table) == ablation.NOT_RUN
