"""The solved notebooks, as submissions, get all points: every check works across the border."""

import json
from dataclasses import replace

import pytest
from classroom import ROOT

from tutor.exercises.registry import days, exercises
from tutor.grade.intake import read
from tutor.grade.judge import Session, mark, names, seeds
from tutor.grade.sandbox import Limits

LIMITS = replace(Limits(), seconds=120.0)  # an answer may wait for JAX on a busy machine


def solved(day):
    (path,) = (ROOT / "course/solved").glob(f"day{day:02d}_*.ipynb")
    return read(path.name, path.read_bytes())


@pytest.mark.parametrize("day", days())
def test_a_solved_notebook_gets_all_points(day, protection):
    wrong = []
    with Session(list(solved(day).cells), protection, LIMITS) as session:
        for exercise in exercises(day):
            found = mark(session, exercise, seed=7)
            done = "recorded" if exercise.kind == "written" else "right"
            if found.status != done:
                wrong.append((found.id, found.status, found.law, found.message))
    assert not wrong


@pytest.mark.parametrize("day", days())
def test_the_lessons_say_which_name_an_answer_has(day):
    (path,) = (ROOT / "course/notebooks").glob(f"day{day:02d}_*.ipynb")
    ids = [
        c["metadata"].get("tutor", {}).get("exercise")
        for c in json.loads(path.read_text())["cells"]
    ]
    assert {e.id for e in exercises(day)} == set(filter(None, ids)) <= names().keys()


def test_an_unsolved_notebook_gets_none(protection):
    (path,) = (ROOT / "course/notebooks").glob("day02_*.ipynb")
    with Session(list(read(path.name, path.read_bytes()).cells), protection, LIMITS) as session:
        found = [mark(session, exercise, seed=7).status for exercise in exercises(2)]
    assert set(found) == {"not attempted"}


def test_inputs_are_fresh_and_the_same_for_all():
    code, number = exercises(1)[0], exercises(1)[1]
    assert seeds(code, 1) == seeds(code, 1)
    assert seeds(code, 1)[0] == seeds(code, 2)[0] == 0
    assert not set(seeds(code, 1)[1:]) & set(seeds(code, 2)[1:])
    assert seeds(number, 1) == [0]
