"""What the searches for networks that continue the Santa Fe laser do alike."""

from dataclasses import dataclass

import numpy as np

from ann_keras.data import santafe
from ann_keras.evaluation import forecasts
from ann_keras.recipes import timeseries
from tuning import search


@dataclass(frozen=True)
class Settings:
    max_trials: int
    epochs: int
    origins: tuple[int, ...] = (400, 500, 600, 700, 800, 900)  # ours: validation forecasts
    seeds: int = 2  # ours: trainings for each origin
    later: int = 60  # ours: starts after the published points, for networks that are compared
    evaluation_seeds: int = 20  # ours: trainings of a setting that is compared


class Search(search.Search):
    """A network is trained anew on all that precedes each origin and forecasts 100 values.

    Attributes:
        units, rates: their part of the space.
    """

    objective = "val_nmse"
    units = None
    rates = None

    def __init__(self, settings):
        last = santafe.TRAINING_POINTS - forecasts.HORIZON
        if max(settings.origins) > last:
            raise ValueError(
                f"--origins must be at most {last}: validation forecasts end before the test "
                f"points, got {max(settings.origins)}"
            )
        super().__init__(settings)

    def values(self, hp):
        values = self.searched(hp, lag=range(10, 121, 10), units=self.units,
                               learning_rate=self.rates)
        if values["lag"] >= min(self.settings.origins):
            search.refuse(
                f"a lag of {values['lag']} leaves no window before the first validation origin, "
                f"{min(self.settings.origins)}"
            )
        return values

    def build(self, values):
        return timeseries.build(self.recipe(**values))

    def fit(self, values, model, checkpoint, epochs):
        recipe = self.recipe(protocol="afresh", epochs=epochs, **values)

        def validate(origin, seed):
            # Hyperband begins with few epochs: what they gave is not the result of more.
            return search.kept(
                checkpoint, f"{origin}_{seed}_{epochs}",
                lambda: {"nmse": timeseries.validate(recipe, seed, [origin])["nmse"][0]},
            )["nmse"]

        by_origin = [np.median([validate(origin, seed) for seed in range(self.settings.seeds)])
                     for origin in self.settings.origins]
        return {"val_nmse": np.mean(by_origin), "worst_origin": max(by_origin)}

    def evaluate(self, values, seed):
        recipe = self.recipe(protocol="afresh", **values)
        weights = timeseries.train(recipe, seed)["weights"]
        found = forecasts.errors([timeseries.score(recipe, weights, self.settings.later)])
        return {"test_nmse": found.nmse[0], "test_mse": found.mse[0], "later_nmse": found.later[0]}
