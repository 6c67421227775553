"""Task 4.2.5: what Figure 21(b) shows, and samples of the convolutional GAN.

The report finds that the samples of Figure 21(b), by a convolutional backbone, have clearer digits
and less noise in the background than those of the dense one (a), and that 0 is the most frequent
here too. But (b) is the dense GAN, trained a second time (D15). So the claims are judged by the
second training beside the first, and then by the convolutional GAN itself, trained for fewer than
the report's 50 epochs, beside a dense one of as many. The report's code normalises real and
generated images in separate batches, by which this generator collapses: joint batches stand beside.

    python scripts/task_4_2_5.py                     about 30 seconds, 256 of 4,000 digits
    python scripts/task_4_2_5.py --preset report     hours on two cores
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, gan

Dense = command.group(gan.Recipe, "source", "backbone", "corrected")
Conv = command.group(gan.Recipe, "source", "backbone", "corrected", "separate_batches")


@dataclass(frozen=True)
class Settings:
    conv: Conv = gan.CONVOLUTIONAL  # of the convolutional GAN
    gan: Dense = gan.Recipe()  # of that with dense networks
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits
    samples: int = 10_000  # ours: that are scored
    conv_seeds: int = 1  # ours: of the convolutional GAN, which the report did not train
    seeds: int = 3  # ours: of the dense GAN; the report shows one run


PRESETS = {
    "smoke": Settings(gan.CONVOLUTIONAL_SMOKE, gan.SMOKE, convnet.LABELLING_SMOKE, "sample",
                      samples=100, seeds=1),
    "quick": Settings(gan.CONVOLUTIONAL_QUICK, gan.QUICK, convnet.LABELLING_QUICK, "sample",
                      samples=1_000, seeds=1),
    "report": Settings(),
}
FIRST = gan.DENSE[0]
FIGURE = {FIRST: "(a) dense GAN, first training",
          gan.AGAIN: "(b) dense GAN, second training,\ncalled convolutional (D15)"}
FAINT = 0.001  # grey level, a quarter of a step of 255, below which backgrounds are alike


def run(task, settings):
    settings, scoring, floor = convnet.begin(task, settings)
    networks = settings.gan, scoring["labelling"]
    dense = {FIRST: gan.published(task, *networks), gan.AGAIN: gan.published_again(task, *networks)}
    convolutional = gan.convolutional(task, settings.conv, settings.conv_seeds)
    scored = {name: task.repeat(gan.score, training=group, **scoring)
              for name, group in (dense | convolutional).items()}
    gan.measure_parameters(task, "conv")
    scores = scoreboard.report(task, scored, floor)
    plots.class_shares(task, "classes", scores, floor)
    images, walks = (scoreboard.first(scored, field) for field in ("images", "walks"))
    plots.sample_grids(task, "fig21_gan_samples",
                       {title: images[name] for name, title in FIGURE.items()})
    titles = {name: name.replace(", ", "\n", 1) for name in convolutional}
    plots.sample_grids(task, "other_samples", {titles[name]: images[name] for name in titles})
    plots.walks(task, "walks", {titles[name]: walks[name] for name in titles})
    conv, early = scores[next(iter(convolutional))], after(dense[FIRST], settings.conv.epochs)
    task.decide(judge(scores[FIRST], scores[gan.AGAIN], early, conv))


def after(runs, epochs):
    """Scores of a GAN as soon as they were taken after so many epochs: dict of (seeds,)."""
    watched = runs[0]["watched_epochs"]
    place = min(np.searchsorted(watched, epochs), len(watched) - 1)
    return {name: runs[f"watched_{name}"][:, place] for name in ("confident", "background")}


def judge(first, again, early, conv):
    """What the claims are judged by: scores, dicts of arrays (seeds, …).

    Args:
        first, again, early: of the dense GAN after either training, and in the first after as many
            epochs as the convolutional GAN's.
        conv: of this, with fewer seeds.
    """
    def compared(backbone, dense):
        seeds = len(backbone["background"])
        levels = (np.maximum(found["background"][:seeds], FAINT) for found in (dense, backbone))
        return {"4.2.5-a": {"clearer": (backbone["confident"], dense["confident"][:seeds]),
                            "less noise": tuple(levels)},
                "4.2.5-b": {"0 leads": scoreboard.beside_others(backbone["classes"], 0)}}

    published, corrected = compared(again, first), compared(conv, early)
    return {claim: (values, corrected[claim]) for claim, values in published.items()}


if __name__ == "__main__":
    command.main("4.2.5", run, PRESETS, __doc__)
