"""Written answers: a queue to be marked by a person, in a spreadsheet or a browser.

`written.csv` has a row for every answer. Whoever marks fills the columns points and comment, and
runs the same command again; marks are kept as long as the answer stays the same. A row with a
learner and an exercise but no key overrules the mark of any exercise.
"""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tutor.exercises.registry import find
from tutor.grade.page import page
from tutor.grade.results import Result, file_stem
from tutor.render import prose

COLUMNS = ("learner", "exercise", "title", "answer", "rubric", "out_of", "points", "comment", "key")


@dataclass(frozen=True)
class ByHand:
    """What a person gave for one answer."""

    points: float
    comment: str = ""


@dataclass(frozen=True)
class Answer:
    """A written answer that waits for its mark, or has one."""

    learner: str
    exercise: str
    text: str
    out_of: float

    @property
    def key(self) -> str:
        """Another one when the answer changes, so that an old mark is not given to a new text."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:8]
        return f"{overruled(self.learner, self.exercise)}:{digest}"


def overruled(learner: str, exercise: str) -> str:
    """The key of a mark that counts whatever the answer is."""
    return f"{file_stem(learner)}:{exercise}"


def answers(results: Iterable[Result]) -> list[Answer]:
    """All of them, by exercise, so that one question is marked in one go."""
    found = [
        Answer(r.learner, m.id, m.answer, m.out_of)
        for r in results
        for m in r.marks
        if m.status == "recorded"
    ]
    return sorted(found, key=lambda a: (*find(a.exercise).order, a.learner.casefold()))


def read(path: Path) -> dict[str, ByHand]:
    """The marks in a file that a spreadsheet, the page or a person has saved, by key.

    Raises:
        ValueError: a column is missing, or a mark is not a number from 0 to what can be had.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:  # a spreadsheet on Windows
        text = content.decode("cp1252", "replace")
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    named = set(rows.fieldnames or ())
    if "points" not in named or not ("key" in named or {"learner", "exercise"} <= named):
        raise ValueError(f"{path}: needs the columns points, and key or learner and exercise")
    marks = {}
    for row in rows:
        points = (row["points"] or "").strip().replace(",", ".")
        if points:
            key = row.get("key") or overruled(row["learner"], row["exercise"].strip())
            marks[key] = ByHand(_number(points, key, path), row.get("comment") or "")
    return marks


def _number(points: str, key: str, path: Path) -> float:
    most = find(key.split(":")[1] if ":" in key else key).points
    try:
        value = float(points)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise ValueError(
            f"{path}: points = {points!r} for {key}: must be a number from 0 to {most:g}"
        )
    return value


def queue(waiting: list[Answer], marks: dict[str, ByHand]) -> str:
    """`written.csv`."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for a in waiting:
        exercise, mark = find(a.exercise), marks.get(a.key)
        points = f"{mark.points:g}" if mark else ""
        cells = (a.learner, a.exercise, exercise.title, a.text.strip(), "\n".join(exercise.rubric),
                 f"{a.out_of:g}", points, mark.comment if mark else "", a.key)  # fmt: skip
        table.writerow(map(harmless, cells))
    for key in sorted(set(marks) - {a.key for a in waiting}):  # no answer of now
        mark = marks[key]
        table.writerow(["", "", "given by hand before", "", "", "", f"{mark.points:g}",
                        harmless(mark.comment), key])  # fmt: skip
    return stream.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def desk(waiting: list[Answer], marks: dict[str, ByHand]) -> str:
    """`written.html`: the queue as a form, which saves itself as `written.csv`."""
    sections = []
    for a in waiting:
        exercise, mark = find(a.exercise), marks.get(a.key)
        points, comment = (f"{mark.points:g}", mark.comment) if mark else ("", "")
        rubric = "".join(f"<li>{prose(line)}</li>" for line in exercise.rubric)
        sections.append(
            f'<section class="answer" data-key="{escape(a.key)}">'
            f"<h2>{escape(a.exercise)} {escape(exercise.title)}</h2><p>{escape(a.learner)}</p>"
            f"<blockquote>{prose(a.text.strip())}</blockquote><ul>{rubric}</ul>"
            f'<p><label>Points of {a.out_of:g} <input type="number" min="0" step="any" '
            f'max="{a.out_of:g}" value="{points}"></label></p>'
            f'<p><label>Comment<br><textarea rows="3">{escape(comment)}</textarea></label></p>'
            "</section>"
        )
    lead = (
        f"<p>{len(waiting)} answers. Save, put the file over <code>written.csv</code>, and run the "
        'same command again. <button type="button" id="save">Save written.csv</button></p>'
    )
    return page("Written answers", lead + "".join(sections), script=SAVE)


SAVE = """
document.getElementById("save").addEventListener("click", () => {
  const quoted = text => '"' + text.replaceAll('"', '""') + '"';
  const rows = [["key", "points", "comment"]];
  for (const answer of document.querySelectorAll(".answer")) {
    const value = query => answer.querySelector(query).value;
    rows.push([answer.dataset.key, value("input"), value("textarea")]);
  }
  const text = rows.map(row => row.map(quoted).join(",")).join("\\r\\n") + "\\r\\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.download = "written.csv";
  link.click();
});
"""
