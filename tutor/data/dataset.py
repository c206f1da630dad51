"""One container for every set: structures of any size, their labels, and what the numbers mean."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int, Shaped

from tutor.models.composition import count_elements
from tutor.system import System

_SYMBOLS = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F", 18: "Ar"}


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Structures with labels. Arrays are read-only: copy one before you change it.

    `data[3]` is a System without padding; `data[100:200]`, `data[mask]` and `data[indices]` are
    Datasets again, and `data.split("train")` is one.

    Attributes:
        name: what it was loaded as.
        numbers: atomic numbers, shape (structures, atoms), where 0 is padding.
        positions: in Å, shape (structures, atoms, 3).
        energy: in eV, shape (structures,).
        forces: in eV/Å, shape (structures, atoms, 3), or None.
        dipole: in e·Å, shape (structures, 3), or None.
        cell: cell vectors in Å, as rows, shape (structures, 3, 3), or None. The structures are
            periodic in the direction of every vector that is not zero.
        stress: in eV/Å³, positive under tension, shape (structures, 3, 3), or None.
        properties: what else is known of each structure, by name.
        units: the unit of every field and property that has one.
        splits: for each part, the indices of its structures. Where the structures are independent
            the order is random, so that `split("train")[:100]` is a fair sample.
    """

    name: str
    numbers: Int[np.ndarray, "structures atoms"]
    positions: Float[np.ndarray, "structures atoms 3"]
    energy: Float[np.ndarray, "structures"]
    forces: Float[np.ndarray, "structures atoms 3"] | None = None
    dipole: Float[np.ndarray, "structures 3"] | None = None
    cell: Float[np.ndarray, "structures 3 3"] | None = None
    stress: Float[np.ndarray, "structures 3 3"] | None = None
    properties: Mapping[str, Shaped[np.ndarray, "structures ..."]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, Int[np.ndarray, "_"]] = field(default_factory=dict)

    def __post_init__(self):
        for key, value in self.arrays().items():
            if len(value) != len(self.numbers):
                raise ValueError(
                    f"{key} has {len(value)} rows for {len(self.numbers)} structures: "
                    "give one row per structure"
                )
            if key not in self.properties:
                object.__setattr__(self, key, _read_only(value))
        for group in ("properties", "splits"):
            frozen = {key: _read_only(value) for key, value in getattr(self, group).items()}
            object.__setattr__(self, group, MappingProxyType(frozen))
        object.__setattr__(self, "units", MappingProxyType(dict(self.units)))

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array with one row per structure, by name: the fields first, then properties."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        present = {k: v for k, v in own.items() if isinstance(v, np.ndarray)}
        return present | dict(self.properties)

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index) -> "System | Dataset":
        if isinstance(index, int | np.integer):
            real = self.numbers[index] > 0
            numbers, positions = self.numbers[index][real], self.positions[index][real]
            if self.cell is None:
                return System(numbers, positions)
            return System(numbers, positions, self.cell[index], self.cell[index].any(axis=1))
        kept = np.arange(len(self))[index]
        part = {key: value[kept] for key, value in self.arrays().items()}
        properties = {key: part.pop(key) for key in self.properties}
        splits = {name: _follow(members, kept) for name, members in self.splits.items()}
        splits = {name: members for name, members in splits.items() if len(members)}
        return replace(self, **part, properties=properties, splits=splits)

    def split(self, name: str) -> "Dataset":
        """The structures of one part, in the order of `splits[name]`.

        Raises:
            ValueError: for a part that there is not.
        """
        if name not in self.splits:
            known = ", ".join(f'"{s}"' for s in self.splits) or "none"
            raise ValueError(f'{self.name} has no split "{name}"; its splits: {known}')
        return self[self.splits[name]]

    def counts(
        self, elements: tuple[int, ...] | None = None
    ) -> tuple[Int[np.ndarray, "structures elements"], tuple[int, ...]]:
        """How many atoms of each element every structure has, and the elements (atomic numbers).

        Give `elements` where several parts must have the same columns.
        """
        if elements is None:
            elements = tuple(int(z) for z in np.unique(self.numbers[self.numbers > 0]))
        return count_elements(self.numbers, elements), elements

    def __repr__(self) -> str:
        sizes = np.unique((self.numbers > 0).sum(axis=1)).tolist() or [0]
        size = f"{sizes[0]} to {sizes[-1]} atoms" if len(sizes) > 1 else f"{sizes[0]} atoms"
        alike = len(np.unique(np.sort(self.numbers), axis=0)) == 1
        formula = f", {_formula(self.numbers[0])}" if alike else ""
        unit = {key: f" [{self.units[key]}]" if key in self.units else "" for key in self.arrays()}
        lines = [
            f'Dataset "{self.name}": {len(self)} structures of {size}{formula}',
            "  " + ", ".join(key + unit[key] for key in self.arrays()),
        ]
        if self.splits:
            parts = (f"{name} {len(members)}" for name, members in self.splits.items())
            lines.append("  splits: " + ", ".join(parts))
        return "\n".join(lines)


def _read_only(array):
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def _follow(members, kept):
    """Where the `members` of a split are after only `kept` remain, in the split's own order."""
    order = np.full(max(members.max(initial=-1), kept.max(initial=-1)) + 1, -1)
    order[members] = np.arange(len(members))
    here = np.flatnonzero(order[kept] >= 0)
    return here[np.argsort(order[kept][here], kind="stable")]


def _formula(numbers):
    """Hill's order: carbon, hydrogen, then the alphabet."""
    counts = Counter(_SYMBOLS.get(int(z), f"[{z}]") for z in numbers if z)
    order = sorted(counts, key=lambda s: {"C": "", "H": " "}.get(s, s))
    return "".join(s + (str(counts[s]) if counts[s] > 1 else "") for s in order)
