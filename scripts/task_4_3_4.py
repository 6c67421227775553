"""Task 4.3.4: samples of the dense GAN beside samples of the VAE.

The report finds the GAN's samples more realistic than the VAE's. Here ten thousand of each and of
each seed are scored alike: Fréchet distance to digits, precision (how many lie among digits) and
recall (how many digits lie among samples), and the share of which a convnet is sure; for the GAN
as published, corrected (D12, D13), and corrected at a lower rate.

    python scripts/task_4_3_4.py                     about 10 seconds after tasks 4.2.4 and 4.3.3
    python scripts/task_4_3_4.py --preset report     about a minute after those
"""

from dataclasses import dataclass, field

from ann_keras import command, experiments
from ann_keras.experiments import settings as shared


@dataclass(frozen=True)
class Settings:
    gan: shared.CorrectedGAN = field(default_factory=shared.CorrectedGAN)
    vae: shared.VAE = field(default_factory=shared.VAE)
    seeds: int = 3  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(shared.CORRECTED_GAN_PRESETS["smoke"], shared.VAE_PRESETS["smoke"], 1),
    "quick": Settings(shared.CORRECTED_GAN_PRESETS["quick"], shared.VAE_PRESETS["quick"], 1),
    "report": Settings(),
}
VAE = "VAE"


def run(task, settings):
    gan, vae = experiments.gan, experiments.vae
    samples, gallery = experiments.samples, experiments.gallery
    samples.check_alike(settings.gan, settings.vae)
    board = samples.scoreboard(task, settings.gan)
    runs = gan.dense(task, settings.gan, board) | {
        VAE: vae.trained(task, settings.vae, board, of="4.3.3"),
    }
    scores = {name: samples.scores(group) for name, group in runs.items()}
    for name, found in scores.items():
        samples.measure(task, name, found)
    floor = board.floor(task, of="4.2.3")
    gallery.table(task, "scores", scores, floor)
    gallery.draw_samples(task, "samples", {name: group[0]["images"]
                                           for name, group in runs.items()})
    gallery.draw_classes(task, "classes", scores, floor)
    judge(task, scores, floor)


def judge(task, scores, floor):
    mean = {name: {quantity: found[quantity].mean()
                   for quantity in ("frechet", "precision", "recall", "confident")}
            for name, found in scores.items()}
    ahead = experiments.samples.more_realistic(scores[shared.DENSE_GANS[0]], scores[VAE])
    named = "; ".join(
        f"{name} {values['frechet']:.3g}, {values['precision']:.1%}, {values['recall']:.1%}, "
        f"{values['confident']:.1%}" for name, values in mean.items()
    )
    task.claim(
        "4.3.4-a", experiments.samples.decided(ahead, len(task.seeds)),
        f"Fréchet distance, precision, recall, and share of which the convnet is sure: {named}; "
        f"test digits {float(floor['frechet']):.3g}, {float(floor['precision']):.1%}, "
        f"{float(floor['recall']):.1%}, {float(floor['confident']):.1%}. More realistic means "
        "better by distance and the convnet's share, every seed than any of the other.",
    )


if __name__ == "__main__":
    command.main("4.3.4", run, PRESETS, __doc__)
