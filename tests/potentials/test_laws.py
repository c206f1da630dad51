"""The laws that every potential obeys, for every model in the registry.

Errors are measured against the size of what is compared, never against a fixed number of eV.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.potentials.structures import (
    KINDS,
    close,
    compute,
    moved,
    orthogonal,
    size,
    slope,
    structure,
    turned,
)
from tutor.graph import System
from tutor.models.pair import LennardJones, Pair, shifted, truncated
from tutor.models.registry import REGISTRY
from tutor.neighbors import graph
from tutor.potential import energy


@pytest.mark.parametrize("kind", KINDS)
def test_forces_are_minus_the_slope_of_the_energy(entry, potential, kind, rng):
    system = structure(entry, kind)
    found = compute(potential, system)
    for _ in range(3):
        direction = rng.normal(size=system.positions.shape)
        direction /= np.linalg.norm(direction)

        def along(t, direction=direction):
            there = moved(system, system.positions + t * direction)
            return float(compute(potential, there).energy[0])

        close(-(found.forces * direction).sum(), slope(along), size(found))


@pytest.mark.parametrize("kind", ["crystal", "small"])
def test_virial_is_minus_the_slope_of_the_energy_by_strain(entry, potential, kind, rng):
    system = structure(entry, kind)
    found = compute(potential, system).virial[0]
    for _ in range(3):
        direction = rng.normal(size=(3, 3)) / 30  # not symmetric: it also turns

        def along(t, direction=direction):
            strain = np.eye(3) + t * direction
            there = moved(system, system.positions @ strain.T, system.cell @ strain.T)
            return float(compute(potential, there).energy[0])

        close(-(found * direction).sum(), slope(along), np.abs(found).max())


@pytest.mark.parametrize("kind", KINDS)
def test_isometries(entry, potential, kind, rng):
    """Turned, mirrored and shifted atoms have the same energies and turned forces."""
    system = structure(entry, kind)
    found = compute(potential, system)
    for determinant in (1, -1):
        rotation = orthogonal(rng, determinant)
        there = turned(system, rotation)
        there = moved(there, there.positions + rng.normal(size=3))
        other = compute(potential, there)
        close(other.energies, found.energies, size(found))
        close(other.forces, found.forces @ rotation.T, size(found))
        close(other.virial, rotation @ found.virial @ rotation.T, size(found))


@pytest.mark.parametrize("kind", KINDS)
def test_exchange_of_atoms(entry, potential, kind, rng):
    system = structure(entry, kind)
    order = rng.permutation(len(system))
    there = System(system.numbers[order], system.positions[order], system.cell, system.pbc)
    found, other = (compute(potential, s) for s in (system, there))
    close(other.energies, found.energies[order], size(found))
    close(other.forces, found.forces[order], size(found))


@pytest.mark.parametrize("kind", ["chain", "slab", "crystal", "small"])
def test_choice_of_images_and_cell_vectors(entry, potential, kind, rng):
    system = structure(entry, kind)
    periodic = np.nonzero(system.pbc)[0]
    cell = system.cell.copy()
    cell[periodic[0]] += 2 * cell[periodic[-1]] if len(periodic) > 1 else 0
    images = rng.integers(-3, 4, system.positions.shape) * system.pbc
    there = moved(system, system.positions + images @ system.cell, cell)
    found, other = (compute(potential, s) for s in (system, there))
    close(other.energies, found.energies, size(found))
    close(other.forces, found.forces, size(found))
    close(other.virial, found.virial, size(found))


@pytest.mark.parametrize("kind", ["crystal", "small"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_supercell(entry, potential, kind, axis):
    system = structure(entry, kind)
    there = System(
        np.tile(system.numbers, 2),
        np.concatenate([system.positions, system.positions + system.cell[axis]]),
        system.cell * np.where(np.arange(3) == axis, 2, 1)[:, None],
        system.pbc,
    )
    found, other = (compute(potential, s) for s in (system, there))
    close(other.energy, 2 * found.energy, size(found))
    close(other.forces, np.tile(found.forces, (2, 1)), size(found))
    close(other.virial, 2 * found.virial, size(found))


def test_forces_and_torques_sum_to_zero(entry, potential):
    system = structure(entry, "cluster")
    found = compute(potential, system)
    close(found.forces.sum(axis=0), 0, size(found))
    close(np.cross(system.positions, found.forces).sum(axis=0), 0, size(found))


def test_fragments_far_apart_add_up(entry, potential):
    system = structure(entry, "cluster")
    reach = potential.cutoff * potential.hops + 30
    there = System(
        np.tile(system.numbers, 2),
        np.concatenate([system.positions, system.positions + reach]),
    )
    found, other = (compute(potential, s) for s in (system, there))
    close(other.energy, 2 * found.energy, size(found))
    close(other.forces, np.tile(found.forces, (2, 1)), size(found))


@pytest.mark.parametrize("count", [1, 2])
def test_few_atoms_have_finite_energies_and_forces(entry, potential, count):
    positions = np.array([[0, 0, 0], [0, 0, entry.bond]])[:count]
    system = System(np.full(count, entry.species[0]), positions)
    found = compute(potential, system)
    assert all(np.isfinite(leaf).all() for leaf in found)


def test_reach(entry, potential):
    """What lies beyond hops · cutoff does not change the energy of an atom."""
    system = structure(entry, "crystal")
    repeat = 2 + int(2 * potential.cutoff * potential.hops / entry.bond)
    chain = System(
        np.tile(system.numbers[:1], repeat),
        system.positions[:1] + np.arange(repeat)[:, None] * system.cell[0] / 2,
    )
    made = graph(chain, potential.cutoff, dtype=jnp.float64)

    def first(positions):
        return potential(made.at(positions))[0]

    distance = np.linalg.norm(chain.positions - chain.positions[0], axis=1)
    gradient = jax.jit(jax.grad(first))(jnp.asarray(chain.positions))
    beyond = distance > potential.cutoff * potential.hops
    assert beyond.any()
    assert not np.asarray(gradient)[beyond].any()


def test_a_truncated_potential_is_found_out():
    """The control of the test below: what jumps, it sees jump."""
    curve = LennardJones(epsilon=0.01, sigma=3.4)
    jumps = jumps_at_cutoff(Pair(curve, cutoff=8.5, ending=truncated), REGISTRY["lennard_jones"])
    assert (jumps > 1e-2).all()
    jumps = jumps_at_cutoff(Pair(curve, cutoff=8.5, ending=shifted), REGISTRY["lennard_jones"])
    assert jumps[0] < 1e-4
    assert (jumps[1:] > 1e-2).all()


def test_smooth_at_the_cutoff(entry, potential):
    """A third atom leaves a dimer: energy, force and its slope do not jump."""
    jumps = jumps_at_cutoff(potential, entry)
    assert (jumps[: entry.smooth + 1] < 1e-4).all(), jumps


def jumps_at_cutoff(potential, entry) -> np.ndarray:
    """Jumps of the derivatives 0, 1, 2 at the cutoff, relative to their size just inside."""
    start = np.array([[0, 0, 0], [0.3, 0.9 * entry.bond, 0.2], [potential.cutoff, 0, 0]])
    system = System(np.full(3, entry.species[0]), start)
    made = graph(system, 2 * potential.cutoff, dtype=jnp.float64)

    def at(t):
        return energy(potential, made.at(jnp.asarray(start).at[2, 0].add(t))).sum()

    def derivatives(t):
        return jnp.stack([at(t), jax.grad(at)(t), jax.grad(jax.grad(at))(t)])

    inside = -np.linspace(0.02, 0.4, 20) * potential.cutoff
    values = jax.jit(jax.vmap(derivatives))(jnp.array([*inside, -1e-7, 1e-7]))
    jump = np.abs(values[-1] - values[-2])
    return jump / np.abs(values[:-2] - values[-1]).max(axis=0)
