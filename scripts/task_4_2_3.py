"""Task 4.2.3: the losses of the dense GAN along training, and what they say of its samples.

The report sees the generator's loss rise (Figure 22) and says that this does not mean it gets
worse. Here the Fréchet distance of its samples to digits, and other scores, stand beside the
losses. These begin near log 2, the published ones at 2.71 and 0.315. Two things are tried that
the report does not tell: other initial weights and noise, for some epochs; and networks that were
trained before, as when a notebook's training cell runs twice.

    python scripts/task_4_2_3.py                     about 40 seconds, 4,000 digits
    python scripts/task_4_2_3.py --preset report     about an hour and a half, full MNIST
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, models, plots
from ann_keras.experiments import settings as shared
from ann_keras.report import published


@dataclass(frozen=True)
class Settings(shared.GAN):
    start_epochs: int = 5  # ours: from other initial weights and noise


PRESETS = {
    "smoke": Settings(**shared.GAN_SMOKE, start_epochs=1),
    "quick": Settings(**shared.GAN_QUICK, start_epochs=2),
    "report": Settings(),
}
STARTS = ("PyTorch", "uniform"), ("Glorot", "normal"), ("Glorot", "uniform")  # weights, noise
AGAIN = "trained again"
PUBLISHED_EPOCHS = Settings.epochs


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
    again = experiments.gan.trained_again(task, settings, board, runs[0])
    experiments.samples.measure(task, "trained_again", experiments.samples.scores([again]))
    distances = again["watched_frechet"]
    again = {name: again[name] for name in losses}
    draw(task, losses, again)
    draw_scores(task, epochs, watched, floor)
    compare_starts(task, settings, losses, again)
    judge(task, losses["generator_loss"], epochs, watched["frechet"], again, distances)


def compare_starts(task, settings, losses, again):
    """A table of the losses in some epochs, from each start and as published."""
    found = {("PyTorch", "normal"): losses}
    for start, noise in STARTS:
        runs = [
            task.run(
                f"losses from {start} weights, {noise} noise, seed {seed}",
                experiments.gan.first_losses, start=start, noise=noise, seed=seed,
                epochs=settings.start_epochs, batch_size=settings.batch_size,
                source=settings.source, images=settings.images,
            )
            for seed in task.seeds
        ]
        found[start, noise] = {name: np.stack([run[name] for run in runs]) for name in losses}
    found[AGAIN, "normal"] = {name: values[np.newaxis] for name, values in again.items()}
    epochs = sorted({1, settings.start_epochs, settings.epochs})
    rows = []
    for (start, noise), curves in found.items():
        row = [start, noise]
        for name, values in curves.items():
            for epoch in epochs:
                known = values[:, epoch - 1:epoch]
                row.append(f"{known.mean():.3f}" if known.size else "")
                if known.size:
                    title = f"from_{start}_{noise}/{name}/epoch_{epoch}".replace(" ", "_")
                    task.measure(title, known.ravel())
        rows.append(row)
    rows.append(["published run", ""] + [
        str(ends(name).get(epoch, "")) for name in losses for epoch in epochs
    ])
    task.table("starts", ["initial weights", "noise"] + [
        f"{name.replace('_', ' ')}, epoch {epoch}" for name in losses for epoch in epochs
    ], rows)


def ends(name):
    """The published loss of the first and the last epoch, by epoch."""
    return {epoch: published.VALUES["4.2.3", f"dense_gan/{name}/{end}"].value
            for epoch, end in ((1, "first"), (PUBLISHED_EPOCHS, "last"))}


def draw(task, losses, again):
    """Figure 22, and beside it a second training; crosses are the published first and last."""
    figure, axes = plots.panels(2, sharey=True)
    for panel, curves, title in zip(axes, (losses, again), ("first training", AGAIN)):
        for name, values in curves.items():
            line = plots.curve(panel, values, label=name.removesuffix("_loss"))
            panel.plot(*zip(*ends(name).items()), "x", color=line.get_color())
        panel.set(title=title, xlabel="epoch", ylim=(0, None))
    axes[0].set_ylabel("mean loss (nats); crosses: published")
    axes[1].legend()
    task.figure("fig22_gan_losses", figure)


def draw_scores(task, epochs, watched, floor):
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


def judge(task, losses, epochs, distances, again, distances_again):
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
        f"{len(losses)}). When the networks of seed 0 are trained again, "
        + ", ".join(
            f"the {name.replace('_', ' ')} goes from {values[0]:.2f} to {values[-1]:.2f} "
            f"(published: {ends(name)[1]} to {ends(name)[PUBLISHED_EPOCHS]})"
            for name, values in again.items()
        )
        + f", the Fréchet distance from {distances_again[0]:.2f} to {distances_again[-1]:.2f}.",
    )


if __name__ == "__main__":
    command.main("4.2.3", run, PRESETS, __doc__)
