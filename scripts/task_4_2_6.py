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

from dataclasses import dataclass, field

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.experiments import settings as shared


@dataclass(frozen=True)
class Settings:
    dbm: shared.ScoredDBM = field(default_factory=shared.ScoredDBM)
    gan: shared.ConvGAN = field(default_factory=shared.ConvGAN)
    vae: shared.BinaryVAE = field(default_factory=shared.BinaryVAE)
    autoencoder: shared.Decoding = field(default_factory=shared.Decoding)
    components: int = 100  # ours: of the mixture
    chain: int = 1_000  # ours: Gibbs steps to a sample of RBM and DBM
    seeds: int = 3  # ours; DBM, convolutional GAN and VAE of binary pixels have theirs


PRESETS = {
    preset: Settings(
        dbm=shared.SCORED_DBM_PRESETS[preset], gan=shared.CONV_GAN_PRESETS[preset],
        vae=shared.BINARY_VAE_PRESETS[preset], autoencoder=shared.DECODING_PRESETS[preset],
        **changes,
    )
    for preset, changes in {
        "smoke": {"components": 10, "chain": 5, "seeds": 1},
        "quick": {"components": 50, "chain": 300, "seeds": 1},
        "report": {},
    }.items()
}
GANS = shared.DENSE_GANS
AUTOENCODERS = "stacked autoencoder, as published", "stacked autoencoder, by Adam", "VAE"
WORDS = {True: "ahead of", False: "behind", None: "neither ahead of nor behind"}
DRAWN = {"binarization": "draw"}


@dataclass(frozen=True)
class Model:
    """Scores of samples, dict of (seeds, …); seconds of training (seeds,); images (n, 784), uint8;
    and lower and upper estimate of the log-likelihood, nats an image, where there are any."""

    scores: dict
    seconds: list
    images: np.ndarray
    likelihood: dict = field(default_factory=dict)


def run(task, settings):
    samples, gallery = experiments.samples, experiments.gallery
    samples.check_alike(settings.dbm, settings.gan, settings.vae, settings.autoencoder)
    board = samples.scoreboard(task, settings.gan)
    models = {}
    for part in (boltzmann_machines, gans, vaes, autoencoders, mixture):
        models |= part(task, settings, board)
    for name, model in models.items():
        title = samples.title(name)
        samples.measure(task, name, model.scores)
        task.measure(f"{title}/seconds", model.seconds, better="lower", unit="s")
        for side, values in model.likelihood.items():
            task.measure(f"{title}/log_likelihood/{side}", values, better="higher", unit="nats")
    floor = board.floor(task, of="4.2.3")
    gallery.table(
        task, "scores", {name: model.scores for name, model in models.items()}, floor,
        **columns(models),
    )
    gallery.draw_rows(task, "samples", {
        name.replace(", ", "\n", 1): model.images for name, model in models.items()
    })
    draw(task, models, floor)
    judge(task, {name: model.scores for name, model in models.items()})


def model_of(runs, seconds, **likelihood):
    return Model(experiments.samples.scores(runs), seconds, runs[0]["images"], likelihood)


def boltzmann_machines(task, settings, board):
    boltzmann, dbm = experiments.boltzmann, experiments.dbm
    rbms = [boltzmann.published_rbm(task, settings.dbm, seed, of="4.1.2") for seed in task.seeds]
    deep = [dbm.trained(task, settings.dbm, seed, of="4.1.6", **DRAWN)
            for seed in range(settings.dbm.seeds)]
    found = {}
    for name, runs, machine_of, kernel, seconds, scores in (
        ("RBM", rbms, boltzmann.rbm_of, "components",
         [run["seconds"] * settings.dbm.iterations for run in rbms],
         boltzmann.scores(task, "RBM on draws", rbms, settings.dbm, **DRAWN)),
        ("DBM", deep, dbm.machine_of, "kernel_1", [run["seconds"] for run in deep],
         dbm.scores(task, deep, settings.dbm, of="4.1.6", **DRAWN)),
    ):
        chains = [
            experiments.comparison.chains(
                task, f"{name}, seed {seed}", machine_of(run), board, settings.gan,
                weights=boltzmann.digest(run[kernel]), steps=settings.chain,
            )
            for seed, run in enumerate(runs)
        ]
        found[name] = model_of(chains, seconds, lower=scores["lower"], upper=scores["upper"])
    return found


