"""Task 4.2.6: one table over every generative model of the report.

The report says that GANs sample more realistically than autoencoders but train less stably. Here
ten thousand samples of each model are scored alike, on the features of the labelling convnet:
RBM and DBM by long chains, the GANs as published and corrected, the VAEs, the stacked autoencoder
with a Gaussian fitted to its codes, and as floor a mixture of Bernoulli distributions; beside
that the time to train, the spread over seeds, and the log-likelihood of test images where there
is one. All images count as pixel probabilities, those of the mixture being its few components, so
that its recall is 0; likelihoods are of test images with pixels drawn. Seconds are of whatever
core a run fell on and of what ran beside it, so that only their order of magnitude counts; those of
GANs and VAEs are the median epoch times the epochs.

    python scripts/task_4_2_6.py                     about half a minute after tasks 4.1.2 to 4.3.3
    python scripts/task_4_2_6.py --preset report     about half an hour after those
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import autoencoder, convnet, dbm, gan, mixture, rbm, vae
from ann_keras.report import decide

RBM = command.group(rbm.Recipe, "source")
DBM = command.group(dbm.Recipe, "source", "binarization")
Dense = command.group(gan.Recipe, "source", "backbone", "corrected")
Conv = command.group(gan.Recipe, "source", "backbone", "corrected", "separate_batches")
Variational = command.group(vae.Recipe, "source", "binarize")
Pretraining = command.group(autoencoder.Pretraining, "source")
Mixture = command.group(mixture.Recipe, "source")
Labelling = command.group(convnet.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    rbm: RBM = rbm.Recipe()
    dbm: DBM = dbm.Recipe()
    conv: Conv = gan.CONVOLUTIONAL  # of the convolutional GAN
    gan: Dense = gan.Recipe()  # of that with dense networks
    binary: Variational = vae.BINARY  # ours: of the VAE of binary pixels
    vae: Variational = vae.Recipe()
    by_adam: Pretraining = autoencoder.BY_ADAM  # ours: of an autoencoder trained further
    autoencoder: Pretraining = autoencoder.Pretraining()
    mixture: Mixture = mixture.Recipe()
    labelling: Labelling = convnet.LABELLING  # ours: the judge
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits
    samples: int = 10_000  # ours: that are scored
    chain: int = 1_000  # ours: Gibbs steps to a sample of RBM and DBM
    temperatures: int = 10_000  # ours: of annealed importance sampling
    digits: int = 10_000  # ours: test images whose likelihood under the VAE is estimated
    codes: int = 5_000  # ours: of each of them
    costly_seeds: int = 1  # ours: of DBM, convolutional GAN and VAE of binary pixels
    seeds: int = 3  # ours: of the others


PRESETS = {
    "smoke": Settings(
        rbm.SMOKE, dbm.SMOKE, gan.CONVOLUTIONAL_SMOKE, gan.SMOKE, vae.BINARY_SMOKE, vae.SMOKE,
        autoencoder.BY_ADAM_SMOKE, autoencoder.PRETRAINING_SMOKE, mixture.SMOKE,
        convnet.LABELLING_SMOKE, "sample", samples=100, chain=5, temperatures=50, digits=10,
        codes=10, seeds=1,
    ),
    "quick": Settings(
        rbm.QUICK, dbm.QUICK, gan.CONVOLUTIONAL_QUICK, gan.QUICK, vae.BINARY_QUICK, vae.QUICK,
        autoencoder.BY_ADAM_QUICK, autoencoder.PRETRAINING_QUICK, mixture.QUICK,
        convnet.LABELLING_QUICK, "sample", samples=1_000, chain=300, temperatures=500, digits=50,
        codes=500, seeds=1,
    ),
    "report": Settings(),
}
AUTOENCODERS = "stacked autoencoder, as published", "stacked autoencoder, by Adam", "VAE"
BINARY = "VAE of binary pixels"
WORDS = {True: "ahead of", False: "behind", None: "neither ahead of nor behind"}
SHOWN = 10  # samples that a score of this module keeps


def run(task, settings):
    def recipe(name, **changes):
        return replace(getattr(settings, name), source=settings.source, **changes)

    few = settings.costly_seeds
    labelling = task.run(convnet.train, recipe("labelling"), seed=0)
    trained = {
        "RBM": task.repeat(rbm.train, recipe("rbm")),
        "DBM": task.repeat(dbm.train, recipe("dbm", binarization="draw"), seeds=few),
        **gan.dense(task, recipe("gan"), labelling),
        **gan.convolutional(task, recipe("conv"), few),
        AUTOENCODERS[2]: task.repeat(vae.train, recipe("vae")),
        BINARY: task.repeat(vae.train, recipe("binary"), seeds=few),
        AUTOENCODERS[0]: task.repeat(autoencoder.pretrain, recipe("autoencoder")),
        AUTOENCODERS[1]: task.repeat(autoencoder.pretrain, recipe("by_adam")),
        f"mixture of {settings.mixture.components} Bernoulli products":
            task.repeat(mixture.train, recipe("mixture")),
    }
    chains = sample_chains, {"steps": settings.chain}
    score_of = {
        rbm.train: chains, dbm.train: chains, gan.train: (gan.score, {}),
        vae.train: (vae.score, {}), autoencoder.pretrain: (autoencoder.score, {"kind": "fitted"}),
        mixture.train: (mixture.score, {}),
    }
    scored = {}
    for name, runs in trained.items():
        score, options = score_of[runs[0].run.function]
        scored[name] = task.repeat(score, training=runs, labelling=labelling,
                                   samples=settings.samples, **options)
    brackets = {
        name: task.repeat(score, training=trained[name], temperatures=settings.temperatures,
                          binarization="draw")
        for name, score in (("RBM", rbm.score), ("DBM", dbm.score))
    }
    parts = vae.likelihoods(task, trained[BINARY][0], settings.digits, settings.codes)
    floor = task.run(scoreboard.floor, labelling=labelling, source=settings.source,
                     samples=settings.samples)

    scores = {name: scoreboard.scores(runs) for name, runs in scored.items()}
    seconds = {name: seconds_of(runs) for name, runs in trained.items()}
    likelihoods = {name: {side: runs[side] for side in ("lower", "upper")}
                   for name, runs in brackets.items()}
    likelihoods[BINARY] = {"lower": vae.bounds(parts)["iwae"].mean()}
    name, last = list(trained.items())[-1]
    likelihoods[name] = dict.fromkeys(("lower", "upper"), last["log_likelihood"])  # exact
    for name, found in scores.items():
        scoreboard.measure(task, name, found)
        title = scoreboard.title(name)
        task.measure(f"{title}/seconds", seconds[name], better="lower", unit="s")
        for side, values in likelihoods.get(name, {}).items():
            task.measure(f"{title}/log_likelihood/{side}", values, better="higher", unit="nats")
    scoreboard.table(task, "scores", scores, floor, **columns(scores, seconds, likelihoods))
    plots.sample_rows(task, "samples", {name.replace(", ", "\n", 1): runs[0]["images"]
                                        for name, runs in scored.items()})
    draw(task, scores, seconds, floor)
    task.decide(judge(scores))


def seconds_of(runs):
    """Seconds that trainings took, (seeds,): of RBM, GANs and VAEs the median epoch's, times."""
    each = runs[0].run.function in (rbm.train, gan.train, vae.train)
    return runs["seconds"] * (runs[0].recipe.epochs if each else 1)


