"""`tutor.view`: molecules to turn with the mouse.

The viewer is one page of our own, inside the notebook, and needs no network: it turns in
JupyterLab, in Colab and in saved HTML. Where scripts may not run (a notebook that is not trusted, a
preview on the web) the same scene is shown as a still picture.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from tutor.viewer.part import Part
from tutor.viewer.picture import picture
from tutor.viewer.read import each, read
from tutor.viewer.scene import LONGEST_ARROW

CENTRED = "text-align:center"


def view(
    *structures: Any,
    forces: Any = None,
    color: Any = None,
    labels: Any = None,
    caption: str | Sequence[str] | None = None,
    alt: str | Sequence[str] | None = None,
    size: tuple[int, int] = (420, 300),
    backend: str = "html",
) -> Any:
    """Rotatable 3-D pictures, side by side.

        tutor.view(ethanol)                           # drag, or arrow keys; Ctrl + wheel zooms
        tutor.view(ethanol, water)                    # two, side by side
        tutor.view([first, second, third])            # frames, with a player
        tutor.view(ethanol, forces=f, labels="elements")

    Args:
        structures: each a System, an `ase.Atoms`, a pair (numbers, positions in Å), or a sequence
            of them: its frames. In a pair, positions of shape (frames, atoms, 3) are frames too.
        forces: arrows, in eV/Å, shape (atoms, 3); for frames, one such array per frame.
        color: a number per atom, shape (atoms,), drawn in colours instead of the element's; for
            frames, one such array per frame.
        labels: "elements", "indices", or one text per atom.
        caption: a line below the picture.
        alt: what the picture shows, for those who cannot see it; by default caption and formula.
        size: width and height of each picture in CSS pixels.
        backend: "html", or "nglview" for a widget that lives as long as the kernel.

    With several structures, forces, color, labels, caption and alt are lists with one entry for
    each. All arrows of a call have one scale.

    Returns:
        A View, which a notebook shows; with backend="nglview" an `nglview.NGLWidget`.

    Raises:
        TypeError, ValueError: something that cannot be drawn; the message says what, and the rule.
        ImportError: backend="nglview" without nglview.
    """
    if not structures:
        raise TypeError("view needs a structure: give a tutor.System or an ase.Atoms")
    options = {"forces": forces, "color": color, "labels": labels, "caption": caption, "alt": alt}
    if backend == "nglview":
        return _nglview(structures, options)
    if backend != "html":
        raise ValueError(f'backend is {backend!r}: choose "html" or "nglview"')
    if np.shape(size) != (2,) or not all(isinstance(n, int) and 50 <= n <= 4000 for n in size):
        raise ValueError(f"size is {size!r}: give width and height in pixels, from 50 to 4000")
    spread = {name: each(name, value, len(structures)) for name, value in options.items()}
    parts = [
        Part(structure, **{name: values[n] for name, values in spread.items()})
        for n, structure in enumerate(structures)
    ]
    longest = max(part.longest for part in parts)
    values = np.concatenate([v for part in parts for v in part.values or ()] or [np.zeros(1)])
    scale = LONGEST_ARROW / longest if longest else 1.0
    low, high = float(values.min()), float(values.max())
    return View([(part.caption, part.scene(scale, low, high)) for part in parts], size)


class View:
    """Pictures that a notebook shows. `print` gives what they show in words."""

    def __init__(self, scenes: Sequence[tuple[str, dict]], size: tuple[int, int]):
        self.scenes, self.size = scenes, size

    def __repr__(self) -> str:
        return "\n".join(scene["alt"] for _, scene in self.scenes)

    def _repr_html_(self) -> str:
        pictures = "".join(self._picture(caption, scene) for caption, scene in self.scenes)
        return f'<div style="display:flex;flex-wrap:wrap;gap:12px">{pictures}</div>'

    def _picture(self, caption: str, scene: dict) -> str:
        """The still picture, and the page that takes its place where scripts run."""
        width, height = self.size
        alt = escape(scene["alt"])
        still = b64encode(picture(scene, self.size)).decode()
        below = f'<figcaption style="{CENTRED}">{escape(caption)}</figcaption>' if caption else ""
        return (
            f'<figure style="margin:0;width:{width}px;max-width:100%">'
            f'<img alt="{alt}" width="{width}" height="{height}" style="max-width:100%;height:auto"'
            f' src="data:image/png;base64,{still}">'
            f'<iframe title="{alt}" style="display:none;width:100%;height:{height}px;border:0;'
            f'color-scheme:light" srcdoc="{escape(page(scene))}"></iframe>{below}</figure>'
        )


def page(scene: dict) -> str:
    """The viewer with its scene: a whole HTML page that asks for nothing else."""
    data = json.dumps(scene, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    parts = ("page.html", "draw.js", "turn.js")
    template, *scripts = [(files("tutor.viewer") / name).read_text("utf-8") for name in parts]
    return template.replace("SCRIPTS", "".join(scripts)).replace("SCENE", data, 1)


def _nglview(structures: Sequence[Any], options: dict[str, Any]) -> Any:
    from ase import Atoms

    given = [name for name, value in options.items() if value is not None]
    if given or len(structures) != 1:
        what = f"{given[0]}=" if given else f"{len(structures)} structures side by side"
        raise ValueError(f'backend="nglview" does not draw {what}: use backend="html"')
    try:
        import nglview
    except ImportError as error:
        raise ImportError(
            "backend='nglview' needs nglview: pip install 'nnp-tutor[lab]', then restart the kernel"
        ) from error
    frames, _ = read(structures[0])
    atoms = [Atoms(s.numbers, s.positions, cell=s.cell, pbc=s.pbc) for s in frames]
    return nglview.show_asetraj(atoms) if len(atoms) > 1 else nglview.show_ase(atoms[0])
