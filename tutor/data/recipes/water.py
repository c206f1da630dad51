"""216 molecules of flexible water (SPC/Fw) at 1 atm and five temperatures, an independent run each.

Every run is cut into blocks for training, validation and test, with gaps in between.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float

from tutor.data.dataset import Dataset
from tutor.data.recipes.engines import Progress, silent
from tutor.data.recipes.molecular_dynamics import Engine, relabel
from tutor.system import System

ENGINES = ("lammps",)

MOLECULES = 216
TEMPERATURES = (280.0, 300.0, 320.0, 340.0, 360.0)  # K
EQUILIBRATION = 20.0  # ps
SPACING = 0.4  # ps between frames
BLOCKS = (("train", 16), (None, 5), ("val", 3), (None, 5), ("test", 5))  # frames

__all__ = ["ENGINES", "generate", "relabel", "statistics"]


def generate(progress: Progress = silent) -> Dataset:
    """All runs, labelled."""
    wanted = [name for name, length in BLOCKS for _ in range(length)]
    rows, parts = [], []
    for run, temperature in enumerate(TEMPERATURES):
        for k, system in enumerate(trajectory(temperature, run + 1, len(wanted))):
            if wanted[k]:
                rows.append((system, {"temperature": temperature, "time": k * SPACING}))
                parts.append(wanted[k])
            progress("molecular dynamics, frames", run * len(wanted) + k + 1, 5 * len(wanted))
    splits = {name: np.flatnonzero(np.array(parts) == name) for name in ("train", "val", "test")}
    for name, members in splits.items():  # runs alternate, so that the first n are a fair sample
        splits[name] = members.reshape(len(TEMPERATURES), -1).T.reshape(-1)
    return labelled("water", rows, splits)


def trajectory(temperature: float, seed: int, frames: int) -> Iterator[System]:
    """Frames of a run of its own, at T in K and 1 atm."""
    engine = Engine(lattice(MOLECULES, 1.0, seed))
    engine.relax()
    engine.thermostat(temperature, seed, pressure=1.01325)
    engine.advance(EQUILIBRATION, time_step=1e-3)
    for _ in range(frames):
        yield engine.advance(SPACING)
    engine.close()


def lattice(molecules: int, density: float, seed: int) -> System:
    """Molecules on a cubic lattice, each turned at random, at a density in g/cm³."""
    random = np.random.default_rng(seed)
    length = (molecules * 18.0154 / 0.602214076 / density) ** (1 / 3)
    sites = int(np.ceil(molecules ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(sites) + 0.5] * 3), axis=-1).reshape(-1, 3)
    centers = random.permutation(grid)[:molecules] * length / sites
    turns = np.linalg.qr(random.normal(size=(molecules, 3, 3)))[0]
    one = np.array([[0.0, 0, 0], [0.845, 0.557, 0], [-0.845, 0.557, 0]])
    positions = (centers[:, None] + one @ turns).reshape(-1, 3)
    numbers = np.tile([8, 1, 1], molecules)
    return System(numbers, positions, np.eye(3) * length, np.full(3, True))


def labelled(
    name: str, rows: Iterable[tuple[System, dict[str, float]]], splits: dict[str, np.ndarray]
) -> Dataset:
    """A set of periodic systems of one size, with what is known of each."""
    systems, notes = zip(*rows, strict=True)
    labels = [relabel(system) for system in systems]
    return Dataset(
        name=name,
        numbers=np.array([s.numbers for s in systems]),
        positions=np.array([s.positions for s in systems]),
        cell=np.array([s.cell for s in systems]),
        **{key: np.array([row[key] for row in labels]) for key in labels[0]},
        properties={key: np.array([note[key] for note in notes]) for key in notes[0]},
        splits=splits,
    )


def statistics(data: Dataset) -> dict[str, float]:
    """Density, size of forces, bond length, and spread of energies per molecule."""
    bonds = data.positions[:, 1::3] - data.positions[:, 0::3]
    cold, hot = (data.energy[data.properties["temperature"] == t] for t in (280.0, 360.0))
    return {
        "density": density(data).mean(),
        "force_rms": np.sqrt((data.forces**2).mean()),
        "force_mean_absolute": np.abs(data.forces).mean(),
        "bond_mean": np.linalg.norm(bonds, axis=-1).mean(),
        "energy_cold": cold.mean() / MOLECULES,
        "energy_rise": (hot.mean() - cold.mean()) / MOLECULES,
    }


def density(data: Dataset) -> Float[np.ndarray, "structures"]:
    """In g/cm³."""
    molecules = (data.numbers == 8).sum(axis=1)
    return molecules * 18.0154 / 0.602214076 / np.linalg.det(data.cell)
