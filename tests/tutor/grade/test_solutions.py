"""The solved notebooks, as submissions, get all points: every check works across the border."""

import json
from dataclasses import replace

import pytest

from tests.tutor.grade.classroom import ROOT
from tutor.exercises.registry import days, exercises, find
from tutor.grade import pool
from tutor.grade.intake import Submission, read
from tutor.grade.judge import names, seeds
from tutor.grade.results import Settings
from tutor.grade.sandbox import Limits

LIMITS = replace(Limits(), seconds=120.0, total=600.0)  # JAX is slow to start on a busy machine


@pytest.fixture(scope="module")
def graded(protection):
    """The marks of the solved and of an unsolved notebook, by day and by learner."""
    paths = {
        f"solved {day}": next((ROOT / "course/solved").glob(f"day{day:02d}_*")) for day in days()
    }
    paths["unsolved 2"] = next((ROOT / "course/notebooks").glob("day02_*"))
    submissions = [Submission(k, [read(p.name, p.read_bytes())]) for k, p in paths.items()]
    settings = Settings(tuple(days()), 7, protection.name, LIMITS)
    return {r.learner: r for r in pool.grade_all(submissions, settings, "", jobs=2)}


@pytest.mark.parametrize("day", days())
def test_a_solved_notebook_gets_all_points(day, graded):
    result = graded[f"solved {day}"]
    found = {m.id: (m.status, m.law, m.message) for m in result.marks if find(m.id).day == day}
    for exercise in exercises(day):
        done = "recorded" if exercise.kind == "written" else "right"
        assert found[exercise.id][0] == done, found[exercise.id]
    assert not result.troubles


def test_an_unsolved_notebook_gets_none(graded):
    assert {mark.status for mark in graded["unsolved 2"].marks} == {"not attempted"}
    assert graded["unsolved 2"].troubles == ("no exercise was attempted",)


@pytest.mark.parametrize("day", days())
def test_the_lessons_say_which_name_an_answer_has(day):
    (path,) = (ROOT / "course/notebooks").glob(f"day{day:02d}_*.ipynb")
    ids = [
        c["metadata"].get("tutor", {}).get("exercise")
        for c in json.loads(path.read_text())["cells"]
    ]
    assert {e.id for e in exercises(day)} == set(filter(None, ids)) <= names().keys()


def test_inputs_are_fresh_and_the_same_for_all():
    code, number = exercises(1)[0], exercises(1)[1]
    assert seeds(code, 1) == seeds(code, 1)
    assert seeds(code, 1)[0] == seeds(code, 2)[0] == 0
    assert not set(seeds(code, 1)[1:]) & set(seeds(code, 2)[1:])
    assert seeds(number, 1) == [0]
