"""1600 molecules of flexible water (SPC/Fw), at five densities and temperatures: for tests only.

A box of 200 molecules is equilibrated and repeated twice along each axis. New velocities, different
in each copy, then take the eight copies apart.
"""

import numpy as np

from tutor.data.dataset import Dataset
from tutor.data.recipes.engines import Progress, silent
from tutor.data.recipes.molecular_dynamics import Engine, relabel
from tutor.data.recipes.water import density, labelled, lattice

ENGINES = ("lammps",)

CONDITIONS = {  # K, g/cm³
    "same": (300.0, 1.0),
    "hot": (400.0, 1.0),
    "cold": (260.0, 1.0),
    "dense": (300.0, 1.15),
    "dilute": (300.0, 0.85),
}
EQUILIBRATION = 10.0  # ps, of 200 molecules
APART = 2.0  # ps, of all 1600
SPACING = 1.0  # ps
FRAMES = 2

__all__ = ["ENGINES", "generate", "relabel", "statistics"]


def generate(progress: Progress = silent) -> Dataset:
    """Some frames at each condition, labelled."""
    rows, total = [], FRAMES * len(CONDITIONS)
    for seed, (temperature, grams) in enumerate(CONDITIONS.values(), start=21):
        engine = Engine(lattice(200, grams, seed))
        engine.relax()
        engine.thermostat(temperature, seed)
        engine.advance(EQUILIBRATION, time_step=1e-3)
        engine.run("replicate 2 2 2")
        engine.restart(temperature, seed + 100)
        engine.advance(APART - SPACING)
        for _ in range(FRAMES):
            rows.append((engine.advance(SPACING), {"temperature": temperature}))
            progress("molecular dynamics, frames", len(rows), total)
        engine.close()
    members = np.arange(total).reshape(-1, FRAMES)
    return labelled("water_large", rows, dict(zip(CONDITIONS, members, strict=True)))


def statistics(data: Dataset) -> dict[str, float]:
    """Density and forces, and how far two copies of a molecule have come apart."""
    part = {name: data.split(name) for name in CONDITIONS}
    return {
        "density_same": density(part["same"]).mean(),
        "density_dense": density(part["dense"]).mean(),
        **{f"force_rms_{name}": np.sqrt((p.forces**2).mean()) for name, p in part.items()},
    }
