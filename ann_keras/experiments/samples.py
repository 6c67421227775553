"""How good samples of a generative model are, by the eye of a convnet, from task 4.1.7 on."""

import numpy as np

from ann_keras.evaluation.generative import entropy_of_classes

CONFIDENT = 0.9  # probability from which on the convnet is sure of a digit


def quality(judge, images):
    """Numbers that stand for what samples look like.

    Args:
        judge: ``labels.Judge``.
        images: (n, 784) in [0, 1].

    Returns:
        Dict: "confident", share of images of which the convnet is sure; "diversity", entropy of
        the labels over that of ten equal shares; "specks", mean number of white parts that do not
        touch the largest; "grey", share of pixels between 0.1 and 0.9.
    """
    from scipy.ndimage import label

    probabilities = judge.probabilities(images)
    touching = np.ones((3, 3))
    parts = [label(image.reshape(28, 28) >= 0.5, touching)[1] for image in images]
    return {
        "confident": float((probabilities.max(axis=1) >= CONFIDENT).mean()),
        "diversity": entropy_of_classes(probabilities.argmax(axis=1)),
        "specks": float(np.mean(np.maximum(np.array(parts) - 1, 0))),
        "grey": float(np.mean((images > 0.1) & (images < 0.9))),
    }
