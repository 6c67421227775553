"""The convnets' recipes: what they train on, and what their scores are of."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ann_keras.data import mnist
from ann_keras.evaluation.labels import Judge
from ann_keras.models.cnn import strided_convnet as published_network
from ann_keras.models.weights import restore
from ann_keras.recipes import convnet, strided_convnet
from ann_keras.training import compiled

SMALL = strided_convnet.Recipe(
    images=150, validation=80, digits=60, epochs=2, batch_size=50, source="sample"
)


@pytest.fixture(scope="module", autouse=True)
def untraced():
    """Without graphs, which take longer to trace than a few steps do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def labelling():
    return convnet.train(replace(convnet.LABELLING_SMOKE, epochs=2), seed=0)


def test_optimizers_train_one_network_one_after_the_other(labelling, monkeypatch):
    seen = []

    def fit(model, x, y, **options):
        seen.append((model, type(model.optimizer).__name__, options["seed"],
                     round(float(model.optimizer.learning_rate), 4)))
        curve = [float(len(seen))] * options["epochs"]
        return SimpleNamespace(history={"loss": curve, "val_accuracy": curve})

    monkeypatch.setattr(compiled, "fit", fit)
    recipe = convnet.Recipe(epochs=2, source="sample")
    found = convnet.train(recipe, seed=3)
    convnet.train(replace(recipe, optimizers=("sgd",), learning_rate=0.5), seed=3)
    assert [call[1:] for call in seen] == [
        ("SGD", 3, 0.01), ("Adam", 1003, 0.001), ("Adadelta", 2003, 0.001), ("SGD", 3, 0.5)
    ]
    assert seen[0][0] is seen[1][0] is seen[2][0] is not seen[3][0]
    for first, second in zip(seen[0][0].get_weights(), seen[3][0].get_weights()):
        np.testing.assert_array_equal(first, second)  # a seed gives one network
    assert found["loss"].tolist() == found["val_accuracy"].tolist() == [1, 1, 2, 2, 3, 3]
    assert "val_accuracy" not in labelling, "the labelling convnet holds nothing out"


def test_the_judge_is_the_network_that_was_trained(labelling):
    judge = Judge(labelling)
    _, (images, truth) = mnist.load("sample")
    rows = mnist.scale(images).reshape(len(images), -1)
    assert np.mean(judge.labels(rows) == truth) == pytest.approx(judge.test_accuracy)
    assert judge.test_accuracy > 0.85 and labelling["weights"].shape == (34_826,)
    np.testing.assert_allclose(judge.probabilities(rows[:5]).sum(axis=1), 1, rtol=1e-5)
    assert judge.features(rows[:5]).shape == (5, 1600)


def test_images_are_drawn_apart_and_validation_does_not_depend_on_their_number():
    def draw(seed=0, images=1_000):
        recipe = replace(SMALL, images=images, validation=500, digits=300)
        return strided_convnet._draw_images(recipe, seed)

    train, validation, test, subset = draw()
    more, same, *_ = draw(images=2_000)
    assert train[0].shape == (1_000, 28, 28, 1) and validation[1].shape == (500, 10)
    np.testing.assert_array_equal(validation[0], same[0])
    np.testing.assert_array_equal(train[0], more[0][:1_000])
    (images, _), (test_images, test_labels) = mnist.load("sample")
    everything, rest, *_ = draw(images=3_500)
    drawn = np.concatenate([everything[0], rest[0]])
    assert len(drawn) == len(images) == 4_000
    np.testing.assert_allclose(drawn.sum(0), mnist.scale(images).sum(0), rtol=1e-4)
    np.testing.assert_array_equal(test[0], mnist.scale(test_images))
    assert len(set(subset)) == 300 and (test[1] == test_labels).all()
    assert (draw(seed=1)[0][0] != train[0]).any()


@pytest.mark.parametrize("changes", [{"images": 3_921}, {"digits": 1_001}])
def test_more_images_than_there_are(changes):
    with pytest.raises(ValueError, match="not as many"):
        strided_convnet.train(replace(SMALL, **changes), seed=0)


def test_scores_are_of_the_images_they_name_and_a_longer_run_begins_with_the_shorter_one():
    recipe = replace(SMALL, filters=(4, 4, 4, 4))
    short, result = (strided_convnet.train(replace(recipe, epochs=epochs), seed=3)
                     for epochs in (1, 2))
    np.testing.assert_allclose(short["loss"], result["loss"][:1], rtol=1e-5)
    assert short["test_accuracy"] == result["test_accuracy"][:1]
    model = strided_convnet.network(recipe)
    restore(model, result["weights"])
    _, (images, labels), (x, y), subset = strided_convnet._draw_images(recipe, 3)
    right = model(x).numpy().argmax(1) == y
    assert result["test_accuracy"][-1] == pytest.approx(right.mean())
    assert result["subset_test_accuracy"][-1] == pytest.approx(right[subset].mean())
    right = model(images).numpy().argmax(1) == labels.argmax(1)
    assert result["val_accuracy"][-1] == pytest.approx(right.mean())
    assert result["parameters"] == model.count_params() and len(subset) == 60


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


def test_the_recipe_is_the_published_network():
    assert describe(strided_convnet.network(strided_convnet.Recipe())) == describe(
        published_network()
    )


@pytest.mark.parametrize("factor", strided_convnet.VARIANTS)
def test_each_variant_changes_what_it_says_and_no_more(factor):
    published = describe(published_network())
    for options in strided_convnet.VARIANTS[factor].values():
        model = strided_convnet.network(replace(strided_convnet.Recipe(), **options))
        changed = {name for name, value in describe(model).items() if value != published[name]}
        if factor == "depth":  # more blocks have more of everything
            assert {"depth", "filters", "batch norm"} <= changed
            assert "pooling" in changed and "activation" not in changed
        else:
            assert changed == {factor}
        (flatten,) = layers_of(model, keras.layers.Flatten)
        assert flatten.input.shape[1:3] == (6, 6), "the picture keeps its published size"
        assert model.output_shape == (None, 10)
