"""What comes out of grading: a gradebook, a page for every learner, one for the instructor."""

import csv
import io
import re
from collections import defaultdict
from html import escape

from tutor.exercises.registry import exercises, find
from tutor.grade.judge import FRESH, Mark
from tutor.grade.page import page, table
from tutor.grade.results import Result, Settings, file_stem
from tutor.grade.sandbox import Protection
from tutor.grade.written import Answer, ByHand, harmless, overruled
from tutor.render import prose

Marks = dict[str, ByHand]
SYMBOL = {"right": "✓", "wrong": "✗", "recorded": "✎", "not attempted": "○"}
COLOUR = {"right": "good", "wrong": "bad", "recorded": "wait", "not attempted": ""}


def by_hand(result: Result, mark: Mark, marks: Marks) -> ByHand | None:
    """What a person gave for this answer, or for this exercise whatever the answer is."""
    key = Answer(result.learner, mark.id, mark.answer, mark.out_of).key
    return marks.get(overruled(result.learner, mark.id)) or marks.get(key)


def points(result: Result, mark: Mark, marks: Marks) -> float | None:
    """None where a person has still to mark the answer."""
    given = by_hand(result, mark, marks)
    if given is not None:
        return given.points
    return None if mark.status == "recorded" else mark.points


def totals(result: Result, marks: Marks) -> tuple[float, float, int]:
    """Points, points to be had, and how many answers wait for their mark."""
    earned = [points(result, mark, marks) for mark in result.marks]
    known = sum(p for p in earned if p is not None)
    return known, sum(mark.out_of for mark in result.marks), earned.count(None)


def gradebook(results: list[Result], marks: Marks) -> str:
    """CSV: a row for each learner, a column for each exercise; empty where a mark is awaited."""
    stream = io.StringIO()
    sheet = csv.writer(stream, lineterminator="\r\n")
    ids = [f"{m.id} (of {m.out_of:g})" for m in results[0].marks] if results else []
    sheet.writerow(["learner", *ids, "points", "out of", "to be marked", "remarks"])
    for result in results:
        earned = [points(result, mark, marks) for mark in result.marks]
        total, most, waiting = totals(result, marks)
        cells = ["" if p is None else f"{p:g}" for p in earned]
        row = [result.learner, *cells, f"{total:g}", f"{most:g}", str(waiting)]
        sheet.writerow([*map(harmless, row), harmless("; ".join(result.troubles))])
    return stream.getvalue()


def feedback(result: Result, marks: Marks) -> str:
    """The page of one learner."""
    total, most, waiting = totals(result, marks)
    awaited = f", {waiting} written answer(s) still to be marked" if waiting else ""
    body = [f'<p class="big">{total:g} of {most:g} points{awaited}</p>']
    body += [f'<p class="note bad">{escape(trouble)}</p>' for trouble in result.troubles]
    body.append(
        "<p>Your functions were run on the inputs that you saw and on "
        f"{FRESH} further drawings of them. A verdict shows the first that failed.</p>"
    )
    for day in sorted({find(m.id).day for m in result.marks}):
        of_day = [m for m in result.marks if find(m.id).day == day]
        body.append(f"<h2>Day {day}</h2>")
        for mark in of_day:
            body.append(mark.html)
            body.append(_comment(by_hand(result, mark, marks), mark))
    return page(f"Feedback for {result.learner}", "".join(body))


def _comment(given: ByHand | None, mark: Mark) -> str:
    if given is None:
        return ""
    comment = f"<br>{prose(given.comment)}" if given.comment else ""
    return f'<p class="note">{given.points:g} of {mark.out_of:g} points.{comment}</p>'


