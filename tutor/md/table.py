"""Who is near whom, found inside jit and kept while atoms move less than a skin.

Space is cut into cells at least `reach` = cutoff + skin wide. Around the cells of the structure lie
their periodic images, so that every image of an atom has a place of its own, a *slot*, and from
there on nothing is periodic. Any cell and any number of periodic directions are then alike, and so
is a structure that is smaller than the cutoff.

    slots    cell after cell, images included: slot → atom, and by how many cell vectors it is moved
    rows     row k holds the slot of the k-th neighbour of every atom, or the atom's own slot

A loop over rows sees one neighbour of all atoms at a time, as arrays that stay in the cache. Atoms
are in the order of their cells there, because who is near in space is then near in memory.
"""

from dataclasses import dataclass, replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from tutor.graph import Graph
from tutor.md.layout import Layout
from tutor.md.search import neighbors_as_bits, rows_of_bits, take
from tutor.pytree import pytree

FAR = 1e6  # Å; where there is no atom


@pytree(static=("layout",))
@dataclass(frozen=True, eq=False)
class Table:
    """Neighbours at one moment. Made by `build`.

    Attributes:
        rows: slots of neighbours; atoms are in the order of their cells.
        order: which atom is in each column of `rows`.
        rank: in which column each atom is.
        own: the slot of the atom in each column.
        atom: which atom is in each slot.
        shift: by how many cell vectors it is moved to get there.
        used: how many rows are in use.
        needed: occupancy, rows, and three layers that suffice: more than the layout has where the
            table is not complete.
    """

    rows: Int[Array, "rows atoms"]
    order: Int[Array, "atoms"]
    rank: Int[Array, "atoms"]
    own: Int[Array, "atoms"]
    atom: Int[Array, "slots"]
    shift: Int[Array, "slots 3"]
    used: Int[Array, ""]
    needed: Int[Array, "5"]
    layout: Layout

    @property
    def complete(self) -> Bool[Array, ""]:
        """Whether all neighbours found a place."""
        room = (self.layout.occupancy, self.layout.rows, *self.layout.layers)
        return (self.needed <= jnp.array(room)).all()

    def images(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"]
    ) -> Float[Array, "slots 3"]:
        """Where the atoms in all slots are, in Å."""
        shift = self.shift.astype(positions.dtype)
        return take(positions, self.atom) + sum(shift[:, a, None] * cell[a] for a in range(3))

    def graph(
        self,
        positions: Float[Array, "atoms 3"],
        cell: Float[Array, "3 3"],
        species: Int[Array, "atoms"],
        cutoff: float,
    ) -> Graph:
        """The graph of atoms at other positions, with all neighbours nearer than `cutoff`."""
        slots = self.rows.T[self.rank]
        own = self.own[self.rank][:, None]
        images = self.images(positions, cell)
        graph = Graph(
            r_ij=images[slots] - images[own],
            shift=self.shift[slots] - self.shift[own],
            neighbor=self.atom[slots],
            mask=slots != own,
            species=species,
            structure=jnp.zeros(len(species), jnp.int32),
            cell=cell[None],
            cutoff=cutoff,
        )
        return graph.within(cutoff)


