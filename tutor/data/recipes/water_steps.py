"""One run of 216 molecules of water, stored every 10 fs: neighbouring frames are nearly copies."""

import numpy as np

from tutor.data.dataset import Dataset
from tutor.data.recipes.engines import Progress, silent
from tutor.data.recipes.molecular_dynamics import Engine, relabel
from tutor.data.recipes.water import EQUILIBRATION, MOLECULES, density, labelled, lattice

ENGINES = ("lammps",)

FRAMES = 60
SPACING = 0.010  # ps
TEMPERATURE = 320.0  # K
SEED = 11

__all__ = ["ENGINES", "generate", "relabel", "statistics"]


def generate(progress: Progress = silent) -> Dataset:
    """The run, labelled."""
    engine = Engine(lattice(MOLECULES, 1.0, SEED))
    engine.relax()
    engine.thermostat(TEMPERATURE, SEED, pressure=1.01325)
    engine.advance(EQUILIBRATION, time_step=1e-3)
    rows = []
    for k in range(FRAMES):
        rows.append((engine.advance(SPACING), {"time": k * SPACING}))
        progress("molecular dynamics, frames", k + 1, FRAMES)
    engine.close()
    return labelled("water_steps", rows, {"run": np.arange(FRAMES)})


def statistics(data: Dataset) -> dict[str, float]:
    """Density, forces, and how much of a frame is still there 10 and 100 fs later."""
    forces = data.forces.reshape(len(data), -1)
    bonds = data.positions[:, 1::3] - data.positions[:, 0::3]

    def correlation(lag):
        return (forces[:-lag] * forces[lag:]).mean() / (forces**2).mean()

    return {
        "density": density(data).mean(),
        "force_rms": np.sqrt((data.forces**2).mean()),
        "bond_mean": np.linalg.norm(bonds, axis=-1).mean(),
        "force_correlation_10fs": correlation(1),
        "force_correlation_100fs": correlation(10),
    }