def instructor(
    settings: Settings, protection: Protection, results: list[Result], marks: Marks
) -> str:
    """The page of the class."""
    scores = sorted(totals(r, marks)[0] for r in results)
    most = totals(results[0], marks)[1] if results else 0
    waiting = sum(totals(r, marks)[2] for r in results)
    middle = scores[len(scores) // 2] if scores else 0
    limits = settings.limits
    body = [
        f'<p class="big">{len(results)} learners, median {middle:g} of {most:g} points</p>',
        f'<p>{waiting} written answers wait: <a href="written.html">mark them here</a> or in '
        '<code>written.csv</code>. All marks: <a href="gradebook.csv">gradebook.csv</a>.</p>',
        f'<p class="note{"" if protection.contained else " bad"}">Protection: '
        f"<strong>{escape(protection.name)}</strong>. {escape(protection.words)} Limits: "
        f"{limits.seconds:g} s for an exercise, {limits.total:g} s for a notebook, "
        f"{limits.memory / 2**30:g} GiB, {limits.processes} processes. Seed {settings.seed}.</p>",
        "<h2>Exercises</h2>",
        _exercise_table(settings, results, marks),
        "<h2>What went wrong</h2>",
        *(_mistakes(e.id, results) for day in settings.days for e in exercises(day)),
        "<h2>Learners</h2>",
        _learner_table(results, marks),
    ]
    return page("Grading", "".join(body))


def _exercise_table(settings: Settings, results: list[Result], marks: Marks) -> str:
    rows = []
    for exercise in (e for day in settings.days for e in exercises(day)):
        own = [(r, m) for r in results for m in r.marks if m.id == exercise.id]
        tried = sum(m.status != "not attempted" for _, m in own)
        earned = [points(r, m, marks) for r, m in own]
        known = f"{sum(p or 0 for p in earned) / max(len(own), 1):.2g} of {exercise.points:g}"
        solved = sum(m.status == "right" for _, m in own)
        wrong = any(m.status == "wrong" for _, m in own)
        link = f'<a href="#e{exercise.id}">{exercise.id}</a>' if wrong else exercise.id
        share = f'<meter max="{len(own) or 1}" value="{solved}" aria-hidden="true"></meter> '
        rows.append([
            link, escape(exercise.title),
            "marked by hand" if exercise.kind == "written" else f"{share}{solved} of {len(own)}",
            str(tried), "to be marked" if None in earned else known,
        ])  # fmt: skip
    return table(["", "exercise", "solved", "attempted", "mean points"], rows, numbers=(3, 4))


def _mistakes(exercise: str, results: list[Result]) -> str:
    """The wrong answers to one exercise, by the law that broke, the commonest first."""
    groups: dict[tuple, list] = defaultdict(list)
    for result in results:
        for mark in result.marks:
            if mark.id == exercise and mark.status == "wrong":
                kind = re.sub(r"[-+]?\d[\d.e+-]*", "#", mark.message)
                groups[mark.law, kind].append((result, mark))
    if not groups:
        return ""
    parts = [f'<h3 id="e{exercise}">{exercise} {escape(find(exercise).title)}</h3>']
    for (law, _), cases in sorted(groups.items(), key=lambda item: -len(item[1])):
        words = ": ".join(prose(text) for text in (law, cases[0][1].message) if text)
        links = ", ".join(_link(result) for result, _ in cases)
        parts.append(
            f"<details><summary><strong>{len(cases)} ×</strong> {words}</summary>"
            f"<p>{links}</p>{cases[0][1].html}</details>"
        )
    return "".join(parts)


def _learner_table(results: list[Result], marks: Marks) -> str:
    rows = []
    for result in results:
        total, most, waiting = totals(result, marks)
        strip = " ".join(
            f'<span class="{COLOUR[m.status]}" title="{m.id} {m.status}">{SYMBOL[m.status]}</span>'
            for m in result.marks
        )
        remarks = escape("; ".join(result.troubles))
        rows.append([_link(result), f"{total:g} of {most:g}", str(waiting), strip, remarks])
    header = ["learner", "points", "to be marked", "exercises in order", "remarks"]
    return table(header, rows, numbers=(1, 2))


def _link(result: Result) -> str:
    return f'<a href="feedback/{file_stem(result.learner)}.html">{escape(result.learner)}</a>'
