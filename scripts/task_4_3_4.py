"""Task 4.3.4: samples of the dense GAN beside samples of the VAE.

The report finds the GAN's samples more realistic than the VAE's. Here ten thousand of each and of
each seed are scored alike: Fréchet distance to digits, precision (how many lie among digits) and
recall (how many digits lie among samples), and the share of which a convnet is sure; for the GAN
as published, corrected (D12, D13), and corrected at a lower rate.

    python scripts/task_4_3_4.py                     about 10 seconds after tasks 4.2.4 and 4.3.3
    python scripts/task_4_3_4.py --preset report     about a minute after those
"""

from dataclasses import dataclass
from typing import Literal

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, gan, vae
from ann_keras.recipes.fields import one_source
from ann_keras.report import decide

Dense = command.group(gan.Recipe, "source", "backbone", "corrected")
Variational = command.group(vae.Recipe, "source")
Labelling = command.group(convnet.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    gan: Dense = gan.Recipe()
    vae: Variational = vae.Recipe()
    labelling: Labelling = convnet.LABELLING  # ours: the judge
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits
    samples: int = 10_000  # ours: that are scored
    seeds: int = 3  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(gan.SMOKE, vae.SMOKE, convnet.LABELLING_SMOKE, "sample", samples=100,
                      seeds=1),
    "quick": Settings(gan.QUICK, vae.QUICK, convnet.LABELLING_QUICK, "sample", samples=1_000,
                      seeds=1),
    "report": Settings(),
}
VAE = "VAE"


def run(task, settings):
    settings = task.settings = one_source(settings)
    scoring, floor = scoreboard.begin(task, settings)
    scored = {name: task.repeat(gan.score, training=group, **scoring)
              for name, group in gan.dense(task, settings.gan, scoring["labelling"]).items()}
    trained = task.repeat(vae.train, settings.vae)
    scored[VAE] = task.repeat(vae.score, training=trained, **scoring)

    scores = scoreboard.report(task, scored, floor)
    plots.sample_grids(task, "samples", scoreboard.first(scored, "images"))
    plots.class_shares(task, "classes", scores, floor)
    task.decide(judge(scores, floor))


def judge(scores, floor):
    """Verdict from scores by name, each a dict of arrays (seeds, …), and those of test digits."""
    published = scores[gan.DENSE[0]]
    ahead = scoreboard.more_realistic(published, scores[VAE])
    named = "; ".join(
        f"{name} {values['frechet']:.3g}, {values['precision']:.1%}, {values['recall']:.1%}, "
        f"{values['confident']:.1%}"
        for name, values in (scoreboard.means(scores) | {"test digits": floor}).items()
    )
    return {"4.3.4-a": (
        decide.with_enough_seeds(ahead, len(published["frechet"])),
        f"Fréchet distance, precision, recall, and share of which the convnet is sure: {named}. "
        "More realistic means better by distance and the convnet's share, every seed than any of "
        "the other.",
    )}


if __name__ == "__main__":
    command.main("4.3.4", run, PRESETS, __doc__)
