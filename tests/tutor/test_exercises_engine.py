"""The four kinds of exercise, the registry, and `verify`."""

import subprocess
import sys

import numpy as np
import pytest

from tutor.exercises import Status, exercises, registry, verify
from tutor.exercises.engine import choice, code, number, written
from tutor.exercises.expect import expect
from tutor.exercises.registry import UnknownExerciseError, find, throwaway


@pytest.fixture(autouse=True)
def day99():
    with throwaway():

        @code("99.1", "Sum", points=2, hints=("a", "b", "c"), remark="sums add up")
        def total(f, rng):
            x = rng.normal(size=5)
            expect(f(x), x.sum(), law="the sum of all", slips={"that is the mean": x.mean()})

        number(
            "99.2",
            "Energy",
            answer=lambda: 4.75,
            unit="eV",
            rtol=0.02,
            slips={"this is per atom": lambda right: right / 3, "this is the bond length": 0.74},
            remark="as measured",
        )
        why = {"a": "too few", "b": "just so", "c": "too many"}
        choice("99.3", "How many?", right="b", why=why)
        written(
            "99.10", "Explain", rubric=("2 points: leak", "1 point: time"), min_words=5, points=3
        )
        number("99.4", "Zero", answer=0.0, atol=0.1, unit="e·Å")
        yield


def test_code_right_and_wrong():
    right = verify("99.1", np.sum)
    assert (right.status, right.points, right.out_of) == (Status.RIGHT, 2, 2)
    assert right.message == "sums add up"
    wrong = verify("99.1", np.mean)
    assert (wrong.status, wrong.points, wrong.law) == (Status.WRONG, 0, "the sum of all")
    assert wrong.message == "that is the mean"
    assert wrong.next == '`hint("99.1")`'
    assert wrong.example.keys() == {"a"}  # NumPy's own name for it


def test_the_verdict_depends_on_the_seed_alone():
    first, again, other = (verify("99.1", np.mean, seed).text() for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize("answer", [4.75, 4.7, "float32", [4.8], np.array([[4.75]]), 4.845])
def test_number_right(answer):
    answer = np.float32(4.75) if answer == "float32" else answer
    verdict = verify("99.2", answer)
    assert verdict.status is Status.RIGHT
    assert verdict.message == "as measured"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (4.9, "slightly too large: within 10 %"),
        (4.4, "slightly too small: within 10 %"),
        (6.0, "too large, by less than a factor of ten"),
        (0.5, "too small, by less than a factor of ten"),
        (0.3, "too small, by more than a factor of ten"),
        (-4.0, "the sign is wrong"),
        (0.0, "too small"),
        (4.75 / 3, "this is per atom"),
        (0.74, "this is the bond length"),
        (-4.75, "the sign is flipped"),
        (109.5, "the factor is that from eV to kcal/mol"),
        (110, "the factor is that from eV to kcal/mol"),
        (np.nan, "the value is not finite"),
        (np.inf, "the value is not finite"),
        ("4.75 eV", "write it without quotes and without its unit"),
        (np.sum, "call the function"),
        (True, "got bool"),
        ([4.75, 4.75], "got list"),
        (4.75j, "got complex"),
    ],
)
def test_number_wrong(answer, words):
    verdict = verify("99.2", answer)
    assert verdict.status is Status.WRONG
    assert words in f"{verdict.message}\n{verdict.error}"
    assert verdict.expected is None
    assert "4.75" not in verdict.text() or "4.75" in str(answer)


def test_a_number_that_is_zero_has_an_absolute_tolerance():
    assert verify("99.4", -0.05).status is Status.RIGHT
    verdict = verify("99.4", 0.2)
    assert verdict.error == "too large"
    assert verdict.law == "the answer in e·Å is right to within 1 % + 0.1"


def test_choice():
    for answer in ("b", "B", " (b) ", "b.", "b)"):
        assert verify("99.3", answer).status is Status.RIGHT
    assert verify("99.3", "b").message == "(b) just so"
    wrong = verify("99.3", "c")
    assert (wrong.status, wrong.message) == (Status.WRONG, "(c) too many")
    for other in ("z", 2, ["b"]):
        assert verify("99.3", other).message == "the options are a, b, c"