@partial(jax.jit, static_argnames=("pbc", "layout"))
def build(
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"],
    pbc: tuple[bool, bool, bool],
    reach: float | Float[Array, ""],
    layout: Layout,
) -> Table:
    """All pairs of atoms nearer than `reach`, in Å.

    Args:
        cell: three vectors that span space, as `layout.complete_cell` gives them.
    """
    inverse = inverse_of(cell)
    fractional = positions @ inverse
    wrap = jnp.where(jnp.array(pbc), jnp.floor(fractional), 0)
    span = reach * jnp.sqrt((inverse**2).sum(axis=0))  # in units of the cell vectors
    key = _cell_of(fractional - wrap, span, pbc, layout)

    columns = jnp.arange(len(positions), dtype=jnp.int32)
    order = jnp.argsort(key, stable=True).astype(jnp.int32)
    rank = jnp.zeros_like(order).at[order].set(columns, unique_indices=True)
    key = key[order]
    cells = int(np.prod(layout.cells))
    first = jnp.searchsorted(key, jnp.arange(cells + 1)).astype(jnp.int32)
    fullest = (first[1:] - first[:-1]).max()
    place = jnp.minimum(columns - first[key], layout.occupancy - 1)  # within the cell

    home, image, exists, inner = map(jnp.asarray, _images_of_cells(layout, pbc))
    candidate = first[home][:, None] + jnp.arange(layout.occupancy, dtype=jnp.int32)
    filled = (candidate < first[home + 1][:, None]) & exists[:, None]
    atom = order[jnp.where(filled, candidate, 0)].reshape(-1)
    shift = jnp.repeat(image, layout.occupancy, axis=0) - wrap.astype(jnp.int32)[atom]
    own = inner[key] * layout.occupancy + place

    table = Table(
        rows=jnp.zeros((0, len(positions)), jnp.int32),
        order=order,
        rank=rank,
        own=own,
        atom=atom,
        shift=shift,
        used=jnp.int32(0),
        needed=jnp.zeros(5, jnp.int32),
        layout=layout,
    )
    points = jnp.where(filled.reshape(-1, 1), table.images(positions, cell), FAR)
    bits = neighbors_as_bits(points, reach, fullest, layout)[:, place * cells + key]
    rows, used = rows_of_bits(bits, own - place, own, layout)
    layers = jnp.where(jnp.array(pbc), jnp.ceil(span * jnp.array(layout.cells) - 1e-6), 0)
    needed = jnp.concatenate([jnp.stack([fullest, used]), layers.astype(jnp.int32)])
    return replace(table, rows=rows, used=jnp.minimum(used, layout.rows), needed=needed)


def valid(
    searched: tuple[Float[Array, "atoms 3"], Float[Array, "3 3"]],
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"],
    cutoff: float,
    skin: float | Float[Array, ""],
) -> Bool[Array, ""]:
    """Whether nobody new can have come within the cutoff since neighbours were searched.

    Where the cell was strained by M, and atoms moved by u besides following it, those that were
    cutoff + skin apart are still at least σ (cutoff + skin) − 2 max |u| apart, with the smallest
    singular value σ ≥ 1 − |M − 1| of M. False where a position is not a number.

    Args:
        searched: positions and cell at that time.
    """
    before, before_cell = searched
    strain = inverse_of(before_cell) @ cell - jnp.eye(3, dtype=cell.dtype)
    moved = positions - before - before @ strain
    room = (1 - jnp.sqrt((strain**2).sum())) * (cutoff + skin) - cutoff
    return 4 * (moved**2).sum(axis=1).max() < jnp.maximum(room, 0.0) ** 2


def inverse_of(cell: Float[Array, "3 3"]) -> Float[Array, "3 3"]:
    """The inverse as cross products: a few operations instead of a call to LAPACK."""
    normals = jnp.cross(jnp.roll(cell, -1, axis=0), jnp.roll(cell, -2, axis=0))
    return normals.T / (cell[0] * normals[0]).sum()


def _cell_of(fractional, span, pbc, layout):
    """The number of the cell in which each atom is. Where not periodic, cells cover all atoms."""
    periodic, cells = jnp.array(pbc), jnp.array(layout.cells)
    low, high = fractional.min(axis=0), fractional.max(axis=0)
    low = jnp.where(periodic, 0, low)
    width = jnp.where(periodic, 1 / cells, jnp.maximum(span, (high - low) / cells))
    i, j, k = jnp.clip(((fractional - low) / width).astype(jnp.int32), 0, cells - 1).T
    return (i * layout.cells[1] + j) * layout.cells[2] + k


@lru_cache
def _images_of_cells(layout, pbc):
    """For all cells and those in the layers around them: which cell it is an image of, by how many
    cell vectors it is moved, and whether it exists; and where the cells themselves are."""
    sizes = zip(layout.cells, layout.layers, strict=True)
    axes = np.meshgrid(*(np.arange(-m, n + m) for n, m in sizes), indexing="ij")
    image, home = np.divmod(np.stack(axes, axis=-1).reshape(-1, 3), layout.cells)
    home = np.ravel_multi_index(home.T, layout.cells).astype(np.int32)
    exists = (np.array(pbc) | (image == 0)).all(axis=1)
    inner = np.flatnonzero((image == 0).all(axis=1)).astype(np.int32)
    return home, image.astype(np.int32), exists, inner
