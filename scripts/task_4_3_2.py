"""Task 4.3.2: noise decoded through a stacked autoencoder and through the VAE.

The report says that a VAE generates by samples from its latent space, and names a loss for either
model. Here noise goes through the decoders of the stacked autoencoder: N(0, I) as in the VAE,
uniform noise where sigmoid codes lie, and a Gaussian fitted to codes; as pre-trained in task 3.1.1,
which hardly moves the weights, and trained well by Adam. Not to generate is to be clearly farther
from digits, by Fréchet distance, than the VAE's samples. The losses are read off the models (D14).

    python scripts/task_4_3_2.py                     about 30 seconds, 4,000 digits, smaller VAE
    python scripts/task_4_3_2.py --preset report     about ten minutes, with the VAEs of task 4.3.3
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import command, data, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import autoencoder, convnet, vae

Variational = command.group(vae.Recipe, "source")
Pretraining = command.group(autoencoder.Pretraining, "source")


@dataclass(frozen=True)
class Settings:
    by_adam: Pretraining = autoencoder.BY_ADAM  # ours: of an autoencoder trained further
    autoencoder: Pretraining = autoencoder.Pretraining()
    vae: Variational = vae.Recipe()
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits
    samples: int = 10_000  # ours: that are scored
    seeds: int = 3  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(autoencoder.BY_ADAM_SMOKE, autoencoder.PRETRAINING_SMOKE, vae.SMOKE,
                      convnet.LABELLING_SMOKE, "sample", samples=100, seeds=1),
    "quick": Settings(autoencoder.BY_ADAM_QUICK, autoencoder.PRETRAINING_QUICK, vae.QUICK,
                      convnet.LABELLING_QUICK, "sample", samples=1_000, seeds=1),
    "report": Settings(),
}
CODES = autoencoder.CODES
MODELS = {"published": "pre-trained as published", "adam": "trained by Adam"}
VAE = "VAE", "normal"


def run(task, settings):
    settings, scoring, floor = convnet.begin(task, settings)
    variational = task.repeat(vae.train, settings.vae)
    stacks = {"published": task.repeat(autoencoder.pretrain, settings.autoencoder),
              "adam": task.repeat(autoencoder.pretrain, settings.by_adam)}
    scored = {(name, kind): task.repeat(autoencoder.score, training=runs, kind=kind, **scoring)
              for name, runs in stacks.items() for kind in CODES}
    scored[VAE] = task.repeat(vae.score, training=variational, **scoring)
    losses = task.run(losses_of_vae, training=variational[0])

    scores = {key: scoreboard.scores(runs) for key, runs in scored.items()}
    for name, runs in stacks.items():
        task.measure(f"autoencoder/{name}/error", runs["error"], better="lower")
        for loss in ("logged", "squared_error", "cross_entropy"):
            task.measure(f"autoencoder/{name}/{loss}", runs[loss])
        for kind in CODES:
            scoreboard.measure(task, f"autoencoder/{name}/{kind}", scores[name, kind])
    scoreboard.measure(task, "vae/normal", scores[VAE])
    titles = {(name, kind): f"{MODELS.get(name, name)}: {CODES[kind]}" for name, kind in scores}
    scoreboard.table(task, {titles[key]: found for key, found in scores.items()}, floor)
    plots.sample_rows(task, "decoded", {titles[key].replace(": ", "\n"): images for key, images
                                        in scoreboard.first(scored, "images").items()})
    for loss, value in losses.items():
        task.measure(f"vae/{loss}", value)
    task.decide(judge({key: found["frechet"] for key, found in scores.items()}))


def losses_of_vae(training):
    """The reconstruction error that a run of ``vae.train`` logs for test images, and what it could
    be: dict of "logged", "squared_error" and "cross_entropy" (nats), sums over pixels, means over
    images, at one code each."""
    import keras

    from ann_keras.training import compiled

    _, rows, _ = data.mnist.rows(training.recipe.source)
    keras.utils.set_random_seed(0)  # of the code that the model draws
    model = vae.vae_of(training)
    model.compile("adam")
    means, deviations = model.encode(rows)
    noise = np.random.default_rng(0).normal(size=means.shape)
    outputs = np.clip(model.decode(means + deviations * noise), 1e-7, 1 - 1e-7)
    entropy = -(rows * np.log(outputs) + (1 - rows) * np.log1p(-outputs))
    return {"logged": compiled.evaluate(model, rows)["reconstruction"],
            "squared_error": np.mean(np.sum((outputs - rows) ** 2, axis=1)),
            "cross_entropy": np.mean(np.sum(entropy, axis=1))}


def judge(distances):
    """What the claim is judged by: distances to digits, (seeds,), by (model, kind of codes)."""
    return {"4.3.2-a": {"distance": {
        f"{MODELS[name]}, {CODES[kind]}": (values, distances[VAE])
        for (name, kind), values in distances.items() if name in MODELS and kind != "codes"
    }}}


if __name__ == "__main__":
    command.main("4.3.2", run, PRESETS, __doc__)
