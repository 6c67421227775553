"""The LSTM that continues the Santa Fe laser: lag, units and learning rate.

The report chose lag 80, 100 units and rate 0.001 by hand, with the test error in view and one
network going on from fold to fold (D4, D5). The objective is the error of closed-loop forecasts
from origins inside the training points, as of the search ``timeseries_mlp``, with one training for
each origin. The test points are seen only once the search has ended.

A trial takes about 40 seconds on one core.
"""

from dataclasses import dataclass

from ann_keras.recipes.timeseries import LSTM
from tuning import timeseries


@dataclass(frozen=True)
class Settings(timeseries.Settings):
    max_trials: int = 60  # ours
    epochs: int = 450  # ours: as many steps as the report's 150 in each of three folds
    seeds: int = 1  # ours: trainings for each origin


PRESETS = {
    "smoke": Settings(max_trials=2, epochs=2, origins=(300,), later=2, evaluation_seeds=1),
    "quick": Settings(max_trials=5, epochs=60, origins=(600,), evaluation_seeds=2),
    "report": Settings(),
}


class Search(timeseries.Search):
    published = LSTM
    units = range(10, 151, 10)
    rates = 3e-4, 3e-2
