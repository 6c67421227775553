"""Task 4.3.3: random samples of the VAE, counted.

The report looks at samples after 100 epochs (Figure 23): a big majority look like 8, none is
clearly a 0, only a few are clear. Here the convnet labels ten thousand samples of each seed, and
says of which it is sure; and lines through latent space lead from one test digit to another.

    python scripts/task_4_3_3.py                     about 30 seconds, 4,000 digits, smaller model
    python scripts/task_4_3_3.py --preset report     about an hour and a half on two cores
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, models, plots
from ann_keras.experiments import settings as shared


@dataclass(frozen=True)
class Settings(shared.VAE):
    steps: int = 10  # ours: images of a line through latent space


PRESETS = {
    "smoke": Settings(**shared.VAE_SMOKE),
    "quick": Settings(**shared.VAE_QUICK),
    "report": Settings(),
}
PAIRS = (0, 8), (1, 7), (2, 6), (3, 5), (4, 9)  # digits at the ends of lines
FEW = 0.5  # share of samples under which the clear ones are few
SHOWN = 100  # samples in Figure 23
CHANCE = 0.05  # from which on a figure without a digit is no evidence that there are any


def run(task, settings):
    vae, samples, gallery = experiments.vae, experiments.samples, experiments.gallery
    board = samples.scoreboard(task, settings)
    runs = vae.trained(task, settings, board)
    full = models.vae.VAE()
    task.measure("vae/encoder/parameters", full.encoder.count_params())
    task.measure("vae/decoder/parameters", full.decoder.count_params())
    for part, better in (("elbo", "higher"), ("reconstruction", "lower"), ("kl", None)):
        for prefix, name in (("", part), ("test_", f"test_{part}")):
            task.measure(f"vae/{name}", [run[f"{prefix}{part}"][-1] for run in runs],
                         better=better, unit="nats")
    task.measure("vae/seconds_an_epoch", [run["seconds"] for run in runs], better="lower")
    found, floor = samples.scores(runs), board.floor(task)
    samples.measure(task, "vae", found)
    sure = np.stack([run["confident_classes"] for run in runs])
    task.measure("vae/confident_0", sure[:, 0])
    task.measure("vae/labelled_8", found["classes"][:, 8])
    gallery.draw_samples(task, "fig23_vae_samples", {"VAE": runs[0]["images"]}, side=10)
    gallery.table(task, "scores", {"VAE": found}, floor)
    draw_classes(task, found["classes"], sure, floor["classes"])
    _, rows, labels = experiments.boltzmann.digits(settings.source)
    lines = vae.walks(vae.vae_of(runs[0]), rows, labels, PAIRS, settings.steps)
    gallery.draw_walks(task, "walks", {"VAE, between test digits": lines})
    draw_training(task, runs)
    judge(task, found, sure, floor, settings.samples)


def draw_classes(task, classes, sure, digits):
    """Share of each label among all samples and among those the convnet is sure of."""
    figure, (axes,) = plots.panels(width=8.5)
    bars = {"samples": (classes.mean(axis=0), "lightblue"), "test digits": (digits, "lightgrey"),
            "samples, convnet sure": (sure.mean(axis=0), "C0")}
    for place, (name, (shares, color)) in zip((-0.2, 0.2, -0.2), bars.items()):
        axes.bar(np.arange(10) + place, shares, 0.4, label=name, color=color)
    if len(classes) > 1:
        axes.plot(np.arange(10) - 0.2, classes.T, ".", color="black", ms=3)
    axes.set(xlabel="digit that the convnet sees", ylabel="share of all")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    axes.set_xticks(range(10))
    axes.legend(ncols=3, loc="upper center", fontsize=9)
    task.figure("classes", figure)


def draw_training(task, runs):
    figure, axes = plots.panels(3, width=11, height=3.2)
    titles = {"elbo": "ELBO", "reconstruction": "reconstruction error", "kl": "KL divergence"}
    for panel, (part, title) in zip(axes, titles.items()):
        for prefix, label in (("", "training"), ("test_", "test")):
            plots.curve(panel, [run[f"{prefix}{part}"] for run in runs], label=label)
        panel.set(xlabel="epoch", ylabel="nats an image", title=title)
    axes[0].legend()
    task.figure("training", figure)


def judge(task, found, sure, floor, number):
    samples = experiments.samples
    none = (1 - sure[:, 0]) ** SHOWN
    parts = {
        "8 is the most frequent": found["classes"].argmax(axis=1) == 8,
        f"{SHOWN} samples hold no clear 0 with probability {CHANCE:.0%} or more": none >= CHANCE,
        "under half are clear": found["confident"] < FEW,
    }
    held = np.all(list(parts.values()), axis=0)
    task.claim(
        "4.3.3-a", samples.over_seeds(held),
        f"Labels of {number:,} samples a seed: {samples.shares(found['classes'])}; the "
        f"convnet is sure of {found['confident'].mean():.1%} of them, and of "
        f"{float(floor['confident']):.1%} of test digits. Clear 0s: {sure[:, 0].mean():.2%}. "
        f"{samples.counted(parts)}.",
    )


if __name__ == "__main__":
    command.main("4.3.3", run, PRESETS, __doc__)
