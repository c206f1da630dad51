"""Into a course of nbgrader 0.9 and back, for instructors who mark in its formgrader.

nbgrader stores and shows; it runs nothing, because its own autograding gives a submission the
rights of whoever grades. Every learner gets a notebook in `autograded/` with one cell for each
exercise: the verdict, or the written answer with its rubric.
"""

import json
import os
import sys
import warnings
from pathlib import Path

from tutor.exercises.registry import Exercise, exercises, find
from tutor.grade.judge import Mark
from tutor.grade.report import Marks, by_hand
from tutor.grade.results import Result, Settings, file_stem, write
from tutor.grade.written import Answer, ByHand, overruled

CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "tutor"\n'


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
            keys = _keys(course, submission)
            remarks = {c.name: c.manual_comment for c in submission.comments if c.manual_comment}
            for grade in submission.grades:
                if grade.manual_score is not None and grade.name in keys:
                    given = grade.manual_score + (grade.extra_credit or 0.0)
                    found[keys[grade.name]] = ByHand(given, remarks.get(grade.name, ""))
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
            for exercise in exercises(day):
                about = {"max_score": float(exercise.points), "cell_type": "markdown"}
                book.update_or_create_grade_cell(_cell(exercise.id), notebook, assignment, **about)
                book.update_or_create_solution_cell(_cell(exercise.id), notebook, assignment)
            _put(course / "source" / assignment / f"{notebook}.ipynb",
                 [_question(e) for e in exercises(day)])  # fmt: skip
            for result in results:
                student = file_stem(result.learner)
                book.update_or_create_student(student, first_name=result.learner)
                book.update_or_create_submission(assignment, student)
                of_day = [m for m in result.marks if find(m.id).day == day]
                for mark in of_day:
                    place = (_cell(mark.id), notebook, assignment, student)
                    _record(book, place, mark, by_hand(result, mark, marks))
                _put(course / "autograded" / student / assignment / f"{notebook}.ipynb",
                     [_shown(result, mark) for mark in of_day])  # fmt: skip
        book.db.commit()


def _record(book, place: tuple, mark: Mark, given: ByHand | None) -> None:
    grade, comment = book.find_grade(*place), book.find_comment(*place)
    by_person = mark.status == "recorded"
    grade.auto_score = None if by_person else mark.points
    grade.manual_score = given.points if given else None
    grade.extra_credit = None
    grade.needs_manual_grade = by_person and given is None
    comment.auto_comment = None if by_person else ": ".join(filter(None, [mark.law, mark.message]))
    comment.manual_comment = given.comment if given else None


def _shown(result: Result, mark: Mark) -> dict:
    exercise = find(mark.id)
    rubric = "".join(f"\n- {line}" for line in exercise.rubric)
    said = mark.answer or ": ".join(filter(None, [mark.status, mark.law, mark.message]))
    quoted = "\n".join(f"    {line}" for line in said.strip().splitlines())  # shown as it stands
    key = Answer(result.learner, mark.id, mark.answer, mark.out_of).key
    key = key if mark.status == "recorded" else overruled(result.learner, mark.id)
    text = f"### {mark.id} {exercise.title}\n{rubric}\n\n{quoted}\n"
    return _graded_cell(mark.id, mark.out_of, text) | {"key": key}


def _question(exercise: Exercise) -> dict:
    text = f"### {exercise.id} {exercise.title}\n"
    return _graded_cell(exercise.id, float(exercise.points), text)


def _graded_cell(exercise: str, points: float, text: str) -> dict:
    nbgrader = {
        "grade": True, "solution": True, "locked": False, "task": False, "schema_version": 3,
        "grade_id": _cell(exercise), "points": float(points), "cell_type": "markdown",
    }  # fmt: skip
    return {"text": text, "nbgrader": nbgrader}


def _put(path: Path, cells: list[dict]) -> None:
    """A notebook of these cells; each keeps the key under which its mark comes back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = [
        {"cell_type": "markdown", "id": cell["nbgrader"]["grade_id"], "source": cell["text"],
         "metadata": {"nbgrader": cell["nbgrader"], "tutor": {"key": cell.get("key", "")}}}
        for cell in cells
    ]  # fmt: skip
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": written}
    write(path, json.dumps(notebook, indent=1))


def _keys(course: Path, submission) -> dict[str, str]:
    """The cells of a notebook that we have written, with the keys of their marks."""
    student, assignment = submission.student.id, submission.assignment.name
    path = course / "autograded" / student / assignment / f"{submission.name}.ipynb"
    if not path.is_file():
        return {}
    cells = json.loads(path.read_text("utf-8"))["cells"]
    pairs = {c["id"]: c["metadata"].get("tutor", {}).get("key") for c in cells}
    return {cell: key for cell, key in pairs.items() if key}


def _cell(exercise: str) -> str:
    return f"exercise-{exercise.replace('.', '-')}"


def _tables():
    from nbgrader import api

    return api
