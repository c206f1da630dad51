"""Which exercises there are: `tutor.exercises.dayNN` has N.1, N.2, ..., imported when asked for."""

import difflib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from numbers import Real

_ID = re.compile(r"(\d+)\.(\d+)")
_registered: dict[str, "Exercise"] = {}


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        id: day and number, "1.2".
        kind: "code", "number", "choice" or "written".
        hints: from a nudge to nearly the answer.
        judge: called with the attempt and a random generator; returns a closing remark, or raises
            `Broken` or `NotAttempted`.
        options: of a choice, the letter to why it is right or wrong.
        rubric: of a written answer, what earns which points.
    """

    id: str
    title: str
    kind: str
    points: Real
    hints: tuple[str, ...]
    judge: Callable
    options: Mapping[str, str] = field(default_factory=dict)
    rubric: tuple[str, ...] = ()

    @property
    def day(self) -> int:
        return int(self.id.partition(".")[0])

    @property
    def order(self) -> tuple[int, int]:
        day, number = self.id.split(".")
        return int(day), int(number)


class UnknownExerciseError(LookupError):
    """There is no exercise of this id."""


def register(exercise: Exercise) -> None:
    """Adds an exercise.

    Raises:
        ValueError: the id is not of the form "1.2", or another exercise has it.
    """
    if not _ID.fullmatch(exercise.id):
        raise ValueError(f'id={exercise.id!r}: an exercise id is "day.number", as in "1.2"')
    known = _registered.get(exercise.id)
    if known is not None and known.title != exercise.title:
        raise ValueError(f"id={exercise.id!r} is taken by {known.title!r}: choose another number")
    _registered[exercise.id] = exercise


def days() -> list[int]:
    """The days that have exercises."""
    rooms = pkgutil.iter_modules(import_module("tutor.exercises").__path__)
    return sorted(int(room.name[3:]) for room in rooms if re.fullmatch(r"day\d\d", room.name))


def exercises(day: int) -> list[Exercise]:
    """The exercises of one day, in order.

    Raises:
        UnknownExerciseError: the day has none.
    """
    if day in days():
        import_module(f"tutor.exercises.day{day:02d}")
    found = sorted((e for e in _registered.values() if e.day == day), key=lambda e: e.order)
    if not found:
        known = ", ".join(map(str, days())) or "none yet"
        raise UnknownExerciseError(f"day {day} has no exercises; days that have some: {known}")
    return found


def find(exercise_id: object) -> Exercise:
    """The exercise of this id.

    Raises:
        TypeError: the id is not a string.
        UnknownExerciseError: there is none; the message names the nearest.
    """
    if not isinstance(exercise_id, str):
        raise TypeError(f'the id is a string, as in "1.2" with quotes; got {exercise_id!r}')
    wanted = exercise_id.strip()
    match = _ID.fullmatch(wanted)
    if not match:
        raise UnknownExerciseError(f'no exercise {wanted!r}: an id is "day.number", as in "1.2"')
    of_the_day = {exercise.id: exercise for exercise in exercises(int(match[1]))}
    if wanted not in of_the_day:
        near = difflib.get_close_matches(wanted, of_the_day, n=3, cutoff=0.5) or list(of_the_day)
        raise UnknownExerciseError(
            f"no exercise {wanted!r}; did you mean {' or '.join(near)}?"
            f" Day {match[1]} has {', '.join(of_the_day)}"
        )
    return of_the_day[wanted]


@contextmanager
def throwaway() -> Iterator[None]:
    """Exercises registered within are forgotten afterwards: for tests and for trying things out."""
    kept = dict(_registered)
    try:
        yield
    finally:
        _registered.clear()
        _registered.update(kept)
