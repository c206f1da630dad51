"""Grading: the notebooks of a class in, a gradebook and pages of feedback out.

A submission is code that nobody has read. It runs in a sandbox (`sandbox`, `jail`), and what
comes out of there are values, never verdicts (`wire`, `remote`): the checks, the expected values
and the inputs that are drawn at grading time stay with the grader (`judge`). Inside, `child`
answers calls, and `notebook` finds the answers. `intake` reads what learning platforms export,
`run` grades a class, several at a time (`pool`), `report` and `written` say what came of it.
"""

from pathlib import Path
from typing import NamedTuple


class Graded(NamedTuple):
    """What a run of `tutor grade` tells on the command line."""

    days: tuple[int, ...]
    learners: int
    waiting: int
    troubles: list[tuple[str, str]]


def grade_class(
    submissions: Path,
    out: Path,
    protection,
    *,
    marks: Path | None = None,
    course: Path | None = None,
    **options,
) -> Graded:
    """Grades `submissions` and writes everything into the folder `out`.

    Args:
        marks: a file of marks given by hand, besides written.csv in `out`.
        course: a course folder of nbgrader, to read marks from and to write all into.
        options: as in `run.grade`.

    Raises:
        ValueError: nothing there can be graded, or a mark in written.csv is wrong.
    """
    from tutor.grade import nbgrader, report, run, written
    from tutor.grade.results import file_stem, write

    sheet = out / "written.csv"
    given = {}
    for path in (sheet, marks):
        given |= written.read(path) if path and (path == marks or path.exists()) else {}
    if course is not None:
        given |= nbgrader.marks_in(course)
    settings, results = run.grade(submissions, out, protection, **options)  # makes the folder
    waiting = written.answers(results)
    (out / "feedback").mkdir(exist_ok=True)
    for result in results:
        stem = file_stem(result.learner)
        write(out / "feedback" / f"{stem}.html", report.feedback(result, given))
    write(out / "index.html", report.instructor(settings, protection, results, given))
    write(out / "gradebook.csv", report.gradebook(results, given), encoding="utf-8-sig")
    write(out / "written.html", written.desk(waiting, given))
    write(sheet, written.queue(waiting, given), encoding="utf-8-sig")
    if course is not None:
        nbgrader.export(course, settings, results, given)
    unmarked = sum(report.totals(result, given)[2] for result in results)
    troubles = [(r.learner, trouble) for r in results for trouble in r.troubles]
    return Graded(settings.days, len(results), unmarked, troubles)
