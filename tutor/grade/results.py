"""The marks of a learner, and the file in which they wait for the next run."""

import hashlib
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tutor.grade.intake import Submission
from tutor.grade.judge import Mark, checks_digest
from tutor.grade.sandbox import Limits


@dataclass(frozen=True)
class Result:
    """The marks of one learner, one per exercise of the days that were graded."""

    learner: str
    marks: tuple[Mark, ...]
    troubles: tuple[str, ...]
    fingerprint: str
    protection: str


@dataclass(frozen=True)
class Settings:
    """What all submissions are graded with."""

    days: tuple[int, ...]
    seed: int
    protection: str
    limits: Limits

    def digest(self) -> str:
        return f"{asdict(self)} {checks_digest()}"


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Writes a file in one piece or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding=encoding, newline="") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def file_stem(learner: str) -> str:
    """A file name for a learner: safe, legible, and no other learner's."""
    legible = re.sub(r"[^\w-]+", "-", learner).strip("-")[:60] or "learner"
    return f"{legible}-{hashlib.sha256(learner.encode()).hexdigest()[:6]}"


def file_name(learner: str) -> str:
    """Of the learner's result."""
    return f"{file_stem(learner)}.json"


def fingerprint(submission: Submission, digest: str) -> str:
    """Of all that the result depends on; `digest` is that of the settings."""
    text = json.dumps([asdict(submission), digest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def load(path: Path, ids: list[str]) -> Result | None:
    """The stored result, if there is one of these exercises."""
    try:
        stored = json.loads(path.read_text("utf-8"))
        result = understood(stored)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return result if [mark.id for mark in result.marks] == ids else None


def understood(stored: dict) -> Result:
    """The result of which `asdict` made these values."""
    marks = tuple(Mark(**entry) for entry in stored["marks"])
    return Result(**stored | {"marks": marks, "troubles": tuple(stored["troubles"])})
