"""Figures from saved numbers: matplotlib figures, sized to be read on a README page."""

from contextlib import contextmanager

import numpy as np

_STYLE = {
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "font.size": 10,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "figure.max_open_warning": 0,
}


def _pyplot():
    # Imported on first use: it takes longer than the second that --help may take.
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(_STYLE)
    return plt


@contextmanager
def figure(task, stem, number=None, rows=1, **options):
    """Axes to draw on, or an array of a number of them, of a figure that a task then keeps.

    Where no legend is drawn, each panel whose parts have labels gets one, unless one before it
    has the same. ``options`` are those of ``panels``.
    """
    whole, axes = panels(number or 1, rows, **options)
    yield axes[0] if number is None else axes
    shown = []
    if not whole.legends and not any(panel.get_legend() for panel in axes):
        for panel in axes:
            _, labels = panel.get_legend_handles_labels()
            if labels and labels not in shown:
                panel.legend()
                shown.append(labels)
    task.figure(stem, whole)


def panels(number=1, rows=1, columns=None, *, width=None, height=3.6, **options):
    """A figure, its size in inches, of a number of axes in rows, and these as an array."""
    columns = columns or -(-number // rows)
    size = width or (6.4 if number == 1 else 4.4 * columns), height
    whole, axes = _pyplot().subplots(
        rows, columns, figsize=size, squeeze=False, layout="constrained", **options
    )
    for panel in axes.ravel()[number:]:
        panel.set_visible(False)
    return whole, axes.ravel()[:number]


def curves(axes, groups, *, shaded=False, **options):
    """By label, the mean over seeds of curves (seeds, epochs), in a band from lowest to highest.

    A curve of one seed may be (epochs,); shades run from dark to light.
    """
    colors = shades(len(groups)) if shaded else [None] * len(groups)
    for color, (label, values) in zip(colors, groups.items()):
        values = np.atleast_2d(values)
        epochs = np.arange(1, 1 + values.shape[1])
        (line,) = axes.plot(epochs, values.mean(0), **{"label": label, "color": color} | options)
        if len(values) > 1:
            axes.fill_between(
                epochs, values.min(0), values.max(0), color=line.get_color(), alpha=0.2, lw=0
            )
    if axes.get_xscale() == "linear":
        axes.xaxis.get_major_locator().set_params(integer=True)


def log_ticks(axis):
    """Label a logarithmic axis, such as ``axes.xaxis``, at 1, 2 and 5 times powers of ten."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def shades(number):
    """Colours from dark to light for ordered curves, array (number, 4)."""
    return _pyplot().get_cmap("viridis")(np.linspace(0, 0.9, number))


def surfaces(task, stem, points, heights):
    """Heights (n,) at scattered points (n, 2), by title, triangulated; the first give the scale."""
    from matplotlib.tri import TriAnalyzer, Triangulation

    first = next(iter(heights.values()))
    low, high = first.min(), first.max()
    triangles = Triangulation(*points.T)
    # Slivers along the border would stand across the surface like walls.
    triangles.set_mask(TriAnalyzer(triangles).get_flat_tri_mask(0.15))
    options = {"height": 3.8, "subplot_kw": {"projection": "3d"}}
    with figure(task, stem, len(heights), **options) as axes:
        for panel, (title, values) in zip(axes, heights.items()):
            panel.plot_trisurf(triangles, values, cmap="viridis", vmin=low, vmax=high, lw=0,
                               antialiased=False)
            panel.set(title=title, xlabel="$x_1$", ylabel="$x_2$", zlabel="target",
                      zlim=(low, high))
            panel.set_box_aspect(None, zoom=0.9)  # leaves room for the height's label


def paths(task, stem, states, targets, unstable):
    """Paths (steps + 1, points, n) through the square or the cube, n = 2 or 3, and the targets and
    unstable equilibria (number, n) that they may end at."""
    solid = states.shape[-1] == 3
    options = {"projection": "3d", "computed_zorder": False} if solid else {"aspect": "equal"}
    with figure(task, stem, width=6.6, height=5.4 if solid else 4.4, subplot_kw=options) as axes:
        for path in states.transpose(1, 2, 0):
            axes.plot(*path, color="C0", lw=1, alpha=0.6)
        axes.plot(*np.concatenate(states[1:-1]).T, ".", color="C0", ms=3, label="path")
        axes.plot(*states[0].T, "o", color="C2", ms=5, label="start")
        axes.plot(*states[-1].T, "o", mfc="none", color="C3", ms=9, label="end")
        axes.plot(*np.transpose(targets), "*", color="black", ms=14, zorder=1, label="target")
        axes.plot(*unstable.T, "x", color="C1", ms=8, mew=2, label="unstable equilibrium")
        ticks = np.linspace(-1, 1, 5)
        axes.set(xlabel="$x_1$", ylabel="$x_2$", xticks=ticks, yticks=ticks)
        if solid:
            axes.plot_trisurf(*np.transpose(targets), color="black", alpha=0.08, lw=0, zorder=0)
            axes.set(zlabel="$x_3$", zticks=ticks)
            axes.view_init(elev=22, azim=-68)
            axes.set_box_aspect(None, zoom=1.08)
        place, columns = ("upper center", 3) if solid else ("right upper", 1)
        axes.figure.legend(loc=f"outside {place}", ncols=columns)


def class_shares(task, stem, scores, floor):
    """Percentage of each label among samples, a row a seed of each name, and among test digits."""
    shares = {name: found["classes"] for name, found in scores.items()}
    shares["test digits"] = np.atleast_2d(floor["classes"])
    ends = np.cumsum([len(rows) for rows in shares.values()])
    with figure(task, stem, width=8, height=0.8 + 0.32 * ends[-1]) as axes:
        # A collapsed seed has one label only: colours for it would leave the others alike.
        percentages(axes, np.concatenate([*shares.values()]), highest=0.3)
        axes.hlines(ends[:-1] - 0.5, -0.5, 9.5, color="white", lw=3)
        axes.set_yticks(ends - [(1 + len(rows)) / 2 for rows in shares.values()], [*shares])
        axes.set(xlabel="digit that the convnet sees, % of samples; a row a seed", xticks=range(10))


def percentages(axes, values, highest=1):
    """Shares (rows, columns), coloured from 0 to the highest or more and written as percent."""
    axes.imshow(values, vmin=0, vmax=highest, aspect="auto")
    axes.grid(False)
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=8,
                  color="black" if value > 0.6 * highest else "white")


def sample_grids(task, stem, images, side=8):
    """A grid of the first samples (n, 784) of each name, up to three beside each other.

    It is smaller where a name has fewer than side² of them.
    """
    side = min(side, *(int(np.sqrt(len(group))) for group in images.values()))
    rows = 1 + (len(images) > 3)
    width = 4.2 * -(-len(images) // rows)
    with figure(task, stem, len(images), rows, width=width, height=4.4 * rows) as axes:
        for panel, (name, group) in zip(axes, images.items()):
            mosaic(panel, np.reshape(group[: side * side], (side, side, 784)))
            panel.set_title(name)


def sample_rows(task, stem, images, columns=10):
    """The first samples (n, 784) of each name in a row of their own."""
    with figure(task, stem, width=0.8 * columns + 1.5, height=0.8 * len(images)) as axes:
        mosaic(axes, np.stack([group[:columns] for group in images.values()]), [*images])
        axes.tick_params(labelsize=8)


def walks(task, stem, images):
    """Images along walks through latent space, by name, each (walks, steps, 784)."""
    number = len(images)
    with figure(task, stem, number, number, width=5.6, height=3.1 * number) as axes:
        for panel, (name, group) in zip(axes, images.items()):
            mosaic(panel, group)
            panel.set_title(name)
        panel.set_xlabel("each line from left to right")


def mosaic(panel, images, rows=(), columns=(), **options):
    """Show images (rows, columns, 784), bytes or in [0, 1], as one, with names of rows and columns.
    """
    down, across, _ = images.shape
    pixels = images / 255 if images.dtype == np.uint8 else images
    gaps = (0, 0), (0, 0), (0, 1), (0, 1)
    tiles = np.pad(pixels.reshape(down, across, 28, 28), gaps, constant_values=np.nan)
    whole = tiles.transpose(0, 2, 1, 3).reshape(29 * down, 29 * across)[:-1, :-1]
    shown = panel.imshow(whole, **{"cmap": "gray", "vmin": 0, "vmax": 1} | options)
    panel.set_xticks(29 * np.arange(len(columns)) + 13.5, columns)
    panel.set_yticks(29 * np.arange(len(rows)) + 13.5, rows)
    panel.tick_params(length=0)
    panel.grid(False)
    panel.spines[:].set_visible(False)
    return shown


def grouped_bars(task, stem, series, ticks, xlabel, ylabel):
    """Bars beside each other at each tick, dict of label → shares (ticks,)."""
    width = 0.8 / len(series)
    with figure(task, stem, width=8.5) as axes:
        for number, (label, heights) in enumerate(series.items()):
            places = np.arange(len(ticks)) + (number - (len(series) - 1) / 2) * width
            axes.bar(places, heights, width, label=label)
        axes.set_xticks(range(len(ticks)), ticks)
        axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 1.15))
        axes.legend(ncols=len(series), loc="upper center")


def dots(axes, groups):
    """A row for each group of values, the first on top: a dot each, and a bar at their mean.

    Args:
        groups: dict of label → values.
    """
    for row, values in enumerate(groups.values()):
        axes.plot(values, np.full(len(values), row), "o", color="C0", alpha=0.5)
        axes.plot(np.mean(values), row, "|", color="black", ms=16, mew=2)
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_ylim(len(groups) - 0.5, -0.5)


def losses_of_folds(task, stem, runs):
    """Losses of ``Results`` of ``recipes.timeseries.train`` against epoch, a panel a fold."""
    losses = {"training": runs["loss"], "validation": runs["val_loss"]}
    with figure(task, stem, runs["loss"].shape[1], width=9, sharey=True) as axes:
        for fold, panel in enumerate(axes):
            curves(panel, {label: values[:, fold] for label, values in losses.items()})
            panel.set(yscale="log", xlabel="epoch", title=f"fold {fold + 1}")
        axes[0].set_ylabel("MSE of the standardised series")
        axes[-1].legend(title="mean and range over seeds" if len(runs) > 1 else None)


def forecast_errors(axes, groups):
    """Boxes over seeds, on two axes, of test MSE and of errors from later starts, of ``Errors`` of
    ``evaluation.forecasts`` by name, the first at height 1."""
    labels = {"mse": "MSE of the 100 test points (series' units squared)",
              "later": "median NMSE over later starts"}
    for panel, (quantity, label) in zip(axes, labels.items()):
        panel.boxplot([getattr(found, quantity) for found in groups.values()],
                      orientation="horizontal")
        panel.set(xscale="log", xlabel=label)
        log_ticks(panel.xaxis)
    axes[0].set_yticks(range(1, 1 + len(groups)), list(groups))
    axes[0].invert_yaxis()
