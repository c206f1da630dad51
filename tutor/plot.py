"""Figures in one style: few lines, large letters, and no meaning by colour alone.

A function here takes data and returns a matplotlib Figure to go on with (`fig.axes[0]`); give `ax`
to draw into axes of your own. `show(fig, alt="…")` puts a figure into the notebook, with words for
those who cannot see it. Nothing here touches pyplot.
"""

import sys
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from io import BytesIO
from typing import Any, Literal

import numpy as np
from cycler import cycler
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike
from PIL import Image

# Those of Okabe and Ito's colours, https://jfly.uni-koeln.de/color/, that stand out on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":")
INK, GRID, PAPER = "#222222", "#DDDDDD", "#FFFFFF"
DOTS = 2  # per CSS pixel
MANY_COLORS = 10_000

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 12,
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "figure.facecolor": PAPER,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "font.size": 11,
    "grid.color": GRID,
    "legend.fontsize": 11,
    "legend.handlelength": 2.8,
    "legend.framealpha": 0.9,
    "legend.edgecolor": GRID,
    "lines.linewidth": 2,
    "lines.markersize": 6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def figure(
    rows: int = 1, columns: int = 1, size: tuple[int, int] | None = None, **options: Any
) -> tuple[Figure, Any]:
    """A figure in the house style, with empty axes.

    Args:
        size: width and height in pixels of the page.
        options: for `Figure.subplots`, such as sharey=True.

    Returns:
        the figure and its Axes, an array of them where there are several.
    """
    width, height = size or (560 if columns == 1 else 400 * columns, 360 * rows)
    with rc_context(STYLE):
        fig = Figure(figsize=(width / 96, height / 96), dpi=96, layout="constrained")
        return fig, fig.subplots(rows, columns, **options)


def show(fig: Figure, *, alt: str) -> None:
    """Shows a figure in the notebook, on white paper; outside of one, prints what it would show.

    Args:
        alt: what the figure shows, in a sentence or two: the axes, the shape of the curves, what
            follows. A screen reader reads it aloud.

    Raises:
        ValueError: `alt` is empty.
    """
    if not isinstance(fig, Figure):
        raise TypeError(
            f"fig is a {type(fig).__name__}: give a matplotlib Figure, such as ax.figure"
        )
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(
            f"alt is {alt!r}: say what the figure shows, for readers who cannot see it "
            'and for saved notebooks, as in alt="The error falls as the square of h."'
        )
    alt = " ".join(alt.split())
    _forget(fig)
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is None:
        print(f"[figure] {alt}")
        return
    from IPython.display import display

    display({"text/html": html(fig, alt), "text/plain": f"[figure] {alt}"}, raw=True)


def html(fig: Figure, alt: str) -> str:
    """The figure as an HTML image; the same bytes every time."""
    drawn, png = BytesIO(), BytesIO()
    fig.savefig(
        drawn, format="png", dpi=96 * DOTS, bbox_inches="tight", pad_inches=0.1, facecolor=PAPER
    )
    image = Image.open(drawn).convert("RGB")
    if image.getcolors(MANY_COLORS):  # lines and letters: 256 shades do, in a third of the space
        image = image.quantize(256, dither=Image.Dither.NONE)
    image.save(png, "png", optimize=True)
    width = image.width // DOTS
    return (
        f'<img alt="{escape(alt)}" width="{width}" '
        f'style="max-width:100%;height:auto;background:{PAPER};border-radius:6px" '
        f'src="data:image/png;base64,{b64encode(png.getvalue()).decode()}">'
    )


