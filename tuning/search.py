"""What every search is: a space, how one setting of it is trained, and what is to be small."""

import dataclasses
import json
from pathlib import Path

import keras
import keras_tuner
import numpy as np
from keras_tuner.errors import FailedTrialError

from ann_keras.files import write_whole
from ann_keras.training import resume, tensorboard


class Search(keras_tuner.HyperModel):
    """Base of the searches: a HyperModel whose default values are the report's setting.

    Args:
        settings: a frozen dataclass; all of it decides the outcome but ``max_trials``.

    Attributes:
        published: recipe of the report's network.
        objective: name of the number that ``fit`` returns and the search looks at.
        direction: "min" or "max".
        tuner: that the search takes if none is named: a key of ``oracles.KINDS``.
        replicas: whether ``fit`` trains the given model by ``train``, so that a
            ``tf.distribute`` strategy may spread it.
        version: raise it when the meaning of values changes, so that old trials do not mix in.
    """

    published = None
    objective = None
    direction = "min"
    tuner = "random"
    replicas = False
    version = 1

    def __init__(self, settings):
        super().__init__(name=type(self).__module__.rpartition(".")[2])
        self.settings = settings

    @property
    def max_epochs(self):
        """That Hyperband gives its best trials; None if it cannot share any out."""
        return getattr(self.settings, "epochs", None)

    def values(self, hp):
        """Declare the space and read one setting from it.

        Args:
            hp: ``keras_tuner.HyperParameters``.

        Returns:
            Dict of JSON values, arguments of ``evaluate`` and of the model.

        Raises:
            FailedTrialError: the combination makes no sense; nothing is built then.
        """
        raise NotImplementedError

    def recipe(self, **values):
        """The published recipe with the settings that have its names, and with these values."""
        names = {field.name for field in dataclasses.fields(self.published)}
        shared = {name: value for name, value in vars(self.settings).items() if name in names}
        return dataclasses.replace(self.published, **shared | values)

    def build(self, hp):
        """The Keras model of one setting; compiled, if ``fit`` trains it."""
        raise NotImplementedError

    def fit(self, hp, model, *, checkpoint, epochs=None):
        """Train one setting.

        Args:
            hp: the setting.
            model: from ``build``.
            checkpoint: folder from which an interrupted trial goes on.
            epochs: of the training, where the tuner decides; None for the settings' own.

        Returns:
            Dict of floats: the objective, and what else the table of trials shows.
        """
        raise NotImplementedError

    def evaluate(self, values, seed):
        """Train one setting as for a final result; dict of floats, of the test data too.

        Searches whose settings have no ``evaluation_seeds`` do without.
        """
        raise NotImplementedError

    def contenders(self, trials):
        """Settings that are compared by ``evaluate`` once the search has ended.

        Args:
            trials: completed ones, best first: ``outputs.Row``.

        Returns:
            Dict of name → values.
        """
        hp = keras_tuner.HyperParameters()
        return {"published": self.values(hp), "best": trials[0].settings}

    def identity(self):
        """Those settings that decide the outcome of a trial, as a dict of JSON values."""
        settings = dataclasses.asdict(self.settings)
        settings.pop("max_trials", None)
        return settings

    def factors(self, hyperparameters, settings):
        """What figures show of a trial: dict of numbers and texts, its hyperparameters."""
        return hyperparameters


def refuse(reason):
    """Raise what makes keras-tuner count a trial as failed, with the reason, and go on."""
    raise FailedTrialError(reason)


def train(model, x, y=None, *, checkpoint, seed=0, **options):
    """``resume.fit``, or Keras' own fit for a model that a strategy spreads over devices.

    Returns:
        Dict of name → values, one an epoch.
    """
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return resume.fit(model, x, y, checkpoint=checkpoint, seed=seed, **options)
    keras.utils.set_random_seed(seed)
    follower = resume.Resume(checkpoint)
    model.fit(x, y, callbacks=[*tensorboard.callbacks(), follower], verbose=0, **options)
    return follower.history()


def kept(checkpoint, name, compute):
    """``compute()``, a dict of floats, or what it gave before an interruption.

    Args:
        checkpoint: folder of the trial.
        name: of the part, such as "seed_1".
    """
    file = Path(checkpoint) / f"{name}.json"
    if file.is_file():
        return json.loads(file.read_text())
    result = {key: float(value) for key, value in compute().items()}
    write_whole(file, json.dumps(result))
    return result


def mean_over_seeds(checkpoint, seeds, compute, suffix=""):
    """Means of what ``compute(seed)``, a dict of floats, gives for so many seeds; each is kept.

    Args:
        checkpoint: folder of the trial.
        seeds: how many.
        suffix: of the names of the parts, where more than the seed decides them.
    """
    parts = [kept(checkpoint, f"seed_{seed}{suffix}", lambda: compute(seed))
             for seed in range(seeds)]
    return {name: np.mean([part[name] for part in parts]) for name in parts[0]}
