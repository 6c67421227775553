"""Curves and settings of every training for TensorBoard, once a folder is named for them.

The folder stands in an environment variable, so that processes of their own write there too.
"""

import contextlib
import itertools
import os
from pathlib import Path

import keras

_FOLDER = "ANN_KERAS_TENSORBOARD"
_RUN = "ANN_KERAS_TENSORBOARD_RUN"
_fits = itertools.count()


def write_to(folder):
    """Let every later training of this process and of its children write below a folder."""
    os.environ[_FOLDER] = str(Path(folder).absolute())


@contextlib.contextmanager
def run(name, settings):
    """Trainings in this context write to a folder of that name, and settings as HParams.

    The name is a path below the folder of ``write_to``, without which nothing is written; settings
    are a dict, whose values count as their text where they are no numbers or truth values.
    """
    if _FOLDER not in os.environ:
        yield
        return
    from tensorboard.plugins.hparams import api
    import tensorflow as tf

    global _fits
    before, _fits = _fits, itertools.count()
    folder = Path(os.environ[_FOLDER]) / name
    outer = os.environ.get(_RUN)
    os.environ[_RUN] = str(folder)
    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams({
            key: value if isinstance(value, (bool, int, float, str)) else str(value)
            for key, value in settings.items()
        }, trial_id=str(name))
    try:
        yield
    finally:
        _fits = before
        if outer is None:
            del os.environ[_RUN]
        else:
            os.environ[_RUN] = outer


def callbacks():
    """What a training must call after each epoch to be written: a list, empty without a folder.

    The first training of a ``run`` writes to its folder, further ones to "fit_1" and so on in it.
    """
    if _FOLDER not in os.environ:
        return []
    folder, number = Path(os.environ.get(_RUN) or os.environ[_FOLDER]), next(_fits)
    if number or _RUN not in os.environ:
        folder /= f"fit_{number}"
    return [keras.callbacks.TensorBoard(str(folder), write_graph=False)]
