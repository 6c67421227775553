"""Training images that the searches learn from, and others of them that judge."""

from ann_keras.data import mnist
from ann_keras.errors import UserError


def held_out(settings):
    """The first training images to train on and the last ones to judge by, as settings say.

    Returns:
        Two pairs of images (n, 28, 28, 1) in [0, 1] and one-hot labels (n, 10).

    Raises:
        UserError: there are fewer.
    """
    (x, y), _ = mnist.load(settings.source)
    if settings.images + settings.validation > len(x):
        raise UserError(
            f"{settings.images} images to train on and {settings.validation} to judge by are more "
            f"than the {len(x)} training images"
        )
    parts = slice(settings.images), slice(len(x) - settings.validation, None)
    return tuple((mnist.scale(x[part]), mnist.one_hot(y[part])) for part in parts)


def rows(settings):
    """The images of ``held_out`` alone, two arrays (n, 784)."""
    return tuple(images.reshape(len(images), -1) for images, _ in held_out(settings))
