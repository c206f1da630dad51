"""What `tutor.view` was given, as Systems that can be drawn."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from jaxtyping import Float

from tutor.system import System

MOST = 2000  # atoms; a browser turns more of them only with a stutter

_REMEDY = (
    "give a tutor.System, an ase.Atoms, a pair (numbers, positions) or, for frames, a list of them"
)


def read(structure: Any) -> tuple[list[System], bool]:
    """The frames of one structure, and whether they are several by nature (a list, a trajectory).

    Raises:
        TypeError, ValueError: `structure` is none of those that `tutor.view` takes.
    """
    if _is_pair(structure):
        numbers, positions = np.asarray(structure[0]), np.asarray(structure[1])
        if positions.ndim == 3:
            return [_drawable(_system(numbers, frame)) for frame in positions], True
        return [_drawable(_system(numbers, positions))], False
    if isinstance(structure, System | Atoms):
        return [_drawable(_single(structure))], False
    if isinstance(structure, str | bytes | np.ndarray) or not isinstance(structure, Iterable):
        raise TypeError(f"cannot view {_kind(structure)}: {_REMEDY}")
    frames = [_drawable(_single(frame)) for frame in structure]
    if not frames:
        raise ValueError("cannot view an empty sequence: it has no frames")
    return frames, True


def _is_pair(x: Any) -> bool:
    return (
        isinstance(x, tuple) and len(x) == 2 and not any(isinstance(y, System | Atoms) for y in x)
    )


def _single(x: Any) -> System:
    if isinstance(x, System):
        return x
    if isinstance(x, Atoms):
        return System(x.numbers, x.positions, np.array(x.cell), np.array(x.pbc))
    if _is_pair(x):
        return _system(np.asarray(x[0]), np.asarray(x[1]))
    raise TypeError(f"cannot view {_kind(x)}: {_REMEDY}")


def _kind(x: Any) -> str:
    shape = f" of shape {x.shape}" if isinstance(x, np.ndarray) else ""
    return f"a {type(x).__name__}{shape}"


def _system(numbers: np.ndarray, positions: np.ndarray) -> System:
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(
            f"numbers has shape {numbers.shape} and type {numbers.dtype}: "
            "give one atomic number, an integer, per atom"
        )
    count = len(numbers)
    if positions.shape != (count, 3):
        raise ValueError(
            f"positions has shape {positions.shape} for {count} atomic numbers: "
            f"give shape ({count}, 3), or (frames, {count}, 3) for a trajectory"
        )
    return System(numbers, positions.astype(float))


def _drawable(system: System) -> System:
    numbers, count = system.numbers, len(system)
    if not 0 < count <= MOST:
        raise ValueError(
            f"the structure has {count} atoms; 1 to {MOST} are drawn: "
            + ('view a part of it, or use backend="nglview"' if count else "it is empty")
        )
    if wrong := [int(z) for z in numbers if not 1 <= z <= 118]:
        raise ValueError(
            f"atomic number {wrong[0]} is no element; elements are 1 to 118: "
            "leave padding out, as in numbers[numbers > 0]"
        )
    for name, values in (("positions", system.positions), ("cell", system.cell)):
        if not np.isfinite(values).all():
            row = int(np.argwhere(~np.isfinite(values))[0][0])
            raise ValueError(
                f"{name}[{row}] is {values[row]}, which cannot be drawn: make it finite"
            )
    return system


def each(name: str, value: Any, count: int) -> list:
    """One `value` for each of `count` structures; None and labels="…" hold for all."""
    if count == 1:
        return [value]
    if value is None or (name == "labels" and isinstance(value, str)):
        return [value] * count
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != count:
        raise ValueError(
            f"{name} is {value!r:.60} for {count} structures: give a list, one entry for each"
        )
    return list(value)


def per_atom(
    name: str, value: Any, systems: Sequence[System], listed: bool, width: tuple[int, ...] = ()
) -> list[Float[np.ndarray, "atoms ..."]] | None:
    """Numbers for the atoms of every frame, each of shape (atoms, *width)."""
    if value is None:
        return None
    rows = list(value) if listed else [value]
    if len(rows) != len(systems):
        raise ValueError(
            f"{name} has {len(rows)} rows for {len(systems)} frames: give one per frame"
        )
    rows = [np.asarray(row, dtype=float) for row in rows]
    for n, (row, system) in enumerate(zip(rows, systems, strict=True)):
        where = f"{name}[{n}]" if listed else name
        if row.shape != (wanted := (len(system), *width)):
            raise ValueError(f"{where} has shape {row.shape}; the structure needs {wanted}")
        if not np.isfinite(row).all():
            atom = int(np.argwhere(~np.isfinite(row))[0][0])
            raise ValueError(f"{where}: atom {atom} has {row[atom]}, which cannot be drawn")
    return rows


def texts(labels: Any, systems: Sequence[System]) -> list[list[str]] | None:
    """The text on every atom of every frame: "elements", "indices", or one text per atom."""
    if labels is None:
        return None
    if isinstance(labels, str):
        if labels == "elements":
            return [[chemical_symbols[z] for z in system.numbers] for system in systems]
        if labels == "indices":
            return [[str(i) for i in range(len(system))] for system in systems]
        raise ValueError(f'labels is {labels!r}: give "elements", "indices" or one text per atom')
    given = [str(text) for text in labels]
    for system in systems:
        if len(given) != len(system):
            raise ValueError(
                f"labels has {len(given)} entries for {len(system)} atoms: give one text per atom"
            )
    return [given] * len(systems)
