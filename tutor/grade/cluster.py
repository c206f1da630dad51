"""The same grading on more than one machine: a dask scheduler hands out the submissions.

A worker grades each in a process of its own, as `pool` does. What travels is JSON, and the worker
must have the same checks and the same sandbox as the machine that asks.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict

from tutor.grade.intake import Submission
from tutor.grade.pool import allowed, failed, grade_limited
from tutor.grade.results import Result, Settings, understood
from tutor.grade.sandbox import Limits, probe, protections

ANSWERS_WITHIN = 10  # s, for the scheduler
REFUSED = "refused: "  # how the process of a worker begins to say why it cannot


def grade_on(
    address: str, todo: list[Submission], settings: Settings, digest: str
) -> Iterator[Result]:
    """As `pool.grade_all`, on the workers of the dask scheduler at `address`.

    Raises:
        ModuleNotFoundError: dask.distributed is not installed.
        ConnectionError: no scheduler answers there, or it has no workers.
        RuntimeError: a worker has other checks, or not the sandbox.
    """
    client = _client(address)
    from distributed import KilledWorker, as_completed

    with client:
        tasks = {
            client.submit(grade_apart, _packed(s, settings, digest), pure=False): s for s in todo
        }
        for task in as_completed(tasks, loop=client.loop):
            submission = tasks[task]
            try:
                yield understood(json.loads(task.result()))
            except KilledWorker:
                yield failed(submission, digest, settings, "the grader's own process ended")


def grade_apart(order: bytes) -> bytes:
    """What a worker does: grade in a new process, because dask computes in a thread.

    Raises:
        RuntimeError: this worker cannot do it.
    """
    submission, settings, digest = _unpacked(order)
    command, most = (
        [sys.executable, "-P", "-m", "tutor.grade.cluster"],
        allowed(submission, settings),
    )
    for _ in range(2):  # who brings down the process is tried once more
        try:
            done = subprocess.run(
                command, input=order, capture_output=True, timeout=most + 60, check=False
            )
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            return done.stdout
        if refused := _refusal(done.stderr):
            raise RuntimeError(f"the worker on {platform.node()} cannot grade: {refused}")
    return _reply(failed(submission, digest, settings, "the grader's own process ended"))


def _refusal(said: bytes) -> str:
    last = said.decode(errors="replace").rstrip().rpartition("\n")[2]
    return last.removeprefix(REFUSED) if last.startswith(REFUSED) else ""


def _trouble(settings: Settings, digest: str) -> str:
    """Why this machine cannot grade with these settings; "" if it can."""
    if settings.digest() != digest:
        return "it has another version of the course; install the same on all machines"
    for protection in protections():
        if protection.name == settings.protection:
            found = probe(protection)
            return f"the sandbox {protection.name!r} does not start there: {found}" if found else ""
    return f"it has no sandbox {settings.protection!r}, which the grader's own machine has"


def main() -> None:
    submission, settings, digest = _unpacked(sys.stdin.buffer.read())
    if trouble := _trouble(settings, digest):
        sys.exit(f"{REFUSED}{trouble}")
    result = grade_limited(submission, settings, digest)
    sys.stdout.buffer.write(_reply(result))


def _client(address: str):
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "dask.distributed is not installed: pip install 'nnp-tutor[grade]', or grade without "
            "--scheduler"
        ) from None
    try:
        client = Client(address, timeout=ANSWERS_WITHIN, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConnectionError(
            f"scheduler = {address}: no dask scheduler answers there ({error!s:.200}); start one "
            "with `dask scheduler` and give the address that it prints, as in tcp://10.0.0.1:8786"
        ) from None
    if not client.scheduler_info(n_workers=-1)["workers"]:
        client.close()
        raise ConnectionError(
            f"scheduler = {address}: it has no workers; start `dask worker {address}` on each "
            "machine, where the course is installed"
        )
    return client


def _packed(submission: Submission, settings: Settings, digest: str) -> bytes:
    return json.dumps([asdict(submission), asdict(settings), digest]).encode()


def _unpacked(order: bytes) -> tuple[Submission, Settings, str]:
    submission, settings, digest = json.loads(order)
    settings |= {"days": tuple(settings["days"]), "limits": Limits(**settings["limits"])}
    return Submission.from_values(submission), Settings(**settings), digest


def _reply(result: Result) -> bytes:
    return json.dumps(asdict(result)).encode()


if __name__ == "__main__":
    main()
