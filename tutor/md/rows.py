"""Sums over neighbours as a loop over the rows of a table: one neighbour of all atoms at a time.

Nothing of the size of all pairs is stored; what is summed stays in the cache.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from tutor.md.search import take
from tutor.md.table import Table


class Interactions(NamedTuple):
    """What atoms do to each other: in eV, eV/Å and eV."""

    energy: Float[Array, ""]
    forces: Float[Array, "atoms 3"]
    virial: Float[Array, "3 3"]


def over_rows(
    visit: Callable[[Array, Array], Any],
    start: Any,
    table: Table,
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"],
) -> Any:
    """start + Σ_k visit(r_ik, slots): the vectors (atoms, 3) to the k-th neighbour, and its slot.

    Atoms are in the order of the table. Where an atom has no k-th neighbour, its vector is zero.
    """
    images = table.images(positions, cell)
    own = take(images, table.own)

    def add(k, total):
        slots = table.rows[k]
        return jax.tree.map(jnp.add, total, visit(take(images, slots) - own, slots))

    return lax.fori_loop(0, table.used, add, start)
