"""What a learner types: `check`, `hint`, `progress`. Each shows, saves, and returns None."""

from html import escape

from tutor.exercises.engine import verify
from tutor.exercises.record import NEW, counted, record
from tutor.exercises.registry import UnknownExerciseError, exercises, find
from tutor.exercises.verdict import Status
from tutor.render import BLUE, GREY, Panel, boxed, columns, display, prose, table

_SAVED_AS = {
    Status.NOT_ATTEMPTED: "not attempted",
    Status.RIGHT: "right",
    Status.WRONG: "wrong",
    Status.RECORDED: "recorded",
}
_STATUS = {saved: status for status, saved in _SAVED_AS.items()}


def check(exercise_id: object, attempt: object) -> None:
    """Says whether `attempt`, your function or value for the exercise, is right.

    Raises:
        UnknownExerciseError: there is no such exercise.
    """
    verdict = verify(exercise_id, attempt)
    record().change(verdict.id, counted(_SAVED_AS[verdict.status]))
    _show(verdict.text(), verdict.html())


def hint(exercise_id: object) -> None:
    """Shows the next hint for the exercise; every call goes one level further.

    Raises:
        UnknownExerciseError: there is no such exercise.
    """
    exercise = find(exercise_id)
    count = len(exercise.hints)
    if not count:
        panel = Panel(f"{exercise.id} has no hints: {exercise.title}")
    else:
        entry = record().change(exercise.id, lambda e: e | {"hints": min(e["hints"] + 1, count)})
        level = entry["hints"]
        again = (
            "" if level < count else "That was the last hint; the solved notebook has the answer."
        )
        rows = [
            ("", exercise.hints[level - 1]),
            ("", again or f'One more: `hint("{exercise.id}")`'),
        ]
        panel = Panel(
            f"Hint {level} of {count} for {exercise.id}: {exercise.title}", rows, colour=BLUE
        )
    _show(panel.text(), panel.html())


def progress() -> None:
    """Shows all exercises of the days begun: done or not, points, attempts, hints."""
    entries = record().entries()
    days = {exercise_id.partition(".")[0] for exercise_id in entries}
    begun = [e for day in sorted(map(int, filter(str.isdigit, days))) for e in _exercises_of(day)]
    rows, points = [], 0.0
    for exercise in begun:
        entry = NEW | entries.get(exercise.id, {})
        status = _STATUS.get(entry["status"], Status.NOT_ATTEMPTED)
        earned = exercise.points if status is Status.RIGHT else 0
        points += earned
        rows.append(
            (
                exercise.id,
                exercise.title,
                f"{status.symbol} {status.words}",
                f"{'?' if status is Status.RECORDED else f'{earned:g}'} of {exercise.points:g}",
                str(entry["attempts"]),
                f"{entry['hints']} of {len(exercise.hints)}" if exercise.hints else "none",
            )
        )
    if not rows:
        _show('No exercise begun yet: run a check, as in `check("1.1", answer)`.', "")
        return
    caption = f"{points:g} of {sum(exercise.points for exercise in begun):g} points"
    header = ("", "exercise", "status", "points", "attempts", "hints")
    _show(f"{caption}\n{columns(header, rows)}", boxed(table(header, rows, caption), GREY))


def _exercises_of(day: int) -> list:
    try:
        return exercises(day)
    except UnknownExerciseError:  # a progress file of a newer course
        return []


def _show(text: str, html: str) -> None:
    trouble = record().trouble()
    if trouble:
        text, html = f"{text}\n{trouble}", f"{html}<div><em>{escape(trouble)}</em></div>"
    display(text, html or boxed(prose(text), GREY))
