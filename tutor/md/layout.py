"""How large a neighbour table must be. Decided on the host, because jit must know sizes."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

BLOCK = 8  # the occupancy is a multiple of it
FEWEST = 4  # atoms per cell on average; smaller cells would be mostly empty


class Layout(NamedTuple):
    """The sizes of a table.

    Attributes:
        cells: into how many cells each direction is cut.
        layers: how many layers of cells lie on either side: images, or empty where not periodic.
        occupancy: slots per cell.
        rows: neighbours per atom.
    """

    cells: tuple[int, int, int]
    layers: tuple[int, int, int]
    occupancy: int
    rows: int

    def holds(self, needed: Int[np.ndarray, "5"]) -> bool:
        """Whether a table of these sizes is complete that needs so much (`Table.needed`)."""
        return bool((needed <= (self.occupancy, self.rows, *self.layers)).all())

    def fitted(self, needed: Int[np.ndarray, "5"]) -> "Layout":
        """With room for what was `needed` and a fifth more, because atoms move."""
        occupancy, rows = (int(1.2 * n) for n in needed[:2])
        return self._replace(occupancy=_blocks(occupancy + 1), rows=rows + 4)

    def array(self) -> Int[np.ndarray, "8"]:
        """As numbers, to be kept with the state of a run."""
        return np.array([*self.cells, *self.layers, self.occupancy, self.rows], np.int32)

    @classmethod
    def of_array(cls, numbers: Int[np.ndarray, "8"]) -> "Layout":
        """The inverse of `array`."""
        x = [int(n) for n in numbers]
        return cls(tuple(x[:3]), tuple(x[3:6]), x[6], x[7])


def layout(
    positions: Float[np.ndarray, "atoms 3"],
    cell: Float[np.ndarray, "3 3"],
    pbc: tuple[bool, bool, bool],
    reach: float,
) -> Layout:
    """Cells for neighbours within `reach`, in Å, and a guess of the rest for atoms everywhere."""
    inverse = np.linalg.inv(cell)
    span = reach * np.sqrt((inverse**2).sum(axis=0))
    extent = np.where(pbc, 1.0, np.maximum(np.ptp(positions @ inverse, axis=0), span))
    cells = np.maximum((extent / span + 1e-9).astype(int), 1)
    while cells.prod() > max(len(positions) / FEWEST, 1):
        cells[np.argmax(cells)] -= 1
    layers = np.where(pbc, np.ceil(span * cells - 1e-6), cells > 1).astype(int)
    crowd = len(positions) / cells.prod()
    rows = crowd * 4.2 * (span * cells / extent).prod()  # in a sphere inside of a cell
    sizes = tuple(cells.tolist()), tuple(layers.tolist())
    return Layout(*sizes, occupancy=_blocks(1.5 * crowd + 4), rows=int(1.5 * rows) + 8)


def _blocks(count: float | int) -> int:
    return int(-(-count // BLOCK)) * BLOCK


def complete_cell(
    cell: Float[np.ndarray, "3 3"], pbc: Bool[np.ndarray, "3"]
) -> Float[np.ndarray, "3 3"]:
    """The periodic cell vectors, and for other directions unit vectors at right angles to them."""
    full = np.where(np.asarray(pbc)[:, None], cell, 0.0)
    _, sizes, axes = np.linalg.svd(full[list(pbc)].reshape(-1, 3))
    full[~np.asarray(pbc)] = axes[len(sizes) :]
    return full
