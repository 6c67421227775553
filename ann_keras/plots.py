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
    """A figure of ``rows`` × ``columns`` axes for images; returns figure and axes, an array so.

    Args:
        size: of an image, in inches.
    """
    figure, axes = _pyplot().subplots(
        rows, columns, figsize=(size * columns + 0.3, size * rows), squeeze=False,
        layout="constrained",
    )
    for panel in axes.ravel():
        panel.set(xticks=[], yticks=[])
        panel.grid(False)
        panel.spines[:].set_visible(False)
    return figure, axes


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
