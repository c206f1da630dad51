"""Several submissions at a time, each in the care of a process that may come to harm alone."""

import multiprocessing
import resource
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from tutor.exercises.registry import exercises
from tutor.grade.intake import Submission
from tutor.grade.judge import Session, mark, names, unattempted
from tutor.grade.results import Result, Settings, fingerprint
from tutor.grade.sandbox import protections
from tutor.grade.wire import UnsendableError

MEMORY = 8 << 30  # of the grader's own processes, in bytes of address space


def grade_all(
    todo: list[Submission], settings: Settings, digest: str, jobs: int
) -> Iterator[Result]:
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
        yield result or failed(submission, digest, settings, "the grader's own process ended")


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
                  fingerprint(submission, digest), settings.protection)  # fmt: skip


def _outcome(task: Future, submission: Submission, digest: str, settings: Settings):
    """Its result, or None where the process that computed it is gone."""
    try:
        return task.result()
    except BrokenProcessPool:
        return None
    except (Exception, UnsendableError) as error:
        return failed(submission, digest, settings, _fault(error))


def _fault(error: BaseException) -> str:
    return f"the grader failed: {type(error).__name__}: {error!s:.200}"


def failed(submission: Submission, digest: str, settings: Settings, words: str) -> Result:
    """The result of a submission that could not be graded, and why, in words."""
    marks = tuple(unattempted(e) for day in settings.days for e in exercises(day))
    return Result(submission.learner, marks, (*submission.troubles, words),
                  fingerprint(submission, digest), settings.protection)  # fmt: skip


def _pool(jobs: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")  # JAX has threads, which a fork would lose
    return ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_limit_grader)


def _limit_grader() -> None:
    """An answer that makes a check allocate or compute without end stops that one alone."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))

    def stop(*_) -> None:
        raise TimeoutError("checking the answers takes too long")

    signal.signal(signal.SIGALRM, stop)


def allowed(submission: Submission, settings: Settings) -> float:
    """Seconds within which a submission must be graded."""
    return 120 + len(submission.notebooks) * (settings.limits.total + 60)


def grade_limited(submission: Submission, settings: Settings, digest: str) -> Result:
    """As `grade_one`, in a process that is its own; what goes wrong becomes a trouble."""
    _limit_grader()
    try:
        return _task(submission, settings, digest)
    except (Exception, UnsendableError) as error:
        return failed(submission, digest, settings, _fault(error))


def _task(submission: Submission, settings: Settings, digest: str) -> Result:
    signal.setitimer(signal.ITIMER_REAL, allowed(submission, settings), 60)
    try:
        return grade_one(submission, settings, digest)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
