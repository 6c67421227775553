"""Task 4.1.6: filters of the RBM and of a DBM 784-512-1024.

The report draws the weights of both (Figures 18 and 19; second-layer filters are W₁W₂), of a DBM
that came pre-trained. Here the DBM is trained: layer by layer, then together, from MNIST alone;
its variational bound on the test images by annealed importance sampling says how well. Contrast,
elongation and the sign of the surround of each filter stand for what the report sees. A second
DBM learns from images drawn anew in each epoch with the grey values as probabilities, only for
its bound: the literature's bounds are of such images.

    python scripts/task_4_1_6.py                     about 40 seconds
    python scripts/task_4_1_6.py --preset report     two hours and a half of one core
"""

import numpy as np

from ann_keras import command, experiments, models, plots
from ann_keras.experiments import settings as shared


PRESETS = shared.SCORED_DBM_PRESETS


def run(task, settings):
    boltzmann, dbm, filters = experiments.boltzmann, experiments.dbm, experiments.filters
    rbms = [boltzmann.published_rbm(task, settings, seed, of="4.1.2") for seed in task.seeds]
    runs = [dbm.trained(task, settings, seed) for seed in task.seeds]
    machines = [dbm.machine_of(run) for run in runs]
    drawn = {"binarization": "draw"}
    on_draws = [dbm.trained(task, settings, seed, **drawn) for seed in task.seeds]
    bounds = {"dbm": dbm.scores(task, runs, settings),
              "dbm_drawn": dbm.scores(task, on_draws, settings, **drawn)}
    for name, sides in bounds.items():
        for side, values in sides.items():
            task.measure(f"{name}/log_likelihood_bound/{side}", values, better="higher",
                         unit="nats")
    task.measure("dbm/parameters", models.dbm.DBM().count_params())
    layers = {
        "RBM": [run["components"] for run in rbms],
        "DBM, layer 1": [machine.filters(1) for machine in machines],
        "DBM, layer 2": [machine.filters(2) for machine in machines],
    }
    shapes = {
        name: {
            quantity: np.stack([measured(images) for images in group])
            for quantity, measured in (("strength", filters.strength),
                                       ("contrast", filters.contrast),
                                       ("elongation", filters.elongation),
                                       ("surround", filters.surround))
        }
        for name, group in layers.items()
    }
    for name, values in shapes.items():
        for quantity, array in values.items():
            task.measure(f"{name}/{quantity}".replace(", ", "_").replace(" ", "_"),
                         np.median(array, axis=1))
    layers = {name: group[0] for name, group in layers.items()}  # drawn: of the first seed
    draw_filters(task, "fig18_rbm_filters", {"RBM": layers["RBM"]})
    draw_filters(task, "fig19_dbm_filters", {
        "(a) first layer": layers["DBM, layer 1"], "(b) second layer": layers["DBM, layer 2"],
    })
    draw(task, shapes)
    judge(task, shapes)


def draw_filters(task, stem, parts, side=10):
    """A hundred filters of each part, in one grid a part, all with one scale of grey."""
    figure, axes = plots.panels(len(parts), width=5.6 * len(parts), height=5.6)
    for panel, (title, images) in zip(axes, parts.items(), strict=True):
        number = min(side, int(len(images) ** 0.5))
        tiles = np.full((number * 29 - 1, number * 29 - 1), np.nan)
        for place, image in enumerate(images[: number**2]):
            row, column = 29 * (place // number), 29 * (place % number)
            tiles[row : row + 28, column : column + 28] = image.reshape(28, 28)
        limit = np.nanquantile(np.abs(tiles), 0.995)
        panel.imshow(tiles, cmap="gray", vmin=-limit, vmax=limit)
        panel.set(title=f"{title}, white: weight {limit:.2g}", xticks=[], yticks=[])
        panel.grid(False)
    task.figure(stem, figure)


def draw(task, shapes):
    figure, axes = plots.panels(3, width=12, height=3.4)
    labels = {"contrast": "contrast (share of the filter's range)",
              "elongation": "elongation of the peak",
              "surround": "ring around the peak, over its centre"}
    for panel, (quantity, label) in zip(axes, labels.items(), strict=True):
        for name, values in shapes.items():
            places = np.sort(values[quantity], axis=None)
            panel.plot(places, np.linspace(0, 1, len(places)), label=name)
        panel.set(xlabel=label, ylabel="share of filters below")
    axes[2].axvline(0, color="black", lw=1)
    axes[2].set(xlim=(-1, 1), xticks=(-1, -0.5, 0, 0.5, 1))
    axes[0].legend()
    task.figure("filter_shapes", figure)


def judge(task, shapes):
    rbm, first, second = shapes.values()
    longer = np.median(rbm["elongation"]), np.median(first["elongation"])
    opposite = [np.mean(values["surround"] < 0) for values in (rbm, first)]
    stroke = 1.5  # elongation from which on a peak counts as a stroke
    parts = {
        f"the RBM's peaks are strokes, {stroke} times as long as wide or more":
            longer[0] >= stroke,
        "the DBM's first layer has rounder ones": longer[1] < longer[0],
        "most of those have a surround of opposite sign": opposite[1] > 0.5,
    }
    task.claim(
        "4.1.6-a", all(parts.values()),
        f"Median elongation of the peak {longer[0]:.2f} in the RBM and {longer[1]:.2f} in the "
        f"DBM's first layer; the surround has the opposite sign in {opposite[0]:.0%} and "
        f"{opposite[1]:.0%} of filters. "
        + "; ".join(f"{text}: {'yes' if true else 'no'}" for text, true in parts.items()) + ".",
    )
    ratio = {quantity: np.median(second[quantity]) / np.median(first[quantity])
             for quantity in ("contrast", "strength")}
    much = 1.5
    task.claim(
        "4.1.6-b", bool(ratio["contrast"] > much),
        "Median contrast, the standard deviation of a filter over its range, as it is seen when "
        f"drawn alone: {np.median(first['contrast']):.3f} in the first layer and "
        f"{np.median(second['contrast']):.3f} in the second, drawn as W₁W₂: "
        f"{ratio['contrast']:.2f} times, where {much} times counts as much more. The standard "
        f"deviation of the weights themselves is {ratio['strength']:.2f} times the first layer's.",
    )


if __name__ == "__main__":
    command.main("4.1.6", run, PRESETS, __doc__)
