"""Tables and figures of samples of generative models, from task 4.2.4 on."""

import math

import numpy as np

from ann_keras import plots

COLUMNS = ("frechet", "precision", "recall", "density", "coverage", "confident", "diversity",
           "background", "noisy")


def table(task, stem, scores, floor, **columns):
    """Save scores by name, dicts of arrays (seeds,), with those of test digits last.

    Args:
        columns: further ones, each a dict of texts by name; names may lack.
    """
    task.table(
        stem, ["samples", "seeds", *COLUMNS, *columns],
        [[name, len(found["frechet"]), *(f"{found[column].mean():.4f}" for column in COLUMNS),
          *(texts.get(name, "") for texts in columns.values())]
         for name, found in scores.items()]
        + [["test digits", "", *(f"{float(floor[column]):.4f}" for column in COLUMNS),
            *("" for _ in columns)]],
    )


def draw_classes(task, stem, scores, floor):
    """Share of each label among samples, by name, and among test digits; a dot a seed."""
    figure, (axes,) = plots.panels(width=8.5)
    shares = {name: found["classes"] for name, found in scores.items()}
    shares["test digits"] = floor["classes"][np.newaxis]
    width = 0.8 / len(shares)
    for number, (name, values) in enumerate(shares.items()):
        places = np.arange(10) + (number - (len(shares) - 1) / 2) * width
        color = "lightgrey" if name == "test digits" else f"C{number}"
        axes.bar(places, values.mean(axis=0), width, label=name, color=color)
        if len(values) > 1:
            axes.plot(places, values.T, ".", color="black", ms=3)
    axes.set(xlabel="digit that the convnet sees", ylabel="share of samples")
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    axes.set_xticks(range(10))
    axes.legend(ncols=2, loc="upper center", fontsize=8)
    task.figure(stem, figure)


def draw_samples(task, stem, images, side=8):
    """A grid of the first samples (n, 784) of each name, beside each other, in one grey scale.

    It is smaller where a name has fewer than side² of them.
    """
    side = min(side, *(math.isqrt(len(group)) for group in images.values()))
    figure, axes = plots.panels(len(images), width=4.2 * len(images), height=4.4)
    for panel, (name, group) in zip(axes, images.items(), strict=True):
        squares = np.reshape(group[: side * side], (side, side, 28, 28))
        panel.imshow(squares.transpose(0, 2, 1, 3).reshape(28 * side, 28 * side), cmap="gray",
                     vmin=0, vmax=255 if squares.dtype == np.uint8 else 1)
        panel.set(title=name, xticks=[], yticks=[])
        panel.grid(False)
    task.figure(stem, figure)


def draw_rows(task, stem, images, columns=10):
    """The first samples (n, 784), uint8, of each name in a row of their own."""
    figure, axes = plots.image_grid(len(images), columns, size=0.8)
    for line, (name, group) in zip(axes, images.items(), strict=True):
        for panel, image in zip(line, group):
            panel.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=255)
        line[0].set_ylabel(name, fontsize=7, rotation=0, ha="right", va="center")
    task.figure(stem, figure)


def draw_walks(task, stem, walks):
    """Images along walks through latent space: ``walks`` by name, each (walks, steps, 784)."""
    figure, axes = plots.panels(len(walks), width=4.6 * len(walks), height=2.6)
    for panel, (name, group) in zip(axes, walks.items(), strict=True):
        number, steps = group.shape[:2]
        squares = group.reshape(number, steps, 28, 28).transpose(0, 2, 1, 3)
        panel.imshow(squares.reshape(28 * number, 28 * steps), cmap="gray",
                     vmin=0, vmax=255 if group.dtype == np.uint8 else 1)
        panel.set(title=name, xlabel="from left to right", xticks=[], yticks=[])
        panel.grid(False)
    task.figure(stem, figure)
