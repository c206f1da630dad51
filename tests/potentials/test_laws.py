"""The laws that every potential obeys, for every model in the registry.

Errors are measured against the size of what is compared, never against a fixed number of eV.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.potentials.structures import (
    KINDS,
    doubled,
    moved,
    orthogonal,
    run,
    slope,
    structure,
    turned,
)
from tutor.system import System
from tutor.models.registry import REGISTRY, Entry
from tutor.neighbors import batch, graph
from tutor.potential import energy, evaluate, forces, stress

EXACT = 1e-10


@pytest.fixture(params=sorted(REGISTRY))
def entry(request) -> Entry:
    return REGISTRY[request.param]


@pytest.fixture
def potential(entry):
    return entry.make()


def size(found) -> float:
    """The largest force or energy: what errors are compared with."""
    return max(float(jnp.abs(found.forces).max()), float(jnp.abs(found.energies).max()))


def close(one, other, scale, tolerance=EXACT):
    np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("kind", KINDS)
def test_forces_are_minus_the_slope_of_the_energy(entry, potential, kind, rng):
    system = structure(entry, kind)
    found = run(potential, doubled(potential, system))
    for _ in range(3):
        direction = rng.normal(size=system.positions.shape)
        direction /= np.linalg.norm(direction)

        def along(t, direction=direction):
            there = moved(system, system.positions + t * direction)
            return float(run(potential, doubled(potential, there)).energy[0])

        close(-(found.forces * direction).sum(), slope(along), size(found))


@pytest.mark.parametrize("kind", ["crystal", "small"])
def test_stress_is_the_slope_of_the_energy_by_strain(entry, potential, kind, rng):
    system = structure(entry, kind)
    made = doubled(potential, system)
    volume = abs(np.linalg.det(system.cell))
    found = stress(potential, made)[0] * volume
    for _ in range(3):
        direction = rng.normal(size=(3, 3)) / 30  # not symmetric: it also turns

        def along(t, direction=direction):
            strain = np.eye(3) + t * direction
            there = moved(system, system.positions @ strain.T, system.cell @ strain.T)
            return float(run(potential, doubled(potential, there)).energy[0])

        close((found * direction).sum(), slope(along), float(jnp.abs(found).max()))


@pytest.mark.parametrize("kind", KINDS)
def test_isometries(entry, potential, kind, rng):
    """Turned, mirrored and shifted atoms have the same energies and turned forces."""
    system = structure(entry, kind)
    found = run(potential, doubled(potential, system))
    for determinant in (1, -1):
        rotation = orthogonal(rng, determinant)
        there = turned(system, rotation)
        there = moved(there, there.positions + rng.normal(size=3))
        other = run(potential, doubled(potential, there))
        close(other.energies, found.energies, size(found))
        close(other.forces, found.forces @ rotation.T, size(found))
        close(other.virial, rotation @ found.virial @ rotation.T, size(found))


@pytest.mark.parametrize("kind", KINDS)
def test_exchange_of_atoms(entry, potential, kind, rng):
    system = structure(entry, kind)
    order = rng.permutation(len(system))
    there = System(system.numbers[order], system.positions[order], system.cell, system.pbc)
    found, other = (run(potential, doubled(potential, s)) for s in (system, there))
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
    found, other = (run(potential, doubled(potential, s)) for s in (system, there))
    close(other.energies, found.energies, size(found))
    close(other.forces, found.forces, size(found))
    close(other.virial, found.virial, size(found))


@pytest.mark.parametrize("kind", ["crystal", "small"])
def test_supercell(entry, potential, kind):
    system = structure(entry, kind)
    repeats = [(a, b, c) for a in range(2) for b in range(3) for c in range(1)]
    there = System(
        np.tile(system.numbers, 6),
        np.concatenate([system.positions + n @ system.cell for n in np.array(repeats)]),
        system.cell * np.array([[2], [3], [1]]),
        system.pbc,
    )
    found, other = (run(potential, doubled(potential, s)) for s in (system, there))
    close(other.energy, 6 * found.energy, size(found))
    close(other.forces, jnp.tile(found.forces, (6, 1)), size(found))
    volume = abs(np.linalg.det(system.cell))
    close(stress(potential, doubled(potential, there)) * volume, -found.virial, size(found))


def test_forces_and_torques_sum_to_zero(entry, potential):
    system = structure(entry, "cluster")
    found = run(potential, doubled(potential, system))
    close(found.forces.sum(axis=0), 0, size(found))
    close(jnp.cross(system.positions, found.forces).sum(axis=0), 0, size(found))


def test_fragments_far_apart_add_up(entry, potential):
    system = structure(entry, "cluster")
    reach = potential.cutoff * potential.hops + 30
    there = System(
        np.tile(system.numbers, 2),
        np.concatenate([system.positions, system.positions + reach]),
    )
    found, other = (run(potential, doubled(potential, s)) for s in (system, there))
    close(other.energy, 2 * found.energy, size(found))
    close(other.forces, jnp.tile(found.forces, (2, 1)), size(found))


@pytest.mark.parametrize("count", [1, 2])
def test_few_atoms_have_finite_energies_and_forces(entry, potential, count):
    positions = np.array([[0, 0, 0], [0, 0, entry.bond]])[:count]
    system = System(np.full(count, entry.species[0]), positions)
    found = run(potential, doubled(potential, system))
    assert all(np.isfinite(leaf).all() for leaf in found)


def test_reach(entry, potential):
    """What lies beyond hops · cutoff does not change the energy of an atom."""
    system = structure(entry, "crystal")
    cell, repeat = system.cell, 2 + int(2 * potential.cutoff * potential.hops / 3)
    chain = System(
        np.tile(system.numbers[:1], repeat),
        system.positions[:1] + np.arange(repeat)[:, None] * cell[0] / 2,
    )
    made = doubled(potential, chain)

    def first(positions):
        return potential(made.at(positions))[0]

    distance = np.linalg.norm(chain.positions - chain.positions[0], axis=1)
    gradient = jax.jit(jax.grad(first))(jnp.asarray(chain.positions))
    beyond = distance > potential.cutoff * potential.hops
    assert beyond.any()
    assert not np.asarray(gradient)[beyond].any()


@pytest.mark.parametrize("kind", ["cluster", "crystal"])
def test_padding_changes_nothing(entry, potential, kind, rng):
    system = structure(entry, kind)
    made = graph(system, potential.cutoff, dtype=jnp.float64)
    atoms, slots = made.mask.shape
    padded = batch([made], atoms=atoms + 3, slots=slots + 5, structures=2)
    found, other = run(potential, made), run(potential, padded)
    close(other.energies[:atoms], found.energies, size(found), 1e-14)
    close(other.forces[:atoms], found.forces, size(found), 1e-13)
    close(other.virial[:1], found.virial, size(found), 1e-13)
    assert not other.energies[atoms:].any()
    assert not other.forces[atoms:].any()
    assert not other.energy[1:].any()
    assert not other.virial[1:].any()


def test_padding_has_no_gradient_whatever_it_holds(entry, potential, rng):
    system = structure(entry, "cluster")
    clean = batch([doubled(potential, system)], atoms=10)
    expected = energy(potential, clean).sum()

    def total(r_ij):
        return energy(potential, replace(clean, r_ij=r_ij)).sum()

    for filling in (0.0, rng.normal(size=clean.r_ij.shape), np.nan):
        r_ij = jnp.where(clean.mask[..., None], clean.r_ij, filling)
        value, gradient = jax.value_and_grad(total)(r_ij)
        assert value == expected
        assert not np.asarray(gradient)[~np.asarray(clean.mask)].any()


def test_a_batch_is_its_structures(entry, potential):
    systems = [structure(entry, kind) for kind in KINDS]
    together = run(potential, doubled(potential, systems))
    first = 0
    for number, system in enumerate(systems):
        rows = slice(first, first := first + len(system))
        alone = run(potential, doubled(potential, system))
        close(together.energies[rows], alone.energies, size(alone), 1e-13)
        close(together.forces[rows], alone.forces, size(alone), 1e-13)
        close(together.energy[number], alone.energy[0], size(alone), 1e-13)
        close(together.virial[number], alone.virial[0], size(alone), 1e-12)


def test_a_stack_of_graphs_can_be_mapped(entry, potential):
    systems = [structure(entry, "crystal", seed) for seed in range(3)]
    made = [batch([doubled(potential, s)], slots=64) for s in systems]
    stack = jax.tree.map(lambda *leaves: jnp.stack(leaves), *made)
    mapped = jax.jit(jax.vmap(lambda g: evaluate(potential, g)))(stack)
    for k, one in enumerate(made):
        alone = run(potential, one)
        close(mapped.forces[k], alone.forces, size(alone), 1e-13)


def test_a_larger_graph_changes_nothing(entry, potential):
    system = structure(entry, "crystal")
    found = run(potential, doubled(potential, system))
    other = run(potential, graph(system, potential.cutoff + 1.5, dtype=jnp.float64))
    close(other.energies, found.energies, size(found), 1e-13)
    close(other.forces, found.forces, size(found), 1e-13)


def test_a_graph_that_is_too_small_is_refused(entry, potential):
    made = graph(structure(entry, "crystal"), potential.cutoff - 0.5, dtype=jnp.float64)
    for compute in (energy, forces, stress, evaluate):
        with pytest.raises(ValueError, match="but the graph holds only neighbours up to"):
            compute(potential, made)


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

    derivatives = [at, jax.grad(at), jax.grad(jax.grad(at))]
    jumps = []
    for f in map(jax.jit, map(jax.vmap, derivatives)):
        inside = f(-jnp.linspace(0.02, 0.4, 20) * potential.cutoff)
        before, after = f(jnp.array([-1e-7, 1e-7]))
        jumps.append(abs(before - after) / jnp.abs(inside - after).max())
    return np.array(jumps)


def test_single_precision_stays_single(entry, potential):
    system = structure(entry, "crystal")
    made = doubled(potential, system)
    single = jax.tree.map(lambda x: x.astype(jnp.float32) if x.dtype == jnp.float64 else x, made)
    found, other = run(potential, made), run(potential, single)
    assert all(leaf.dtype == jnp.float32 for leaf in other)
    close(other.energies, found.energies, size(found), 1e-4)
    close(other.forces, found.forces, size(found), 1e-4)


def test_parameters_have_gradients(entry, potential):
    made = doubled(potential, structure(entry, "crystal"))

    def loss(potential):
        found = evaluate(potential, made)
        return found.energy.sum() + (found.forces**2).sum()

    gradient = jax.tree.leaves(jax.jit(jax.grad(loss))(potential))
    assert gradient
    assert all(np.isfinite(leaf).all() for leaf in gradient)
    assert any(np.any(leaf != 0) for leaf in gradient)
