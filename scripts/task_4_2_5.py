"""Task 4.2.5: samples of the convolutional GAN beside those of the dense one.

The report finds its digits clearer, its background less noisy, and 0 the most frequent here too
(Figure 21). The convolutional networks take long: here they train for fewer epochs than the
report's 50, which every figure and table says.

    python scripts/task_4_2_5.py                     about a minute, 512 of 4,000 digits
    python scripts/task_4_2_5.py --preset report     hours on two cores
"""

import numpy as np

from ann_keras import command, experiments, models
from ann_keras.experiments import settings as shared


PRESETS = shared.CONV_GAN_PRESETS
SIGNS = {"confident": 1, "background": -1}  # clearer, less noise: measures, and what is better


def run(task, settings):
    gan, samples, gallery = experiments.gan, experiments.samples, experiments.gallery
    board = samples.scoreboard(task, settings)
    short = f"{settings.conv_epochs} epochs"
    runs = {
        "dense, as published": gan.trained(task, settings, board, of="4.2.3"),
        "dense, corrected": gan.trained(task, settings, board, corrected=True, of="4.2.4"),
        f"convolutional, as published, {short}": gan.conv(task, settings, board),
        f"convolutional, corrected, {short}": gan.conv(task, settings, board, corrected=True),
    }
    network = models.gan.GAN("conv")
    for part in ("generator", "discriminator"):
        count = models.weights.count_trainable(getattr(network, part))
        task.measure(f"conv_gan/{part}/parameters", count)
    scores = {name: samples.scores(group) for name, group in runs.items()}
    for name, found in scores.items():
        samples.measure(task, name, found)
    floor = board.floor(task, of="4.2.3")
    gallery.table(task, "scores", scores, floor)
    gallery.draw_classes(task, "classes", scores, floor)
    images = {name: group[0]["images"] for name, group in runs.items()}
    gallery.draw_samples(task, "fig21_gan_samples", {
        f"({letter}) {name}": images[name] for letter, name in zip("ab", list(images)[::2])
    })
    gallery.draw_samples(
        task, "corrected_samples", {name: images[name] for name in list(images)[1::2]}
    )
    gallery.draw_walks(task, "walks", {name: group[0]["walks"] for name, group in runs.items()})
    judge(task, list(scores.values()), early(runs["dense, as published"], settings), short)


def early(runs, settings):
    """Scores of the dense GAN as soon as they were taken after as many epochs, means over seeds."""
    epochs = runs[0]["watched_epochs"]
    place = min(np.searchsorted(epochs, settings.conv_epochs), len(epochs) - 1)
    names = (*SIGNS, "frechet")
    return {name: np.mean([run[f"watched_{name}"][place] for run in runs]) for name in names} | {
        "epoch": int(epochs[place])
    }


def judge(task, scores, alike, short):
    """Compare with the dense GAN at its end and, to part epochs from backbone, at as many."""
    dense, dense_corrected, conv, conv_corrected = (
        {name: values.mean(axis=0) for name, values in found.items()} for found in scores
    )

    def better(than):
        return all(sign * conv[name] > sign * than[name] for name, sign in SIGNS.items())

    seeds = scores[2]["classes"]
    verdict = True if better(dense) else "undecided" if better(alike) else False
    named = {
        f"convolutional after {short}": conv, "dense at the end": dense,
        f"dense at its epoch {alike['epoch']}": alike,
        f"corrected, convolutional after {short}": conv_corrected,
        "corrected, dense at the end": dense_corrected,
    }
    task.claim(
        "4.2.5-a", "undecided" if len(seeds) < experiments.samples.ENOUGH else verdict,
        "Share of the samples of which the convnet is sure, background level, and Fréchet "
        "distance: " + "; ".join(
            f"{name} {values['confident']:.1%}, {values['background']:.4f}, "
            f"{values['frechet']:.1f}" for name, values in named.items()
        ) + f". Seeds of the convolutional GAN: {len(seeds)}.",
        deviation="D12",
    )
    first = seeds.argmax(axis=1) == 0
    task.claim(
        "4.2.5-b", experiments.samples.over_seeds(first, possible=seeds[:, 0] > 0.1),
        f"Most frequent label of the convolutional GAN's samples after {short}: "
        + ", ".join(
            f"{name} {int(found['classes'].argmax())} ({found['classes'].max():.1%}), 0 has "
            f"{found['classes'][0]:.1%}"
            for name, found in {"as published": conv, "corrected": conv_corrected}.items()
        )
        + f" (seeds: {len(seeds)}). Above a tenth without leading counts as undecided.",
    )


if __name__ == "__main__":
    command.main("4.2.5", run, PRESETS, __doc__)
