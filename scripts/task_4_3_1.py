"""Task 4.3.1: the evidence lower bound and the likelihood, and what the KL term is for.

The report says that the ELBO is maximised instead of the log-likelihood, and that its KL term
keeps the model from overfitting. Here importance sampling with 5,000 codes an image says how far
below the log-likelihood the bound is, for the published model, whose grey pixels count by an
unnormalised Bernoulli, and for one of binary pixels that can be compared with the literature
(−86.76 nats, Burda et al. 2016); how many latent dimensions are in use; and what the published
model becomes without the KL term.

    python scripts/task_4_3_1.py                     about 40 seconds, 4,000 digits, smaller models
    python scripts/task_4_3_1.py --preset report     two hours and a half beside another run, one of
                                                     them for the likelihoods
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, plots
from ann_keras.errors import UserError
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, vae
from ann_keras.recipes.fields import one_source

Recipe = command.flat(vae.Recipe, "binarize", "kl_weight")
Binary = command.group(vae.Recipe, "binarize", "source")
Labelling = command.group(convnet.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = vae.Recipe()
    binary: Binary = vae.BINARY  # ours: of binary pixels
    labelling: Labelling = convnet.LABELLING  # ours: the judge
    samples: int = 10_000  # ours: that are scored
    digits: int = 10_000  # ours: test images whose likelihood is estimated
    codes: int = 5_000  # ours: of each of them, as in the literature
    seeds: int = 1  # ours; likelihoods take half an hour a seed


PRESETS = {
    "smoke": Settings(vae.SMOKE, vae.BINARY_SMOKE, convnet.LABELLING_SMOKE, samples=100,
                      digits=10, codes=10),
    "quick": Settings(vae.QUICK, vae.BINARY_QUICK, convnet.LABELLING_QUICK, samples=1_000,
                      digits=50, codes=500),
    "report": Settings(),
}
PUBLISHED, FREE, BINARY = "published", "without KL term", "binary pixels"
ACTIVE = 0.01  # variance of its posterior mean from which a dimension is active: Burda et al.


def run(task, settings):
    if settings.digits < 2:
        raise UserError(f"the gap's standard error needs two digits, got {settings.digits}")
    settings = task.settings = one_source(settings)
    scoring, floor = scoreboard.begin(task, settings)
    runs = {
        PUBLISHED: task.repeat(vae.train, settings.recipe),
        FREE: task.repeat(vae.train, replace(settings.recipe, kl_weight=0.0)),
        BINARY: task.repeat(vae.train, settings.binary),
    }
    scored = {name: task.repeat(vae.score, training=group, **scoring)
              for name, group in runs.items()}
    first = {name: runs[name][0] for name in (PUBLISHED, BINARY)}
    latent = {name: task.run(latent_dimensions, training=training)
              for name, training in first.items()}
    parts = {name: vae.likelihoods(task, training, settings.digits, settings.codes)
             for name, training in first.items()}

    for name, group in runs.items():
        title = scoreboard.title(name)
        for part, better in vae.TERMS.items():
            seen, test = group[f"seen_{part}"], group[f"test_{part}"][:, -1]
            task.measure(f"{title}/seen_{part}", seen, better=better, unit="nats")
            task.measure(f"{title}/test_{part}", test, better=better, unit="nats")
    bounds = {name: vae.bounds(group) for name, group in parts.items()}
    for name, found in bounds.items():
        title = scoreboard.title(name)
        for bound, values in found.items():
            task.measure(f"{title}/log_likelihood/{bound}", values.mean(), better="higher",
                         unit="nats")
        task.measure(f"{title}/log_likelihood/gap", gap(found)[0], unit="nats")
        task.measure(f"{title}/active_dimensions", latent[name]["active"].sum())
    scores = scoreboard.report(task, scored, floor)
    plots.sample_grids(task, "samples", scoreboard.first(scored, "images"))
    grey = {name: runs[name] for name in (PUBLISHED, FREE)}
    draw_overfitting(task, grey)
    draw_bounds(task, bounds, latent)
    over = {name: np.mean(group["test_reconstruction"][:, -1] - group["seen_reconstruction"])
            for name, group in grey.items()}
    task.decide(judge(bounds, latent, over, scores, settings.codes))


def latent_dimensions(training):
    """What each latent dimension of a run of ``vae.train`` tells about the test images.

    Returns:
        Dict: "kl" (latent_dim,), KL divergence to the prior in nats, mean over images, and
        "active" (latent_dim,), whether the variance over images of the posterior mean is above
        0.01 (Burda, Grosse and Salakhutdinov, ICLR 2016, section 5.2).
    """
    means, deviations = vae.vae_of(training).encode(vae.unseen(training.recipe))
    active = np.var(means, axis=0, dtype=np.float64) > ACTIVE
    return {"kl": divergences(means, deviations), "active": active}


def divergences(means, deviations):
    """KL(N(μ, σ²) ‖ N(0, 1)) in nats, mean over images: (n, d) each → (d,)."""
    means, deviations = (np.asarray(array, np.float64) for array in (means, deviations))
    variances = deviations**2
    return np.mean(0.5 * (variances + means**2 - 1 - np.log(variances)), axis=0)


def gap(found):
    """Mean of IWAE bound − ELBO over images, and its standard error."""
    gaps = found["iwae"] - found["elbo"]
    return gaps.mean(), gaps.std(ddof=1) / len(gaps) ** 0.5


def draw_overfitting(task, runs):
    figure, axes = plots.panels(2, sharey=True)
    for panel, (name, group) in zip(axes, runs.items()):
        for prefix, label in (("", "training images"), ("test_", "test images")):
            plots.curve(panel, group[f"{prefix}reconstruction"], label=label)
        panel.set(title=name, xlabel="epoch")
        panel.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set(ylabel="reconstruction error, nats an image", ylim=(0, None))
    axes[0].legend()
    task.figure("overfitting", figure)


def draw_bounds(task, bounds, latent):
    figure, (left, right) = plots.panels(2)
    for number, (name, found) in enumerate(bounds.items()):
        left.plot(found["elbo"], found["iwae"], ".", ms=3, color=f"C{number}", label=name)
        kl = np.sort(latent[name]["kl"])[::-1]
        count = latent[name]["active"].sum()
        right.plot(np.arange(1, len(kl) + 1), kl, color=f"C{number}",
                   label=f"{name}: {count} of {len(kl)} active")
    ends = left.get_xlim()
    left.plot(ends, ends, color="grey", lw=1, label="equal")
    left.set(xlabel="ELBO of a test image, nats", ylabel="bound by importance sampling, nats")
    right.set(xlabel="latent dimension, largest first", ylabel="KL divergence, nats", yscale="log")
    left.legend(markerscale=3)
    right.legend()
    task.figure("bounds", figure)


def judge(bounds, latent, over, scores, codes):
    """Verdict from bounds of the same test images and further numbers, each by model.

    Args:
        bounds: "elbo" and "iwae" (images,); without the model without KL term, as ``latent``.
        latent: "active" (latent_dim,).
        over: how much worse test images are reconstructed than training images, in nats, by the
            published model and by that without KL term.
        scores: of samples.
        codes: of an image.
    """
    gaps = {name: gap(found) for name, found in bounds.items()}
    below = all(mean > 2 * error for mean, error in gaps.values())
    frechet = {name: scores[name]["frechet"].mean() for name in over}
    regular = over[PUBLISHED] < over[FREE] and frechet[PUBLISHED] < frechet[FREE]
    named = "; ".join(
        f"{name} {bounds[name]['elbo'].mean():.2f} and {bounds[name]['iwae'].mean():.2f}, "
        f"{mean:.2f} ± {2 * error:.2f} apart, {latent[name]['active'].sum()} of "
        f"{len(latent[name]['active'])} dimensions active"
        for name, (mean, error) in gaps.items()
    )
    return {"4.3.1-a": (
        bool(below and regular),
        f"ELBO and IWAE-{codes} of {len(bounds[PUBLISHED]['elbo']):,} test images: {named}. With "
        f"and without the KL term, test images are reconstructed {over[PUBLISHED]:.1f} and "
        f"{over[FREE]:.1f} nats worse than training images, and samples are at a Fréchet distance "
        f"of {frechet[PUBLISHED]:.3g} and {frechet[FREE]:.3g}.",
    )}


if __name__ == "__main__":
    command.main("4.3.1", run, PRESETS, __doc__)
