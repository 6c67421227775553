"""The stacked autoencoder: sizes of both encoders, epochs and learning rates of the phases.

The report chose 256 and 64 units, 20 epochs of pre-training, 30 of the classifier and 50 of
fine-tuning by hand, looking at 1,000 test images (D6), and says that sizes matter little and
epochs much (claim 3.1.1-b). The objective is the accuracy on held-out training images after
fine-tuning: what the network is for. The losses of earlier phases are means to it, and they do not
compare between sizes.

Report preset, estimated: a trial takes 30 seconds on one core, the search 15 minutes on two.
"""

from dataclasses import dataclass
from typing import Literal

from ann_keras import models
from ann_keras.recipes import autoencoder
from tuning import search

PUBLISHED = autoencoder.Recipe()


@dataclass(frozen=True)
class Settings:
    max_trials: int = 60  # ours
    seeds: int = 2  # ours: trainings of a trial
    images: int = PUBLISHED.images  # report: random training images, drawn anew for each phase
    source: Literal["full", "sample"] = PUBLISHED.source  # report
    validation: int = 6_000  # ours: last training images, held out
    evaluation_seeds: int = 5  # ours: trainings of a setting that is compared


PRESETS = {
    "smoke": Settings(max_trials=2, seeds=1, images=100, source="sample", validation=100,
                      evaluation_seeds=1),
    "quick": Settings(max_trials=6, seeds=1, images=1_000, source="sample", validation=1_000,
                      evaluation_seeds=1),
    "report": Settings(),
}


class Search(search.Search):
    published = PUBLISHED
    objective = "val_accuracy"
    direction = "max"

    def values(self, hp):
        first, second = PUBLISHED.hidden_units
        second = hp.Int("second_units", 32, 256, step=32, default=second)
        first = hp.Int("first_units", 128, 512, step=64, default=first)
        if second > first:
            search.refuse(f"the second encoder has more units than the first: {second} > {first}")
        return {"hidden_units": [first, second]} | self.searched(
            hp, pretraining_epochs=range(0, 61, 10), classifier_epochs=range(0, 91, 10),
            fine_tuning_epochs=range(10, 101, 10), pretraining_rate=(0.03, 30),
            learning_rate=(0.03, 3),
        )

    def build(self, values):
        return models.autoencoder.StackedAutoencoder(tuple(values["hidden_units"])).classifier

    def fit(self, values, model, checkpoint, epochs):
        means = self.mean_over_seeds(checkpoint, lambda seed: self._train(values, seed))
        return {f"val_{name}": mean for name, mean in means.items()}

    def evaluate(self, values, seed):
        found = self._train(values, seed, validation=PUBLISHED.validation)
        return {f"test_{name}": accuracy for name, accuracy in found.items()}

    def _train(self, values, seed, **options):
        run = autoencoder.train(self.recipe(**values, **options), seed)
        return {name: run[name] for name in ("accuracy", "classifier_accuracy")}
