"""Task 4.3.1: the evidence lower bound and the likelihood, and what the KL term is for.

The report says that the ELBO is maximised instead of the log-likelihood, and that its KL term
keeps the model from overfitting. Here importance sampling says how far below the log-likelihood the
bound is at least, for the published model, whose grey pixels count by an unnormalised Bernoulli,
and for one of binary pixels that can be compared with the literature (−86.76 nats, Burda et al.
2016); how many latent dimensions are in use; and what becomes of the model without the KL term.

    python scripts/task_4_3_1.py                     about 40 seconds, 4,000 digits, smaller models
    python scripts/task_4_3_1.py --preset report     about two hours on two cores
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, vae

Recipe = command.flat(vae.Recipe, "binarize", "kl_weight")
Binary = command.group(vae.Recipe, "binarize", "source")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = vae.Recipe()
    binary: Binary = vae.BINARY  # ours: of binary pixels
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    samples: int = 10_000  # ours: that are scored
    digits: int = 10_000  # ours: test images whose likelihood is estimated, by the first seed
    digits_of_others: int = 1_000  # ours: by other seeds; and those by which seeds are compared
    codes: int = 5_000  # ours: of each of them, as in the literature
    binary_seeds: int = 1  # ours: of the model of binary pixels
    seeds: int = 1  # ours: two more take two hours; the report has one run


PRESETS = {
    "smoke": Settings(vae.SMOKE, vae.BINARY_SMOKE, convnet.LABELLING_SMOKE, samples=100,
                      digits=10, digits_of_others=5, codes=10, seeds=1),
    "quick": Settings(vae.QUICK, vae.BINARY_QUICK, convnet.LABELLING_QUICK, samples=1_000,
                      digits=50, codes=500, seeds=1),
    "report": Settings(),
}
PUBLISHED, FREE, BINARY = "published", "without KL term", "binary pixels"
# Variance over images of its posterior mean from which a dimension is active: Burda, Grosse and
# Salakhutdinov, ICLR 2016, section 5.2.
ACTIVE = 0.01


def run(task, settings):
    settings, scoring, floor = convnet.begin(task, settings)
    runs = {PUBLISHED: task.repeat(vae.train, settings.recipe),
            FREE: task.repeat(vae.train, replace(settings.recipe, kl_weight=0.0)),
            BINARY: task.repeat(vae.train, settings.binary, seeds=settings.binary_seeds)}
    scored = {name: task.repeat(vae.score, training=group, **scoring)
              for name, group in runs.items()}
    latent = {name: task.run(latent_dimensions, training=runs[name][0])
              for name in (PUBLISHED, BINARY)}
    few = min(settings.digits_of_others, settings.digits)
    parts = {
        name: [vae.likelihoods(task, training, few if seed else settings.digits, settings.codes)
               for seed, training in enumerate(runs[name])] for name in latent
    }

    for name, group in runs.items():
        title = scoreboard.title(name)
        for part, better in vae.TERMS.items():
            seen, test = group[f"seen_{part}"], group[f"test_{part}"][:, -1]
            task.measure(f"{title}/seen_{part}", seen, better=better, unit="nats")
            task.measure(f"{title}/test_{part}", test, better=better, unit="nats")
    bounds = {name: [vae.bounds(part) for part in group] for name, group in parts.items()}
    gaps = {}
    for name, group in bounds.items():
        title = scoreboard.title(name)
        for bound, values in group[0].items():
            task.measure(f"{title}/log_likelihood/{bound}", values.mean(), better="higher",
                         unit="nats")
        gaps[name] = np.array([np.mean((found["iwae"] - found["elbo"])[:few]) for found in group])
        task.measure(f"{title}/log_likelihood/gap", gaps[name], unit="nats")
        task.measure(f"{title}/active_dimensions", latent[name]["active"].sum())
    scoreboard.report(task, scored, floor)
    plots.sample_grids(task, "samples", scoreboard.first(scored, "images"))
    draw(task, runs, {name: group[0] for name, group in bounds.items()}, latent)
    over = {name: group["test_reconstruction"][:, -1] - group["seen_reconstruction"]
            for name, group in runs.items()}
    for name, values in over.items():
        task.measure(f"{scoreboard.title(name)}/test_above_seen", values, unit="nats")
    task.decide(judge(gaps[PUBLISHED], over[FREE], over[PUBLISHED]))


def latent_dimensions(training):
    """What each latent dimension of a run of ``vae.train`` tells about the test images: dict of
    "kl" (latent_dim,), KL divergence to the prior in nats, mean over images, and "active"."""
    means, deviations = vae.vae_of(training).encode(vae.unseen(training.recipe))
    active = np.var(means, axis=0, dtype=np.float64) > ACTIVE
    return {"kl": divergences(means, deviations), "active": active}


def divergences(means, deviations):
    """KL(N(μ, σ²) ‖ N(0, 1)) in nats, mean over images: (n, d) each → (d,)."""
    means, deviations = (np.asarray(array, np.float64) for array in (means, deviations))
    variances = deviations**2
    return np.mean(0.5 * (variances + means**2 - 1 - np.log(variances)), axis=0)


def draw(task, runs, bounds, latent):
    with plots.figure(task, "overfitting", 2, sharey=True) as axes:
        for panel, name in zip(axes, (PUBLISHED, FREE)):
            plots.curves(panel, {"training images": runs[name]["reconstruction"],
                                 "test images": runs[name]["test_reconstruction"]})
            panel.set(title=name, xlabel="epoch")
        axes[0].set(ylabel="reconstruction error, nats an image", ylim=(0, None))
    with plots.figure(task, "bounds", 2) as (left, right):
        for name, found in bounds.items():
            left.plot(found["elbo"], found["iwae"], ".", ms=3, label=name)
            kl = np.sort(latent[name]["kl"])[::-1]
            count = latent[name]["active"].sum()
            right.plot(np.arange(1, len(kl) + 1), kl, label=f"{name}: {count} of {len(kl)} active")
        ends = left.get_xlim()
        left.plot(ends, ends, color="grey", lw=1, label="equal")
        left.set(xlabel="ELBO of a test image, nats", ylabel="bound by importance sampling, nats")
        right.set(xlabel="latent dimension, largest first", ylabel="KL divergence, nats",
                  yscale="log")
        left.legend(markerscale=3)
        right.legend()


def judge(gaps, free, published):
    """What the claim is judged by, (seeds,) in nats: gaps of the ELBO to the other bound, and how
    much worse test images are reconstructed than training images, free of the KL term and with it.
    """
    return {"4.3.1-a": {"bound": gaps, "regularises": (free, published)}}


if __name__ == "__main__":
    command.main("4.3.1", run, PRESETS, __doc__)