def sample_chains(training, labelling, samples, steps):
    """Score the ends of long Gibbs chains from random states, as pixel probabilities.

    Args:
        training: run of ``rbm.train`` or ``dbm.train``.
        labelling: training of the labelling convnet.
        samples: number of chains.
        steps: of Gibbs sampling.

    Returns:
        Dict: "score_…" as ``Scoreboard.score`` names them, and "images" (10, 784), uint8.
    """
    of_rbm = isinstance(training.recipe, rbm.Recipe)
    machine = rbm.rbm_of(training) if of_rbm else dbm.machine_of(training)
    images = machine.sample(samples, steps, probabilities=True)
    board = scoreboard.board(labelling, training.recipe.source, samples)
    return scoreboard.as_fields(board.score(images)) | {
        "images": scoreboard.to_bytes(images[:SHOWN])
    }


def columns(scores, seconds, likelihoods):
    """Further columns of the table, each a dict of texts by model."""
    found = {
        "lowest frechet": {name: f"{values['frechet'].min():.4f}"
                           for name, values in scores.items()},
        "highest frechet": {name: f"{values['frechet'].max():.4f}"
                            for name, values in scores.items()},
        "seconds to train": {name: f"{np.mean(values):.0f}" for name, values in seconds.items()},
    }
    return found | {
        f"log-likelihood, {side}": {name: f"{np.mean(values[side]):.2f}"
                                    for name, values in likelihoods.items() if side in values}
        for side in ("lower", "upper")
    }


