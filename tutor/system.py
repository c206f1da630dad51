"""One structure: which atoms, where, and in which cell."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int


def _no_cell():
    return np.zeros((3, 3))


def _not_periodic():
    return np.zeros(3, dtype=bool)


@dataclass(frozen=True, eq=False)
class System:
    """One structure as plain arrays.

    Attributes:
        numbers: atomic numbers, shape (atoms,).
        positions: Cartesian positions in Å, shape (atoms, 3).
        cell: the cell vectors in Å, as rows, shape (3, 3); zero where there is no cell.
        pbc: which of the three cell vectors are periodic, shape (3,).
    """

    numbers: Int[np.ndarray, "atoms"]
    positions: Float[np.ndarray, "atoms 3"]
    cell: Float[np.ndarray, "3 3"] = field(default_factory=_no_cell)
    pbc: Bool[np.ndarray, "3"] = field(default_factory=_not_periodic)

    def __len__(self) -> int:
        return len(self.numbers)
