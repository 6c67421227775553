"""The convnet of Table 1 as a judge: which digit does an image show?"""

import keras
import numpy as np

from ann_keras.models import weights
from ann_keras.models.cnn import pooled_convnet


class Judge:
    """Labels images by a trained convnet.

    Args:
        labelling: what ``recipes.convnet.train`` gave.

    Attributes:
        test_accuracy: on the whole test set.
    """

    def __init__(self, labelling):
        self.test_accuracy = float(labelling["test_accuracy"])
        self._network = pooled_convnet()
        weights.restore(self._network, labelling["weights"])
        flatten = next(layer for layer in self._network.layers
                       if isinstance(layer, keras.layers.Flatten))
        self._below = keras.Model(self._network.input, flatten.output)

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
