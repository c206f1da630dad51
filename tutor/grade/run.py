"""Grades a class.

An interrupted run goes on where it stopped, because a result whose notebook, checks and seed are
the same is not computed again. Results are written in one piece or not at all.
"""

import json
import os
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path

from tutor.exercises.registry import days as registered
from tutor.exercises.registry import exercises
from tutor.grade.intake import Submission, collect
from tutor.grade.judge import names
from tutor.grade.pool import grade_all
from tutor.grade.results import Result, Settings, file_name, fingerprint, load, write
from tutor.grade.sandbox import Limits, Protection


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
    scheduler: str | None = None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> tuple[Settings, list[Result]]:
    """The results of all submissions in `source`, kept in `out`/results.

    Args:
        days: those to grade; by default all that the notebooks are about.
        seed: of the inputs; by default that of the last run, or a new one.
        only: learners to grade anew; the others keep the results they have.
        jobs: submissions at a time on this machine.
        scheduler: the address of a dask scheduler, whose workers grade instead.

    Raises:
        ConnectionError, ModuleNotFoundError: there is no such scheduler, or no dask.
        ValueError: `source` holds no submission, no exercise, no learner of `only`, or `out`.
    """
    if out.resolve().is_relative_to(source.resolve()):
        raise ValueError(
            f"out = {out} lies within the submissions, {source}: choose another folder"
        )
    submissions = collect(source)
    unknown = sorted(set(only) - {s.learner for s in submissions})
    if unknown:
        known = ", ".join(s.learner for s in submissions)
        raise ValueError(f"only = {', '.join(unknown)}: no such learner; there is {known}")
    days = tuple(sorted(days)) or _days_of(submissions)
    ids = [e.id for day in days for e in exercises(day)]
    results = out / "results"
    results.mkdir(parents=True, exist_ok=True)
    settings = Settings(days, _seed(out, seed), protection.name, limits or Limits())
    digest, kept, todo = settings.digest(), {}, []
    for submission in submissions:
        stored = load(results / file_name(submission.learner), ids)
        current = stored is not None and stored.fingerprint == fingerprint(submission, digest)
        if submission.learner in only or not (only or current):
            todo.append(submission)
        elif stored is not None:
            kept[submission.learner] = stored
    total = len(kept) + len(todo)
    progress("", len(kept), total)
    graded = grade_all(todo, settings, digest, jobs)
    if scheduler is not None:
        from tutor.grade.cluster import grade_on

        graded = grade_on(scheduler, todo, settings, digest)
    for result in graded:
        kept[result.learner] = result
        write(results / file_name(result.learner), json.dumps(asdict(result), indent=1))
        progress(result.learner, len(kept), total)
    return settings, [kept[s.learner] for s in submissions if s.learner in kept]


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
