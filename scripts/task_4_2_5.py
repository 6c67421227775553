"""Task 4.2.5: samples of the convolutional GAN beside those of the dense one.

The report finds its digits clearer, its background less noisy, and 0 the most frequent here too
(Figure 21). The convolutional networks take long: here they train for fewer epochs than the
report's 50, which every figure and table says. The report does not tell whether real and generated
images pass the discriminator's batch normalisation together; given in separate batches, as in
PyTorch's DCGAN example, they make this generator collapse, which one run shows.

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
    runs = gan.dense(task, settings, board) | gan.convolutional(task, settings, board)
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
    for stem, published in (("fig21_gan_samples", True), ("other_samples", False)):
        gallery.draw_samples(task, stem, {
            name: group[0]["images"] for name, group in runs.items()
            if ("as published" in name) == published
        })
    gallery.draw_walks(task, "walks", {
        name: group[0]["walks"] for name, group in runs.items() if name not in shared.DENSE_GANS
    })
    judge(task, scores, early(runs[shared.DENSE_GANS[0]], settings))


def early(runs, settings):
    """Scores of the dense GAN as soon as they were taken after as many epochs, means over seeds."""
    epochs = runs[0]["watched_epochs"]
    place = min(np.searchsorted(epochs, settings.conv_epochs), len(epochs) - 1)
    names = (*SIGNS, "frechet")
    return {name: np.mean([run[f"watched_{name}"][place] for run in runs]) for name in names} | {
        "epoch": int(epochs[place])
    }


def judge(task, scores, alike):
    """Compare with the dense GAN at its end and, to part epochs from backbone, at as many."""
    mean = {name: {measure: values.mean(axis=0) for measure, values in found.items()}
            for name, found in scores.items()}
    convolutional = [name for name in scores if name not in shared.DENSE_GANS]
    published = convolutional[0]
    seeds, conv = scores[published]["classes"], mean[published]

    def better(than):
        return all(sign * conv[name] > sign * than[name] for name, sign in SIGNS.items())

    dense = shared.DENSE_GANS[0]
    verdict = True if better(mean[dense]) else None if better(alike) else False
    named = mean | {f"{dense}, at its epoch {alike['epoch']}": alike}
    task.claim(
        "4.2.5-a", experiments.samples.decided(verdict, len(seeds)),
        "Share of the samples of which the convnet is sure, background level, and Fréchet "
        "distance: " + "; ".join(
            f"{name} {values['confident']:.1%}, {values['background']:.4f}, "
            f"{values['frechet']:.1f}" for name, values in named.items()
        ) + f". Seeds of the convolutional GAN: {len(seeds)}.",
        deviation="D12",
    )
    first = seeds.argmax(axis=1) == 0
    shares = {name: mean[name]["classes"] for name in convolutional}
    task.claim(
        "4.2.5-b", experiments.samples.over_seeds(first, possible=seeds[:, 0] > 0.1),
        "Most frequent label of the samples, and the share of 0s: " + "; ".join(
            f"{name} {int(classes.argmax())} ({classes.max():.1%}), {classes[0]:.1%}"
            for name, classes in shares.items()
        ) + f" (seeds: {len(seeds)}). Above a tenth without leading counts as undecided.",
    )


if __name__ == "__main__":
    command.main("4.2.5", run, PRESETS, __doc__)
