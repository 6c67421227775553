"""The RBM: components, learning rate and epochs of persistent contrastive divergence.

The report compared seven settings (Figure 15) by the pseudo-likelihood of the training images and
took 200 components at rate 0.1 for 30 epochs, by eye. Neither measure can be searched: the
pseudo-likelihood puts machines in another order than the likelihood does (tasks 4.1.1 and 4.1.2),
and an error of reconstruction is small for any machine that copies, whatever its samples are. The
objective is the log-likelihood of held-out training images, the lower of its estimates by reverse
annealed importance sampling: what training maximises, and an estimate that errs on the safe side,
so that a machine is not chosen because its partition function was underestimated.

Report preset, estimated: a trial takes two minutes on one core, the search 40 minutes on two. An
interrupted trial goes on from its last finished seed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import data, models
from ann_keras.recipes import rbm
from tuning import images, search

PUBLISHED = rbm.Recipe()


@dataclass(frozen=True)
class Settings:
    max_trials: int = 30  # ours
    seeds: int = 1  # ours: trainings of a trial
    images: int = 50_000  # ours: first training images; report 60,000
    validation: int = 10_000  # ours: last training images, held out
    batch_size: int = PUBLISHED.batch_size
    source: Literal["full", "sample"] = PUBLISHED.source
    temperatures: int = 2_000  # ours: of annealed importance sampling
    chains: int = 100  # ours
    burn_in: int = 1_000  # ours: Gibbs steps before reverse annealing
    evaluation_seeds: int = 3  # ours: trainings of a setting that is compared


PRESETS = {
    "smoke": Settings(max_trials=2, images=200, validation=100, source="sample", temperatures=20,
                      chains=10, burn_in=10, evaluation_seeds=1),
    "quick": Settings(max_trials=6, images=2_000, validation=1_000, source="sample",
                      temperatures=300, burn_in=100, evaluation_seeds=1),
    "report": Settings(),
}


class Search(search.Search):
    published = PUBLISHED
    objective = "val_log_likelihood"
    direction = "max"

    def values(self, hp):
        return self.searched(hp, components=range(50, 501, 50), learning_rate=(0.005, 0.5),
                             epochs=range(5, 61, 5))

    def build(self, values, seed=0):
        model = models.rbm.BernoulliRBM(
            values["components"], values["learning_rate"], self.settings.batch_size,
            values["epochs"], seed, monitor=False,
        )
        model.build((None, 784))
        return model

    def fit(self, values, model, checkpoint, epochs):
        return self.mean_over_seeds(
            checkpoint, lambda seed: self._train(self.build(values, seed) if seed else model)
        )

    def _train(self, model):
        rows, held_out = images.rows(self.settings)
        model.fit(rows)
        found = self._score(model, rows, held_out)
        found["pseudo_likelihood"] = model.score_samples(data.mnist.binary(held_out)).mean()
        errors = model.reconstruct(held_out, probabilities=True) - held_out
        return {f"val_{name}": value for name, value in found.items()} | {
            "reconstruction": np.mean(errors ** 2),
        }

    def evaluate(self, values, seed):
        rows, unseen, _ = data.mnist.rows(self.settings.source)
        found = self._score(self.build(values, seed).fit(rows), rows, unseen)
        return {f"test_{name}": value for name, value in found.items()}

    def _score(self, model, rows, unseen):
        """The likelihood's lower estimate, and how far above it the upper one lies."""
        settings = self.settings
        found = rbm.bracket(
            model, rows, unseen, temperatures=settings.temperatures, chains=settings.chains,
            burn_in=settings.burn_in, binarization="threshold",  # of scored images, as task 4.1.2
        )
        return {"log_likelihood": found["lower"], "gap": found["upper"] - found["lower"]}
