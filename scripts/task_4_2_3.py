"""Task 4.2.3: the losses of the dense GAN along training, and what they say of its samples.

The report sees the generator's loss rise (Figure 22) and says that this does not mean it gets
worse. Here the Fréchet distance of its samples to digits, and other scores, stand beside the
losses. These begin near log 2, the published ones at 2.71 and 0.315. Two things are tried that
the report does not tell: other initial weights and noise, for some epochs; and networks that were
trained before, as when a notebook's training cell runs twice.

    python scripts/task_4_2_3.py                     about 30 seconds, 4,000 digits
    python scripts/task_4_2_3.py --preset report     about an hour and a half, full MNIST
"""

from dataclasses import dataclass, replace

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, gan
from ann_keras.recipes.fields import one_source
from ann_keras.report import decide, published

Recipe = command.flat(gan.Recipe, "backbone", "initial_weights", "noise")
Labelling = command.group(convnet.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = gan.Recipe()
    labelling: Labelling = convnet.LABELLING  # ours: the judge
    samples: int = 10_000  # ours: that are scored
    start_epochs: int = 5  # ours: from other initial weights and noise
    seeds: int = 3  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(gan.SMOKE, convnet.LABELLING_SMOKE, 100, start_epochs=1, seeds=1),
    "quick": Settings(gan.QUICK, convnet.LABELLING_QUICK, 1_000, start_epochs=2, seeds=1),
    "report": Settings(),
}
STARTS = ("PyTorch", "uniform"), ("Glorot", "normal"), ("Glorot", "uniform")  # weights, noise
AGAIN = "trained again"
PUBLISHED_EPOCHS = gan.Recipe.epochs


def run(task, settings):
    settings = task.settings = one_source(settings)
    recipe = settings.recipe
    scoring, floor = scoreboard.begin(task, settings)
    runs = gan.published(task, recipe, scoring["labelling"])
    again = gan.published_again(task, recipe, scoring["labelling"])
    scored, scored_again = (task.repeat(gan.score, training=group, **scoring)
                            for group in (runs, again))
    starts = {
        (start, noise): task.repeat(gan.train, replace(
            recipe, initial_weights=start.lower(), noise=noise, epochs=settings.start_epochs
        ))
        for start, noise in STARTS
    }
    gan.measure_parameters(task, "dense")
    losses = {name: runs[name] for name in gan.LOSSES}
    for name, curves in losses.items():
        task.measure(f"dense_gan/{name}/first", curves[:, 0])
        task.measure(f"dense_gan/{name}/last", curves[:, -1])
    task.measure("dense_gan/seconds_per_epoch", runs["seconds"], better="lower")
    scoreboard.measure(task, "dense_gan", scoreboard.scores(scored))
    watched = {name: runs[f"watched_{name}"] for name in gan.WATCHED}
    epochs = runs[0]["watched_epochs"]
    task.table(
        "along_training", ["epoch", *gan.LOSSES, *watched],
        [[epoch, *(f"{curves[:, epoch - 1].mean():.4f}" for curves in losses.values()),
          *(f"{values[:, place].mean():.4f}" for values in watched.values())]
         for place, epoch in enumerate(epochs)],
    )
    scoreboard.measure(task, "trained_again", scoreboard.scores(scored_again))
    draw(task, runs, again)
    draw_scores(task, epochs, watched, floor)
    compare_starts(task, sorted({1, settings.start_epochs, recipe.epochs}),
                   {("PyTorch", "normal"): runs, **starts, (AGAIN, "normal"): again})
    task.decide(judge(
        losses["generator_loss"], epochs, watched["frechet"],
        {name: again[0][name] for name in gan.LOSSES}, again["watched_frechet"][0],
    ))


