"""The convnet of Table 1 as a judge: which digit does an image show?"""

import keras
import numpy as np

from ann_keras.data import mnist
from ann_keras.models import weights
from ann_keras.models.cnn import pooled_convnet
from ann_keras.training import compiled


class Judge:
    """Labels images by a trained convnet.

    Args:
        task: that keeps the training run.
        of: another task that makes the same run.
        epochs, source: as of ``train``.

    Attributes:
        test_accuracy: on the whole test set.
    """

    def __init__(self, task, *, epochs, source, of=None):
        run = task.run("labelling convnet", train, of=of, epochs=epochs, source=source)
        self.test_accuracy = float(run["test_accuracy"])
        self._network = pooled_convnet()
        weights.restore(self._network, run["weights"])
        (flat,) = (
            layer.output for layer in self._network.layers
            if isinstance(layer, keras.layers.Flatten)
        )
        self._below = keras.Model(self._network.input, flat)

    def probabilities(self, images):
        """Of each digit, (n, 10), for images (n, 784) or (n, 28, 28) in [0, 1]."""
        return self._network.predict(_squares(images), batch_size=1000, verbose=0)

    def features(self, images):
        """What the last layer sees, (n, 1600), of images as in ``probabilities``."""
        return self._below.predict(_squares(images), batch_size=1000, verbose=0)

    def labels(self, images):
        """The most probable digit, (n,), of images as in ``probabilities``."""
        return self.probabilities(images).argmax(axis=1)


def _squares(images):
    return np.asarray(images, np.float32).reshape(-1, 28, 28, 1)


def train(*, epochs, source):
    """Train the convnet of Table 1 with Adam on all training images.

    Returns:
        Dict: "weights", all in one array (34,826,), and "test_accuracy".
    """
    (x, y), (x_test, y_test) = mnist.load(source)
    keras.utils.set_random_seed(0)
    model = pooled_convnet()
    model.compile(keras.optimizers.Adam(), "categorical_crossentropy", metrics=["accuracy"])
    compiled.fit(model, mnist.scale(x), mnist.one_hot(y), epochs=epochs, batch_size=128)
    scores = compiled.evaluate(model, mnist.scale(x_test), mnist.one_hot(y_test))
    return {"weights": weights.flatten(model), "test_accuracy": scores["accuracy"]}
