"""Padding, batches, precision and parameters: how graphs are packed must not show.

For every model in the registry.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.potentials.structures import (
    KINDS,
    close,
    compute,
    doubled,
    run,
    size,
    structure,
)
from tutor.neighbors import batch, graph
from tutor.potential import energy, evaluate, forces, stress


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
