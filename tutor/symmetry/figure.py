"""The smallest example in three dimensions, before and after the change."""

import numpy as np

from tutor.symmetry.spec import Spec
from tutor.symmetry.witness import Witness

# Jmol's colours are lost on a colour-blind reader; these are Okabe and Ito's, by species in turn,
# and every atom carries its number as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK = "#777777"  # legible on white and on black


def before_and_after(witness: Witness):
    """A figure of two panels; its words are in `figure.alt`."""
    from matplotlib.figure import Figure

    spec, changed = witness.spec, witness.moved()
    if witness.change.others:
        changed = witness.change.others[0]
    if witness.change.direction is not None:
        name = spec.input("points")
        changed = {**changed, name: witness.inputs[name] + 0.3 * witness.change.direction}
    figure = Figure(figsize=(8, 4), layout="constrained")
    figure.patch.set_alpha(0)
    for n, (title, inputs) in enumerate(
        (("before", witness.inputs), (f"after: {witness.change.words()}", changed))
    ):
        axes = figure.add_subplot(1, 2, n + 1, projection="3d")
        _draw(axes, spec, inputs)
        vector = (witness.got, witness.expected) if n else ()
        _arrows(axes, spec, inputs, vector)
        axes.set_title(title[:60], fontsize=9, color=INK)
    error = "no finite number" if not np.isfinite(witness.error) else f"{witness.error:.2g}"
    figure.alt = (
        f"Two three-dimensional drawings of {witness.atoms} atoms, before and after "
        f"{witness.change.words()}. The {witness.output} should have followed the law of "
        f"{witness.law}, but is off by {error} of its size."
    )
    return figure


def _draw(axes, spec: Spec, inputs):
    name = spec.input("points") or next(n for n, k in spec.inputs.items() if k.rank == 1)
    positions = inputs[name]
    kinds = inputs[spec.input("species")] if spec.input("species") else np.zeros(len(positions))
    order = {kind: n for n, kind in enumerate(np.unique(kinds))}
    colours = [COLOURS[order[kind] % len(COLOURS)] for kind in kinds]
    axes.scatter(*positions.T, c=colours, s=180, edgecolors=INK, depthshade=False)
    for n, place in enumerate(positions):
        axes.text(*place, str(n), ha="center", va="center", fontsize=8, color="white")
    if spec.periodic:
        _cell(axes, inputs[spec.input("cell")])
    axes.set_aspect("equal", adjustable="datalim")
    axes.patch.set_alpha(0)
    for axis, letter in zip((axes.xaxis, axes.yaxis, axes.zaxis), "xyz", strict=True):
        axis.set_label_text(f"{letter} (Å)")
        axis.label.set_color(INK)
        axis.set_tick_params(colors=INK, labelsize=7)
        axis.pane.set_alpha(0.04)


def _cell(axes, cell):
    corners = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, -1).T
    for a in corners:
        for axis in np.flatnonzero(a == 0):
            ends = np.array([a, a + np.eye(3)[axis]]) @ cell
            axes.plot(*ends.T, color=INK, linewidth=0.8)


def _arrows(axes, spec, inputs, vectors):
    """Per-atom vectors: what came as a full arrow, what had to come as a dashed one."""
    positions = inputs.get(spec.input("points"))
    for values, style, words in zip(vectors, ("-", "--"), ("got", "expected"), strict=False):
        values = np.asarray(values)
        if positions is None or values.shape != positions.shape or not np.isfinite(values).all():
            continue
        length = np.abs(values).max() or 1.0
        axes.quiver(*positions.T, *(values / length).T, linestyle=style, label=words,
                    color="#D55E00" if style == "-" else "#0072B2")  # fmt: skip
        axes.legend(fontsize=8, labelcolor=INK, framealpha=0)
