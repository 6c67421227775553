"""The VAE: sizes of code and hidden layer, learning rate, beta_1 and batch size.

The report chose 300 and 1,024 units, rate 0.001, beta_1 0.5 and batches of 3,000 without saying
how. The objective is the evidence lower bound of held-out training images after the last epoch:
it is what training maximises, it bounds the likelihood from below whatever the sizes are, so it
compares between them, and the KL term makes codes that are not needed cost something. Trainings
are shorter than the report's 100 epochs on 60,000 images, which favours settings that learn fast.

Report preset, estimated: a trial takes two minutes on one core, the search 30 minutes on two.
"""

from dataclasses import dataclass
from typing import Literal

import keras

from ann_keras import models
from ann_keras.recipes import vae
from tuning import images, search

PUBLISHED = vae.Recipe()


@dataclass(frozen=True)
class Settings:
    max_trials: int = 30  # ours
    epochs: int = 30  # ours; report 100
    images: int = 10_000  # ours: first training images; report 60,000
    validation: int = 5_000  # ours: last training images, held out
    source: Literal["full", "sample"] = PUBLISHED.source


PRESETS = {
    "smoke": Settings(max_trials=2, epochs=2, images=200, validation=100, source="sample"),
    "quick": Settings(max_trials=6, epochs=5, images=1_000, validation=500, source="sample"),
    "report": Settings(),
}


class Search(search.Search):
    published = PUBLISHED
    objective = "val_elbo"
    direction = "max"
    replicas = True  # their gradients are added up, not averaged: Adam does not mind

    def values(self, hp):
        values = self.searched(
            hp, latent_dim=[5, 10, 20, 50, 100, 200, 300], hidden_dim=[128, 256, 512, 1024, 1536],
            learning_rate=(1e-4, 1e-2), beta_1=[0.0, 0.5, 0.9], batch_size=[100, 300, 1000, 3000],
        )
        if values["latent_dim"] > values["hidden_dim"]:
            search.refuse(
                f"a code of {values['latent_dim']} components is larger than the hidden layer of "
                f"{values['hidden_dim']} that it is read from"
            )
        return values

    def build(self, values):
        model = models.vae.VAE(values["latent_dim"], values["hidden_dim"])
        model.compile(keras.optimizers.Adam(values["learning_rate"], beta_1=values["beta_1"]))
        return model

    def fit(self, values, model, checkpoint, epochs):
        training, validation = images.rows(self.settings)
        history = search.train(
            model, training, checkpoint=checkpoint, epochs=epochs,
            batch_size=values["batch_size"], validation_data=(validation, None),
        )
        return {name: history[name][-1] for name in ("val_elbo", "val_reconstruction", "val_kl")}
