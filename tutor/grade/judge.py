"""The verdicts on one notebook: the learner's own checks, on inputs drawn when it is graded."""

import ast
import hashlib
import json
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tutor import __version__
from tutor import exercises as exercise_package
from tutor.exercises.engine import verify
from tutor.exercises.registry import Exercise
from tutor.exercises.verdict import Broken, NotAttempted, Status, Verdict
from tutor.grade.remote import LAW, LostError, Sandbox
from tutor.grade.sandbox import Limits, Protection

FRESH = 3  # drawings of the inputs besides those that the learner saw
TRIED = 8  # places where an answer may be


@dataclass(frozen=True)
class Mark:
    """What one exercise earned, and what is said about it; plain values, for a file.

    Attributes:
        status: "right", "wrong", "recorded" (a person marks it) or "not attempted".
        answer: of a written one, the text.
    """

    id: str
    status: str
    points: float
    out_of: float
    law: str = ""
    message: str = ""
    html: str = ""
    answer: str = ""


_STATUS = {
    Status.NOT_ATTEMPTED: "not attempted",
    Status.RIGHT: "right",
    Status.WRONG: "wrong",
    Status.RECORDED: "recorded",
}


class Session:
    """A notebook in a sandbox, which is started anew when the program in it is lost."""

    def __init__(self, cells: list, protection: Protection, limits: Limits):
        self.cells, self.protection, self.limits = cells, protection, limits
        self.until = time.monotonic() + limits.total
        self._sandbox: Sandbox | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        if self._sandbox is not None:
            self._sandbox.__exit__()
            self._sandbox = None

    def ready(self) -> Sandbox:
        """The sandbox, with a fresh allowance of time for one exercise."""
        now = time.monotonic()
        if now > self.until:
            raise LostError(f"the {self.limits.total:g} s for the whole notebook are used up")
        if self._sandbox is None:
            self._sandbox = Sandbox(self.protection, self.limits)
            self._sandbox.ask("load", self.cells)
        self._sandbox.deadline = min(time.monotonic() + self.limits.seconds, self.until)
        return self._sandbox


def mark(session: Session, exercise: Exercise, seed: int) -> Mark:
    """The mark of one exercise: right if it is on the inputs of every seed."""
    best = None
    try:
        sandbox = session.ready()
        count = sandbox.count(exercise.id, names().get(exercise.id, exercise.id))
        for number in range(min(count, TRIED)):
            found = _judged(sandbox, exercise, number, seed)
            best = best or found
            if found.status != "not attempted":
                best = found
                break
    except Broken as broken:
        best = _marked(_refused(exercise, broken), "")
    best = best or unattempted(exercise)
    if best.law == LAW:
        session.stop()
    return best


def unattempted(exercise: Exercise) -> Mark:
    return _marked(verify(exercise.id, None), "")


def _judged(sandbox: Sandbox, exercise: Exercise, number: int, seed: int) -> Mark:
    try:
        name = names().get(exercise.id, exercise.id)
        attempt = sandbox.ask("take", exercise.id, name, number)
    except NotAttempted:
        attempt = None
    except Broken as broken:
        return _marked(_refused(exercise, broken), "")
    for inputs in seeds(exercise, seed):
        verdict = verify(exercise.id, attempt, inputs)
        if verdict.status is not Status.RIGHT:
            break
    return _marked(verdict, attempt if exercise.kind == "written" else "")


def seeds(exercise: Exercise, seed: int) -> list[int]:
    """Of the inputs: 0, which the learner saw, and for code others that follow from `seed`."""
    if exercise.kind != "code":
        return [0]
    sequence = np.random.SeedSequence([seed, *exercise.order])
    return [0, *map(int, sequence.generate_state(FRESH))]


def _refused(exercise: Exercise, broken: Broken) -> Verdict:
    return Verdict(
        Status.WRONG, exercise.id, exercise.title, out_of=exercise.points,
        law=broken.law, message=broken.message, where=broken.where,
    )  # fmt: skip


def _marked(verdict: Verdict, answer: object) -> Mark:
    return Mark(
        verdict.id,
        _STATUS[verdict.status],
        float(verdict.points),
        float(verdict.out_of),
        verdict.law,
        verdict.message,
        verdict.html(),
        answer if isinstance(answer, str) else "",
    )


@cache
def names() -> dict[str, str]:
    """Exercise id to the name that the lesson gives to its answer."""
    from tutor.start import notebooks

    found = {}
    for path in notebooks().values():
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            exercise = cell["metadata"].get("tutor", {}).get("exercise")
            if exercise and cell["cell_type"] == "code":
                last = ast.parse("".join(cell["source"])).body[-1]
                target = last.targets[0] if isinstance(last, ast.Assign) else last
                target = getattr(last, "target", target)
                found[exercise] = getattr(target, "name", getattr(target, "id", exercise))
    return found


def checks_digest() -> str:
    """Of all that a mark depends on besides the notebook: the checks."""
    checks = sorted(Path(exercise_package.__file__).parent.glob("*.py"))
    parts = [__version__.encode(), *(path.read_bytes() for path in checks)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
