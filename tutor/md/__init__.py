"""Molecular dynamics: how atoms move under any potential.

    from tutor.md import Langevin, simulate
    run = simulate(potential, system, Langevin(dt=1.0, temperature=300, friction=0.01), 10_000,
                   temperature=300, key=jax.random.key(0))

Integrators: Verlet (NVE), Langevin, VelocityRescaling, NoseHoover (NVT), CellRescaling (NPT).
"""

from tutor.md.barostats import CellRescaling
from tutor.md.explosion import ExplosionError
from tutor.md.frames import system_of
from tutor.md.integrators import Langevin, Verlet, step
from tutor.md.relax import Relaxed, relax
from tutor.md.simulate import Run, simulate
from tutor.md.state import State, state_of
from tutor.md.thermostats import NoseHoover, VelocityRescaling

__all__ = [
    "CellRescaling",
    "ExplosionError",
    "Langevin",
    "NoseHoover",
    "Relaxed",
    "Run",
    "State",
    "VelocityRescaling",
    "Verlet",
    "relax",
    "simulate",
    "state_of",
    "step",
    "system_of",
]
