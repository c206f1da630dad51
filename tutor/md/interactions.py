"""Energy, forces and virial from a neighbour table. The kind of potential decides how.

Any potential goes through the Graph and the derivative by r_ij. Pair potentials, and many-body ones
that need only sums over neighbours, run over the rows of the table instead.
"""

from functools import singledispatch

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from tutor import potential as derivatives
from tutor.md.moments import by_moments, stillinger_weber
from tutor.md.rows import Interactions, over_rows
from tutor.md.search import take
from tutor.md.table import Table
from tutor.models.pair import Pair
from tutor.models.stillinger_weber import StillingerWeber
from tutor.potential import Potential


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
    def pair(d, _):
        u, f = _pair(potential, d)
        return u, f, jnp.einsum("ia,ib->ab", f, d)

    start = jnp.zeros_like(positions[:, :1]), jnp.zeros_like(positions), jnp.zeros_like(cell)
    energies, found, virial = over_rows(pair, start, table, positions, cell)
    return Interactions(energies.sum() / 2, take(found, table.rank), -virial / 2)


@forces.register
def _(potential: Pair, table, positions, cell, species):
    found = over_rows(
        lambda d, _: _pair(potential, d)[1], jnp.zeros_like(positions), table, positions, cell
    )
    return take(found, table.rank)


@evaluate.register
def _(potential: StillingerWeber, table, positions, cell, species):
    return by_moments(*stillinger_weber(potential), table, positions, cell)


def _pair(potential, d):
    """u(r) and the force u'(r) d/r; zero at zero distance and beyond the cutoff."""
    r2 = (d * d).sum(axis=1, keepdims=True)
    near = (r2 > 0) & (r2 < potential.cutoff**2)
    r = jnp.sqrt(jnp.where(near, r2, potential.cutoff**2))
    u = potential.ending(potential.curve, potential.cutoff)
    u, slope = jax.jvp(u, (r,), (jnp.ones_like(r),))
    return jnp.where(near, u, 0), jnp.where(near, slope / r, 0) * d
