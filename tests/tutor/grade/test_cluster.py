"""A class graded by dask workers, in processes of their own on this machine."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.tutor.grade.classroom import DISTANCES, LIMITS
from tutor.grade import cluster
from tutor.grade.intake import Notebook, Submission
from tutor.grade.pool import grade_one
from tutor.grade.results import Settings, understood


@pytest.fixture
def settings(protection):
    return Settings((1,), 1, protection.name, LIMITS)


ADA = Submission("ada", [Notebook("day01.ipynb", (("import numpy as np", ""), (DISTANCES, "1.7")))])


def test_what_travels_comes_back_as_it_was(settings):
    order = cluster._packed(ADA, settings, settings.digest())
    assert cluster._unpacked(order) == (ADA, settings, settings.digest())


def test_a_worker_grades_as_this_process_does(settings):
    digest = settings.digest()
    reply = cluster.grade_apart(cluster._packed(ADA, settings, digest))
    result = understood(json.loads(reply))
    assert result == grade_one(ADA, settings, digest)
    assert sum(mark.points for mark in result.marks) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"digest": "another"}, "it has another version of the course"),
        ({"protection": "a vault"}, "it has no sandbox 'a vault'"),
    ],
)
def test_a_worker_that_cannot_grade_as_asked_refuses(settings, change, words):
    settings = replace(settings, protection=change.get("protection", settings.protection))
    order = cluster._packed(ADA, settings, change.get("digest", settings.digest()))
    with pytest.raises(RuntimeError, match=f"the worker on .* cannot grade: {words}"):
        cluster.grade_apart(order)


def test_who_brings_down_the_process_is_told(settings, monkeypatch):
    monkeypatch.setattr(cluster.sys, "executable", "/bin/false")
    result = understood(json.loads(cluster.grade_apart(cluster._packed(ADA, settings, ""))))
    assert result.troubles == ("the grader's own process ended",)
    assert {mark.status for mark in result.marks} == {"not attempted"}


def test_without_dask_it_is_said(monkeypatch, settings):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'nnp-tutor\[grade\]'"):
        next(cluster.grade_on("tcp://127.0.0.1:1", [ADA], settings, ""))


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler in a process of its own, without workers."""
    pytest.importorskip("distributed")
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
               "--port", "0", "--no-dashboard", "--no-jupyter", "--scheduler-file"]  # fmt: skip
    file = tmp_path / "scheduler.json"
    with subprocess.Popen([*command, str(file)], stderr=subprocess.DEVNULL) as process:
        try:
            yield _address(file, process)
        finally:
            process.terminate()


def _address(file, process):
    while process.poll() is None:
        try:
            return json.loads(file.read_text())["address"]
        except (OSError, ValueError):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
    raise AssertionError(f"the scheduler ended: {process.returncode}")


@pytest.mark.filterwarnings("ignore")  # dask's own, of its own packages
def test_a_class_on_workers_gets_the_gradebook_of_one_machine(scheduler, grade, tmp_path):
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nworkers", "2",
               "--nthreads", "1", "--no-dashboard"]  # fmt: skip
    _, out = grade(seed=1)
    alone = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    with pytest.raises(ConnectionError, match=f"{scheduler}: it has no workers; start `dask work"):
        grade(seed=2, scheduler=scheduler)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path) as workers:
        try:
            _wait_for_workers(scheduler, 2)
            grade(seed=1, only=["ada", "bob", "<eve>", "dan"], scheduler=scheduler)
        finally:
            workers.terminate()
    found = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert found == alone


def _wait_for_workers(address, count):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_scheduler_that_does_not_answer_is_named(address, settings, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "ANSWERS_WITHIN", 1)
    with pytest.raises(ConnectionError, match=f"scheduler = {address}: no dask scheduler answers"):
        next(cluster.grade_on(address, [ADA], settings, ""))
