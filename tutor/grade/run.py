"""Grades a class: several submissions at a time, each result a file of its own.

An interrupted run goes on where it stopped, because a result whose notebook, checks and seed are
the same is not computed again. Results are written in one piece or not at all.
"""

import hashlib
import json
import multiprocessing
import os
import re
import resource
import signal
import tempfile
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path

from tutor.exercises.registry import days as registered
from tutor.exercises.registry import exercises
from tutor.grade.intake import Submission, collect
from tutor.grade.judge import Mark, Session, checks_digest, mark, names, unattempted
from tutor.grade.sandbox import Limits, Protection, protections
from tutor.grade.wire import UnsendableError

MEMORY = 8 << 30  # of the grader's own processes, in bytes of address space


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


def grade(
    source: Path,
    out: Path,
    protection: Protection,
    *,
    days: Collection[int] = (),
    seed: int | None = None,
    only: Collection[str] = (),
    jobs: int = 2,
    limits: Limits | None = None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> tuple[Settings, list[Result]]:
    """The results of all submissions in `source`, kept in `out`/results.

    Args:
        days: those to grade; by default all that the notebooks are about.
        seed: of the inputs; by default that of the last run, or a new one.
        only: learners to grade anew; the others keep the results they have.

    Raises:
        ValueError: `source` holds no submission, no exercise, or no learner of `only`.
    """
    submissions = collect(source)
    unknown = sorted(set(only) - {s.learner for s in submissions})
    if unknown:
        known = ", ".join(s.learner for s in submissions)
        raise ValueError(f"only = {', '.join(unknown)}: no such learner; there is {known}")
    days = tuple(sorted(days)) or _days_of(submissions)
    for day in days:
        exercises(day)
    results = out / "results"
    results.mkdir(parents=True, exist_ok=True)
    settings = Settings(days, _seed(out, seed), protection.name, limits or Limits())
    digest, kept, todo = settings.digest(), {}, []
    for submission in submissions:
        stored = _load(results / _file_name(submission.learner))
        current = stored is not None and stored.fingerprint == _fingerprint(submission, digest)
        if submission.learner in only or not (only or current):
            todo.append(submission)
        elif stored is not None:
            kept[submission.learner] = stored
    total = len(kept) + len(todo)
    progress("", len(kept), total)
    for result in _all(todo, settings, digest, jobs):
        kept[result.learner] = result
        write(results / _file_name(result.learner), json.dumps(asdict(result), indent=1))
        progress(result.learner, len(kept), total)
    return settings, [kept[s.learner] for s in submissions if s.learner in kept]


def grade_one(submission: Submission, settings: Settings, digest: str = "") -> Result:
    """The result of one submission; of several notebooks, the best mark of every exercise."""
    protection = next(p for p in protections() if p.name == settings.protection)
    best = {e.id: unattempted(e) for day in settings.days for e in exercises(day)}
    for notebook in submission.notebooks:
        about = notebook.days(names())
        with Session(list(notebook.cells), protection, settings.limits) as session:
            for exercise in (e for day in settings.days if day in about for e in exercises(day)):
                found = mark(session, exercise, settings.seed)
                rank = lambda m: (m.points, m.status != "not attempted")  # noqa: E731
                best[exercise.id] = max(best[exercise.id], found, key=rank)
    troubles = list(submission.troubles)
    if not troubles and all(m.status == "not attempted" for m in best.values()):
        troubles.append("no exercise was attempted")
    return Result(submission.learner, tuple(best.values()), tuple(troubles),
                  _fingerprint(submission, digest), settings.protection)  # fmt: skip


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
    legible = re.sub(r"[^\w-]+", "-", learner).strip("-")[:60]
    return f"{legible}-{hashlib.sha256(learner.encode()).hexdigest()[:6]}"


def _all(todo: list[Submission], settings: Settings, digest: str, jobs: int) -> Iterator[Result]:
    """In any order. Who brings down the grader's process is tried once more, alone."""
    alone = []
    with _pool(jobs) as pool:
        tasks = {pool.submit(_task, s, settings, digest): s for s in todo}
        try:
            for task in as_completed(tasks):
                result = _outcome(task, tasks[task], digest, settings)
                if result is None:
                    alone.append(tasks[task])
                else:
                    yield result
        except BaseException:  # Ctrl-C: what is not begun is left for the next run
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for submission in alone:
        with _pool(1) as pool:
            task = pool.submit(_task, submission, settings, digest)
            result = _outcome(task, submission, digest, settings)
        yield result or _failed(submission, digest, settings, "the grader's own process ended")


def _outcome(task: Future, submission: Submission, digest: str, settings: Settings):
    """Its result, or None where the process that computed it is gone."""
    try:
        return task.result()
    except BrokenProcessPool:
        return None
    except (Exception, UnsendableError) as error:
        words = f"the grader failed: {type(error).__name__}: {error!s:.200}"
        return _failed(submission, digest, settings, words)


def _failed(submission: Submission, digest: str, settings: Settings, words: str) -> Result:
    marks = tuple(unattempted(e) for day in settings.days for e in exercises(day))
    return Result(submission.learner, marks, (*submission.troubles, words),
                  _fingerprint(submission, digest), settings.protection)  # fmt: skip


def _pool(jobs: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")  # JAX has threads, which a fork would lose
    return ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_limit_grader)


def _limit_grader() -> None:
    """An answer that makes a check allocate or compute without end stops that one alone."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))

    def stop(*_) -> None:
        raise TimeoutError("checking the answers takes too long")

    signal.signal(signal.SIGALRM, stop)


def _task(submission: Submission, settings: Settings, digest: str) -> Result:
    seconds = 120 + len(submission.notebooks) * (settings.limits.total + 60)
    signal.setitimer(signal.ITIMER_REAL, seconds, 60)
    try:
        return grade_one(submission, settings, digest)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _days_of(submissions: list[Submission]) -> tuple[int, ...]:
    about = {day for s in submissions for n in s.notebooks for day in n.days(names())}
    days = tuple(sorted(about & set(registered())))
    if not days:
        raise ValueError("no notebook here holds an exercise of this course; name days with --day")
    return days


def _seed(out: Path, seed: int | None) -> int:
    path = out / "seed.txt"
    if seed is None:
        known = path.read_text("utf-8").strip() if path.is_file() else ""
        seed = int(known) if known.isdigit() else int.from_bytes(os.urandom(4), "big")
    write(path, f"{seed}\n")
    return seed


def _fingerprint(submission: Submission, digest: str) -> str:
    text = json.dumps([asdict(submission), digest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _file_name(learner: str) -> str:
    return f"{file_stem(learner)}.json"


def _load(path: Path) -> Result | None:
    try:
        stored = json.loads(path.read_text("utf-8"))
        marks = tuple(Mark(**entry) for entry in stored.pop("marks"))
        return Result(marks=marks, **stored | {"troubles": tuple(stored["troubles"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
