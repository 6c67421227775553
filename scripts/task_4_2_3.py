"""Task 4.2.3: the losses of the dense GAN along training, and what they say of its samples.

The report sees the generator's loss rise (Figure 22) and says that this does not mean it gets
worse. Here the Fréchet distance of its samples to digits, and other scores, stand beside the
losses. Beside that training stands a second one of the same networks, with new optimizers: that of
Figure 21(b) (D15).

    python scripts/task_4_2_3.py                     about 30 seconds, 4,000 digits
    python scripts/task_4_2_3.py --preset report     about an hour and a half, full MNIST
"""

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, gan
from ann_keras.report import published

PRESETS = gan.PRESETS
FIRST, AGAIN = "dense_gan", "trained_again"
TITLES = {FIRST: "first training", AGAIN: "trained again"}
SETTLED = 1  # time of scoring from which on samples are compared: at first they are noise


def run(task, settings):
    settings, scoring, floor = convnet.begin(task, settings)
    recipe = settings.recipe
    trainings = {FIRST: gan.published(task, recipe, scoring["labelling"]),
                 AGAIN: gan.published_again(task, recipe, scoring["labelling"])}
    scored = {name: task.repeat(gan.score, training=runs, **scoring)
              for name, runs in trainings.items()}
    gan.measure_parameters(task, "dense")
    for name, runs in trainings.items():
        for loss in gan.LOSSES:
            task.measure(f"{name}/{loss}/first", runs[loss][:, 0])
            task.measure(f"{name}/{loss}/last", runs[loss][:, -1])
        scoreboard.measure(task, name, scoreboard.scores(scored[name]))
    task.measure("dense_gan/seconds_per_epoch", trainings[FIRST]["seconds"], better="lower")
    epochs = trainings[FIRST][0]["watched_epochs"]
    task.table("along_training", ["training", "epoch", *gan.LOSSES, *gan.WATCHED], [
        [TITLES[name], epoch, *(f"{runs[loss][:, epoch - 1].mean():.4f}" for loss in gan.LOSSES),
         *(f"{runs[f'watched_{score}'][:, place].mean():.4f}" for score in gan.WATCHED)]
        for name, runs in trainings.items() for place, epoch in enumerate(epochs)
    ])
    draw(task, recipe.epochs, epochs, trainings, floor)
    task.decide(judge(trainings[FIRST]["generator_loss"], trainings[FIRST]["watched_frechet"]))


def draw(task, last, epochs, trainings, floor):
    with plots.figure(task, "fig22_gan_losses", 2, sharey=True) as axes:
        for panel, (name, runs) in zip(axes, trainings.items()):
            plots.curves(panel, {loss.removesuffix("_loss"): runs[loss] for loss in gan.LOSSES})
            for number, loss in enumerate(gan.LOSSES):
                ends = [published.VALUES[task.identifier, f"{name}/{loss}/{end}"].value
                        for end in ("first", "last")]
                panel.plot((1, last), ends, "x", color=f"C{number}")
            panel.set(title=TITLES[name], xlabel="epoch")
        axes[0].set(ylabel="mean loss (nats); crosses: published", ylim=(0, None))
    titles = {"frechet": "Fréchet distance", "coverage": "coverage",
              "confident": "convnet sure", "background": "background level"}
    with plots.figure(task, "scores_along_training", 4, width=13, height=3.2) as axes:
        for panel, (score, title) in zip(axes, titles.items()):
            for color, (name, runs) in enumerate(trainings.items()):
                lines = panel.plot(epochs, runs[f"watched_{score}"].T, "o-", color=f"C{color}",
                                   alpha=0.6)
                lines[0].set_label(TITLES[name])
            panel.axhline(floor[score], color="grey", ls=":")
            panel.set(xlabel="epoch", ylim=(0, None), title=title)
        axes[0].set_ylabel("score (dotted: of test digits)")


def judge(losses, distances):
    """What the claim is judged by: the generator's losses in the first training, (seeds, epochs),
    and the distances of its samples to digits, (seeds, times of scoring)."""
    found = {"rises": (losses[:, -1], losses[:, 0])}
    if distances.shape[1] > SETTLED + 1:
        found["no worse"] = distances[:, -1], distances[:, SETTLED]
    return {"4.2.3-a": found}


if __name__ == "__main__":
    command.main("4.2.3", run, PRESETS, __doc__)
