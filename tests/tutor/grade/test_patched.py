"""Notebooks that make themselves right: what they say of themselves counts for nothing."""

import json

import pytest

from tests.tutor.grade.classroom import DISTANCES, LIMITS, NUMPY, notebook
from tutor.grade.run import grade

WRONG = DISTANCES.replace("k=1", "k=0").replace("    i, j", "    assert patched\n    i, j", 1)
RIGHT = "    return Verdict(Status.RIGHT, id='1.7', title='', points=2, out_of=2)"
PATCHES = {  # each is made before the answer runs, for the answer needs `patched`
    "its own check": "def check(*_): print('✓ right')\npatched = check",
    "tutor.check": """\
import tutor, tutor.exercises
def patch():
    tutor.check = tutor.exercises.check = lambda *_: print('✓ right')
    return True
patched = patch()
from tutor import check""",
    "the engine": f"""\
import tutor.exercises.engine as engine, tutor.exercises.session as session
from tutor.exercises.verdict import Status, Verdict
def verdict(*_, **__):
{RIGHT}
def patch():
    session.verify = engine.verify = verdict
    return True
patched = patch()""",
    "the registry": """\
import tutor.exercises.registry as registry
from dataclasses import replace
def patch():
    find = registry.find
    registry.find = lambda key: replace(find(key), judge=lambda *_: "", points=99)
    return True
patched = patch()""",
    "the verdict": """\
import tutor.exercises.verdict as verdict
def patch():
    verdict.Verdict.__init__ = lambda self, *_, **__: None
    verdict.Verdict.status, verdict.Verdict.points = verdict.Status.RIGHT, 99
    return True
patched = patch()""",
}
CLAIM = {"output_type": "stream", "name": "stdout", "text": "✓ right 1.7 2 points"}


@pytest.fixture(scope="module")
def marks(tmp_path_factory, protection):
    """Of the exercise 1.7, by the patch."""
    base = tmp_path_factory.mktemp("class")
    for patch, source in PATCHES.items():
        written = json.loads(
            notebook(NUMPY, source, ("1.7", WRONG), 'check("1.7", pair_distances)')
        )
        written["cells"][-1]["outputs"] = [CLAIM]
        written["cells"][-1]["metadata"]["nbgrader"] = {"grade_id": "check-1-7", "points": 99.0}
        folder = base / "in" / patch
        folder.mkdir(parents=True)
        (folder / "day01.ipynb").write_text(json.dumps(written))
    _, results = grade(base / "in", base / "out", protection, limits=LIMITS)
    return {r.learner: next(m for m in r.marks if m.id == "1.7") for r in results}


@pytest.mark.parametrize("patch", PATCHES)
def test_a_notebook_that_patches_its_check_is_wrong_all_the_same(marks, patch):
    mark = marks[patch]
    assert (mark.status, mark.points, mark.out_of) == ("wrong", 0.0, 2.0)
    assert mark.law.startswith("one distance for each pair")
    assert "every atom to itself" in mark.message
