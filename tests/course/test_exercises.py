"""Every exercise of every day: its reference, other right answers, its stub, planted mistakes."""

import contextlib
import functools
import importlib.util
import sys
from pathlib import Path

import jax
import jupytext
import numpy as np
import pytest

from tutor.exercises import Status, exercises, verify
from tutor.exercises.registry import find

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = sorted((ROOT / "tests/course/answers").glob("day*.py"))
sys.path.insert(0, str(Path(__file__).parent))

from prove import prove  # noqa: E402


def load(path):
    spec = importlib.util.spec_from_file_location(f"loaded_{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def definitions(source):
    """For every exercise id, what its cell defines last, run alone."""
    found = {}
    for cell in jupytext.read(source).cells:
        exercise = cell.metadata.get("tutor", {}).get("exercise")
        if exercise:
            names = {"np": np, "jax": jax}
            before = set(names)
            exec(compile(cell.source, f"{source.name}: {exercise}", "exec"), names)
            new = [name for name in names if name not in before and name != "__builtins__"]
            found[exercise] = (new[-1], names[new[-1]])
    return found


DAYS = {path.stem: path for path in ANSWERS}
PROOFS = {day: load(path).PROOFS for day, path in DAYS.items()}
CASES = [(day, exercise) for day, proofs in PROOFS.items() for exercise in proofs]


def sources(day):
    (lesson,) = (ROOT / "lessons").glob(f"{day}_*.py")
    return lesson, ROOT / "solutions" / lesson.name


@pytest.mark.parametrize("day", DAYS)
def test_every_exercise_has_its_proof(day):
    assert [exercise.id for exercise in exercises(int(day[3:]))] == list(PROOFS[day])


@pytest.mark.parametrize(("day", "exercise"), CASES)
def test_exercise(day, exercise):
    lesson, solution = sources(day)
    name, stub = definitions(lesson)[exercise]
    prove(exercise, getattr(load(solution), name), stub=stub, **PROOFS[day][exercise])


def _key(value):
    """What tells one input from another; functions are all alike."""
    if callable(value):
        return "a function"
    leaves, tree = jax.tree.flatten(value)
    return str(tree), *((np.shape(x), np.asarray(x).tobytes()) for x in leaves)


@pytest.mark.parametrize(("day", "exercise"), [(d, e) for d, e in CASES if find(e).kind == "code"])
def test_who_knows_the_visible_inputs_by_heart_fails_on_others(day, exercise):
    _, solution = sources(day)
    reference = getattr(load(solution), definitions(sources(day)[0])[exercise][0])
    known = {}

    @functools.wraps(reference)
    def learning(*args, **kwargs):
        value = reference(*args, **kwargs)
        with contextlib.suppress(jax.errors.TracerArrayConversionError):
            known[_key((args, kwargs))] = value
        return value

    @functools.wraps(reference)
    def parrot(*args, **kwargs):
        return known[_key((args, kwargs))]

    assert verify(exercise, learning).status is Status.RIGHT
    if set(known) != {_key(((), {}))}:  # a function without inputs is a question like any other
        assert verify(exercise, parrot, seed=1).status is Status.WRONG


def test_every_kind_is_there():
    for day in DAYS:
        kinds = {exercise.kind for exercise in exercises(int(day[3:]))}
        assert kinds == {"code", "number", "choice", "written"}, day