def draw(task, scores, seconds, floor):
    figure, axes = plots.panels(4, width=14, height=1 + 0.33 * len(scores), sharey=True)
    titles = {"frechet": "Fréchet distance", "precision": "precision", "coverage": "coverage",
              "seconds": "seconds to train"}
    for panel, (quantity, title) in zip(axes, titles.items(), strict=True):
        for row, (name, found) in enumerate(scores.items()):
            values = seconds[name] if quantity == "seconds" else found[quantity]
            panel.plot(values, [row] * len(values), "o", color="C0", alpha=0.5)
            panel.plot(np.mean(values), row, "|", color="black", ms=14)
        if quantity in floor:
            panel.axvline(float(floor[quantity]), color="grey", ls=":")
        panel.set(xlabel=title)
        if quantity in ("frechet", "seconds"):
            panel.set_xscale("log")
            if quantity == "frechet":  # 1, 2 and 5 would overlap over the decades of seconds
                plots.log_ticks(panel.xaxis)
        else:
            panel.set_xlim(0, None)
    axes[0].set_yticks(range(len(scores)), list(scores))
    axes[0].invert_yaxis()
    figure.suptitle("a dot a seed, bars their mean; dotted: test digits", fontsize=9)
    task.figure("comparison", figure)


def judge(scores):
    """Verdict from scores by model, dicts of arrays (seeds,).

    The claim has two halves; where they disagree the verdict stays open.
    """
    published = gan.DENSE[0]
    better = {name: scoreboard.more_realistic(scores[published], scores[name])
              for name in AUTOENCODERS}
    found = set(better.values())
    realistic = True if found == {True} else False if False in found else None
    distances = {name: scores[name]["frechet"] for name in (*gan.DENSE, *AUTOENCODERS)}
    spread = {name: values.max() / values.min() for name, values in distances.items()}
    unstable = bool(spread[published] > max(spread[name] for name in AUTOENCODERS))
    seeds = min(map(len, distances.values()))
    named = ", ".join(
        f"{name} {values.mean():.3g} ({spread[name]:.3f})" for name, values in distances.items()
    )
    return {"4.2.6-a": (
        decide.with_enough_seeds(realistic if realistic == unstable else None, seeds),
        "Fréchet distance of samples to digits, mean over seeds, and in brackets the largest over "
        f"the smallest, which stands for stability: {named}. By distance and the "
        "convnet's share, each seed against each, the published GAN is "
        + ", ".join(f"{WORDS[ahead]} the {name}" for name, ahead in better.items()) + ".",
    )}


if __name__ == "__main__":
    command.main("4.2.6", run, PRESETS, __doc__)
