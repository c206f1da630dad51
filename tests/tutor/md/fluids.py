"""A simple liquid, in its own units and in those of the library."""

import jax
import jax.numpy as jnp
import numpy as np

from tutor.md import Run, simulate
from tutor.md.simulate import RECORDS
from tutor.models.pair import LennardJones, Pair, argon
from tutor.system import System
from tutor.units import AMU, KB

EPSILON, SIGMA, MASS = 0.010323, 3.405, 39.948  # eV, Å, amu
TAU = SIGMA * (MASS * AMU / EPSILON) ** 0.5  # fs
ARGON = argon()


def fluid(side: int = 3, density: float = 0.8442) -> System:
    """4 side³ atoms on an fcc lattice, with a density in 1/σ³."""
    corners = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    length = (4 / density) ** (1 / 3) * SIGMA
    positions = (corners + basis + 0.25).reshape(-1, 3) * length
    return System(
        np.full(len(positions), 18), positions, side * length * np.eye(3), np.ones(3, bool)
    )


def kelvin(temperature: float) -> float:
    """From ε / k_B."""
    return temperature * EPSILON / KB


def moved(integrator, steps: int, *, every: int = 100, state=None, **options) -> Run:
    """108 atoms of liquid argon in double precision; always of the same shapes and records, so that
    each integrator is compiled once."""
    options = {"record": RECORDS} | options
    if state is not None:
        return simulate(ARGON, state, integrator, steps, every=every, **options)
    options = {"temperature": kelvin(1.44), "key": jax.random.key(0)} | options
    system = options.pop("system", fluid())
    return simulate(ARGON, system, integrator, steps, every=every, dtype=jnp.float64, **options)


__all__ = ["ARGON", "EPSILON", "SIGMA", "TAU", "LennardJones", "Pair", "fluid", "kelvin", "moved"]
