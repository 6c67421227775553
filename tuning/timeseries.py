"""What the searches for networks that continue the Santa Fe laser do alike."""

from dataclasses import dataclass

import keras
import numpy as np

from ann_keras import data, experiments
from ann_keras.experiments import laser
from tuning import search


@dataclass(frozen=True)
class Settings:
    max_trials: int
    epochs: int
    batch_size: int
    origins: tuple[int, ...] = (400, 500, 600, 700, 800, 900)  # ours: validation forecasts
    seeds: int = 2  # ours: trainings for each origin
    later: int = 60  # ours: starts after the published points, for networks that are compared
    evaluation_seeds: int = 20  # ours: trainings of a setting that is compared


class Search(search.Search):
    """A network is trained anew on all that precedes each origin and forecasts 100 values.

    Attributes:
        network: of ``laser.train_afresh``.
        model: function of lag and units, the network itself.
        most_units: of the space.
        rates: lowest and highest learning rate of the space.
        rate: the report's.
    """

    objective = "val_nmse"
    network = None
    model = None
    most_units = None
    rates = None
    rate = None

    def __init__(self, settings):
        last = data.santafe.TRAINING_POINTS - laser.HORIZON
        if max(settings.origins) > last:
            raise ValueError(
                f"--origins must be at most {last}: validation forecasts end before the test "
                f"points, got {max(settings.origins)}"
            )
        super().__init__(settings)

    def values(self, hp):
        low, high = self.rates
        values = {
            "lag": hp.Int("lag", 10, 120, step=10, default=80),
            "units": hp.Int("units", 10, self.most_units, step=10, default=100),
            "learning_rate": hp.Float("learning_rate", low, high, sampling="log",
                                      default=self.rate),
        }
        if values["lag"] >= min(self.settings.origins):
            search.refuse(
                f"a lag of {values['lag']} leaves no window before the first validation origin, "
                f"{min(self.settings.origins)}"
            )
        return values

    def build(self, hp):
        values = self.values(hp)
        model = self.model(values["lag"], values["units"])
        model.compile(keras.optimizers.Adam(values["learning_rate"]), loss="mse")
        return model

    def fit(self, hp, model, *, checkpoint, epochs=None):
        values, epochs = self.values(hp), epochs or self.settings.epochs
        errors = np.array([
            [self._validate(checkpoint, origin, seed, epochs, values)
             for seed in range(self.settings.seeds)]
            for origin in self.settings.origins
        ])
        by_origin = np.median(errors, axis=1)
        return {
            "val_nmse": by_origin.mean(), "worst_origin": by_origin.max(),
            "parameters": model.count_params(),
        }

    def _validate(self, checkpoint, origin, seed, epochs, values):
        def compute():
            found = laser.validate(
                "train_afresh", [origin], seed=seed, epochs=epochs, **self._training(), **values
            )
            return {"nmse": found["nmse"][0]}

        # Hyperband begins with few epochs: what they gave is not the result of more.
        return search.kept(checkpoint, f"{origin}_{seed}_{epochs}", compute)["nmse"]

    def evaluate(self, values, seed):
        run = laser.train_afresh(
            seed=seed, start=data.santafe.TRAINING_POINTS, epochs=self.settings.epochs,
            later=self.settings.later, **self._training(), **values,
        )
        found = experiments.forecasting.errors([run])
        return {"test_nmse": found.nmse[0], "test_mse": found.mse[0],
                "later_nmse": found.later[0]}

    def _training(self):
        return {"network": self.network, "batch_size": self.settings.batch_size}
