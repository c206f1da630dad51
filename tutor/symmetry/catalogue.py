"""All laws by name, and how much of a check each gets."""

from dataclasses import dataclass
from numbers import Real

from tutor.symmetry.conduct import (
    BATCHING,
    EXTENSIVITY,
    PRECISION,
    REPETITION,
    SIZE_CONSISTENCY,
    TIME_REVERSAL,
)
from tutor.symmetry.cutoff import smoothness
from tutor.symmetry.derivatives import FORCES, LOOP_WORK, STRESS
from tutor.symmetry.laws import Law
from tutor.symmetry.transformations import GEOMETRY, LABELS, LATTICE


@dataclass(frozen=True)
class Entry:
    """A law and where it is tried.

    Attributes:
        law: the law.
        part: the fraction of all trials that it gets.
        scales: whether at every scale of the input, or only at the natural one.
        dtypes: whether at every precision, or only at the finest.
    """

    law: Law
    part: float = 1 / 6
    scales: bool = False
    dtypes: bool = False


def catalogue(cutoff: Real | None = None) -> list[Entry]:
    """Every law, in the order in which a report lists them."""
    shapes = [Entry(law, 1.0, True, True) for law in (*GEOMETRY, *LABELS, *LATTICE)]
    return [
        *shapes,
        Entry(EXTENSIVITY),
        Entry(SIZE_CONSISTENCY),
        Entry(BATCHING, dtypes=True),
        Entry(FORCES),
        Entry(LOOP_WORK),
        Entry(STRESS),
        Entry(smoothness(cutoff)),
        Entry(TIME_REVERSAL, 1.0, True, True),
        Entry(PRECISION),
        Entry(REPETITION, dtypes=True),
    ]


OWN = {  # laws that every call is held to, and that need no case of their own
    "input kept": (
        "the map leaves the arrays it was given as they were",
        "an in-place operation such as x += dx on an argument",
    ),
    "finite": (
        "a sound structure gives finite numbers",
        "a division by zero, a norm or a square root at zero, or an overflow",
    ),
    "dependence": (
        "the output depends on the structure at all",
        "all weights or starting values are zero, or a result is never used",
    ),
}


def names() -> list[str]:
    """The names of all laws."""
    return [entry.law.name for entry in catalogue()] + list(OWN)


def law(name: str, cutoff: Real | None = None) -> Law:
    """The law with this name.

    Raises:
        KeyError: if there is none; the message names them all.
    """
    for entry in catalogue(cutoff):
        if entry.law.name == name:
            return entry.law
    raise KeyError(f"no law {name!r} that could be replayed; there are {', '.join(names())}")


def chosen(wanted, cutoff: Real | None) -> list[Entry]:
    """The entries with these names; all if none is named.

    Raises:
        ValueError: if a name is not one of a law.
    """
    if wanted is None:
        return catalogue(cutoff)
    if unknown := [name for name in wanted if name not in names()]:
        raise ValueError(f"no law {', '.join(map(repr, unknown))}; there are {', '.join(names())}")
    return [entry for entry in catalogue(cutoff) if entry.law.name in wanted]
