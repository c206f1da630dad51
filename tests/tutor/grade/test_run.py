"""A class graded twice, interrupted, one learner again; and the pages that come of it."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading

import pytest
from classroom import DISTANCES, FIT, LIMITS, hand_in
from typer.testing import CliRunner

from tutor.cli import app
from tutor.grade import grade_class, run, written
from tutor.grade.intake import Submission
from tutor.grade.sandbox import PLAIN

ESSAY = 'advice = """' + "Forces first, <b>because</b> they cost nothing. " * 12 + '"""'
NUMPY = "import numpy as np"


@pytest.fixture
def submissions(tmp_path):
    folder = tmp_path / "in"
    hand_in(folder, "ada", NUMPY, DISTANCES, ("1.11", ESSAY), ("1.5", 'choice = "b"'))
    hand_in(folder, "bob", NUMPY, DISTANCES.replace("k=1", "k=0"), ("1.5", 'choice = "c"'))
    hand_in(folder, "<eve>", NUMPY, DISTANCES.replace("k=1", "k=0"), ("1.11", "advice = '=1+1'"))
    (folder / "dan").mkdir()
    (folder / "dan/day01.ipynb").write_bytes(b"")
    return folder


@pytest.fixture
def grade(submissions, tmp_path, protection):
    def grade(**options):
        out = tmp_path / "out"
        graded = grade_class(submissions, out, protection, limits=LIMITS, jobs=2, **options)
        return graded, out

    return grade


def book(out):
    with (out / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["learner"]: row for row in csv.DictReader(file)}


def results(out):
    return {p.name: p.read_text() for p in sorted((out / "results").glob("*.json"))}


def test_gradebook_pages_and_queue(grade):
    graded, out = grade(seed=1)
    assert (graded.days, graded.learners, graded.waiting) == ((1,), 4, 1)
    assert graded.troubles == [("dan", "day01.ipynb: the file is empty")]
    rows = book(out)
    assert rows["ada"]["1.7 (of 2)"] == "2"
    assert rows["ada"]["1.11 (of 3)"] == ""
    assert (rows["ada"]["points"], rows["ada"]["to be marked"]) == ("3", "1")
    assert rows["bob"]["points"] == rows["dan"]["points"] == "0"
    page = (out / "index.html").read_text()
    assert "<strong>2 ×</strong> one distance for each pair" in page
    assert "you included the distance of every atom to itself" in page
    assert "(c) The model never sees the orientation" in page
    assert "&lt;eve&gt;" in page
    texts = [page, *(p.read_text() for p in (out / "feedback").iterdir())]
    assert len(texts) == 5
    assert not any("<eve>" in text or "<b>because" in text for text in texts)
    for link in re.findall(r'href="([^"#]+)"', page):
        assert (out / link).is_file(), link
    assert not any(re.search(r"(src|href)=.?(http|//)", text) for text in texts)


def test_written_answers_are_marked_and_merged(grade, submissions):
    _, out = grade(seed=1)
    sheet = out / "written.csv"
    text = sheet.read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert [(row["learner"], row["exercise"]) for row in rows] == [("ada", "1.11")]
    assert rows[0]["rubric"].count("1 point:") == 3
    assert rows[0]["key"] in (out / "written.html").read_text()
    saved = f'key;points;comment\n"{rows[0]["key"]}";2,5;"=good & clear"\n'
    sheet.write_text(saved, encoding="cp1252")  # as some spreadsheets save
    graded, out = grade()
    assert graded.waiting == 0
    assert book(out)["ada"]["1.11 (of 3)"] == "2.5"
    (page,) = (out / "feedback").glob("ada-*.html")
    assert "2.5 of 3 points.<br>=good &amp; clear" in page.read_text()
    assert "'=good & clear" in sheet.read_text(encoding="utf-8-sig")
    hand_in(submissions, "ada", ("1.11", ESSAY.replace("Forces", "Energies")))
    graded, out = grade()
    assert graded.waiting == 1
    assert "2.5" in sheet.read_text(encoding="utf-8-sig")  # kept, but for no answer of now


@pytest.mark.parametrize("points", ["4", "-1", "two", "nan"])
def test_a_wrong_mark_is_refused(tmp_path, points):
    (tmp_path / "w.csv").write_text(f"key,points,comment\na:1.6:0,{points},x\n")
    with pytest.raises(ValueError, match=r"points = .* must be a number from 0 to 3"):
        written.read(tmp_path / "w.csv")


def test_a_sheet_without_its_columns_is_refused(tmp_path):
    (tmp_path / "w.csv").write_text("learner,points\na,1\n")
    with pytest.raises(ValueError, match="needs the columns points, and key or"):
        written.read(tmp_path / "w.csv")


def test_a_person_overrules_any_mark(grade, tmp_path):
    sheet = tmp_path / "mine.csv"
    sheet.write_text("learner,exercise,points,comment\nbob,1.7,1.5,off by the diagonal\n")
    _, out = grade(marks=sheet)
    assert book(out)["bob"]["1.7 (of 2)"] == "1.5"
    _, out = grade()  # it is kept in written.csv
    assert book(out)["bob"]["1.7 (of 2)"] == "1.5"
    (page,) = (out / "feedback").glob("bob-*.html")
    assert "1.5 of 2 points.<br>off by the diagonal" in page.read_text()


def test_grading_is_deterministic_and_resumes(grade, monkeypatch):
    _, out = grade(seed=1)
    first = results(out)
    bob = next(name for name in first if name.startswith("bob"))
    (out / "results" / bob).write_text(first[bob][:100])  # as a power cut would leave it
    graded = []
    real = run._all

    def watched(todo, *rest):
        graded.extend(s.learner for s in todo)
        return real(todo, *rest)

    monkeypatch.setattr(run, "_all", watched)
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
    settings = run.Settings((1,), 0, protection.name, LIMITS)
    found = {r.learner: r for r in run._all([Submission(x) for x in learners], settings, "", 2)}
    assert found["mallory"].troubles == ("the grader's own process ended",)
    assert found["ada"].troubles == found["bob"].troubles == ("no exercise was attempted",)


def test_a_fault_of_the_grader_is_told(protection):
    settings = run.Settings((1,), 0, "no such protection", LIMITS)
    (found,) = run._all([Submission("ada")], settings, "", 1)
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