def _forget(fig: Figure) -> None:
    """A figure that pyplot knows would be shown a second time at the end of the cell."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(fig)


@rc_context(STYLE)
def curves(
    x: ArrayLike,
    lines: Mapping[str, ArrayLike],
    xlabel: str,
    ylabel: str,
    *,
    log: Literal["", "x", "y", "xy"] = "",
    ax: Axes | None = None,
) -> Figure:
    """One line per entry of `lines`, each of shape (points,), over `x` of shape (points,).

    Args:
        log: the axes that are logarithmic.
    """
    x, ax = np.asarray(x), ax or figure()[1]
    for k, (label, y) in enumerate(lines.items()):
        y = np.asarray(y)
        if y.shape != x.shape or x.ndim != 1:
            raise ValueError(
                f"lines[{label!r}] has shape {y.shape} and x {x.shape}: give both shape (points,)"
            )
        ax.plot(x, y, label=label, markevery=1 if len(x) <= 20 else 0.12, **_look(k))
    if "x" in log:
        ax.set_xscale("log")
    if "y" in log:
        ax.set_yscale("log")
    return _finish(ax, xlabel, ylabel, lines)


@rc_context(STYLE)
def parity(
    reference: ArrayLike,
    predicted: ArrayLike,
    unit: str,
    *,
    quantity: str = "energy",
    ax: Axes | None = None,
) -> Figure:
    """Predicted against reference values of any one shape, with their mean errors in `unit`."""
    reference, predicted = np.asarray(reference), np.asarray(predicted)
    if reference.shape != predicted.shape or not reference.size:
        raise ValueError(
            f"reference has shape {reference.shape} and predicted {predicted.shape}: "
            "give two equal ones that are not empty"
        )
    x, y, ax = reference.ravel(), predicted.ravel(), ax or figure(size=(440, 420))[1]
    alpha = float(np.clip(300 / len(x), 0.15, 0.8))
    ends = min(x.min(), y.min()), max(x.max(), y.max())
    ax.axline((ends[0], ends[0]), slope=1, color="#777777", linewidth=1)
    ax.scatter(x, y, s=22, alpha=alpha, color=COLORS[0], linewidths=0)
    ax.set_aspect("equal", adjustable="datalim")
    error = y - x
    told = f"MAE {np.abs(error).mean():.3g} {unit}\nRMSE {np.sqrt((error**2).mean()):.3g} {unit}"
    ax.text(0.04, 0.96, told, transform=ax.transAxes, va="top")
    return _finish(ax, f"reference {quantity} ({unit})", f"predicted {quantity} ({unit})")


@rc_context(STYLE)
def learning_curve(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    unit: str,
    *,
    xlabel: str = "training structures",
    ylabel: str = "test error",
    ax: Axes | None = None,
) -> Figure:
    """Errors in `unit` against the sizes n of the training set, both axes logarithmic.

    The legend gives the power of n that fits each curve best, from three points on.

    Args:
        curves: for each label the sizes, shape (sizes,), and the errors, shape (sizes,).
    """
    ax = ax or figure(size=(560, 340 + 25 * len(curves)))[1]
    for k, (label, (n, error)) in enumerate(curves.items()):
        n, error = np.asarray(n, dtype=float), np.asarray(error, dtype=float)
        if n.shape != error.shape or n.ndim != 1 or not (np.r_[n, error] > 0).all():
            raise ValueError(
                f"curves[{label!r}] has sizes {n} and errors {error}: "
                "give two sequences of equal length, all above zero"
            )
        if len(n) > 2:
            power = round(float(np.polyfit(np.log(n), np.log(error), 1)[0]), 2) + 0.0
            label = rf"{label}  $\propto n^{{{power:.2f}}}$"
        ax.loglog(n, error, label=label, **_look(k))
    sizes = sorted({float(size) for n, _ in curves.values() for size in np.asarray(n)})
    if len(sizes) <= 8:
        ax.set_xticks(sizes)
        ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return _finish(ax, xlabel, f"{ylabel} ({unit})")


@rc_context(STYLE)
def histogram(
    samples: Mapping[str, ArrayLike], xlabel: str, *, bins: int = 30, ax: Axes | None = None
) -> Figure:
    """Counts of samples of any shape, all in the same bins."""
    samples = {label: np.ravel(values) for label, values in samples.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(samples.values())), bins)
    ax = ax or figure()[1]
    for k, (label, values) in enumerate(samples.items()):
        color, dash = COLORS[k % len(COLORS)], DASHES[k % len(DASHES)]
        counts, _ = np.histogram(values, edges)
        ax.stairs(counts, edges, fill=True, alpha=0.15, color=color)
        ax.stairs(counts, edges, linewidth=2, color=color, linestyle=dash, label=label)
    return _finish(ax, xlabel, "count", samples)


def _look(k: int) -> dict[str, Any]:
    """Colour, marker and dashes of the k-th line; they repeat at different lengths."""
    return {
        "color": COLORS[k % len(COLORS)],
        "marker": MARKERS[k % len(MARKERS)],
        "linestyle": DASHES[k % len(DASHES)],
    }


def _finish(ax: Axes, xlabel: str, ylabel: str, labels: Mapping[str, Any] | None = None) -> Figure:
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if labels:
        ax.legend()
    return ax.figure
