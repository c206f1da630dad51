"""The built lessons say to nbgrader what is an answer, what checks it, and what earns points."""

import re
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from tutor.exercises.graded import answer_id, check_id
from tutor.exercises.registry import exercises

ROOT = Path(__file__).resolve().parents[2]
BUILT = sorted(ROOT.glob("course/*/day*.ipynb"))
# Of nbgrader/nbgraderformat/v3.json, version 0.9.6: these, and no other key.
SCHEMA = {"schema_version": int, "grade": bool, "locked": bool, "solution": bool, "task": bool,
          "grade_id": str, "points": float}  # fmt: skip


def marked(path):
    """Grade id to metadata and source, in order."""
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if about := cell.metadata.get("nbgrader"):
            assert about.grade_id not in found
            found[about.grade_id] = (about, cell.source)
    return found


@pytest.mark.parametrize("path", BUILT, ids=lambda p: f"{p.parent.name}-{p.stem[:5]}")
def test_every_exercise_has_an_answer_and_a_check(path):
    cells, of_day = marked(path), exercises(int(path.stem[3:5]))
    assert {*cells} == {i for e in of_day for i in (answer_id(e), check_id(e))}
    for exercise in of_day:
        (answer, _), (check, source) = cells[answer_id(exercise)], cells[check_id(exercise)]
        assert (answer.solution, answer.locked) == (True, False)
        assert (check.solution, check.locked) == (False, True)
        by_person = exercise.kind == "written"
        assert (answer.grade, check.grade) == (by_person, not by_person)
        assert (answer if by_person else check).points == exercise.points
        assert f'check("{exercise.id}"' in source


@pytest.mark.parametrize("path", BUILT, ids=lambda p: f"{p.parent.name}-{p.stem[:5]}")
def test_the_metadata_is_of_nbgrader_s_schema(path):
    for about, _ in marked(path).values():
        assert {*about} - {"points"} == {*SCHEMA} - {"points"}
        assert ("points" in about) == about.grade
        assert all(type(value) is SCHEMA[key] for key, value in about.items())
        assert about.schema_version == 3
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", about.grade_id)


@pytest.mark.skipif(find_spec("nbgrader") is None, reason="nbgrader is an extra")
@pytest.mark.filterwarnings("ignore")  # its own, of its own packages
@pytest.mark.parametrize("path", BUILT, ids=lambda p: f"{p.parent.name}-{p.stem[:5]}")
def test_nbgrader_s_own_validator_agrees(path):
    from nbgrader.nbgraderformat import read
    from nbgrader.nbgraderformat.v3 import MetadataValidatorV3

    MetadataValidatorV3().validate_nb(read(path, as_version=4))
