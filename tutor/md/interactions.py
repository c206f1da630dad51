"""Energy, forces and virial from a neighbour table. The kind of potential decides how.

Any potential goes through the Graph and the derivative by r_ij. Pair potentials need neither: their
sum runs over the rows of the table, one neighbour of every atom at a time, and nothing of the size
of all pairs is ever stored.
"""

from collections.abc import Callable
from functools import singledispatch
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from tutor import potential as derivatives
from tutor.md.search import take
from tutor.md.table import Table
from tutor.models.pair import Pair
from tutor.potential import Potential


class Interactions(NamedTuple):
    """What atoms do to each other: in eV, eV/Å and eV."""

    energy: Float[Array, ""]
    forces: Float[Array, "atoms 3"]
    virial: Float[Array, "3 3"]


@singledispatch
def evaluate(
    potential: Potential,
    table: Table,
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"],
    species: Int[Array, "atoms"],
) -> Interactions:
    """Energy, forces and virial at positions for which the table is valid."""
    graph = table.graph(positions, cell, species, potential.cutoff)
    found = derivatives.evaluate(potential, graph)
    return Interactions(found.energy[0], found.forces, found.virial[0])


@singledispatch
def forces(
    potential: Potential,
    table: Table,
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"],
    species: Int[Array, "atoms"],
) -> Float[Array, "atoms 3"]:
    """The forces alone, where that is faster."""
    return evaluate(potential, table, positions, cell, species).forces


@evaluate.register
def _(potential: Pair, table, positions, cell, species):
    def pair(d):
        u, f = _pair(potential, d)
        return u, f, jnp.einsum("ia,ib->ab", f, d)

    start = jnp.zeros_like(positions[:, :1]), jnp.zeros_like(positions), jnp.zeros_like(cell)
    energies, found, virial = over_rows(pair, start, table, positions, cell)
    return Interactions(energies.sum() / 2, take(found, table.rank), -virial / 2)


@forces.register
def _(potential: Pair, table, positions, cell, species):
    found = over_rows(
        lambda d: _pair(potential, d)[1], jnp.zeros_like(positions), table, positions, cell
    )
    return take(found, table.rank)


def over_rows(
    visit: Callable[[Array], Any],
    start: Any,
    table: Table,
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"],
) -> Any:
    """start + Σ_k visit(r_ik), with the vectors (atoms, 3) to the k-th neighbour of all atoms.

    Atoms are in the order of the table. Where an atom has no k-th neighbour, its vector is zero.
    """
    images = table.images(positions, cell)
    own = take(images, table.own)

    def add(k, total):
        return jax.tree.map(jnp.add, total, visit(take(images, table.rows[k]) - own))

    return lax.fori_loop(0, table.used, add, start)


def _pair(potential, d):
    """u(r) and the force u'(r) d/r; zero at zero distance and beyond the cutoff."""
    r2 = (d * d).sum(axis=1, keepdims=True)
    near = (r2 > 0) & (r2 < potential.cutoff**2)
    r = jnp.sqrt(jnp.where(near, r2, potential.cutoff**2))
    u = potential.ending(potential.curve, potential.cutoff)
    u, slope = jax.jvp(u, (r,), (jnp.ones_like(r),))
    return jnp.where(near, u, 0), jnp.where(near, slope / r, 0) * d
