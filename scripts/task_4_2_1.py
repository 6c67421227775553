"""Task 4.2.1: what the losses of generator and discriminator measure.

The report explains both losses. Here they are read off a trained GAN: the probabilities of being
real that its discriminator gives to digits and to samples, the losses that follow from them, and
the losses of a discriminator that cannot tell both apart. The published discriminator drops units
even when it is only asked (D13); the same weights are asked without. The generator's loss is the
non-saturating one; a curve shows why.

    python scripts/task_4_2_1.py                     about 30 seconds, 4,000 digits
    python scripts/task_4_2_1.py --preset report     with the dense GAN of task 4.2.3
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.experiments import settings as shared


@dataclass(frozen=True)
class Settings(shared.GAN):
    seeds: int = 1  # the report shows one run


PRESETS = {
    "smoke": Settings(**shared.GAN_SMOKE),
    "quick": Settings(**shared.GAN_QUICK),
    "report": Settings(),
}


def run(task, settings):
    scoreboard = experiments.samples.scoreboard(task, settings)
    runs = experiments.gan.trained(task, settings, scoreboard, of="4.2.3")
    real, fake = (
        np.stack([run[f"{kind}_probability"] for run in runs]) for kind in ("real", "fake")
    )
    task.measure("real/probability", real.mean(axis=1))
    task.measure("fake/probability", fake.mean(axis=1))
    losses = {
        "generator": -np.log(np.maximum(fake, 1e-30)).mean(axis=1),
        "discriminator": -(np.log(np.maximum(real, 1e-30)).mean(axis=1)
                           + np.log1p(-np.minimum(fake, 1 - 1e-7)).mean(axis=1)) / 2,
    }
    dropped = experiments.gan.without_dropout(runs[0], settings.source)
    for name, values in dropped.items():
        kind, _, plain = name.partition("_")
        task.measure(f"seed_0/{kind}/probability/{'without' if plain else 'with'}_dropout",
                     values.mean(), deviation="D13")
    even = np.log(2)  # of a discriminator that gives 1/2 to everything
    rows = []
    for network, values in losses.items():
        last = np.array([run[f"{network}_loss"][-1] for run in runs])
        task.measure(f"{network}/loss/after_training", values)
        task.measure(f"{network}/loss/last_epoch", last)
        rows.append([network, f"{even:.3f}", f"{values.mean():.3f}", f"{last.mean():.3f}"])
    task.table("losses", ["network", "cannot tell apart", "after training",
                          "mean of the last epoch"], rows)
    draw(task, dropped)


def draw(task, dropped):
    figure, (left, right) = plots.panels(2)
    bins = np.linspace(0, 1, 26)
    for color, (kind, called) in zip(("C0", "C1"), {"real": "digits", "fake": "samples"}.items()):
        left.hist(dropped[kind], bins, density=True, color=color, alpha=0.6, label=called)
        left.hist(dropped[f"{kind}_plain"], bins, density=True, color=color, histtype="step",
                  lw=2, label=f"{called}, without dropout (D13)")
    left.set(xlabel="probability of being real, D, seed 0", ylabel="density")
    left.set_ylim(0, 1.5 * left.get_ylim()[1])
    left.legend(loc="upper center", fontsize=9)
    probability = np.linspace(0.005, 0.995, 400)
    right.plot(probability, -np.log(probability), label="−log D, in use")
    right.plot(probability, np.log1p(-probability), label="log(1 − D), saturating")
    right.axvline(0.5, color="grey", ls=":", lw=1)
    right.set(xlabel="D of a sample", ylabel="generator's loss (nats)")
    right.legend()
    task.figure("what_losses_measure", figure)


if __name__ == "__main__":
    command.main("4.2.1", run, PRESETS, __doc__)
