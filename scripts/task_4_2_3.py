"""Task 4.2.3: the losses of the dense GAN along training, and what they say of its samples.

The report sees the generator's loss rise (Figure 22) and says that this does not mean it gets
worse. Here the Fréchet distance of its samples to digits, and other scores, stand beside the
losses. These begin nearer to log 2 than the published ones, whose initial weights and noise are
not known: some epochs from others show how much hangs on them.

    python scripts/task_4_2_3.py                     about 40 seconds, 4,000 digits
    python scripts/task_4_2_3.py --preset report     about an hour and a half, full MNIST
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, models, plots
from ann_keras.experiments import settings as shared


@dataclass(frozen=True)
class Settings(shared.GAN):
    start_epochs: int = 5  # ours: from other initial weights and noise


PRESETS = {
    "smoke": Settings(**shared.GAN_SMOKE, start_epochs=1),
    "quick": Settings(**shared.GAN_QUICK, start_epochs=2),
    "report": Settings(),
}
STARTS = "PyTorch", "Glorot"
NOISES = "normal", "uniform"


def run(task, settings):
    board = experiments.samples.scoreboard(task, settings)
    runs = experiments.gan.trained(task, settings, board)
    network = models.gan.GAN("dense")
    for part in ("generator", "discriminator"):
        count = models.weights.count_trainable(getattr(network, part))
        task.measure(f"dense_gan/{part}/parameters", count)
    losses = {name: np.stack([run[name] for run in runs]) for name in experiments.gan.LOSSES}
    for name, curves in losses.items():
        task.measure(f"dense_gan/{name}/first", curves[:, 0])
        task.measure(f"dense_gan/{name}/last", curves[:, -1])
    task.measure("dense_gan/seconds_per_epoch", [run["seconds"] for run in runs], better="lower")
    experiments.samples.measure(task, "dense_gan", experiments.samples.scores(runs))
    watched = {
        name: np.stack([run[f"watched_{name}"] for run in runs])
        for name in experiments.gan.WATCHED
    }
    epochs = runs[0]["watched_epochs"]
    task.table(
        "along_training", ["epoch", *experiments.gan.LOSSES, *watched],
        [[epoch, *(f"{losses[name][:, epoch - 1].mean():.4f}" for name in experiments.gan.LOSSES),
          *(f"{values[:, place].mean():.4f}" for values in watched.values())]
         for place, epoch in enumerate(epochs)],
    )
    floor = board.floor(task)
    draw(task, losses, epochs, watched, floor)
    compare_starts(task, settings)
    judge(task, losses["generator_loss"], epochs, watched["frechet"])


def compare_starts(task, settings):
    rows, names = [], experiments.gan.LOSSES
    for start in STARTS:
        for noise in NOISES:
            runs = [
                task.run(
                    f"losses from {start} weights, {noise} noise, seed {seed}",
                    experiments.gan.first_losses, start=start, noise=noise, seed=seed,
                    epochs=settings.start_epochs, batch_size=settings.batch_size,
                    source=settings.source, images=settings.images,
                )
                for seed in task.seeds
            ]
            row = [start, noise]
            for name in names:
                curves = np.stack([run[name] for run in runs])
                for place, values in (("first", curves[:, 0]), ("last", curves[:, -1])):
                    task.measure(f"from_{start}_{noise}/{name}/{place}", values)
                    row.append(f"{values.mean():.3f}")
            rows.append(row)
    last = f"epoch {settings.start_epochs}"
    task.table("starts", ["initial weights", "noise"] + [
        f"{name.replace('_', ' ')}, {epoch}" for name in names for epoch in ("epoch 1", last)
    ], rows)


def draw(task, losses, epochs, watched, floor):
    figure, (axes,) = plots.panels()
    for name, curves in losses.items():
        plots.curve(axes, curves, label=name.removesuffix("_loss"))
    axes.set(xlabel="epoch", ylabel="mean loss (nats)", ylim=(0, None))
    axes.legend()
    task.figure("fig22_gan_losses", figure)
    figure, panels = plots.panels(len(watched), width=13, height=3.2)
    for panel, (name, values) in zip(panels, watched.items(), strict=True):
        panel.plot(epochs, values.T, "o-", color="C0", alpha=0.6)
        panel.axhline(float(floor[name]), color="grey", ls=":")
        panel.set(xlabel="epoch", ylim=(0, None), title={
            "frechet": "Fréchet distance", "coverage": "coverage", "confident": "confident share",
            "background": "background level",
        }[name])
    panels[0].set_ylabel("score (dotted: of test digits)")
    task.figure("scores_along_training", figure)


def judge(task, losses, epochs, distances):
    verdict = "undecided"
    if len(epochs) > 2:
        rises = losses[:, -1] > losses[:, 0]
        # From the second time of scoring on: at first samples are noise.
        nearer = distances[:, -1] < distances[:, 1]
        verdict = experiments.samples.over_seeds(rises & nearer, possible=rises)
    middle = min(1, len(epochs) - 1)
    task.claim(
        "4.2.3-a", verdict,
        f"From epoch 1 to {epochs[-1]} the generator's mean loss goes from "
        f"{losses[:, 0].mean():.2f} to {losses[:, -1].mean():.2f} nats, and from epoch "
        f"{epochs[middle]} on the Fréchet distance of its samples from "
        f"{distances[:, middle].mean():.2f} to {distances[:, -1].mean():.2f} (seeds: "
        f"{len(losses)}).",
    )


if __name__ == "__main__":
    command.main("4.2.3", run, PRESETS, __doc__)
