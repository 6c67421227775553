"""Task 4.2.6: one table over every generative model of the report.

The report says that GANs sample more realistically than autoencoders but train less stably. Here
ten thousand samples of each model are scored alike, as pixel probabilities: RBM and DBM by long
chains, the stacked autoencoder with a Gaussian fitted to its codes, and as floor a mixture of
Bernoulli distributions, whose recall is 0 since its samples are its few components. Beside that
stand the time to train, of which only the order of magnitude counts, and the log-likelihood of test
images with pixels drawn. More realistic means nearer to digits by Fréchet distance; stability is
how far the loss steps from epoch to epoch, as three seeds are too few to compare their spread.

    python scripts/task_4_2_6.py                     about half a minute after tasks 4.1.2 to 4.3.3
    python scripts/task_4_2_6.py --preset report     about half an hour after those
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.evaluation.curves import fluctuation
from ann_keras.recipes import autoencoder, convnet, dbm, gan, mixture, rbm, vae

RBM = command.group(rbm.Recipe, "source")
DBM = command.group(dbm.Recipe, "source", "binarization")
Dense = command.group(gan.Recipe, "source", "backbone", "corrected")
Conv = command.group(gan.Recipe, "source", "backbone", "corrected", "separate_batches")
Variational = command.group(vae.Recipe, "source", "binarize")
Pretraining = command.group(autoencoder.Pretraining, "source")
Mixture = command.group(mixture.Recipe, "source")
DRAWN = {"binarization": "draw"}  # of the DBM, as of the digits whose likelihood is estimated


@dataclass(frozen=True)
class Settings:
    rbm: RBM = rbm.Recipe()
    dbm: DBM = replace(dbm.Recipe(), **DRAWN)
    conv: Conv = gan.CONVOLUTIONAL  # of the convolutional GAN
    gan: Dense = gan.Recipe()  # of that with dense networks
    binary: Variational = vae.BINARY  # ours: of the VAE of binary pixels
    vae: Variational = vae.Recipe()
    by_adam: Pretraining = autoencoder.BY_ADAM  # ours: of an autoencoder trained further
    autoencoder: Pretraining = autoencoder.Pretraining()
    mixture: Mixture = mixture.Recipe()
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits
    samples: int = 10_000  # ours: that are scored
    chain: int = 1_000  # ours: Gibbs steps to a sample of RBM and DBM
    temperatures: int = 10_000  # ours: of annealed importance sampling
    digits: int = 10_000  # ours: test images whose likelihood under the VAE is estimated
    codes: int = 5_000  # ours: of each of them
    costly_seeds: int = 1  # ours: of DBM, convolutional GAN and VAE of binary pixels
    seeds: int = 3  # ours: of the others


PRESETS = {
    "smoke": Settings(rbm.SMOKE, replace(dbm.SMOKE, **DRAWN), gan.CONVOLUTIONAL_SMOKE, gan.SMOKE,
                      vae.BINARY_SMOKE, vae.SMOKE, autoencoder.BY_ADAM_SMOKE,
                      autoencoder.PRETRAINING_SMOKE, mixture.SMOKE, convnet.LABELLING_SMOKE,
                      "sample", samples=100, chain=5, temperatures=50, digits=10, codes=10,
                      seeds=1),
    "quick": Settings(rbm.QUICK, replace(dbm.QUICK, **DRAWN), gan.CONVOLUTIONAL_QUICK, gan.QUICK,
                      vae.BINARY_QUICK, vae.QUICK, autoencoder.BY_ADAM_QUICK,
                      autoencoder.PRETRAINING_QUICK, mixture.QUICK, convnet.LABELLING_QUICK,
                      "sample", samples=1_000, chain=300, temperatures=500, digits=50, codes=500,
                      seeds=1),
    "report": Settings(),
}
VAE = "VAE"
AUTOENCODERS = "stacked autoencoder, as published", "stacked autoencoder, by Adam", VAE
BINARY = "VAE of binary pixels"
SIDES = "lower", "upper"  # of a log-likelihood


def run(task, settings):
    settings, scoring, floor = convnet.begin(task, settings)
    few = settings.costly_seeds
    mixed = f"mixture of {settings.mixture.components} Bernoulli products"
    trained = {
        "RBM": task.repeat(rbm.train, settings.rbm),
        "DBM": task.repeat(dbm.train, settings.dbm, seeds=few),
        **gan.dense(task, settings.gan, scoring["labelling"]),
        **gan.convolutional(task, settings.conv, few),
        VAE: task.repeat(vae.train, settings.vae),
        BINARY: task.repeat(vae.train, settings.binary, seeds=few),
        AUTOENCODERS[0]: task.repeat(autoencoder.pretrain, settings.autoencoder),
        AUTOENCODERS[1]: task.repeat(autoencoder.pretrain, settings.by_adam),
        mixed: task.repeat(mixture.train, settings.mixture),
    }
    score_of = {
        rbm.train: sample_chains, dbm.train: sample_chains, gan.train: gan.score,
        vae.train: vae.score, autoencoder.pretrain: autoencoder.score, mixture.train: mixture.score,
    }
    options = {sample_chains: {"steps": settings.chain}, autoencoder.score: {"kind": "fitted"}}
    scored = {}
    for name, runs in trained.items():
        score = score_of[runs[0].run.function]
        scored[name] = task.repeat(score, training=runs, **scoring, **options.get(score, {}))
    brackets = {name: task.repeat(score, training=trained[name], temperatures=settings.temperatures,
                                  **DRAWN)
                for name, score in (("RBM", rbm.score), ("DBM", dbm.score))}
    parts = vae.likelihoods(task, trained[BINARY][0], settings.digits, settings.codes)

    scores = {name: scoreboard.scores(runs) | {"seconds": seconds_of(trained[name])}
              for name, runs in scored.items()}
    likelihoods = {name: {side: runs[side] for side in SIDES} for name, runs in brackets.items()}
    likelihoods[BINARY] = {"lower": vae.bounds(parts)["iwae"].mean()}
    likelihoods[mixed] = dict.fromkeys(SIDES, trained[mixed]["log_likelihood"])  # exact
    for name, found in scores.items():
        scoreboard.measure(task, name, found)
        title = scoreboard.title(name)
        task.measure(f"{title}/seconds", found["seconds"], better="lower", unit="s")
        for side, values in likelihoods.get(name, {}).items():
            task.measure(f"{title}/log_likelihood/{side}", values, better="higher", unit="nats")
    scoreboard.table(task, scores, floor, **columns(scores, likelihoods))
    plots.sample_rows(task, "samples", {name.replace(", ", "\n", 1): images for name, images
                                        in scoreboard.first(scored, "images").items()})
    draw(task, scores, floor)
    losses = {name: trained[name]["generator_loss"] for name in (gan.DENSE[0], gan.DENSE[2])}
    losses[VAE] = -trained[VAE]["elbo"]
    unsteady = {name: fluctuation(np.log(values)) for name, values in losses.items()}
    for name, values in unsteady.items():
        task.measure(f"{scoreboard.title(name)}/unsteadiness", values, better="lower")
    task.decide(judge({name: found["frechet"] for name, found in scores.items()}, unsteady))


def seconds_of(runs):
    """Seconds that trainings took, (seeds,): of RBM, GANs and VAEs the median epoch's, times."""
    each = runs[0].run.function in (rbm.train, gan.train, vae.train)
    return runs["seconds"] * (runs[0].recipe.epochs if each else 1)