def test_written():
    verdict = verify("99.10", "Frames next to each other are alike.")
    assert (verdict.status, verdict.points, verdict.out_of) == (Status.RECORDED, 0, 3)
    assert "7 words" in verdict.message
    assert verify("99.10", "too short").message == "2 words; at least 5"
    assert "between quotes" in verify("99.10", 3).message


@pytest.mark.parametrize("exercise_id", ["99.1", "99.2", "99.3", "99.10"])
@pytest.mark.parametrize("blank", [..., None, "", "  ", "...", "…", "?"])
def test_an_unset_value_is_not_attempted(exercise_id, blank):
    assert verify(exercise_id, blank).status is Status.NOT_ATTEMPTED


def test_exercises_are_listed_in_order():
    assert [e.id for e in exercises(99)] == ["99.1", "99.2", "99.3", "99.4", "99.10"]
    assert [e.kind for e in exercises(99)][1:3] == ["number", "choice"]
    assert find("99.10").rubric == ("2 points: leak", "1 point: time")
    assert find("99.3").options["a"] == "too few"


def test_unknown_ids_are_told_with_their_neighbours():
    with pytest.raises(UnknownExerciseError, match=r"no exercise '99.11'; did you mean 99.1"):
        find("99.11")
    with pytest.raises(UnknownExerciseError, match=r"Day 99 has 99.1, 99.2, 99.3, 99.4, 99.10"):
        verify("99.7", 1)
    with pytest.raises(UnknownExerciseError, match="day 77 has no exercises; days that have some"):
        find("77.1")
    with pytest.raises(UnknownExerciseError, match=r'an id is "day\.number"'):
        find("first")
    with pytest.raises(TypeError, match=r"the id is a string, .* got 99.1"):
        find(99.1)


def test_days_are_imported_when_asked_for(monkeypatch):
    imported = []

    def imports(name):
        imported.append(name)
        choice("98.1", "Which?", right="a", why={"a": "so"})

    monkeypatch.setattr(registry, "days", lambda: [98])
    monkeypatch.setattr(registry, "import_module", imports)
    assert find("98.1").title == "Which?"
    assert imported == ["tutor.exercises.day98"]


def test_an_author_is_told_of_mistakes():
    with pytest.raises(ValueError, match=r"id='99.1' is taken by 'Sum'"):
        number("99.1", "Another", answer=1.0)
    number("99.4", "Zero", answer=0.1)  # the module was loaded again
    with pytest.raises(ValueError, match=r'an exercise id is "day\.number"'):
        number("1", "No day", answer=1.0)
    with pytest.raises(ValueError, match=r"right='d' of exercise 99.5 is not among a"):
        choice("99.5", "Which?", right="d", why={"a": "no"})
    with pytest.raises(ValueError, match=r"library='tensorflow' of exercise 99\.5 is not"):
        code("99.5", "Which?", library="tensorflow")


def test_throwaway_forgets():
    with throwaway():
        number("99.8", "Gone", answer=1.0)
        assert find("99.8")
    with pytest.raises(UnknownExerciseError):
        find("99.8")


LIGHT = """
import sys
import tutor.exercises
assert "numpy" not in sys.modules
from tutor.exercises import check
from tutor.exercises.engine import code, verify
from tutor.exercises.expect import expect
@code("99.1", "One")
def one(f, rng):
    expect(f(), 1, law="one")
check("99.1", lambda: 1)
heavy = {"jax", "torch", "IPython", "matplotlib", "scipy", "ase"} & set(sys.modules)
assert not heavy, heavy
"""


def test_a_check_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", LIGHT],
        capture_output=True,
        text=True,
        env={"TUTOR_PROGRESS": "off", "PYTHONIOENCODING": "utf-8"},
    )
    assert (done.stdout, done.stderr) == ("✓ 99.1 right: One (1 of 1 points)\n", "")
