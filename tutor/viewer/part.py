"""One of the pictures of a view: its frames and what is to be drawn on them."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from tutor.viewer import scene
from tutor.viewer.read import per_atom, read, texts

MAP = colormaps["viridis"]  # even steps in lightness, for every kind of colour vision


class Part:
    """Reads and checks one structure with its options, see `tutor.view`."""

    def __init__(
        self, structure: Any, *, forces: Any, color: Any, labels: Any, caption: Any, alt: Any
    ):
        self.systems, listed = read(structure)
        self.forces = per_atom("forces", forces, self.systems, listed, (3,))
        self.values = per_atom("color", color, self.systems, listed)
        self.labels = texts(labels, self.systems)
        self.caption = _line("caption", caption)
        described = f"{self.caption}: {self.description}" if self.caption else self.description
        self.alt = _line("alt", alt) or described

    @property
    def description(self) -> str:
        """As in "Molecule C2H6O, 9 atoms, 100 frames"."""
        first, count = self.systems[0], len(self.systems)
        if not all(np.array_equal(system.numbers, first.numbers) for system in self.systems):
            return f"{count} structures, the first {scene.formula(first)}"
        kind = "Periodic cell" if first.pbc.any() else "Molecule" if len(first) > 1 else "Atom"
        atoms = f"{len(first)} atom{'s' if len(first) > 1 else ''}"
        frames = f", {count} frames" if count > 1 else ""
        return f"{kind} {scene.formula(first)}, {atoms}{frames}"

    @property
    def longest(self) -> float:
        """The longest arrow, in eV/Å."""
        return max((float(np.linalg.norm(f, axis=1).max()) for f in self.forces or ()), default=0.0)

    def scene(self, arrow: float, low: float, high: float) -> dict:
        """What is drawn: arrows of `arrow` Å per eV/Å, colours for numbers from `low` to `high`."""
        colors = None
        if self.values is not None:
            span = (high - low) or 1.0
            colors = [[to_hex(MAP((v - low) / span)) for v in values] for values in self.values]
        made = scene.build(
            self.systems, forces=self.forces, force_scale=arrow, labels=self.labels, colors=colors
        )
        made |= {"alt": self.alt, "legend": []}
        if self.forces is not None:
            made["legend"] = [f"longest arrow: {self.longest:.3g} eV/Å"]
        if colors is not None:
            made["map"] = [f"{low:.3g}", f"{high:.3g}", [to_hex(MAP(n / 8)) for n in range(9)]]
        return made


def _line(name: str, text: Any) -> str:
    if text is None:
        return ""
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name} is {text!r}: give a text, or leave it out")
    return text.strip()
