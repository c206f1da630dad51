"""Molecular dynamics of one ethanol molecule on GFN2-xTB, with energies, forces and dipoles.

A 500 K trajectory is cut into training, validation and test blocks with gaps in between; a second,
independent one runs at 1200 K. BAOAB Langevin dynamics: Leimkuhler & Matthews,
doi 10.1093/amrx/abs010.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from tutor.data.dataset import Dataset
from tutor.data.recipes.engines import Progress, on_grid, silent
from tutor.data.recipes.xtb import GFN2
from tutor.system import System
from tutor.units import AMU, KB

ENGINES = ("tblite",)

TIME_STEP = 0.5  # fs
FRICTION = 0.02  # 1/fs
STRIDE = 20  # steps between frames: 10 fs
BURN_IN = 200  # frames
GRID = 1e-4  # Å, of the stored positions
BLOCKS = (("train", 1000), (None, 300), ("val", 250), (None, 300), ("test", 500))  # frames
HOT = 500  # frames


def generate(progress: Progress = silent) -> Dataset:
    """Both trajectories, labelled."""
    from ase.build import molecule  # slow to import, and only needed here

    start = molecule("CH3CH2OH")
    numbers, masses = start.numbers, start.get_masses()
    wanted = np.concatenate([np.full(length, name is not None) for name, length in BLOCKS])
    trajectories = [
        (langevin(numbers, masses, start.positions, 500.0, seed=1), wanted),
        (langevin(numbers, masses, start.positions, 1200.0, seed=2), np.full(HOT, True)),
    ]
    label = GFN2(numbers)
    rows, done, total = [], 0, len(wanted) + HOT
    for frames, keep in trajectories:
        for k, (positions, kept) in enumerate(zip(frames, keep, strict=False)):
            done += 1
            progress("molecular dynamics, frames", done, total)
            if kept:
                positions = on_grid(positions - positions.mean(axis=0), GRID)
                rows.append((positions, k * STRIDE * TIME_STEP, *label(positions)[:3]))
    positions, time, energy, forces, dipole = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    lengths = {**{name: length for name, length in BLOCKS if name}, "hot": HOT}
    ends = np.cumsum(list(lengths.values()))
    return Dataset(
        name="ethanol",
        numbers=np.tile(numbers, (len(rows), 1)),
        positions=positions,
        energy=energy,
        forces=forces,
        dipole=dipole,
        properties={"time": time},
        splits={
            name: np.arange(end - length, end)
            for (name, length), end in zip(lengths.items(), ends, strict=True)
        },
    )


def langevin(
    numbers: Int[np.ndarray, "atoms"],
    masses: Float[np.ndarray, "atoms"],
    positions: Float[np.ndarray, "atoms 3"],
    temperature: float,
    seed: int,
) -> Iterator[Float[np.ndarray, "atoms 3"]]:
    """Positions every `STRIDE` steps after `BURN_IN` frames, for ever. Masses in amu, T in K."""
    random = np.random.default_rng(seed)
    engine = GFN2(numbers, accuracy=1.0)
    mass = masses[:, None] * AMU
    thermal = np.sqrt(KB * temperature / mass)
    decay = np.exp(-FRICTION * TIME_STEP)
    half = TIME_STEP / 2
    velocity = thermal * random.normal(size=positions.shape)
    now = engine(positions)
    step = 0
    while True:
        velocity = velocity + half * now.forces / mass
        positions = positions + half * velocity
        noise = thermal * random.normal(size=positions.shape)
        velocity = decay * velocity + np.sqrt(1 - decay**2) * noise
        positions = positions + half * velocity
        now = engine(positions, now.state)
        velocity = velocity + half * now.forces / mass
        step += 1
        if step % STRIDE == 0 and step > BURN_IN * STRIDE:
            yield positions


def relabel(system: System) -> dict[str, float | np.ndarray]:
    """energy (eV), forces (eV/Å) and dipole (e·Å) of one structure, computed anew."""
    labels = GFN2(system.numbers)(system.positions)
    return {"energy": labels.energy, "forces": labels.forces, "dipole": labels.dipole}


def statistics(data: Dataset) -> dict[str, float]:
    """Spread of energies and size of forces, at both temperatures."""
    cold, hot = data[data.splits["train"]], data[data.splits["hot"]]
    return {
        "energy_mean": cold.energy.mean(),
        "energy_std": cold.energy.std(),
        "force_rms": np.sqrt((cold.forces**2).mean()),
        "dipole_mean": np.linalg.norm(cold.dipole, axis=1).mean(),
        "hot_energy_std": hot.energy.std(),
        "hot_force_rms": np.sqrt((hot.forces**2).mean()),
    }
