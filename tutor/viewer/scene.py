"""What is drawn, as plain data: the page and the still picture are made from the same scene.

Lengths are integers in mÅ around the middle of the first frame; a frame holds only what has changed
since the frame before.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors
from ase.formula import Formula
from ase.neighborlist import neighbor_list
from jaxtyping import Float

from tutor.system import System

NONMETALS = {1, 2, *range(5, 11), *range(14, 19), *range(32, 37), *range(52, 55), 85, 86}
# Å: two atoms are bonded up to this much beyond the sum of their covalent radii, as in Open Babel.
SLACK = 0.45
LONGEST_ARROW = 1.5  # Å
EYE = 5  # how far away one looks from, in radii of the scene
MARGIN = 400  # mÅ, for the size of an atom
CRYSTAL_VIEW = ((0, -90), (1, -25), (0, 15))  # z up, seen from the front, right and above


def build(
    systems: Sequence[System],
    *,
    forces: Sequence[Float[np.ndarray, "_ 3"]] | None = None,
    force_scale: float = 1.0,
    labels: Sequence[Sequence[str]] | None = None,
    colors: Sequence[Sequence[str]] | None = None,
) -> dict:
    """A scene, ready for JSON: "radius" holds everything however it turns, "reach" at first.

    Args:
        forces: in eV/Å, one array per frame; an arrow is `force_scale` Å long per eV/Å.
        labels: the text on each atom, per frame.
        colors: "#rrggbb" for each atom instead of its element's, per frame.
    """
    first = systems[0]
    periodic = first.pbc.any()
    middle = first.cell.sum(axis=0) / 2 if periodic else first.positions.mean(axis=0)
    elements = sorted({int(z) for system in systems for z in system.numbers})
    frames = []
    for n, system in enumerate(systems):
        frame = {"p": _milli(system.positions - middle)}
        frame["z"] = [elements.index(z) for z in system.numbers]
        frame |= bonds(system)
        frame["cell"] = _milli(system.cell) if system.pbc.any() else []
        frame["corner"] = _milli(-middle)
        if forces is not None:
            frame["f"] = _milli(forces[n] * force_scale)
        if labels is not None:
            frame["t"] = list(labels[n])
        if colors is not None:
            frame["c"] = list(colors[n])
        frames.append(frame)
    turns = CRYSTAL_VIEW if periodic else facing(first.positions - middle)
    points = np.concatenate([_points(frame) for frame in frames])
    radius = max(1500, MARGIN + round(float(np.linalg.norm(points, axis=1).max())))
    return {
        "turns": turns,
        "radius": radius,
        "eye": EYE * radius,
        "reach": _reach(points @ rotation(turns).T, EYE * radius),
        "elements": [_element(z) for z in elements],
        "frames": _changes(frames),
    }


def _milli(x: np.ndarray) -> list[int]:
    return [int(v) for v in np.rint(1000 * np.asarray(x)).ravel()]


def _element(z: int) -> list:
    red, green, blue = (round(255 * float(v)) for v in jmol_colors[z])
    radius = 150 + round(320 * float(covalent_radii[z]))
    return [chemical_symbols[z], f"#{red:02x}{green:02x}{blue:02x}", radius]


def _points(frame: dict) -> Float[np.ndarray, "points 3"]:
    """Everything that has to be in sight."""
    atoms = np.reshape(frame["p"], (-1, 3))
    points = [atoms.astype(float)]
    if frame["cell"]:
        corners = list(product((0, 1), repeat=3))
        points.append(frame["corner"] + corners @ np.reshape(frame["cell"], (3, 3)))
    if "f" in frame:
        points.append(atoms + np.reshape(frame["f"], (-1, 3)))
    return np.concatenate(points)


def _reach(points: Float[np.ndarray, "points 3"], eye: int) -> list[int]:
    """How far to the right and up anything is seen from `eye`, a height above the middle."""
    seen = (abs(points[:, :2]) + MARGIN) * (eye / (eye - points[:, 2:]))
    return [round(float(x)) for x in seen.max(axis=0)]


def _changes(frames: list[dict]) -> list[dict]:
    before, kept = {}, []
    for frame in frames:
        kept.append({key: value for key, value in frame.items() if before.get(key) != value})
        before = frame
    return kept


def bonds(system: System) -> dict:
    """Pairs of bonded atoms, flat. Two metal atoms get no bond: they have no pair of their own.

    Returns:
        "b": i, j, i, j, … of bonds inside the cell; "w": i, j, x, y, z, … of bonds to the image of
        j that is shifted by (x, y, z) mÅ.
    """
    from ase import Atoms

    atoms = Atoms(system.numbers, system.positions, cell=system.cell, pbc=system.pbc)
    radii = covalent_radii[system.numbers] + SLACK / 2
    inside, outside = [], []
    metal = [int(z) not in NONMETALS for z in system.numbers]
    for i, j, shift in zip(*neighbor_list("ijS", atoms, radii), strict=True):
        if metal[i] and metal[j]:
            continue
        if shift.any():
            if (i, *shift) < (j, *-shift):
                outside += [int(i), int(j), *_milli(shift @ system.cell)]
        elif i < j:
            inside += [int(i), int(j)]
    return {"b": inside, "w": outside}


def rotation(turns: Sequence[tuple[int, int]]) -> Float[np.ndarray, "3 3"]:
    """Turns about the axes of the screen (0: right, 1: up, 2: towards you), in degrees, one after
    the other."""
    total = np.eye(3)
    for axis, degrees in turns:
        i, j = (axis + 1) % 3, (axis + 2) % 3
        one, angle = np.eye(3), np.radians(degrees)
        one[i, i] = one[j, j] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        total = one @ total
    return total


def facing(positions: Float[np.ndarray, "atoms 3"]) -> tuple[tuple[int, int], ...]:
    """Turns after which few atoms hide others and the molecule lies flat."""
    some = positions[:: 1 + len(positions) // 100]
    best, fewest = (0, 0), np.inf
    for up in range(-75, 90, 15):
        for side in range(0, 360, 15):
            flat = (some @ rotation(((1, side), (0, up))).T)[:, :2]
            apart = ((flat[:, None] - flat) ** 2).sum(axis=2)
            hidden = round(float(np.exp(-2 * apart).sum()), 3)
            if hidden < fewest:
                best, fewest = (side, up), hidden
    x, y, _ = (positions @ rotation(((1, best[0]), (0, best[1]))).T).T
    along, across = x @ x - y @ y, 2 * (x @ y)
    long = np.hypot(along, across) > 0.01 * (x @ x + y @ y)
    tilt = np.degrees(np.arctan2(across, along)) / 2 if long else 0.0
    return ((1, best[0]), (0, best[1]), (2, -round(float(tilt))))


def formula(system: System) -> str:
    """The chemical formula, as in C2H6O (Hill's order) or, of a periodic cell, Na4Cl4."""
    made = Formula("".join(chemical_symbols[z] for z in system.numbers))
    return f"{made:metal}" if system.pbc.any() else f"{made:hill}"