def compare_starts(task, epochs, runs):
    """A table of the losses in some epochs, by initial weights and noise, and as published."""
    columns = [(name, epoch) for name in gan.LOSSES for epoch in epochs]
    rows = []
    for (start, noise), group in runs.items():
        known = {(name, epoch): group[name][:, epoch - 1] for name, epoch in columns
                 if epoch <= group[0].recipe.epochs}
        for (name, epoch), values in known.items():
            title = f"from_{start}_{noise}/{name}/epoch_{epoch}"
            task.measure(title.replace(" ", "_"), values)
        rows.append([start, noise, *(f"{known[column].mean():.3f}" if column in known else ""
                                     for column in columns)])
    rows.append(["published run", "", *(ends(name).get(epoch, "") for name, epoch in columns)])
    titles = [f"{name.replace('_', ' ')}, epoch {epoch}" for name, epoch in columns]
    task.table("starts", ["initial weights", "noise", *titles], rows)


def ends(name):
    """The published loss of the first and the last epoch, by epoch."""
    return {epoch: published.VALUES["4.2.3", f"dense_gan/{name}/{end}"].value
            for epoch, end in ((1, "first"), (PUBLISHED_EPOCHS, "last"))}


def draw(task, runs, again):
    """Figure 22, and beside it a second training; crosses are the published first and last."""
    figure, axes = plots.panels(2, sharey=True)
    for panel, group, title in zip(axes, (runs, again), ("first training", AGAIN)):
        for name in gan.LOSSES:
            line = plots.curve(panel, group[name], label=name.removesuffix("_loss"))
            panel.plot(*zip(*ends(name).items()), "x", color=line.get_color())
        panel.set(title=title, xlabel="epoch", ylim=(0, None))
    axes[0].set_ylabel("mean loss (nats); crosses: published")
    axes[1].legend()
    task.figure("fig22_gan_losses", figure)


def draw_scores(task, epochs, watched, floor):
    figure, panels = plots.panels(len(watched), width=13, height=3.2)
    titles = {"frechet": "Fréchet distance", "coverage": "coverage",
              "confident": "confident share", "background": "background level"}
    for panel, (name, values) in zip(panels, watched.items(), strict=True):
        panel.plot(epochs, values.T, "o-", color="C0", alpha=0.6)
        panel.axhline(floor[name], color="grey", ls=":")
        panel.set(xlabel="epoch", ylim=(0, None), title=titles[name])
    panels[0].set_ylabel("score (dotted: of test digits)")
    task.figure("scores_along_training", figure)


def judge(losses, epochs, distances, again, distances_again):
    """Verdict from the generator's losses (seeds, epochs) and distances (seeds, watched epochs).

    Args:
        epochs: the watched ones.
        again, distances_again: of a second training, losses by name and distances, without seeds.
    """
    verdict = "undecided"
    if len(epochs) > 2:
        rises = losses[:, -1] > losses[:, 0]
        # From the second time of scoring on: at first samples are noise.
        nearer = distances[:, -1] < distances[:, 1]
        verdict = decide.over_seeds(rises & nearer, possible=rises)
    middle = min(1, len(epochs) - 1)
    trained_again = ", ".join(
        f"the {name.replace('_', ' ')} goes from {values[0]:.2f} to {values[-1]:.2f} "
        f"(published: {ends(name)[1]} to {ends(name)[PUBLISHED_EPOCHS]})"
        for name, values in again.items()
    )
    return {"4.2.3-a": (
        verdict,
        f"From epoch 1 to {epochs[-1]} the generator's mean loss goes from "
        f"{losses[:, 0].mean():.2f} to {losses[:, -1].mean():.2f} nats, and from epoch "
        f"{epochs[middle]} on the Fréchet distance of its samples from "
        f"{distances[:, middle].mean():.2f} to {distances[:, -1].mean():.2f} (seeds: "
        f"{len(losses)}). When the networks of seed 0 are trained again, {trained_again}, the "
        f"Fréchet distance from {distances_again[0]:.2f} to {distances_again[-1]:.2f}.",
    )}


if __name__ == "__main__":
    command.main("4.2.3", run, PRESETS, __doc__)
