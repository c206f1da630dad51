"""Curves, parity plots, learning curves and histograms in the house style.

A function here takes data and returns a matplotlib Figure to go on with (`fig.axes[0]`); give `ax`
to draw into axes of your own. `tutor.show(fig, alt="…")` puts it into the notebook.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
from jaxtyping import Num
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from tutor.figure import COLORS, DASHES, MARKERS, STYLE, figure, html, show

__all__ = ["curves", "figure", "histogram", "html", "learning_curve", "parity", "show"]

# NumPy, JAX or torch arrays, or lists
Values = Num[Any, "..."] | Sequence
Points = Num[Any, "points"] | Sequence[Real]
Sizes = Num[Any, "_sizes"] | Sequence[Real]


@rc_context(STYLE)
def curves(
    x: Points,
    lines: Mapping[str, Points],
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
    reference: Values,
    predicted: Values,
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
    curves: Mapping[str, tuple[Sizes, Sizes]],
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
    samples: Mapping[str, Values], xlabel: str, *, bins: int = 30, ax: Axes | None = None
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