def sample_chains(training, labelling, samples, steps):
    """``scoreboard.kept`` of the ends of so many Gibbs chains, so long, from random states, as
    pixel probabilities, of a run of ``rbm.train`` or ``dbm.train``."""
    of_rbm = isinstance(training.recipe, rbm.Recipe)
    machine = rbm.rbm_of(training) if of_rbm else dbm.machine_of(training)
    images = machine.sample(samples, steps, probabilities=True)
    return scoreboard.kept(scoreboard.board(labelling, training.recipe.source, samples), images)


def columns(scores, likelihoods):
    """Further columns of the table, each a dict of texts by model."""
    found = {f"{end}est frechet": {name: f"{choose(values['frechet']):.4f}"
                                   for name, values in scores.items()}
             for end, choose in (("low", np.min), ("high", np.max))}
    found["seconds to train"] = {name: f"{values['seconds'].mean():.0f}"
                                 for name, values in scores.items()}
    return found | {
        f"log-likelihood, {side}": {name: f"{values[side].mean():.2f}"
                                    for name, values in likelihoods.items() if side in values}
        for side in SIDES
    }


def draw(task, scores, floor):
    titles = {"frechet": "Fréchet distance", "precision": "precision", "coverage": "coverage",
              "seconds": "seconds to train"}
    with plots.figure(task, "comparison", 4, 2, width=9.5, height=2 + 0.6 * len(scores),
                      sharey=True) as axes:
        for panel, (quantity, title) in zip(axes, titles.items()):
            plots.dots(panel, {name: found[quantity] for name, found in scores.items()})
            if quantity in floor:
                panel.axvline(floor[quantity], color="grey", ls=":")
            panel.set_xlabel(title)
            if quantity in ("frechet", "seconds"):
                panel.set_xscale("log")
            else:
                panel.set_xlim(0, None)
        plots.log_ticks(axes[0].xaxis)  # over the decades of seconds 1, 2 and 5 would overlap
        panel.figure.suptitle("a dot a seed, bars their mean; dotted: test digits", fontsize=9)


def judge(distances, unsteady):
    """What the claim is judged by, (seeds,) by model: distances of samples to digits, and how far
    the logarithm of the loss of GANs and VAE steps from epoch to epoch."""
    def of(name):
        return {"realistic": {autoencoder: (distances[autoencoder], distances[name])
                              for autoencoder in AUTOENCODERS},
                "unstable": (unsteady[name], unsteady[VAE])}

    return {"4.2.6-a": (of(gan.DENSE[0]), of(gan.DENSE[2]))}


if __name__ == "__main__":
    command.main("4.2.6", run, PRESETS, __doc__)
