"""256 atoms of liquid argon (Lennard-Jones, cut at 9 Å) at 90 K, a run cut into blocks."""

import numpy as np

from tutor.data.dataset import Dataset
from tutor.data.recipes.engines import Progress, silent
from tutor.data.recipes.molecular_dynamics import Engine, relabel
from tutor.data.recipes.water import labelled
from tutor.system import System

ENGINES = ("lammps",)

TEMPERATURE = 90.0  # K
PRESSURE = 1.01325  # bar
LATTICE = 5.7  # Å, fcc: from which the liquid starts, with 8 % more volume than it needs
MELTING = 10.0  # ps at 300 K and constant volume
EQUILIBRATION = 60.0  # ps
SPACING = 1.0  # ps between frames
TIME_STEP = 4e-3  # ps
BLOCKS = (("train", 40), (None, 10), ("val", 10), (None, 10), ("test", 20))  # frames

__all__ = ["ENGINES", "generate", "relabel", "statistics"]


def generate(progress: Progress = silent) -> Dataset:
    """The run, labelled."""
    wanted = [name for name, length in BLOCKS for _ in range(length)]
    engine = Engine(crystal(4, LATTICE))
    engine.thermostat(300.0, 31)
    engine.advance(MELTING, TIME_STEP)
    engine.restart(TEMPERATURE, 32, PRESSURE)
    engine.advance(EQUILIBRATION, TIME_STEP)
    rows = []
    for k, name in enumerate(wanted):
        system = engine.advance(SPACING, TIME_STEP)
        if name:
            rows.append((system, {"time": k * SPACING}))
        progress("molecular dynamics, frames", k + 1, len(wanted))
    engine.close()
    parts = np.array([name for name in wanted if name])
    splits = {name: np.flatnonzero(parts == name) for name in ("train", "val", "test")}
    return labelled("argon", rows, splits)


def crystal(cells: int, length: float) -> System:
    """Face-centred cubic argon, `cells` unit cells along each axis."""
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3), axis=-1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    positions = length * (corners + basis).reshape(-1, 3)
    cell = np.eye(3) * cells * length
    return System(np.full(len(positions), 18), positions, cell, np.full(3, True))


def density(data: Dataset) -> np.ndarray:
    """In g/cm³, shape (structures,)."""
    return data.numbers.shape[1] * 39.948 / 0.602214076 / np.linalg.det(data.cell)


def statistics(data: Dataset) -> dict[str, float]:
    """Density, energy, forces, and how far an atom moves during the training block."""
    train = data.split("train")
    apart = train.positions[-1] - train.positions[0]
    length = train.cell[0, 0, 0]
    apart -= length * np.round(apart / length)
    return {
        "density": density(data).mean(),
        "energy_per_atom": data.energy.mean() / data.numbers.shape[1],
        "force_rms": np.sqrt((data.forces**2).mean()),
        "force_mean_absolute": np.abs(data.forces).mean(),
        "displacement_rms": np.sqrt((apart**2).sum(axis=1).mean()),
    }
