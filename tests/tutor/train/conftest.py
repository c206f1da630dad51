"""Clusters of argon labelled by ASE, and a Lennard-Jones potential whose parameters are learned."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import ase
import jax.numpy as jnp
import numpy as np
import pytest
from ase.calculators.lj import LennardJones as Reference

from tutor.data.dataset import Dataset
from tutor.models.pair import Pair, truncated
from tutor.pytree import pytree

EPSILON, SIGMA, CUTOFF, BOX = 0.0104, 3.4, 15.0, 40.0


@pytree()
@dataclass(frozen=True)
class Learned:
    """Lennard-Jones by two numbers of a like size: ln(100 ε/eV) and σ/Å."""

    log_epsilon: float
    sigma: float
    cutoff: ClassVar[float] = CUTOFF
    hops: ClassVar[int] = 1

    def __call__(self, graph):
        def curve(r):
            x = (self.sigma / r) ** 6
            return 0.04 * jnp.exp(self.log_epsilon) * (x**2 - x)

        return Pair(curve, self.cutoff, truncated)(graph)


@pytest.fixture
def start() -> Learned:
    return Learned(0.5, 3.3)


@pytest.fixture
def argon() -> Callable[[int, int], Dataset]:
    """`argon(count, seed)`: clusters of 3 to 5 atoms in a large box; an atom is worth −7 eV."""

    def make(count, seed):
        rng = np.random.default_rng(seed)
        grid = np.stack(np.meshgrid(*[[10, 13.9, 17.8]] * 3), axis=-1).reshape(-1, 3)
        numbers, positions = np.zeros((count, 5), int), np.zeros((count, 5, 3))
        energy, forces, stress = np.zeros(count), np.zeros((count, 5, 3)), np.zeros((count, 3, 3))
        for s in range(count):
            n = 3 + s % 3
            x = rng.permutation(grid)[:n] + rng.uniform(-0.3, 0.3, (n, 3))
            atoms = ase.Atoms(f"Ar{n}", x, cell=[BOX] * 3, pbc=True)
            atoms.calc = Reference(epsilon=EPSILON, sigma=SIGMA, rc=CUTOFF, ro=CUTOFF)
            shift = 2 * EPSILON * ((SIGMA / CUTOFF) ** 12 - (SIGMA / CUTOFF) ** 6)
            numbers[s, :n], positions[s, :n] = 18, x
            pairs = sum(len(np.flatnonzero(row)) for row in atoms.get_all_distances(mic=True))
            energy[s] = atoms.get_potential_energy() + shift * pairs - 7.0 * n
            forces[s, :n], stress[s] = atoms.get_forces(), atoms.get_stress(voigt=False)
        cell = np.tile(np.eye(3) * BOX, (count, 1, 1))
        return Dataset("argon", numbers, positions, energy, forces, cell=cell, stress=stress)

    return make


@pytest.fixture
def line(rng):
    x = rng.normal(size=(60, 3)).astype(np.float32)
    return x, (x @ np.array([1.0, -2.0, 0.5]) + 0.1 * rng.normal(size=60)).astype(np.float32)
