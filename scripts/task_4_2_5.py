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
    dense, dense_repaired, found, repaired = scores
    conv = {name: values.mean(axis=0) for name, values in found.items()}
    end = {name: dense[name].mean() for name in SIGNS}

    def better(than):
        return all(sign * conv[name] > sign * than[name] for name, sign in SIGNS.items())

    verdict = True if better(end) else "undecided" if better(alike) else False
    if len(found["confident"]) < experiments.samples.ENOUGH:
        verdict = "undecided"
    task.claim(
        "4.2.5-a", verdict,
        f"After {short} the convnet is sure of {conv['confident']:.1%} of the convolutional GAN's "
        f"samples and of {end['confident']:.1%} of the dense one's at the end of its training, "
        f"{alike['confident']:.1%} at its epoch {alike['epoch']}; background level "
        f"{conv['background']:.4f} against {end['background']:.4f} and "
        f"{alike['background']:.4f}; Fréchet distance {conv['frechet']:.2f} against "
        f"{dense['frechet'].mean():.2f} and {alike['frechet']:.2f}. With the corrected range: sure "
        f"of {repaired['confident'].mean():.1%} and, dense, {dense_repaired['confident'].mean():.1%}"
        f"; background {repaired['background'].mean():.4f} and "
        f"{dense_repaired['background'].mean():.4f}; distance {repaired['frechet'].mean():.2f} and "
        f"{dense_repaired['frechet'].mean():.2f}.",
        deviation="D12",
    )
    classes, others = found["classes"], repaired["classes"].mean(axis=0)
    first = classes.argmax(axis=1) == 0
    task.claim(
        "4.2.5-b", experiments.samples.over_seeds(first, possible=classes[:, 0] > 0.1),
        f"Most frequent label of the convolutional GAN's samples after {short}: "
        f"{int(conv['classes'].argmax())} ({conv['classes'].max():.1%}); 0 has "
        f"{conv['classes'][0]:.1%} (seeds: {len(classes)}); with the corrected range "
        f"{int(others.argmax())} ({others.max():.1%}), 0 has {others[0]:.1%}. Above a tenth without "
        "leading counts as undecided.",
    )


if __name__ == "__main__":
    command.main("4.2.5", run, PRESETS, __doc__)
