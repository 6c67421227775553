"""The recipe with augmentation: what is moved, trained and scored."""

import functools
from dataclasses import replace

import keras
import numpy as np
import pytest

from ann_keras.data import mnist
from ann_keras.recipes import augmented_convnet
from ann_keras.training import compiled

FAST = augmented_convnet.Recipe("pooled", epochs=2, batch_size=500, copies=1, source="sample")


def augmentation(rotation, shift, zoom):
    recipe = replace(FAST, rotation=rotation, shift=shift, zoom=zoom)
    return augmented_convnet.augmentation(recipe)


def centre(images):
    """Centre of mass (n, 2) of images (n, 28, 28, 1), in pixels."""
    images = np.asarray(images)[..., 0]
    places = np.stack(np.mgrid[:28, :28], axis=-1)
    return np.einsum("nij,ijk->nk", images, places) / images.sum((1, 2))[:, np.newaxis]


def spot():
    """A black image with one bright square in its middle, two hundred times."""
    images = np.zeros((200, 28, 28, 1), np.float32)
    images[:, 13:15, 13:15] = 1.0
    return images


def test_shift_is_at_most_as_many_pixels_in_each_direction_and_as_often_either_way():
    keras.utils.set_random_seed(0)
    moved = centre(augmentation(0, 3, 0)(spot(), training=True)) - 13.5
    assert 2.7 < np.abs(moved).max() < 3.05
    assert (np.abs(moved.mean(0)) < 0.5).all() and (moved.std(0) > 1.4).all()


def test_rotation_is_at_most_as_many_degrees():
    keras.utils.set_random_seed(0)
    images = np.zeros((200, 28, 28, 1), np.float32)
    images[:, 13:15, 24:26] = 1.0  # 11 pixels right of the middle
    moved = centre(augmentation(20, 0, 0)(images, training=True)) - 13.5
    degrees = np.degrees(np.arctan2(moved[:, 0], moved[:, 1]))
    assert 18 < np.abs(degrees).max() < 20.5 and abs(degrees.mean()) < 3


def test_zoom_changes_the_distance_from_the_middle_by_at_most_its_share():
    keras.utils.set_random_seed(0)
    images = np.zeros((200, 28, 28, 1), np.float32)
    images[:, 13:15, 23:25] = 1.0  # 10 pixels right of the middle
    distance = (centre(augmentation(0, 0, 0.1)(images, training=True)) - 13.5)[:, 1]
    assert 8.9 < distance.min() < 9.4 and 10.6 < distance.max() < 11.3


def test_images_are_left_alone_outside_of_training():
    images = spot()
    np.testing.assert_array_equal(augmentation(20, 5, 0.2)(images, training=False), images)


def test_scores_are_of_the_averaged_weights_and_held_out_images(monkeypatch):
    kept = []

    def averaged(*args, **kwargs):
        model = args[0]
        history = fit(*args, **kwargs)
        averages = model.optimizer._model_variables_moving_average
        kept.append((model, [np.asarray(variable) for variable in averages]))
        assert len(args[1]) == 3_900  # not held out
        return history

    fit = compiled.fit
    monkeypatch.setattr(compiled, "fit", averaged)
    # Still, so that scores have no randomness.
    result = augmented_convnet.train(
        replace(FAST, rotation=0.0, shift=0.0, zoom=0.0, validation=100), seed=1
    )
    (trainer, averages), = kept
    for average, weight in zip(averages, trainer.trainable_variables, strict=True):
        np.testing.assert_array_equal(average, weight)
    assert result["parameters"] == 34_826 and len(result["loss"]) == 2
    (images, labels), (x, y) = mnist.load("sample")
    held_out = np.random.default_rng(1).permutation(len(images))[:100]
    for name, data in (("test_accuracy", (x, y)),
                       ("val_accuracy", (images[held_out], labels[held_out]))):
        right = trainer(mnist.scale(data[0]), training=False).numpy().argmax(1) == data[1]
        assert result[name] == pytest.approx(right.mean())
    assert result["test_accuracy_plain"] == result["test_accuracy"]
    assert trainer.optimizer.learning_rate.numpy() == pytest.approx(0.0, abs=1e-8)


def test_probabilities_are_averaged_over_copies():
    class Model:
        """Sure of class 1 for one copy in three, else of class 0 by a little."""

        def __call__(self, images, training):
            self.calls = getattr(self, "calls", 0) + 1
            first = 0.1 if self.calls % 3 == 0 else 0.6
            return np.tile([first, 1 - first], (len(images), 1))

    images, labels = np.zeros((5, 28, 28), np.uint8), np.ones(5, int)
    score = functools.partial(augmented_convnet._accuracy, augment=lambda images, training: images)
    assert score(Model(), copies=3, images=images, labels=labels) == 1.0  # 1.3 to 1.7
    assert score(Model(), copies=2, images=images, labels=labels) == 0.0


@pytest.mark.parametrize("changes, message", [
    ({"rotation": 181.0}, "degrees"), ({"shift": 29.0}, "pixels"), ({"zoom": 1.0}, "zoom"),
    ({"validation": 4_000}, "leave none of 4000"),
])
def test_train_rejects(changes, message):
    with pytest.raises(ValueError, match=message):
        augmented_convnet.train(replace(FAST, **changes), seed=0)
