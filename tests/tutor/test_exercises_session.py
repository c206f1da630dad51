"""What a learner sees: `check`, `hint`, `progress`, in a terminal and in a notebook."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tutor.exercises import check, hint, progress
from tutor.exercises.engine import code, number, written
from tutor.exercises.expect import expect
from tutor.exercises.registry import UnknownExerciseError, throwaway


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("TUTOR_PROGRESS", str(path))
    with throwaway():

        @code("99.1", "Sum", points=2, hints=("look", "look again", "`np.sum`"))
        def total(f, rng):
            x = rng.normal(size=5)
            expect(f(x), x.sum(), law="the sum of all")

        number("99.2", "Energy", answer=4.75)
        written("99.3", "Explain", rubric=("1 point: why",), min_words=1, points=3)
        yield path


def stored(file):
    return json.loads(file.read_text())["exercises"]


def test_check_shows_saves_and_returns_nothing(file, capsys):
    assert check("99.1", np.mean) is None
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["✗ 99.1 wrong: Sum", "  broken law   the sum of all"]
    assert stored(file)["99.1"]["status"] == "wrong"
    check("99.1", np.sum)
    assert capsys.readouterr().out == "✓ 99.1 right: Sum (2 of 2 points)\n"
    assert stored(file)["99.1"]["attempts"] == 2
    assert stored(file)["99.1"]["first_right"]


def test_a_stub_touches_the_day_and_counts_no_attempt(file, capsys):
    check("99.2", ...)
    assert capsys.readouterr().out == "○ 99.2 not attempted yet: Energy\n"
    assert stored(file)["99.2"]["attempts"] == 0


def test_hints_go_one_level_further_on_every_call(file, capsys):
    said = []
    for _ in range(4):
        assert hint("99.1") is None
        said.append(capsys.readouterr().out.splitlines())
    assert [lines[0][:11] for lines in said] == ["Hint 1 of 3", "Hint 2 of 3"] + 2 * ["Hint 3 of 3"]
    assert [lines[1].strip() for lines in said] == ["look", "look again", "`np.sum`", "`np.sum`"]
    assert 'One more: `hint("99.1")`' in said[1][2]
    assert "the last hint" in said[2][2]
    assert stored(file)["99.1"]["hints"] == 3
    hint("99.2")
    assert capsys.readouterr().out == "99.2 has no hints: Energy\n"


def test_progress_shows_the_days_begun(capsys):
    progress()
    assert "No exercise begun yet" in capsys.readouterr().out
    check("99.1", np.sum)
    check("99.3", "because")
    hint("99.1")
    capsys.readouterr()
    assert progress() is None
    assert capsys.readouterr().out.splitlines() == [
        "2 of 6 points",
        "      exercise  status               points  attempts  hints",
        "99.1  Sum       ✓ right              2 of 2  1         1 of 3",
        "99.2  Energy    ○ not attempted yet  0 of 1  0         none",
        "99.3  Explain   ✎ recorded           ? of 3  1         none",
    ]


def test_progress_survives_entries_that_it_does_not_know(file, capsys):
    check("99.1", np.sum)
    content = json.loads(file.read_text())
    known = content["exercises"]["99.1"]
    content["exercises"] |= {"77.1": known, "junk": known, "99.2": known | {"status": "odd"}}
    file.write_text(json.dumps(content))
    capsys.readouterr()
    progress()
    assert "99.2  Energy    ○ not attempted yet" in capsys.readouterr().out


def test_unknown_ids_are_errors():
    for call in (lambda: check("99.7", 1), lambda: hint("99.7")):
        with pytest.raises(UnknownExerciseError, match="did you mean"):
            call()


def test_trouble_with_the_file_is_told_once(file, capsys):
    file.write_text("{")
    check("99.1", np.sum)
    assert capsys.readouterr().out.splitlines() == [
        "✓ 99.1 right: Sum (2 of 2 points)",
        "The progress file could not be read; it is kept as progress.json.bak.",
    ]
    check("99.1", np.sum)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_off_saves_nothing_and_still_counts_hints(file, monkeypatch, capsys):
    monkeypatch.setenv("TUTOR_PROGRESS", "off")
    check("99.1", np.sum)
    hint("99.1")
    hint("99.1")
    assert "Hint 2 of 3" in capsys.readouterr().out
    assert not file.exists()


@pytest.fixture
def notebook(monkeypatch):
    """IPython as it is inside a kernel; returns what was published."""
    published = []
    import IPython
    import IPython.display

    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: published.append((data, raw)))
    return published


def test_a_notebook_gets_html_and_text(notebook, capsys):
    check("99.1", np.mean)
    hint("99.1")
    progress()
    assert capsys.readouterr().out == ""
    assert all(raw and data.keys() == {"text/html", "text/plain"} for data, raw in notebook)
    verdict, told, table = (data for data, _ in notebook)
    assert 'role="status"' in verdict["text/html"]
    assert "✗ 99.1 wrong" in verdict["text/plain"]
    assert "Hint 1 of 3" in told["text/html"]
    assert "<table" in table["text/html"]
    assert "<caption" in table["text/html"]


def test_an_ipython_terminal_gets_text(monkeypatch, capsys):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: SimpleNamespace())
    check("99.1", np.sum)
    assert capsys.readouterr().out.startswith("✓ 99.1 right")
