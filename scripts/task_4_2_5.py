"""Task 4.2.5: samples of the convolutional GAN beside those of the dense one.

The report finds its digits clearer, its background less noisy, and 0 the most frequent here too
(Figure 21). The convolutional networks take long: here they train for fewer epochs than the
report's 50, which every figure and table says. The report does not tell whether real and generated
images pass the discriminator's batch normalisation together; given in separate batches, as in
PyTorch's DCGAN example, they make this generator collapse, which one run shows.

    python scripts/task_4_2_5.py                     about 30 seconds, 256 of 4,000 digits
    python scripts/task_4_2_5.py --preset report     hours on two cores
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, gan
from ann_keras.recipes.fields import one_source
from ann_keras.report import decide

Dense = command.group(gan.Recipe, "source", "backbone", "corrected")
Conv = command.group(gan.Recipe, "source", "backbone", "corrected", "separate_batches")
Labelling = command.group(convnet.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    conv: Conv = gan.CONVOLUTIONAL  # of the convolutional GAN
    gan: Dense = gan.Recipe()  # of that with dense networks
    labelling: Labelling = convnet.LABELLING  # ours: the judge
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits
    samples: int = 10_000  # ours: that are scored
    conv_seeds: int = 1  # ours: of the convolutional GAN; the report shows one run
    seeds: int = 3  # ours: of the dense GAN


PRESETS = {
    "smoke": Settings(gan.CONVOLUTIONAL_SMOKE, gan.SMOKE, convnet.LABELLING_SMOKE, "sample",
                      samples=100, seeds=1),
    "quick": Settings(gan.CONVOLUTIONAL_QUICK, gan.QUICK, convnet.LABELLING_QUICK, "sample",
                      samples=1_000, seeds=1),
    "report": Settings(),
}
SIGNS = {"confident": 1, "background": -1}  # clearer, less noise: measures, and what is better
PUBLISHED = gan.DENSE[0]


def run(task, settings):
    settings = task.settings = one_source(settings)
    scoring, floor = scoreboard.begin(task, settings)
    dense = gan.dense(task, settings.gan, scoring["labelling"])
    convolutional = gan.convolutional(task, settings.conv, settings.conv_seeds)
    scored = {name: task.repeat(gan.score, training=group, **scoring)
              for name, group in (dense | convolutional).items()}
    gan.measure_parameters(task, "conv")
    scores = scoreboard.report(task, scored, floor)
    plots.class_shares(task, "classes", scores, floor)
    images, walks = (scoreboard.first(scored, field) for field in ("images", "walks"))
    for stem, published in (("fig21_gan_samples", True), ("other_samples", False)):
        plots.sample_grids(task, stem, {name: shown for name, shown in images.items()
                                        if ("as published" in name) == published})
    plots.walks(task, "walks", {name: walks[name] for name in convolutional})
    task.decide(judge(scores, early(dense[PUBLISHED], settings.conv.epochs)))


def early(runs, epochs):
    """Scores of a dense GAN as soon as they were taken after so many epochs, means over seeds."""
    watched = runs[0]["watched_epochs"]
    place = min(np.searchsorted(watched, epochs), len(watched) - 1)
    means = {name: runs[f"watched_{name}"][:, place].mean() for name in (*SIGNS, "frechet")}
    return means | {"epoch": int(watched[place])}


def judge(scores, alike):
    """Compare with the dense GAN at its end and, to part epochs from backbone, at as many.

    Args:
        scores: by name, first of the dense GANs, each a dict of arrays (seeds, …).
        alike: of ``early``.
    """
    mean = scoreboard.means(scores)
    shares = {name: mean[name]["classes"] for name in scores if name not in gan.DENSE}
    published = next(iter(shares))
    seeds, conv = scores[published]["classes"], mean[published]

    def better(than):
        return all(sign * conv[name] > sign * than[name] for name, sign in SIGNS.items())

    verdict = True if better(mean[PUBLISHED]) else None if better(alike) else False
    named = mean | {f"{PUBLISHED}, at its epoch {alike['epoch']}": alike}
    levels = "; ".join(
        f"{name} {values['confident']:.1%}, {values['background']:.4f}, {values['frechet']:.1f}"
        for name, values in named.items()
    )
    labels = "; ".join(f"{name} {classes.argmax()} ({classes.max():.1%}), {classes[0]:.1%}"
                       for name, classes in shares.items())
    return {
        "4.2.5-a": (
            decide.with_enough_seeds(verdict, len(seeds)),
            "Share of the samples of which the convnet is sure, background level, and Fréchet "
            f"distance: {levels}. Seeds of the convolutional GAN: {len(seeds)}.",
            "D12",
        ),
        "4.2.5-b": (
            decide.over_seeds(seeds.argmax(axis=1) == 0, possible=seeds[:, 0] > 0.1),
            f"Most frequent label of the samples, and the share of 0s: {labels} (seeds: "
            f"{len(seeds)}). Above a tenth without leading counts as undecided.",
        ),
    }


if __name__ == "__main__":
    command.main("4.2.5", run, PRESETS, __doc__)