def gans(task, settings, board):
    gan, settings = experiments.gan, settings.gan
    runs = gan.dense(task, settings, board)
    runs |= gan.convolutional(task, settings, board, of="4.2.5")
    return {
        name: model_of(group, [run["seconds"] * len(run["generator_loss"]) for run in group])
        for name, group in runs.items()
    }


def vaes(task, settings, board):
    vae, settings = experiments.vae, settings.vae
    runs = {
        AUTOENCODERS[2]: vae.trained(task, settings, board, of="4.3.3"),
        "VAE of binary pixels":
            vae.binary(task, settings, board, of="4.3.1", seeds=range(settings.seeds)),
    }
    found = {
        name: model_of(group, [run["seconds"] * len(run["elbo"]) for run in group])
        for name, group in runs.items()
    }
    last = list(runs)[-1]
    bounds = vae.likelihood(task, "binary pixels", runs[last][0], settings, of="4.3.1")
    found[last].likelihood["lower"] = bounds["iwae"].mean()
    return found


def autoencoders(task, settings, board):
    decoding, settings = experiments.decoding, settings.autoencoder
    runs = {
        AUTOENCODERS[0]: decoding.trained(task, settings, board, of="4.3.2"),
        AUTOENCODERS[1]: decoding.by_adam(task, settings, board, of="4.3.2"),
    }
    return {
        name: Model(decoding.scores(group, "fitted"), [run["seconds"] for run in group],
                    group[0]["fitted_images"])
        for name, group in runs.items()
    }


def mixture(task, settings, board):
    runs = experiments.comparison.mixtures(
        task, board, settings.gan, components=settings.components
    )
    exact = [run["log_likelihood"] for run in runs]
    name = f"mixture of {settings.components} Bernoulli products"
    return {name: model_of(runs, [run["seconds"] for run in runs], lower=exact, upper=exact)}


def columns(models):
    """Further columns of the table, each a dict of texts by model."""
    found = {name: {} for name in ("lowest frechet", "highest frechet", "seconds to train",
                                   "log-likelihood, lower", "log-likelihood, upper")}
    for name, model in models.items():
        found["lowest frechet"][name] = f"{model.scores['frechet'].min():.4f}"
        found["highest frechet"][name] = f"{model.scores['frechet'].max():.4f}"
        found["seconds to train"][name] = f"{np.mean(model.seconds):.0f}"
        for side, values in model.likelihood.items():
            found[f"log-likelihood, {side}"][name] = f"{np.mean(values):.2f}"
    return found


def draw(task, models, floor):
    figure, axes = plots.panels(4, width=14, height=1 + 0.33 * len(models), sharey=True)
    titles = {"frechet": "Fréchet distance", "precision": "precision", "coverage": "coverage",
              "seconds": "seconds to train"}
    for panel, (quantity, title) in zip(axes, titles.items(), strict=True):
        for row, model in enumerate(models.values()):
            values = model.seconds if quantity == "seconds" else model.scores[quantity]
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
    axes[0].set_yticks(range(len(models)), list(models))
    axes[0].invert_yaxis()
    figure.suptitle("a dot a seed, bars their mean; dotted: test digits", fontsize=9)
    task.figure("comparison", figure)


def judge(task, scores):
    """The claim has two halves; where they disagree the verdict stays open."""
    better = {name: experiments.samples.more_realistic(scores[GANS[0]], scores[name])
              for name in AUTOENCODERS}
    found = set(better.values())
    realistic = True if found == {True} else False if False in found else None
    distances = {name: scores[name]["frechet"] for name in (*GANS, *AUTOENCODERS)}
    spread = {name: values.max() / values.min() for name, values in distances.items()}
    unstable = bool(spread[GANS[0]] > max(spread[name] for name in AUTOENCODERS))
    seeds = min(map(len, distances.values()))
    named = ", ".join(
        f"{name} {values.mean():.3g} ({spread[name]:.3f})" for name, values in distances.items()
    )
    task.claim(
        "4.2.6-a",
        experiments.samples.decided(realistic if realistic == unstable else None, seeds),
        "Fréchet distance of samples to digits, mean over seeds, and in brackets the largest over "
        f"the smallest, which stands for stability: {named}. By distance and the "
        "convnet's share, each seed against each, the published GAN is "
        + ", ".join(f"{WORDS[ahead]} the {name}" for name, ahead in better.items()) + ".",
    )


if __name__ == "__main__":
    command.main("4.2.6", run, PRESETS, __doc__)
