"""The search behind a neighbour table: first bits that say who is near, then rows of neighbours.

Both steps look at one candidate, or one neighbour, of all atoms at a time. So every operation is
on long arrays, and nothing of the size of all pairs is stored except bits.
"""

import itertools

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Int, UInt32

from tutor.md.layout import BLOCK, Layout

WORD = 32  # candidates in a word of bits


def neighbors_as_bits(
    points: Float[Array, "slots 3"],
    reach: float | Float[Array, ""],
    fullest: Int[Array, ""],
    layout: Layout,
) -> UInt32[Array, "words places"]:
    """For every atom and 32 slots of a cell around it, a word of bits: nearer than `reach`?

    Args:
        points: where the atoms in all slots are; far away where a slot is empty.
        fullest: how many slots of a cell are in use at most.

    An atom in place p of cell number c has column p · cells + c.
    """
    cells, layers = layout.cells, layout.layers
    sides = [n + 2 * m for n, m in zip(cells, layers, strict=True)]
    grid = jnp.moveaxis(points.reshape(*sides, layout.occupancy, 3), (4, 3), (0, 1))

    zero = jnp.int32(0)

    def cells_from(corner):
        part = lax.dynamic_slice(grid, (zero, zero, *corner), (3, layout.occupancy, *cells))
        return part.reshape(3, layout.occupancy, -1)

    atoms = cells_from([jnp.int32(m) for m in layers])
    place = jnp.arange(layout.occupancy, dtype=jnp.int32)[:, None]

    def look(_, word):
        corner, first = word[:3], word[3]
        others = cells_from(corner)

        def candidates(block, bits):
            some = lax.dynamic_slice_in_dim(others, first + BLOCK * block, BLOCK, axis=1)
            for k in range(BLOCK):  # unrolled, because it is ten times as fast
                d = some[:, k, None] - atoms
                near = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < reach**2
                bits = bits | near.astype(jnp.uint32) << (BLOCK * block + k).astype(jnp.uint32)
            return bits

        most = jnp.minimum(fullest, layout.occupancy) - first
        blocks = jnp.clip(-(-most // BLOCK), 0, WORD // BLOCK)
        bits = lax.fori_loop(0, blocks, candidates, jnp.zeros(atoms.shape[1:], jnp.uint32))
        itself = (corner == jnp.array(layers)).all() & (place // WORD * WORD == first)
        own = jnp.where(itself, jnp.uint32(1) << (place % WORD).astype(jnp.uint32), 0)
        return None, bits & ~own

    _, bits = lax.scan(look, None, jnp.asarray(_words(layout)))
    return bits.reshape(len(bits), -1)


def rows_of_bits(
    bits: UInt32[Array, "words atoms"],
    cell: Int[Array, "atoms"],
    own: Int[Array, "atoms"],
    layout: Layout,
) -> tuple[Int[Array, "rows atoms"], Int[Array, ""]]:
    """Row k holds the slot of the k-th bit of each atom; and how many rows that takes.

    Args:
        cell: the first slot of the cell of each atom.
        own: the slot of each atom, which fills the rows after its last neighbour.
    """
    last, count = bits.shape
    atoms = jnp.arange(count, dtype=jnp.int32)
    used = lax.population_count(bits).astype(jnp.int32).sum(axis=0, dtype=jnp.int32).max()

    def next_full(following, word):
        return (jnp.where(word[0] > 0, word[1], following),) * 2

    none = jnp.full(count, last, jnp.int32)
    numbers = jnp.arange(last, dtype=jnp.int32)
    _, full = lax.scan(next_full, none, (bits, numbers), reverse=True)
    full = jnp.concatenate([full, none[None], none[None]]).reshape(-1)
    bits = jnp.concatenate([bits, jnp.zeros((1, count), jnp.uint32)]).reshape(-1)
    start = jnp.asarray(_first_slots(layout))

    def peel(k, carry):
        rows, w, word = carry
        lowest = lax.population_count(~word & (word - 1)).astype(jnp.int32)
        rows = rows.at[k].set(jnp.where(word > 0, cell + take(start, w) + lowest, own))
        word = word & (word - 1)
        w = jnp.where(word > 0, w, take(full, (w + 1) * count + atoms))
        return rows, w, jnp.where(word > 0, word, take(bits, w * count + atoms))

    rows = jnp.tile(own, (layout.rows, 1))
    begin = rows, full[:count], take(bits, full[:count] * count + atoms)
    rows, _, _ = lax.fori_loop(0, jnp.minimum(used, layout.rows), peel, begin)
    return rows, used


def take(values: Array, index: Int[Array, "*shape"]) -> Array:
    """values[index] without checking the range, which is kept wherever this is called."""
    return values.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _words(layout):
    """For each word of bits: the corner of the cells it is about, and the first of its slots."""
    corners = itertools.product(*(range(2 * m + 1) for m in layout.layers))
    firsts = range(0, layout.occupancy, WORD)
    return np.array([(*corner, first) for corner in corners for first in firsts], np.int32)


def _first_slots(layout):
    """For each word, and one past the last: its first slot, counted from the atom's own cell."""
    words = _words(layout)
    _, y, z = np.array(layout.cells) + 2 * np.array(layout.layers)
    step = (words[:, :3] - layout.layers) @ [y * z, z, 1]
    return np.append(step * layout.occupancy + words[:, 3], 0).astype(np.int32)
