"""Task 4.2.5: samples of the convolutional GAN beside those of the dense one.

The report finds its digits clearer, its background less noisy, and 0 the most frequent here too
(Figure 21). The convolutional networks take long: here they train for fewer epochs than the
report's 50, which every figure and table says.

    python scripts/task_4_2_5.py                     about a minute, 512 of 4,000 digits
    python scripts/task_4_2_5.py --preset report     hours on two cores
"""

from ann_keras import command, experiments, models
from ann_keras.experiments import settings as shared


PRESETS = shared.CONV_GAN_PRESETS


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
        samples.measure(task, name.replace(", ", "/").replace(" ", "_"), found)
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
    judge(task, list(scores.values()), short)


def judge(task, scores, short):
    dense, _, conv, _ = (
        {name: values.mean(axis=0) for name, values in found.items()} for found in scores
    )
    clearer = conv["confident"] > dense["confident"]
    cleaner = conv["background"] < dense["background"]
    task.claim(
        "4.2.5-a", bool(clearer and cleaner),
        f"After {short} the convnet is sure of {conv['confident']:.1%} of the convolutional GAN's "
        f"samples and of {dense['confident']:.1%} of the dense one's; background level "
        f"{conv['background']:.4f} against {dense['background']:.4f}; Fréchet distance "
        f"{conv['frechet']:.2f} against {dense['frechet']:.2f}.",
    )
    most = int(conv["classes"].argmax())
    task.claim(
        "4.2.5-b", most == 0,
        f"Most frequent label of the convolutional GAN's samples after {short}: {most} "
        f"({conv['classes'][most]:.1%}); 0 has {conv['classes'][0]:.1%}.",
    )


if __name__ == "__main__":
    command.main("4.2.5", run, PRESETS, __doc__)
