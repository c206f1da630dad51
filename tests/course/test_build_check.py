"""`tutor build --check`: where the notebooks are not what the sources give."""

import json

from tutor.build import check

LEARNER, SOLVED = "course/notebooks/day99_toy.ipynb", "course/solved/day99_toy.ipynb"


def test_a_fresh_build_has_no_problems(course):
    assert check(None, course) == check(["day99"], course) == []


def edit(course, path, change):
    stored = json.loads((course / path).read_text())
    change(stored)
    (course / path).write_text(json.dumps(stored))


def replace(course, room, old, new):
    path = course / room / "day99_toy.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_check_names_the_cell_that_was_edited_by_hand(course):
    edit(course, LEARNER, lambda n: n["cells"][5].update(source=["x = 1"]))
    (problem,) = check(None, course)
    assert problem.startswith(f"{LEARNER}, cell day99-06 (`def double(x")
    assert "source is not what the sources give: `x = 1`" in problem
    assert problem.endswith("run `tutor build day99`")


def test_check_finds_edited_outputs_metadata_and_cells(course):
    edit(course, LEARNER, lambda n: n["cells"][6]["outputs"][0].update(text=["99.1 right"]))
    edit(course, SOLVED, lambda n: n["cells"].pop())
    problems = check(None, course)
    assert problems[0].startswith(f"{LEARNER}: outputs are not the ones that were built")
    assert problems[1].startswith(f"{SOLVED}, 9 cells, where the sources give 10")
    edit(course, LEARNER, lambda n: n["cells"][5]["metadata"].update(tags=["nbval-skip"]))
    assert "cell day99-06 (`def double(x" in check(None, course)[0]
    assert "metadata is not what the sources give" in check(None, course)[0]


def test_check_finds_notebooks_older_than_their_sources(course):
    replace(course, "lessons", "what is twice one", "what is twice two")
    learner, solved = check(None, course)
    assert f"{LEARNER}, cell day99-01 (`# Day 99: A toy`): source" in learner
    assert f"{SOLVED}, cell day99-01" in solved


def test_a_changed_answer_makes_only_the_solved_notebook_stale(course):
    replace(course, "solutions", "return 2 * x", "return x + x")
    (problem,) = check(None, course)
    assert f"{SOLVED}, cell day99-06 (`def _twice(x):`): source" in problem
    replace(course, "solutions", "return x + x", "return 2 * x")
    replace(course, "solutions", "2.5", "2.7")
    (problem,) = check(None, course)
    assert f"{SOLVED}, the sources have changed since it was built" in problem


def test_check_finds_what_is_missing_broken_or_left_over(course):
    (course / LEARNER).unlink()
    (course / SOLVED).write_text("{}")
    (course / "course/solved/day98_old.ipynb").write_text("{}")
    problems = check(None, course)
    assert problems[0].startswith(f"{LEARNER} is missing; run `tutor build day99`")
    assert problems[1].startswith(f"{SOLVED} is not a notebook built here")
    assert problems[2] == "course/solved/day98_old.ipynb belongs to no lesson; remove it"
