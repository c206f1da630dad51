"""A class graded twice, interrupted, one learner again."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from typer.testing import CliRunner

from tests.tutor.grade.classroom import DISTANCES, FIT, LIMITS, NUMPY, hand_in
from tutor.cli import app
from tutor.grade import pool, run
from tutor.grade.intake import Submission
from tutor.grade.results import Settings
from tutor.grade.sandbox import PLAIN


def results(out):
    return {p.name: p.read_text() for p in sorted((out / "results").glob("*.json"))}


def test_grading_is_deterministic_and_resumes(grade, monkeypatch):
    _, out = grade(seed=1)
    first = results(out)
    bob = next(name for name in first if name.startswith("bob"))
    (out / "results" / bob).write_text(first[bob][:100])  # as a power cut would leave it
    graded = []
    real = run.grade_all

    def watched(todo, *rest):
        graded.extend(s.learner for s in todo)
        return real(todo, *rest)

    monkeypatch.setattr(run, "grade_all", watched)
    _, out = grade()
    assert graded == ["bob"]
    assert results(out) == first
    _, out = grade(only=["ada"])
    assert graded == ["bob", "ada"]
    assert results(out) == first
    _, out = grade(seed=2)
    assert len(graded) == 6
    assert results(out) != first


def test_an_interrupted_run_goes_on_where_it_stopped(submissions, tmp_path, protection):
    for n in range(12):
        hand_in(submissions, f"learner {n:02d}", NUMPY, DISTANCES, FIT)
    out = tmp_path / "out"
    words = ["grade", str(submissions), "--out", str(out), "--jobs", "2", "--seed", "1"]
    command = [sys.executable, "-m", "tutor", *words]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    while not list(out.glob("results/*.json")) and process.poll() is None:
        threading.Event().wait(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=120) != 0
    before = results(out)
    assert 0 < len(before) < 16
    assert not (out / "gradebook.csv").exists()
    subprocess.run(command, check=True, capture_output=True)
    after = results(out)
    assert len(after) == 16
    assert before.items() <= after.items()


def test_results_do_not_go_among_the_submissions(submissions, protection):
    with pytest.raises(ValueError, match="lies within the submissions"):
        run.grade(submissions, submissions / "graded", protection)


def test_a_result_of_other_days_is_not_used(grade):
    _, out = grade(seed=1)
    graded, out = grade(only=["ada"], days=[2])
    assert (graded.days, graded.learners) == ((2,), 1)
    assert json.loads(results(out)[next(iter(results(out)))])["marks"]


def test_an_unknown_learner_is_an_error(grade):
    with pytest.raises(ValueError, match="only = zoe: no such learner; there is <eve>, ada"):
        grade(only=["zoe"])


class Fatal(str):
    """A name that ends the process to which it is sent."""

    def __reduce__(self):
        return os._exit, (1,)

    def __deepcopy__(self, _):
        return self


def test_who_brings_down_the_grader_does_so_alone(protection):
    learners = ["ada", Fatal("mallory"), "bob"]
    settings = Settings((1,), 0, protection.name, LIMITS)
    found = {
        r.learner: r for r in pool.grade_all([Submission(x) for x in learners], settings, "", 2)
    }
    assert found["mallory"].troubles == ("the grader's own process ended",)
    assert found["ada"].troubles == found["bob"].troubles == ("no exercise was attempted",)


def test_a_fault_of_the_grader_is_told(protection):
    settings = Settings((1,), 0, "no such protection", LIMITS)
    (found,) = pool.grade_all([Submission("ada")], settings, "", 1)
    assert found.troubles[0].startswith("the grader failed: ")
    assert {m.status for m in found.marks} == {"not attempted"}


def test_the_command_line(submissions, tmp_path, monkeypatch, protection):
    monkeypatch.chdir(tmp_path)
    words = ["grade", str(submissions), "--out", "out", "--seed", "1", "--jobs", "2"]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    assert f"Protection: {protection.name}" in done.stderr
    assert "✗ dan: day01.ipynb: the file is empty" in done.stdout
    assert json.loads(next((tmp_path / "out/results").iterdir()).read_text())["marks"]


def test_without_a_sandbox_grading_is_refused(submissions, tmp_path, monkeypatch):
    monkeypatch.setattr("tutor.grade.sandbox.protections", lambda: [PLAIN])
    done = CliRunner().invoke(app, ["grade", str(submissions), "--out", str(tmp_path / "out")])
    assert "no sandbox works on this machine" in str(done.exception)
    assert not (tmp_path / "out").exists()
