"""Task 4.3.3: random samples of the VAE, counted.

The report looks at samples after 100 epochs (Figure 23): a big majority look like 8, none is
clearly a 0, only a few are clear. Here the convnet labels ten thousand samples of each seed, and
says of which it is sure; and lines through latent space lead from one test digit to another.

    python scripts/task_4_3_3.py                     about 30 seconds, 4,000 digits, smaller model
    python scripts/task_4_3_3.py --preset report     about an hour and a half on two cores
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, data, models, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, vae


@dataclass(frozen=True)
class Settings:
    recipe: command.flat(vae.Recipe) = vae.Recipe()
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    samples: int = 10_000  # ours: that are scored
    steps: int = 10  # ours: images of a line through latent space
    seeds: int = 3  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(vae.SMOKE, convnet.LABELLING_SMOKE, samples=100, seeds=1),
    "quick": Settings(vae.QUICK, convnet.LABELLING_QUICK, samples=1_000, seeds=1),
    "report": Settings(),
}
PAIRS = (0, 8), (1, 7), (2, 6), (3, 5), (4, 9)  # digits at the ends of lines
SHOWN = 100  # samples in Figure 23


def run(task, settings):
    settings, scoring, floor = convnet.begin(task, settings)
    runs = task.repeat(vae.train, settings.recipe)
    scored = task.repeat(vae.score, training=runs, **scoring)
    lines = task.run(walks, training=runs[0], steps=settings.steps)

    published = models.vae.VAE()
    task.measure("vae/encoder/parameters", published.encoder.count_params())
    task.measure("vae/decoder/parameters", published.decoder.count_params())
    for part, better in vae.TERMS.items():
        task.measure(f"vae/{part}", runs[part][:, -1], better=better, unit="nats")
        task.measure(f"vae/test_{part}", runs[f"test_{part}"][:, -1], better=better, unit="nats")
    task.measure("vae/seconds_an_epoch", runs["seconds"], better="lower")
    found, sure = scoreboard.scores(scored), scored["confident_classes"]
    scoreboard.measure(task, "vae", found)
    task.measure("vae/confident_0", sure[:, 0])
    task.measure("vae/labelled_8", found["classes"][:, 8])
    plots.sample_grids(task, "fig23_vae_samples", {"VAE": scored[0]["images"]}, side=10)
    scoreboard.table(task, {"VAE": found}, floor)
    draw_classes(task, found["classes"], sure, floor["classes"])
    plots.walks(task, "walks", {"VAE, between test digits": lines["images"]})
    titles = {"elbo": "ELBO", "reconstruction": "reconstruction error", "kl": "KL divergence"}
    with plots.figure(task, "training", 3, width=11, height=3.2) as axes:
        for panel, (part, title) in zip(axes, titles.items()):
            plots.curves(panel, {"training": runs[part], "test": runs[f"test_{part}"]})
            panel.set(xlabel="epoch", ylabel="nats an image", title=title)
    task.decide(judge(found["classes"], found["confident"], sure[:, 0]))


def walks(training, steps):
    """Images on straight lines in the latent space of a run of ``vae.train``: dict of "images"
    (pairs, steps, 784), uint8, between the mean codes of the first test images of two digits."""
    _, rows, labels = data.mnist.rows(training.recipe.source)
    model = vae.vae_of(training)
    ends = np.array([[np.argmax(labels == digit) for digit in pair] for pair in PAIRS])
    codes = model.encode(rows[ends.ravel()])[0].reshape(len(ends), 2, -1)
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, np.newaxis]
    lines = [(1 - share) * first + share * last for first, last in codes]
    images = scoreboard.to_bytes(model.decode(np.concatenate(lines)))
    return {"images": images.reshape(len(ends), steps, -1)}


def draw_classes(task, classes, sure, digits):
    """Share of each label among all samples and among those the convnet is sure of."""
    bars = {"samples": (classes.mean(axis=0), "lightblue"), "test digits": (digits, "lightgrey"),
            "samples, convnet sure": (sure.mean(axis=0), "C0")}
    with plots.figure(task, "classes", width=8.5) as axes:
        for place, (name, (shares, color)) in zip((-0.2, 0.2, -0.2), bars.items()):
            axes.bar(np.arange(10) + place, shares, 0.4, label=name, color=color)
        if len(classes) > 1:
            axes.plot(np.arange(10) - 0.2, classes.T, ".", color="black", ms=3)
        axes.set(xlabel="digit that the convnet sees", ylabel="share of all", xticks=range(10),
                 ylim=(0, 1.25 * axes.get_ylim()[1]))
        axes.legend(ncols=3, loc="upper center")


def judge(classes, clear, zeros):
    """What the claim is judged by: shares of samples of each label (seeds, 10), of those of which
    the convnet is sure and of clear 0s (seeds,)."""
    return {"4.3.3-a": {
        "8 leads": scoreboard.beside_others(classes, 8),
        "no clear 0": (1 - zeros) ** SHOWN,
        "few clear": clear,
    }}


if __name__ == "__main__":
    command.main("4.3.3", run, PRESETS, __doc__)
