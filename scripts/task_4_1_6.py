"""Task 4.1.6: filters of the RBM and of a DBM 784-512-1024.

The report draws the weights of both (Figures 18 and 19; second-layer filters are W₁W₂), of a DBM
that came pre-trained. Here the DBM is trained, layer by layer, then together; its variational bound
on the test images by annealed importance sampling says how well. Contrast, elongation and the sign
of the surround of each filter, the image of a hidden unit's weights, stand for what the report
sees. A second DBM learns from pixels drawn anew in each epoch, for its bound: the literature's are
of such images.

    python scripts/task_4_1_6.py                     about 30 seconds
    python scripts/task_4_1_6.py --preset report     two hours and a half of one core
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, models, plots
from ann_keras.recipes import dbm, rbm

DBM, RBM = command.flat(dbm.Recipe, "binarization"), command.group(rbm.Recipe, "source")
SIDE = 28
SPOT, RING = 2.5, 6.0  # pixels from a filter's peak: the centre's radius, and the surround's


@dataclass(frozen=True)
class Settings:
    recipe: DBM = dbm.Recipe()  # of the DBM
    rbm: RBM = rbm.Recipe()  # report
    temperatures: int = 10_000  # ours: of annealed importance sampling
    seeds: int = 1  # the report shows one machine


PRESETS = {
    "smoke": Settings(dbm.SMOKE, rbm.SMOKE, temperatures=50),
    "quick": Settings(dbm.QUICK, rbm.QUICK, temperatures=500),
    "report": Settings(),
}


def run(task, settings):
    rbms = task.repeat(rbm.train, replace(settings.rbm, source=settings.recipe.source))
    dbms, bounds = {}, {}
    for name, binarization in (("dbm", "threshold"), ("dbm_drawn", "draw")):
        dbms[name] = task.repeat(dbm.train, replace(settings.recipe, binarization=binarization))
        bounds[name] = task.repeat(dbm.score, training=dbms[name], binarization=binarization,
                                   temperatures=settings.temperatures)
    layers = {"RBM": (rbms, 1), "DBM, layer 1": (dbms["dbm"], 1), "DBM, layer 2": (dbms["dbm"], 2)}
    shapes = {name: task.repeat(measure, training=group, layer=layer)
              for name, (group, layer) in layers.items()}

    for name, results in bounds.items():
        for side in ("upper", "lower"):
            task.measure(f"{name}/log_likelihood_bound/{side}", results[side], better="higher",
                         unit="nats")
    task.measure("dbm/parameters", models.dbm.DBM().count_params())
    summaries = {
        name: {quantity: np.exp(np.log(results[quantity]).mean(axis=1))
               for quantity in ("strength", "contrast", "elongation")}
        | {"opposite_surround": (results["surround"] < 0).mean(axis=1)}
        for name, results in shapes.items()
    }
    for name, summary in summaries.items():
        for quantity, values in summary.items():
            task.measure(f"{name}/{quantity}".replace(", ", "_").replace(" ", "_"), values)
    only, first, second = (filters(group[0], layer) for group, layer in layers.values())
    draw_filters(task, "fig18_rbm_filters", {"RBM": only})
    draw_filters(task, "fig19_dbm_filters", {"(a) first layer": first, "(b) second layer": second})
    draw(task, shapes)
    task.decide(judge(*summaries.values()))


def filters(training, layer):
    """Weights (units, 784) of a layer, 1 or 2, of a trained DBM, or of an RBM."""
    if isinstance(training.recipe, rbm.Recipe):
        return rbm.rbm_of(training).components_
    return dbm.machine_of(training).filters(layer)


def measure(training, layer):
    """What a layer's filters look like, each of ``MEASURES`` (units,)."""
    images = filters(training, layer)
    return {quantity: of(images) for quantity, of in MEASURES.items()}


def elongation(filters):
    """How much longer than wide the strongest part of each filter is, (units,).

    The ratio of the axes of an ellipse with the second moments of the weights around the strongest
    one that have its sign and at least half its size: 1 for a round spot, more for a stroke.
    """
    from scipy.ndimage import label

    ratios = []
    for image, peak in map(_upright, filters):
        parts, _ = label(image >= image.max() / 2)
        places = np.argwhere(parts == parts[peak])
        moments = np.cov(places.T, bias=True) if len(places) > 1 else np.zeros((2, 2))
        # A pixel has a variance of its own, 1/12 in each direction.
        small, large = np.linalg.eigvalsh(moments + np.eye(2) / 12)
        ratios.append(np.sqrt(large / small))
    return np.array(ratios)


def surround(filters):
    """Mean weight in a ring around each filter's peak, over the mean in its centre, (units,).

    Below 0 where centre and surround have opposite signs.
    """
    rows, columns = np.indices((SIDE, SIDE))
    ratios = []
    for image, (row, column) in map(_upright, filters):
        distance = np.hypot(rows - row, columns - column)
        centre = image[distance <= SPOT].mean()
        ratios.append(image[(distance > SPOT) & (distance <= RING)].mean() / centre)
    return np.array(ratios)


def _upright(weights):
    """A filter as image, with the sign that makes its strongest weight positive; and its place."""
    image = np.reshape(weights, (SIDE, SIDE))
    peak = np.unravel_index(np.abs(image).argmax(), image.shape)
    return image * np.sign(image[peak]), peak


MEASURES = {
    "strength": lambda filters: np.std(filters, axis=1),
    # Of greys, where a filter is drawn from its lowest weight, black, to its highest, white.
    "contrast": lambda filters: np.std(filters, axis=1) / np.ptp(filters, axis=1),
    "elongation": elongation, "surround": surround,
}


def draw_filters(task, stem, parts):
    """A hundred filters of each part, in one grid a part, all with one scale of grey."""
    with plots.figure(task, stem, len(parts), width=5.6 * len(parts), height=5.6) as axes:
        for panel, (title, images) in zip(axes, parts.items()):
            side = min(10, int(len(images) ** 0.5))
            shown = images[: side**2]
            limit = np.quantile(np.abs(shown), 0.995)
            plots.mosaic(panel, shown.reshape(side, side, -1), vmin=-limit, vmax=limit)
            panel.set_title(f"{title}, weights −{limit:.2g} (black) to {limit:.2g} (white)")


def draw(task, shapes):
    labels = {"contrast": "contrast (share of the filter's range)",
              "elongation": "elongation of the peak",
              "surround": "ring around the peak, over its centre"}
    with plots.figure(task, "filter_shapes", 3, width=12, height=3.4) as axes:
        for panel, (quantity, label) in zip(axes, labels.items()):
            for name, values in shapes.items():
                places = np.sort(values[quantity], axis=None)
                panel.plot(places, np.linspace(0, 1, len(places)), label=name)
            panel.set(xlabel=label, ylabel="share of filters below")
        axes[2].axvline(0, color="black", lw=1)
        axes[2].set(xlim=(-1, 1), xticks=(-1, -0.5, 0, 0.5, 1))


def judge(rbm, first, second):
    """What the claims are judged by, of the RBM and of the DBM's layers, dicts of (seeds,): means
    of "contrast" and "elongation" over filters, share of those with an "opposite_surround"."""
    return {"4.1.6-a": {"strokes": (rbm["elongation"], first["elongation"]),
                        "spots": first["opposite_surround"]},
            "4.1.6-b": {"contrast": (second["contrast"], first["contrast"])}}


if __name__ == "__main__":
    command.main("4.1.6", run, PRESETS, __doc__)
