"""What every search is: a space, how one setting of it is trained, and what is to be small."""

import dataclasses
import json

import keras
import keras_tuner
import numpy as np
from keras_tuner.errors import FailedTrialError

from ann_keras.files import write_whole
from ann_keras.training import resume, tensorboard


class Search(keras_tuner.HyperModel):
    """Base of the searches, whose default values are the report's setting.

    Args:
        settings: a frozen dataclass; all of it decides the outcome but ``max_trials``.
    """

    published = None  # recipe of the report's network
    objective = None  # name of the number that ``fit`` returns and the search looks at
    direction = "min"  # or "max"
    tuner = "random"  # if none is named; a key of ``oracles.KINDS``
    replicas = False  # whether ``train`` trains ``fit``'s model: a strategy may then spread it
    version = 1  # raise it when the meaning of values changes, so that old trials do not mix in

    def __init__(self, settings):
        super().__init__(name=type(self).__module__.rpartition(".")[2])
        self.settings = settings

    @property
    def max_epochs(self):
        """Of a trial, at most; None where a trial decides them itself."""
        return getattr(self.settings, "epochs", None)

    def values(self, hp):
        """Declare the space in ``HyperParameters`` and read one setting from it.

        Returns:
            Dict of JSON values, for ``build``, ``fit`` and ``evaluate``.

        Raises:
            FailedTrialError: the combination makes no sense; nothing is built then.
        """

    def searched(self, hp, **spaces):
        """Declare fields of the recipe, with the published values as defaults; dict of values.

        Each has a list to choose from, a ``range``, or the two ends of a logarithmic scale.
        """
        values = {}
        for name, space in spaces.items():
            default = getattr(self.published, name)
            default = default[0] if isinstance(default, tuple) else default  # the only layer's
            if isinstance(space, list):
                values[name] = hp.Choice(name, space, default=default)
            elif isinstance(space, range):
                values[name] = hp.Int(name, space[0], space[-1], step=space.step, default=default)
            else:
                values[name] = hp.Float(name, *space, sampling="log", default=default)
        return values

    def space(self):
        """``HyperParameters`` with the whole space; its values are the defaults."""
        hp = keras_tuner.HyperParameters()
        self.values(hp)
        return hp

    def recipe(self, **values):
        """The published recipe with the settings that have its names, and with these values."""
        names = {field.name for field in dataclasses.fields(self.published)}
        shared = {name: value for name, value in vars(self.settings).items() if name in names}
        return dataclasses.replace(self.published, **shared | values)

    def build(self, values):
        """The Keras model of one setting; compiled, if ``fit`` trains it."""

    def fit(self, values, model, checkpoint, epochs):
        """Train one setting.

        Args:
            values: of ``values``; model: from ``build``.
            checkpoint: folder from which an interrupted trial goes on.
            epochs: ``max_epochs``, or fewer by Hyperband.

        Returns:
            Dict of floats: the objective, and what else the table of trials shows.
        """

    def evaluate(self, values, seed):
        """Train one setting as for a final result; dict of floats, of the test data too."""

    def contenders(self, trials):
        """Dict of name → values that ``evaluate`` compares at the end, if there are seeds for it.

        trials: completed ones, best first: ``outputs.Row``.
        """
        return {"published": self.values(self.space()), "best": trials[0].settings}

    def identity(self):
        """Those settings that decide the outcome of a trial, as a dict of JSON values."""
        settings = dataclasses.asdict(self.settings)
        del settings["max_trials"]
        return settings

    def factors(self, hyperparameters, values):
        """What figures show of a trial: dict of numbers and texts, its hyperparameters."""
        return hyperparameters

    def mean_over_seeds(self, checkpoint, compute):
        """Means of what ``compute(seed)``, a dict of floats, gives for each seed, and is kept."""
        parts = [kept(checkpoint, f"seed_{seed}", lambda: compute(seed))
                 for seed in range(self.settings.seeds)]
        return {name: np.mean([part[name] for part in parts]) for name in parts[0]}


def refuse(reason):
    """Raise what makes keras-tuner count a trial as failed, with the reason, and go on."""
    raise FailedTrialError(reason)


def train(model, x, y=None, *, checkpoint, seed=0, **options):
    """``resume.fit``, also of a model that a strategy spreads over devices, by Keras' own fit."""
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return resume.fit(model, x, y, checkpoint=checkpoint, seed=seed, **options)
    keras.utils.set_random_seed(seed)
    follower = resume.Resume(checkpoint)
    model.fit(x, y, callbacks=[*tensorboard.callbacks(), follower], verbose=0, **options)
    return follower.history()


def kept(folder, name, compute):
    """``compute()``, a dict of floats, or what it gave before an interruption, by its name."""
    file = folder / f"{name}.json"
    if file.is_file():
        return json.loads(file.read_text())
    result = {key: float(value) for key, value in compute().items()}
    write_whole(file, json.dumps(result))
    return result
