"""Structures on which potentials are tested, and derivatives by finite differences."""

import itertools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial.transform import Rotation

from tutor.graph import Graph, System
from tutor.models.registry import Entry
from tutor.neighbors import batch, edges_of, graph
from tutor.potential import Evaluation, evaluate

KINDS = ("cluster", "chain", "slab", "crystal", "small")
PERIODIC = {
    "cluster": [False, False, False],
    "chain": [False, True, False],
    "slab": [True, False, True],
    "crystal": [True, True, True],
    "small": [True, True, True],
}


def structure(entry: Entry, kind: str, seed: int = 0, away: float = 3e-3) -> System:
    """Atoms in a triclinic cell, some outside of it, none too near and none `away` from a knot."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    sites = 2 if kind == "small" else 8
    grid = np.array(list(itertools.product(range(2), repeat=3)))[:sites]
    periods = np.array([1, 1, 2] if kind == "small" else [2, 2, 2])
    knots = np.array([*entry.knots, entry.make().cutoff])
    while True:
        shear = np.eye(3) + rng.uniform(-0.15, 0.15, (3, 3))
        positions = (grid + rng.uniform(-0.06, 0.06, (sites, 3))) @ shear * entry.bond
        cell = shear * periods[:, None] * entry.bond
        positions += rng.integers(-1, 2, (sites, 3)) * PERIODIC[kind] @ cell
        made = System(rng.choice(entry.species, sites), positions, cell, np.array(PERIODIC[kind]))
        r = np.linalg.norm(edges_of(made, knots.max() + away).r_ij, axis=1)
        if r.min() > 0.85 * entry.bond and np.abs(r[:, None] - knots).min() > away:
            return made


def doubled(potential, systems: System | Sequence[System]) -> Graph:
    """A graph in double precision, padded to few shapes so that little is compiled."""
    made = graph(systems, potential.cutoff, dtype=jnp.float64)
    atoms, slots = made.mask.shape
    return batch([made], atoms=-(-atoms // 8) * 8, slots=-(-slots // 64) * 64)


run = jax.jit(evaluate)


def compute(potential, systems: System | Sequence[System]) -> Evaluation:
    """Energies, forces and virial as NumPy arrays, without padding."""
    atoms = len(systems) if isinstance(systems, System) else sum(map(len, systems))
    found = jax.device_get(run(potential, doubled(potential, systems)))
    return found._replace(energies=found.energies[:atoms], forces=found.forces[:atoms])


def moved(system: System, positions=None, cell=None) -> System:
    """The same atoms elsewhere."""
    return System(
        system.numbers,
        system.positions if positions is None else positions,
        system.cell if cell is None else cell,
        system.pbc,
    )


def turned(system: System, rotation: np.ndarray) -> System:
    """Atoms and cell turned (or mirrored) by an orthogonal matrix."""
    return moved(system, system.positions @ rotation.T, system.cell @ rotation.T)


def orthogonal(rng, determinant: int = 1) -> np.ndarray:
    """A random rotation, or with determinant −1 a rotation and a mirror image."""
    return Rotation.random(random_state=rng).as_matrix() * determinant


def slope(f: Callable[[float], float], step: float = 2e-3, levels: int = 3) -> float:
    """f'(0) by central differences, extrapolated to step 0 after Richardson."""
    h = step / 2.0 ** np.arange(levels)
    row = [(f(x) - f(-x)) / (2 * x) for x in h]
    for order in range(1, levels):
        row = [(4**order * b - a) / (4**order - 1) for a, b in itertools.pairwise(row)]
    return row[0]


def size(found) -> float:
    """The largest force or energy: what errors are compared with."""
    return max(float(np.abs(found.forces).max()), float(np.abs(found.energies).max()))


def close(one, other, scale, tolerance=1e-10):
    np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * scale)
