"""Figures from saved numbers: matplotlib figures, sized to be read on a README page."""

import numpy as np

_STYLE = {
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "font.size": 10,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
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


def panels(number=1, *, width=None, height=3.6, **options):
    """A figure with ``number`` axes in one row; returns figure and array of axes."""
    width = width or (6.4 if number == 1 else 4.4 * number)
    figure, axes = panel_grid(1, number, width=width, height=height, **options)
    return figure, axes[0]


def panel_grid(rows, columns, *, width, height, **options):
    """A figure with ``rows`` × ``columns`` axes, its size in inches; figure and array of axes."""
    return _pyplot().subplots(
        rows, columns, figsize=(width, height), squeeze=False, layout="constrained", **options
    )


def image_grid(rows, columns, *, size=0.9):
    """A figure of ``rows`` × ``columns`` axes for images of a size in inches; as ``panel_grid``."""
    figure, axes = panel_grid(rows, columns, width=size * columns + 0.3, height=size * rows)
    for panel in axes.ravel():
        panel.set(xticks=[], yticks=[])
        panel.grid(False)
        panel.spines[:].set_visible(False)
    return figure, axes


def overlays(images, maps):
    """A row of images, and rows of the same under maps of heat; returns the figure.

    Args:
        images: (n, side, side).
        maps: dict of name → (n, cells, cells), each cell a square of pixels.
    """
    figure, axes = image_grid(1 + len(maps), len(images))
    for panel, image in zip(axes.ravel(), np.concatenate([images] * len(axes))):
        panel.imshow(image, cmap="gray_r")
    pixels = {name: np.kron(heat, np.ones([images.shape[-1] // heat.shape[-1]] * 2))
              for name, heat in maps.items()}
    highest = max(heat.max() for heat in pixels.values())
    axes[0, 0].set_ylabel("image")
    for line, (name, heats) in zip(axes[1:], pixels.items()):
        line[0].set_ylabel(name)
        for panel, heat in zip(line, heats):
            shades = panel.imshow(heat, cmap="viridis", vmin=0, vmax=highest, alpha=0.65)
    figure.colorbar(shades, ax=axes[1:], shrink=0.8)
    return figure


def curve(axes, values, *, label, first=1, **options):
    """Mean over seeds of curves, array (seeds, epochs), with a band from lowest to highest."""
    values = np.atleast_2d(values)
    steps = np.arange(first, first + values.shape[1])
    (line,) = axes.plot(steps, values.mean(0), label=label, **options)
    if len(values) > 1:
        axes.fill_between(
            steps, values.min(0), values.max(0), color=line.get_color(), alpha=0.2, lw=0
        )
    return line


def log_ticks(axis):
    """Label a logarithmic axis, such as ``axes.xaxis``, at 1, 2 and 5 times powers of ten."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def shades(number):
    """Colours from dark to light for ordered curves, array (number, 4)."""
    return _pyplot().get_cmap("viridis")(np.linspace(0, 0.9, number))


def surface_panels(number):
    """A figure with ``number`` 3-D axes in one row; returns figure and array of axes."""
    return panels(number, height=3.8, subplot_kw={"projection": "3d"})


def surface(axes, points, heights, title, *, limits=None):
    """Heights (n,) at scattered points (n, 2), drawn on 3-D axes as a triangulated surface."""
    from matplotlib.tri import TriAnalyzer, Triangulation

    low, high = limits or (heights.min(), heights.max())
    triangles = Triangulation(points[:, 0], points[:, 1])
    # Slivers along the border would stand across the surface like walls.
    triangles.set_mask(TriAnalyzer(triangles).get_flat_tri_mask(0.15))
    axes.plot_trisurf(
        triangles, heights, cmap="viridis", vmin=low, vmax=high, linewidth=0, antialiased=False
    )
    axes.set(title=title, xlabel="$x_1$", ylabel="$x_2$", zlabel="target", zlim=(low, high))
    axes.set_box_aspect(None, zoom=0.9)  # leaves room for the height's label


def class_shares(task, stem, scores, floor):
    """Percentage of each label among samples, a row a seed of each name, and among test digits."""
    shares = {name: found["classes"] for name, found in scores.items()}
    shares["test digits"] = np.atleast_2d(floor["classes"])
    ends = np.cumsum([len(rows) for rows in shares.values()])
    figure, (axes,) = panels(width=8, height=0.8 + 0.32 * ends[-1])
    # A collapsed seed has one label only: colours for it would leave the others alike.
    percentages(axes, np.concatenate([*shares.values()]), highest=0.3)
    axes.hlines(ends[:-1] - 0.5, -0.5, 9.5, color="white", lw=3)
    axes.set_yticks(ends - [(1 + len(rows)) / 2 for rows in shares.values()], [*shares])
    axes.set(xlabel="digit that the convnet sees, % of samples; a row a seed", xticks=range(10))
    task.figure(stem, figure)


def sample_grids(task, stem, images, side=8):
    """A grid of the first samples (n, 784) of each name, up to three beside each other.

    It is smaller where a name has fewer than side² of them.
    """
    side = min(side, *(int(np.sqrt(len(group))) for group in images.values()))
    rows = 1 + (len(images) > 3)
    columns = -(-len(images) // rows)
    figure, axes = panel_grid(rows, columns, width=4.2 * columns, height=4.4 * rows)
    for panel, (name, group) in zip(axes.ravel(), images.items()):
        mosaic(panel, np.reshape(group[: side * side], (side, side, 784)))
        panel.set(title=name)
    task.figure(stem, figure)


def sample_rows(task, stem, images, columns=10):
    """The first samples (n, 784), uint8, of each name in a row of their own."""
    figure, axes = image_grid(len(images), columns, size=0.8)
    for line, (name, group) in zip(axes, images.items()):
        for panel, image in zip(line, group):
            panel.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=255)
        line[0].set_ylabel(name, fontsize=7, rotation=0, ha="right", va="center")
    task.figure(stem, figure)


def walks(task, stem, images):
    """Images along walks through latent space, by name, each (walks, steps, 784)."""
    figure, axes = panel_grid(len(images), 1, width=5.6, height=3.1 * len(images))
    for panel, (name, group) in zip(axes.ravel(), images.items()):
        mosaic(panel, group)
        panel.set(title=name)
    panel.set_xlabel("each line from left to right")
    task.figure(stem, figure)


def mosaic(panel, images):
    """Show images (rows, columns, 784), bytes or in [0, 1], as one."""
    rows, columns, _ = images.shape
    pixels = images.reshape(rows, columns, 28, 28).transpose(0, 2, 1, 3)
    panel.imshow(pixels.reshape(28 * rows, 28 * columns), cmap="gray",
                 vmin=0, vmax=255 if images.dtype == np.uint8 else 1)
    panel.set(xticks=[], yticks=[])
    panel.grid(False)


def grouped_bars(axes, series, ticks):
    """Bars beside each other at each tick: dict of label → heights (ticks,)."""
    width = 0.8 / len(series)
    for number, (label, heights) in enumerate(series.items()):
        places = np.arange(len(ticks)) + (number - (len(series) - 1) / 2) * width
        axes.bar(places, heights, width, label=label)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.legend(ncols=len(series), loc="upper center")


def paths(axes, states, targets, unstable):
    """Paths through the square or the cube, and the points that they may end at.

    Args:
        axes: of two or three dimensions n.
        states: (steps + 1, points, n).
        targets, unstable: (number, n).
    """
    for path in states.transpose(1, 2, 0):
        axes.plot(*path, color="C0", lw=1, alpha=0.6)
    axes.plot(*np.concatenate(states[1:-1]).T, ".", color="C0", ms=3, label="path")
    axes.plot(*states[0].T, "o", color="C2", ms=5, label="start")
    axes.plot(*states[-1].T, "o", mfc="none", color="C3", ms=9, label="end")
    axes.plot(*np.transpose(targets), "*", color="black", ms=14, zorder=1, label="target")
    axes.plot(*unstable.T, "x", color="C1", ms=8, mew=2, label="unstable equilibrium")
    ticks = np.linspace(-1, 1, 5)
    axes.set(xlabel="$x_1$", ylabel="$x_2$", xticks=ticks, yticks=ticks)


def percentages(axes, values, highest=1):
    """Shares (rows, columns), coloured from 0 to the highest or more and written as percent."""
    axes.imshow(values, vmin=0, vmax=highest, aspect="auto")
    axes.grid(False)
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=8,
                  color="black" if value > 0.6 * highest else "white")


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
