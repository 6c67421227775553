"""Task 4.3.4: samples of the dense GAN beside samples of the VAE.

The report finds the GAN's samples more realistic than the VAE's. Here ten thousand of each and of
each seed are scored alike: Fréchet distance to digits, by which the claim is judged, precision (how
many lie among digits) and recall (how many digits lie among samples), and the share of which a
convnet is sure; for the GAN as published, corrected (D12, D13), and corrected at a lower rate, at
which no seed collapses.

    python scripts/task_4_3_4.py                     about 10 seconds after tasks 4.2.4 and 4.3.3
    python scripts/task_4_3_4.py --preset report     about a minute after those
"""

from dataclasses import dataclass
from typing import Literal

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, gan, vae

Dense = command.group(gan.Recipe, "source", "backbone", "corrected")
Variational = command.group(vae.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    gan: Dense = gan.Recipe()
    vae: Variational = vae.Recipe()
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
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
    settings, scoring, floor = convnet.begin(task, settings)
    scored = {name: task.repeat(gan.score, training=group, **scoring)
              for name, group in gan.dense(task, settings.gan, scoring["labelling"]).items()}
    trained = task.repeat(vae.train, settings.vae)
    scored[VAE] = task.repeat(vae.score, training=trained, **scoring)

    scores = scoreboard.report(task, scored, floor)
    plots.sample_grids(task, "samples", scoreboard.first(scored, "images"))
    judged = {name: found for name, found in scores.items() if name != gan.DENSE[1]}
    plots.class_shares(task, "classes", scores, floor)
    task.decide(judge({name: found["frechet"] for name, found in judged.items()}))


def judge(distances):
    """What the claim is judged by, from distances of samples to digits by name, (seeds,) each."""
    published, corrected = ({"realistic": (distances[VAE], distances[name])}
                            for name in (gan.DENSE[0], gan.DENSE[2]))
    return {"4.3.4-a": (published, corrected)}


if __name__ == "__main__":
    command.main("4.3.4", run, PRESETS, __doc__)
