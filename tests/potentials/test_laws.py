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
    compute,
    doubled,
    moved,
    orthogonal,
    run,
    slope,
    structure,
    turned,
)
from tutor.graph import System
from tutor.models.pair import LennardJones, Pair, shifted, truncated
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
    return max(float(np.abs(found.forces).max()), float(np.abs(found.energies).max()))


def close(one, other, scale, tolerance=EXACT):
    np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * scale)


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


def test_padding_changes_nothing(entry, potential):
    system = structure(entry, "slab")
    made = graph(system, potential.cutoff, dtype=jnp.float64)
    atoms, slots = made.mask.shape
    padded = batch([made], atoms=atoms + 3, slots=slots + 5, structures=2)
    found, other = jax.device_get((run(potential, made), run(potential, padded)))
    close(other.energies[:atoms], found.energies, size(found), 1e-14)
    close(other.forces[:atoms], found.forces, size(found), 1e-13)
    close(other.virial[:1], found.virial, size(found), 1e-13)
    assert not other.energies[atoms:].any()
    assert not other.forces[atoms:].any()
    assert not other.energy[1:].any()
    assert not other.virial[1:].any()


def test_padding_has_no_gradient_whatever_it_holds(entry, potential, rng):
    clean = batch([doubled(potential, structure(entry, "cluster"))], atoms=10)

    @jax.jit
    @jax.value_and_grad
    def total(r_ij):
        return energy(potential, replace(clean, r_ij=r_ij)).sum()

    expected, _ = total(clean.r_ij)
    for filling in (rng.normal(size=clean.r_ij.shape), np.nan):
        value, gradient = total(jnp.where(clean.mask[..., None], clean.r_ij, filling))
        assert value == expected
        assert not np.asarray(gradient)[~np.asarray(clean.mask)].any()


def test_a_batch_is_its_structures(entry, potential):
    systems = [structure(entry, kind) for kind in KINDS[1:]]
    together = compute(potential, systems)
    first = 0
    for number, system in enumerate(systems):
        rows = slice(first, first := first + len(system))
        alone = compute(potential, system)
        close(together.energies[rows], alone.energies, size(alone), 1e-13)
        close(together.forces[rows], alone.forces, size(alone), 1e-13)
        close(together.energy[number], alone.energy[0], size(alone), 1e-13)
        close(together.virial[number], alone.virial[0], size(alone), 1e-12)


def test_a_stack_of_graphs_can_be_mapped(entry, potential):
    systems = [structure(entry, "crystal", seed) for seed in range(3)]
    made = [doubled(potential, s) for s in systems]
    stack = jax.tree.map(lambda *leaves: jnp.stack(leaves), *made)
    mapped = jax.jit(jax.vmap(lambda g: evaluate(potential, g)))(stack)
    for k, system in enumerate(systems):
        alone = compute(potential, system)
        close(mapped.forces[k], alone.forces, size(alone), 1e-13)


def test_a_larger_graph_changes_nothing(entry, potential):
    system = structure(entry, "crystal")
    found = compute(potential, system)
    far = run(potential, graph(system, potential.cutoff + 1.5, dtype=jnp.float64))
    other = jax.device_get(far)
    close(other.energies, found.energies, size(found), 1e-13)
    close(other.forces, found.forces, size(found), 1e-13)


def test_a_graph_that_is_too_small_is_refused(entry, potential):
    made = graph(structure(entry, "crystal"), potential.cutoff - 0.5, dtype=jnp.float64)
    for derive in (energy, forces, stress, evaluate):
        with pytest.raises(ValueError, match="but the graph holds only neighbours up to"):
            derive(potential, made)


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


def test_single_precision_stays_single(entry, potential):
    system = structure(entry, "crystal")
    made = doubled(potential, system)
    single = jax.tree.map(lambda x: x.astype(jnp.float32) if x.dtype == jnp.float64 else x, made)
    found, other = jax.device_get((run(potential, made), run(potential, single)))
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
