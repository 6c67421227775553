"""Task 4.2.4: samples of the dense GAN, counted.

The report looks at a batch: mostly 0s, few 4s or 7s, no 1, half of them clear, all with a noisy
background. Here the convnet labels ten thousand samples of each seed; and a corrected GAN, whose
real images have the range of the generator's tanh (D12) and whose discriminator drops units in
training only (D13), shows where the noise comes from. That GAN is unsteady: one of three seeds
collapses at full size. A third one learns at the rate that Radford et al. (DCGAN, ICLR 2016,
section 4) chose because 1e-3 was "too high", a fifth of it.

    python scripts/task_4_2_4.py                     about a minute, 4,000 digits
    python scripts/task_4_2_4.py --preset report     about three hours with task 4.2.3's GANs
"""

import numpy as np

from ann_keras import command, experiments
from ann_keras.experiments import settings as shared


PRESETS = shared.GAN_PRESETS
CLEAR = 0.1  # from one half that a share may lie and still be about half
BATCH = 64  # samples that the report looks at, or about as many
CHANCE = 0.05  # from which on a batch without a digit is no evidence that there are any


def run(task, settings):
    gan, samples, gallery = experiments.gan, experiments.samples, experiments.gallery
    board = samples.scoreboard(task, settings)
    runs = {
        "as published": gan.trained(task, settings, board, of="4.2.3"),
        "corrected": gan.trained(task, settings, board, corrected=True),
        "corrected, lower rate": gan.trained(
            task, settings, board, corrected=True, learning_rate=settings.lower_rate
        ),
    }
    scores = {name: samples.scores(group) for name, group in runs.items()}
    for name, found in scores.items():
        samples.measure(task, f"dense_gan/{name.replace(' ', '_')}", found)
    floor = board.floor(task, of="4.2.3")
    gallery.table(task, "scores", scores, floor)
    gallery.draw_classes(task, "classes", scores, floor)
    gallery.draw_walks(task, "walks", {name: group[0]["walks"] for name, group in runs.items()})
    gallery.draw_samples(
        task, "samples", {name: group[0]["images"] for name, group in runs.items()}
    )
    judge(task, scores, floor, settings.samples)


def judge(task, scores, floor, number):
    seeds = scores["as published"]
    published = {name: values.mean(axis=0) for name, values in seeds.items()}
    corrected = {name: values.mean(axis=0) for name, values in scores["corrected"].items()}
    classes = published["classes"]
    none = (1 - seeds["classes"][:, 1]) ** BATCH
    parts = {
        "0 is the most frequent": seeds["classes"].argmax(axis=1) == 0,
        "4s and 7s are under 5% each": seeds["classes"][:, [4, 7]].max(axis=1) < 0.05,
        f"a batch of {BATCH} holds no 1 with probability {CHANCE:.0%} or more": none >= CHANCE,
    }
    held = np.all(list(parts.values()), axis=0)
    task.claim(
        "4.2.4-a", experiments.samples.over_seeds(held),
        f"Labels of {number:,} samples a seed: "
        + ", ".join(f"{digit} {share:.1%}" for digit, share in enumerate(classes)) + ". "
        + "; ".join(f"{text}: {true.sum()} of {len(true)} seeds" for text, true in parts.items())
        + ".",
    )
    half = abs(seeds["confident"] - 0.5) <= CLEAR
    task.claim(
        "4.2.4-b", experiments.samples.over_seeds(half),
        f"The convnet is sure of {published['confident']:.1%} of the samples and of "
        f"{float(floor['confident']):.1%} of test digits; {CLEAR:.0%} from one half counts as "
        f"about half: {half.sum()} of {len(half)} seeds.",
    )
    noisy = seeds["noisy"].min() >= 0.95
    gone = corrected["noisy"] < published["noisy"] / 2
    task.claim(
        "4.2.4-c", "artefact" if noisy and gone else bool(noisy),
        f"{published['noisy']:.1%} of the samples have a background level above 0.01 (mean "
        f"{published['background']:.4f}), {corrected['noisy']:.1%} of the corrected GAN's "
        f"(mean {corrected['background']:.4f}) and {float(floor['noisy']):.1%} of test digits. "
        "Background level and Fréchet distance of the seeds, best to worst: "
        + "; ".join(f"{name} {spread(found['background'])}, {spread(found['frechet'])}"
                    for name, found in scores.items()) + ".",
        deviation="D12",
    )


def spread(values):
    return f"{values.min():.3g} to {values.max():.3g}"


if __name__ == "__main__":
    command.main("4.2.4", run, PRESETS, __doc__)
