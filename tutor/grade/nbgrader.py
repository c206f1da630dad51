"""Into a course of nbgrader 0.9 and back, for instructors who mark in its formgrader.

nbgrader stores and shows; it runs nothing, because its own autograding gives a submission the
rights of whoever grades. `source/` gets the lesson, and every learner a notebook in `autograded/`
with the cells of the lesson that nbgrader knows: the verdict of each check, and the written answers
with their rubric.
"""

import json
import os
import sys
import warnings
from pathlib import Path

from tutor.exercises.graded import answer_id, answer_metadata, check_metadata, graded_id
from tutor.exercises.registry import Exercise, find
from tutor.grade.judge import Mark
from tutor.grade.report import Marks, by_hand
from tutor.grade.results import Result, Settings, file_stem, write
from tutor.grade.written import Answer, ByHand, overruled

CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "tutor"
c.ClearSolutions.enabled = False  # the lessons hold stubs: `generate_assignment` keeps them
"""


def open_gradebook(course: Path):
    """The gradebook of a course folder, which is made where it is missing.

    Raises:
        ModuleNotFoundError: nbgrader is not installed.
    """
    try:
        from nbgrader.api import Gradebook
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "nbgrader is not installed: pip install 'nnp-tutor[grade]', or grade without --nbgrader"
        ) from None
    beside = str(Path(sys.executable).parent)  # nbgrader calls `alembic` by its bare name
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])
    course.mkdir(parents=True, exist_ok=True)
    if not (course / "nbgrader_config.py").exists():
        write(course / "nbgrader_config.py", CONFIG)
    return Gradebook(f"sqlite:///{course.resolve() / 'gradebook.db'}")


def marks_in(course: Path) -> dict[str, ByHand]:
    """What people gave in formgrader: for a written answer by its key, else for the exercise."""
    found = {}
    with open_gradebook(course) as book:
        for submission in book.db.query(_tables().SubmittedNotebook).all():
            remarks = {c.name: c.manual_comment for c in submission.comments if c.manual_comment}
            grades = {grade.name: grade for grade in submission.grades}
            for key, exercise in _keys(course, submission).items():
                grade = grades.get(graded_id(exercise))
                if grade is not None and grade.manual_score is not None:
                    given = grade.manual_score + (grade.extra_credit or 0.0)
                    found[key] = ByHand(given, remarks.get(answer_id(exercise), ""))
    return found


def export(course: Path, settings: Settings, results: list[Result], marks: Marks) -> None:
    """Writes assignments, learners, verdicts and marks into the course folder."""
    from tutor.start import find_day

    with warnings.catch_warnings(), open_gradebook(course) as book:
        warnings.simplefilter("ignore")  # of its own use of SQLAlchemy
        for day in settings.days:
            assignment, notebook = f"day{day:02d}", find_day(str(day)).stem
            book.update_or_create_assignment(assignment)
            book.update_or_create_notebook(notebook, assignment)
            lesson = find_day(str(day)).read_text("utf-8")
            _put(course / "source" / assignment / f"{notebook}.ipynb", lesson)
            for cell in json.loads(lesson)["cells"]:
                if "nbgrader" in cell["metadata"]:
                    _register(book, cell, (notebook, assignment))
            for result in results:
                student = file_stem(result.learner)
                book.update_or_create_student(student, first_name=result.learner)
                book.update_or_create_submission(assignment, student)
                of_day = [m for m in result.marks if find(m.id).day == day]
                for mark in of_day:
                    place = (notebook, assignment, student)
                    _record(book, place, mark, by_hand(result, mark, marks))
                _put(
                    course / "autograded" / student / assignment / f"{notebook}.ipynb",
                    _notebook([cell for mark in of_day for cell in _shown(result, mark)]),
                )
        book.db.commit()


def _register(book, cell: dict, place: tuple) -> None:
    """What `nbgrader generate_assignment` would note of a cell."""
    about, kind = cell["metadata"]["nbgrader"], cell["cell_type"]
    place = (about["grade_id"], *place)
    if about["grade"]:
        book.update_or_create_grade_cell(*place, max_score=about["points"], cell_type=kind)
    if about["solution"]:
        book.update_or_create_solution_cell(*place)
    source = {"source": "".join(cell["source"]), "locked": about["locked"], "cell_type": kind}
    book.update_or_create_source_cell(*place, **source)


def _record(book, place: tuple, mark: Mark, given: ByHand | None) -> None:
    exercise = find(mark.id)
    grade = book.find_grade(graded_id(exercise), *place)
    comment = book.find_comment(answer_id(exercise), *place)
    by_person = mark.status == "recorded"
    grade.auto_score = None if by_person else mark.points
    grade.manual_score = given.points if given else None
    grade.extra_credit = None
    grade.needs_manual_grade = by_person and given is None
    comment.auto_comment = None if by_person else ": ".join(filter(None, [mark.law, mark.message]))
    comment.manual_comment = given.comment if given else None


def _shown(result: Result, mark: Mark) -> list[dict]:
    """The cells of one exercise: a written answer with its rubric, or a check and its verdict."""
    exercise = find(mark.id)
    title = f"{mark.id} {exercise.title}"
    if exercise.kind == "written":
        rubric = "".join(f"\n- {line}" for line in exercise.rubric)
        said = (mark.answer or _verdict(mark)).strip().splitlines()
        quoted = "\n".join(f"    {line}" for line in said)  # shown as it stands
        text = f"### {title}\n{rubric}\n\n{quoted}\n"
        key = Answer(result.learner, mark.id, mark.answer, mark.out_of).key
        key = key if mark.status == "recorded" else overruled(result.learner, mark.id)
        return [_cell("markdown", text, answer_metadata(exercise), mark.id, key)]
    key, verdict = overruled(result.learner, mark.id), _verdict(mark)
    output = {"output_type": "stream", "name": "stdout", "text": f"{verdict}\n"}
    return [
        _cell("code", f"# {title}", answer_metadata(exercise)),
        _cell("code", f'check("{mark.id}", …)', check_metadata(exercise), mark.id, key)
        | {"outputs": [output]},
    ]


def _verdict(mark: Mark) -> str:
    return ": ".join(filter(None, [mark.status, mark.law, mark.message]))


def _cell(kind: str, text: str, nbgrader: dict, exercise: str = "", key: str = "") -> dict:
    """A cell that may keep the key under which the mark of an exercise comes back."""
    own = {"graded": exercise, "key": key} if key else {}
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": nbgrader["grade_id"], "source": text, **code,
            "metadata": {"nbgrader": nbgrader | {"cell_type": kind}, "tutor": own}}  # fmt: skip


def _notebook(cells: list[dict]) -> str:
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return json.dumps(notebook, indent=1)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, text)


def _keys(course: Path, submission) -> dict[str, Exercise]:
    """The keys of the marks in a notebook that we have written, and what each is for."""
    student, assignment = submission.student.id, submission.assignment.name
    path = course / "autograded" / student / assignment / f"{submission.name}.ipynb"
    if not path.is_file():
        return {}
    own = [c["metadata"].get("tutor", {}) for c in json.loads(path.read_text("utf-8"))["cells"]]
    return {mark["key"]: find(mark["graded"]) for mark in own if mark.get("key")}


def _tables():
    from nbgrader import api

    return api
