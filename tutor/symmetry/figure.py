"""The smallest example in three dimensions, before and after the change."""

from itertools import combinations
from textwrap import fill

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tutor.figure import COLORS, GRID, STYLE, figure, html
from tutor.symmetry.cutoff import moved
from tutor.symmetry.groups import Arrays, beside
from tutor.symmetry.noise import shortest, size_of
from tutor.symmetry.spec import Spec
from tutor.symmetry.witness import Witness

NEAR = 1.5  # of the shortest distance: lines between such atoms lead the eye
LARGER = 0.3  # Å: small displacements and strains are drawn as large as this


@rc_context(STYLE)
def before_and_after(witness: Witness) -> Figure:
    """Two panels; `figure.alt` says what they show, and a notebook reads it out."""
    spec, structures = witness.spec, (witness.inputs, _after(witness))
    titles = ("before", f"after: {witness.change.words()}")
    fig, panels = figure(1, 2, (800, 430), subplot_kw={"projection": "3d"})
    half = 0.6 * max(np.ptp(_places(spec, s), axis=0).max() for s in structures) or 1.0
    for axes, title, inputs in zip(panels, titles, structures, strict=True):
        _frame(axes, _places(spec, inputs), half)
        _atoms(axes, spec, inputs)
        axes.set_title(fill(title, 45), fontsize=11)
    _arrows(panels[1], spec, structures[1], witness, half)
    if np.size(witness.got) <= 3:
        said = ", ".join(f"{label} {text}" for label, text in witness.answers().items())
        fig.supxlabel(f"{witness.output}: {said}", fontsize=11)
    error = "no finite number" if not np.isfinite(witness.error) else f"{witness.error:.2g}"
    fig.alt = (
        f"Two three-dimensional drawings of {witness.atoms} atoms, before and after "
        f"{witness.change.words()}. The {witness.output} should have followed the law of "
        f"{witness.law}, but is off by {error} of its size."
    )
    fig._repr_html_ = lambda: html(fig, fig.alt)
    return fig


def _after(witness: Witness) -> Arrays:
    """The structure after the change; what is too small or too far to be seen, at a fair size."""
    spec, inputs, change = witness.spec, witness.inputs, witness.change
    name = spec.input("points")
    if change.others:
        return beside(spec, (inputs, *change.others), 6 * size_of(inputs[name]) * np.eye(3)[0])
    if change.pair:
        return moved(witness.cutoff, spec, inputs, change.pair, witness.cutoff)
    if change.direction is not None or change.plane is not None:
        along = change.plane[0] if change.direction is None else change.direction
        return {**inputs, name: inputs[name] + LARGER * along}
    if change.strain is not None:
        deform = np.eye(3) + LARGER * change.strain
        return {**inputs, **{n: inputs[n] @ deform for n in (name, spec.input("cell"))}}
    return witness.moved()


def _points(spec: Spec, inputs: Arrays) -> np.ndarray:
    return inputs[spec.input("points") or next(n for n, k in spec.inputs.items() if k.rank == 1)]


def _corners(spec: Spec, inputs: Arrays) -> np.ndarray:
    corners = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, -1).T
    return corners @ inputs[spec.input("cell")] if spec.periodic else np.empty((0, 3))


def _places(spec: Spec, inputs: Arrays) -> np.ndarray:
    return np.concatenate([_points(spec, inputs), _corners(spec, inputs)])


def _frame(axes: Axes, places: np.ndarray, half: float) -> None:
    """A cube about all places, as large as its neighbour's."""
    middle = (places.min(0) + places.max(0)) / 2
    for letter, centre in zip("xyz", middle, strict=True):
        axis = getattr(axes, f"{letter}axis")
        axes.set(**{f"{letter}lim": (centre - half, centre + half)})
        axis.set_label_text(f"{letter} (Å)", fontsize=10)
        axis.set_major_locator(MaxNLocator(3))
        axis.set_tick_params(labelsize=9)
        axis.pane.set_visible(False)
    axes.set_box_aspect((1, 1, 1), zoom=0.9)


def _atoms(axes: Axes, spec: Spec, inputs: Arrays) -> None:
    places, corners = _points(spec, inputs), _corners(spec, inputs)
    species = spec.input("species")
    kinds = np.unique(inputs[species], return_inverse=True)[1] if species else [0] * len(places)
    for a, b in combinations(places, 2):
        if np.linalg.norm(a - b) < NEAR * shortest(spec, inputs):
            axes.plot(*np.transpose([a, b]), color=GRID, linewidth=1.5, zorder=1)
    for a, b in combinations(range(len(corners)), 2):
        if (a ^ b).bit_count() == 1:  # the corners are counted in binary
            axes.plot(*corners[[a, b]].T, color="#777777", linewidth=0.8, zorder=1)
    colours = [COLORS[kind % len(COLORS)] for kind in kinds]
    axes.scatter(*places.T, c=colours, s=220, depthshade=False, zorder=2)
    for n, place in enumerate(places):  # the number says what the colour does, and more
        axes.text(*place, str(n), ha="center", va="center", fontsize=10, color="white", zorder=3)


def _arrows(axes: Axes, spec: Spec, inputs: Arrays, witness: Witness, half: float) -> None:
    """Vectors: what came as a full arrow, what had to come as a dashed one."""
    places = _points(spec, inputs)
    values = [np.asarray(v) for v in (witness.got, witness.expected)]
    middle = places.mean(0, keepdims=True)
    tails = {places.shape: places, (3,): middle}.get(values[0].shape)
    if tails is None or not np.isfinite(values).all():
        return
    unit = 0.8 * half / (np.abs(values).max() or 1.0)
    for value, dash, colour, label in zip(
        values, "-:", COLORS[1::-1], witness.labels[::-1], strict=True
    ):
        arrows = np.broadcast_to(unit * value, tails.shape)
        axes.quiver(*tails.T, *arrows.T, linestyle=dash, color=colour, linewidth=2.5, label=label,
                    arrow_length_ratio=0.2)  # fmt: skip
    axes.legend(loc="upper left", frameon=False)
