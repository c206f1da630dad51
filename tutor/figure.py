"""Figures in one style: few lines, large letters, and no meaning by colour alone.

`figure()` gives empty axes; `show(fig, alt="…")` puts a figure into the notebook, with words for
those who cannot see it. Nothing here touches pyplot.
"""

import sys
from base64 import b64encode
from html import escape
from io import BytesIO
from typing import Any

from cycler import cycler
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

from tutor.render import display, in_notebook

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
    display(f"[figure] {alt}", html(fig, alt) if in_notebook() else "")


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
