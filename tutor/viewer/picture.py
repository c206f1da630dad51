"""A still picture of a scene, for where no script runs: a transparent PNG, the same each time."""

import warnings
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch, Polygon
from matplotlib.patheffects import withStroke
from PIL import Image

from tutor.viewer.scene import rotation

PIXELS = 1.5  # per CSS pixel
GREY, ARROW = "#808080", "#d55e00"


def picture(scene: dict, size: tuple[int, int]) -> bytes:
    """The first frame as PNG; `size` is its width and height in CSS pixels."""
    width, height = size
    figure = Figure(figsize=(width / 100, height / 100), dpi=100 * PIXELS, facecolor="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-width / 2, width / 2), ylim=(-height / 2, height / 2))
    axes.axis("off")
    frame = scene["frames"][0]
    x, y = scene["reach"]
    scale = 0.5 * min(width / x, height / y, 1.3 * min(size) / scene["radius"])
    drawing = _Drawing(scene, scale)
    items = sorted(drawing.items(frame), key=lambda item: item[0])
    axes.add_collection(PatchCollection([patch for _, patch in items], match_original=True))
    halo = {"path_effects": [withStroke(linewidth=1.8, foreground="white")], "color": "black"}
    for (x, y), text in zip(drawing.flat(drawing.atoms(frame)), frame.get("t", ()), strict=False):
        axes.text(x, y, text, fontsize=9, weight="bold", ha="center", va="center_baseline", **halo)
    if note := "\n".join(_notes(scene)):
        box = {"facecolor": "white", "linewidth": 0, "boxstyle": "round,pad=0.3"}
        axes.text(8 - width / 2, 8 - height / 2, note, fontsize=8, va="bottom", bbox=box)
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # it draws a box
        canvas.draw()
    out = BytesIO()
    few = Image.fromarray(np.asarray(canvas.buffer_rgba())).quantize(128, Image.Quantize.FASTOCTREE)
    few.save(out, "png", optimize=True)
    return out.getvalue()


def _notes(scene: dict) -> Iterator[str]:
    yield from scene["legend"]
    if "map" in scene:
        yield f"colours from {scene['map'][0]} (dark) to {scene['map'][1]} (bright)"
    if len(scene["frames"]) > 1:
        yield f"frame 1 of {len(scene['frames'])}"


class _Drawing:
    """Balls, sticks and lines as flat patches, each with its depth."""

    def __init__(self, scene: dict, scale: float):
        self.scene, self.scale = scene, scale
        self.turn = rotation(scene["turns"])

    def flat(self, points: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 2"]:
        return self.scale * points[..., :2] * self.nearness(points)

    def nearness(self, points: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 1"]:
        return self.scene["eye"] / (self.scene["eye"] - points[..., 2:])

    def atoms(self, frame: dict) -> Float[np.ndarray, "atoms 3"]:
        return np.reshape(frame["p"], (-1, 3)) @ self.turn.T

    def items(self, frame: dict) -> Iterator[tuple[float, Patch]]:
        atoms = self.atoms(frame)
        _, own, radii = zip(*(self.scene["elements"][z] for z in frame["z"]), strict=True)
        colours = frame.get("c", own)
        for atom, radius, colour in zip(atoms, radii, colours, strict=True):
            yield from self._ball(atom, radius, np.array(to_rgb(colour)))
        for i, middle in self._halves(frame, atoms):
            way = middle - atoms[i]
            part = 0.9 * radii[i] / np.linalg.norm(way)
            if part < 1:
                yield from self._bar(atoms[i] + part * way, middle, 95, to_rgb(colours[i]))
        for i, force in enumerate(np.reshape(frame.get("f", []), (-1, 3)) @ self.turn.T):
            yield from self._arrow(atoms[i], force, radii[i])
        yield from self._cell(frame)

    def _halves(self, frame: dict, atoms: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """For each half of a bond its atom, and the middle of the bond."""
        for i, j in np.reshape(frame["b"], (-1, 2)):
            yield i, (atoms[i] + atoms[j]) / 2
            yield j, (atoms[i] + atoms[j]) / 2
        for i, j, *shift in np.reshape(frame["w"], (-1, 5)):
            way = (atoms[j] + self.turn @ shift - atoms[i]) / 2
            yield i, atoms[i] + way
            yield j, atoms[j] - way

    def _ball(self, atom, radius, colour) -> Iterator[tuple[float, Patch]]:
        (x, y), r = self.flat(atom), radius * self.scale * self.nearness(atom)[0]
        shades = (0.6 * colour, colour, 0.5 + 0.5 * colour)
        for shade, size, shift in zip(shades, (1, 0.82, 0.3), (0, 0.1, 0.33), strict=True):
            line = {"edgecolor": GREY, "linewidth": 0.6} if size == 1 else {"linewidth": 0}
            centre = (x - shift * r, y + shift * r)
            yield atom[2], Circle(centre, size * r, facecolor=shade, **line)

    def _bar(self, a, b, thickness, colour) -> Iterator[tuple[float, Patch]]:
        p, q = self.flat(a), self.flat(b)
        along = (q - p) / (np.linalg.norm(q - p) or 1)
        across = np.array([-along[1], along[0]]) * thickness * self.scale
        for shade, part in ((0.6, 1), (1, 0.6)):
            wide = across * part
            near, far = wide * self.nearness(a), wide * self.nearness(b)
            corners = [p - near, q - far, q + far, p + near]
            fill = shade * np.array(colour)
            yield (a[2] + b[2]) / 2, Polygon(corners, facecolor=fill, linewidth=0)

    def _arrow(self, atom, force, radius) -> Iterator[tuple[float, Patch]]:
        long = np.linalg.norm(force)
        if long < 30:
            return
        start, end = atom + 0.9 * force * min(1, radius / long), atom + force * (1 + radius / long)
        neck = end - force / long * min(350, 0.6 * long)
        yield from self._bar(start, neck, 60, to_rgb(ARROW))
        p, q = self.flat(neck), self.flat(end)
        along = (q - p) / (np.linalg.norm(q - p) or 1)
        wide = 170 * self.scale * min(1, long / 500) * np.array([-along[1], along[0]])
        yield (neck[2] + end[2]) / 2 + 1, Polygon([q, p + wide, p - wide], facecolor=ARROW)

    def _cell(self, frame: dict, pieces: int = 8) -> Iterator[tuple[float, Patch]]:
        """The edges, in pieces, so that atoms hide what is behind them."""
        cell = np.reshape(frame["cell"], (-1, 3))
        for k, edge in enumerate(cell):
            for f, g in ((0, 0), (0, 1), (1, 0), (1, 1)):
                corner = frame["corner"] + f * cell[k - 2] + g * cell[k - 1]
                points = (corner + np.outer(np.arange(pieces + 1) / pieces, edge)) @ self.turn.T
                for a, b in pairwise(points):
                    line = {"closed": False, "edgecolor": GREY, "linewidth": 1, "fill": False}
                    yield (a[2] + b[2]) / 2, Polygon(self.flat(np.array([a, b])), **line)
