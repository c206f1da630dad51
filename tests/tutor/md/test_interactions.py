"""Potentials that run over rows of a table against the same ones on a Graph."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.potentials.structures import compute, structure
from tests.tutor.md.test_table import complete_table
from tutor.md import interactions
from tutor.models.registry import REGISTRY


@jax.jit
def over_rows(*arguments):
    """Everything, and the forces alone."""
    return interactions.evaluate(*arguments), interactions.forces(*arguments)


@pytest.mark.parametrize("kind", ["cluster", "slab", "small"])
@pytest.mark.parametrize("name", ["lennard_jones", "stillinger_weber", "egnn"])
def test_interactions_are_those_of_the_graph(name, kind):
    """A pair potential, sums over neighbours, and a network: three paths, one answer."""
    entry = REGISTRY[name]
    potential, system = entry.make(), structure(entry, kind)
    table, positions, cell = complete_table(system, potential.cutoff + 0.3)
    species = jnp.asarray(system.numbers, jnp.int32)
    found, alone = over_rows(potential, table, positions, cell, species)
    expected = compute(potential, system)
    scale = np.abs(expected.forces).max()
    np.testing.assert_allclose(found.energy, expected.energy[0], rtol=1e-12)
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=1e-11 * scale)
    np.testing.assert_allclose(found.virial, expected.virial[0], rtol=0, atol=1e-10 * scale)
    np.testing.assert_allclose(alone, expected.forces, rtol=0, atol=1e-11 * scale)
