"""Two atoms or molecules of SPC/Fw water in empty space: what a force field should have learned.

Two oxygens, two hydrogens, or one of each, not bonded; an O-H bond; one molecule stretched, and
bent; two molecules with a hydrogen bond, pulled apart.
"""

import numpy as np

from tutor.data.dataset import Dataset
from tutor.data.force_fields import ANGLE, BOND
from tutor.data.recipes.engines import Progress, on_grid, silent
from tutor.data.recipes.molecular_dynamics import GRID, relabel
from tutor.system import System

ENGINES = ("lammps",)

__all__ = ["ENGINES", "generate", "relabel", "statistics"]


def generate(progress: Progress = silent) -> Dataset:
    """Every curve, labelled."""
    scans = {
        "OO": ([8, 8], [pair(r) for r in np.arange(2.6, 8.01, 0.1)]),
        "HH": ([1, 1], [pair(r) for r in np.arange(1.8, 8.01, 0.1)]),
        "OH": ([8, 1], [pair(r) for r in np.arange(1.5, 8.01, 0.1)]),
        "bond": ([8, 1], [pair(r) for r in np.arange(0.80, 1.301, 0.02)]),
        "stretch": ([8, 1, 1], [molecule(r) for r in np.arange(0.80, 1.301, 0.02)]),
        "bend": ([8, 1, 1], [molecule(angle=np.radians(a)) for a in np.arange(85.0, 141.0, 2.5)]),
        "dimer": ([8, 1, 1] * 2, [dimer(r) for r in np.arange(2.4, 8.01, 0.1)]),
    }
    rows, splits = [], {}
    for name, (numbers, curve) in scans.items():
        splits[name] = np.arange(len(rows), len(rows) + len(curve))
        for positions in curve:
            system = System(np.array(numbers), on_grid(positions, GRID))
            rows.append((system, relabel(system)))
        progress("curves", len(splits), len(scans))
    numbers, positions, forces = (np.zeros((len(rows), 6, *tail)) for tail in ((), (3,), (3,)))
    for k, (system, labels) in enumerate(rows):
        atoms = len(system)
        numbers[k, :atoms] = system.numbers
        positions[k, :atoms], forces[k, :atoms] = system.positions, labels["forces"]
    energy = np.array([labels["energy"] for _, labels in rows])
    numbers = numbers.astype(int)
    return Dataset("water_pairs", numbers, positions, energy, forces=forces, splits=splits)


def pair(distance: float) -> np.ndarray:
    """Two atoms along x, at a distance in Å."""
    return np.array([[0.0, 0.0, 0.0], [distance, 0.0, 0.0]])


def molecule(first: float = BOND.rest, angle: float = ANGLE.rest) -> np.ndarray:
    """O H H, the first O-H bond along x and `first` Å long, the other at rest; angle in radians."""
    other = BOND.rest * np.array([np.cos(angle), np.sin(angle), 0.0])
    return np.array([[0.0, 0.0, 0.0], [first, 0.0, 0.0], other])


def dimer(distance: float) -> np.ndarray:
    """A molecule whose first O-H bond points at the oxygen of another, `distance` Å away."""
    away = ANGLE.rest / 2
    back = BOND.rest * np.array([[np.cos(away), 0, np.sin(away)], [np.cos(away), 0, -np.sin(away)]])
    acceptor = np.array([distance, 0.0, 0.0]) + np.concatenate([np.zeros((1, 3)), back])
    return np.concatenate([molecule(), acceptor])


def statistics(data: Dataset) -> dict[str, float]:
    """The bottom of every curve."""
    at = {"OO": 3.2, "HH": 2.0, "OH": 2.0}
    found = {}
    for name, distance in at.items():
        curve = data.split(name)
        k = np.abs(curve.positions[:, 1, 0] - distance).argmin()
        found[f"energy_{name}"] = curve.energy[k]
    found["bond_length"] = data.split("bond").positions[data.split("bond").energy.argmin(), 1, 0]
    found["dimer_depth"] = data.split("dimer").energy.min()
    return found
