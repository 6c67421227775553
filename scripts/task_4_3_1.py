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

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.errors import UserError
from ann_keras.experiments import settings as shared


PRESETS = shared.BINARY_VAE_PRESETS
PUBLISHED, FREE, BINARY = "published", "without KL term", "binary pixels"


def run(task, settings):
    if settings.images < 2:
        raise UserError(f"the gap's standard error needs two images, got {settings.images}")
    vae, samples, gallery = experiments.vae, experiments.samples, experiments.gallery
    board = samples.scoreboard(task, settings)
    runs = {
        PUBLISHED: vae.trained(task, settings, board, of="4.3.3"),
        FREE: vae.trained(task, settings, board, name=f"VAE {FREE}", kl_weight=0.0, keep=False),
        BINARY: vae.binary(task, settings, board),
    }
    for name, group in runs.items():
        for part, better in (("elbo", "higher"), ("reconstruction", "lower"), ("kl", None)):
            for prefix in ("seen", "test"):
                task.measure(f"{samples.title(name)}/{prefix}_{part}",
                             [np.ravel(run[f"{prefix}_{part}"])[-1] for run in group],
                             better=better, unit="nats")
    found, latent = {}, {}
    for name in (PUBLISHED, BINARY):
        found[name] = vae.likelihood(task, name, runs[name][0], settings)
        latent[name] = vae.latent_dimensions(runs[name][0], settings.source)
        title = samples.title(name)
        for bound, values in found[name].items():
            task.measure(f"{title}/log_likelihood/{bound}", values.mean(), better="higher",
                         unit="nats")
        task.measure(f"{title}/log_likelihood/gap", gap(found[name])[0], unit="nats")
        task.measure(f"{title}/active_dimensions", latent[name]["active"].sum())
    scores = {name: samples.scores(group) for name, group in runs.items()}
    for name, values in scores.items():
        samples.measure(task, name, values)
    gallery.table(task, "scores", scores, board.floor(task, of="4.3.3"))
    gallery.draw_samples(task, "samples", {name: group[0]["images"]
                                           for name, group in runs.items()})
    draw_overfitting(task, {name: runs[name] for name in (PUBLISHED, FREE)})
    draw_bounds(task, found, latent)
    judge(task, settings, runs, scores, found, latent)


def gap(found):
    """Mean of IWAE bound − ELBO over images, and its standard error."""
    gaps = found["iwae"] - found["elbo"]
    return gaps.mean(), gaps.std(ddof=1) / len(gaps) ** 0.5


def overfitting(group):
    """Mean over seeds of how much worse test images are reconstructed than training images."""
    return np.mean([run["test_reconstruction"][-1] - run["seen_reconstruction"] for run in group])


def draw_overfitting(task, runs):
    figure, axes = plots.panels(2, sharey=True)
    for panel, (name, group) in zip(axes, runs.items()):
        for prefix, label in (("", "training images"), ("test_", "test images")):
            plots.curve(panel, [run[f"{prefix}reconstruction"] for run in group], label=label)
        panel.set(title=name, xlabel="epoch")
        panel.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set(ylabel="reconstruction error, nats an image", ylim=(0, None))
    axes[0].legend()
    task.figure("overfitting", figure)


def draw_bounds(task, found, latent):
    figure, (left, right) = plots.panels(2)
    for number, (name, bounds) in enumerate(found.items()):
        left.plot(bounds["elbo"], bounds["iwae"], ".", ms=3, color=f"C{number}", label=name)
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


def judge(task, settings, runs, scores, found, latent):
    gaps = {name: gap(bounds) for name, bounds in found.items()}
    below = all(mean > 2 * error for mean, error in gaps.values())
    over = {name: overfitting(runs[name]) for name in (PUBLISHED, FREE)}
    frechet = {name: scores[name]["frechet"].mean() for name in over}
    regular = over[PUBLISHED] < over[FREE] and frechet[PUBLISHED] < frechet[FREE]
    bounds = "; ".join(
        f"{name} {found[name]['elbo'].mean():.2f} and {found[name]['iwae'].mean():.2f}, "
        f"{mean:.2f} ± {2 * error:.2f} apart, {latent[name]['active'].sum()} of "
        f"{len(latent[name]['active'])} dimensions active"
        for name, (mean, error) in gaps.items()
    )
    task.claim(
        "4.3.1-a", bool(below and regular),
        f"ELBO and IWAE-{settings.codes} of {settings.images:,} test images: {bounds}. With and "
        f"without the KL term, test images are reconstructed {over[PUBLISHED]:.1f} and "
        f"{over[FREE]:.1f} nats worse than training images, and samples are at a Fréchet distance "
        f"of {frechet[PUBLISHED]:.3g} and {frechet[FREE]:.3g}.",
    )


if __name__ == "__main__":
    command.main("4.3.1", run, PRESETS, __doc__)
