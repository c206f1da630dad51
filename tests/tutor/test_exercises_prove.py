"""The proof itself must fail when an exercise does not keep a promise."""

import numpy as np
import pytest

from tests.course.prove import prove
from tutor.exercises.engine import choice, code, number, written
from tutor.exercises.expect import expect
from tutor.exercises.registry import throwaway


def stub(x):
    """The sum."""
    raise NotImplementedError


RIGHT = [lambda x: np.add.reduce(x), lambda x: sum(x), lambda x: np.ones(len(x)) @ x]
WRONG = {
    "that is the mean": np.mean,
    "the sign is flipped": lambda x: -x.sum(),
    "changed its input `x`": lambda x: x.__iadd__(1).sum(),
    "the shape is (5,)": np.cumsum,
}


@pytest.fixture(autouse=True)
def day99():
    with throwaway():

        @code("99.1", "Sum of squares", hints=("a", "b", "c"))
        def total(f, rng):
            x = rng.normal(size=5)
            expect(f(x), x.sum(), law="the sum of all", slips={"that is the mean": x.mean()})

        number("99.2", "Energy", answer=4.75, slips={"a third": 4.75 / 3})
        choice("99.3", "How many?", right="b", why={"a": "too few", "b": "so", "c": "too many"})
        written("99.4", "Explain", rubric=("1 point",), min_words=3)
        yield


def test_what_keeps_its_promises_is_proven():
    prove("99.1", np.sum, right=RIGHT, wrong=WRONG, stub=stub)
    prove("99.2", 4.75, wrong={"a third": 4.75 / 3, "sign": -4.75})
    prove("99.3", "b", wrong={"too few": "a", "too many": "c"})
    prove("99.4", "three words here", wrong={"at least 3": "two words"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reference": np.mean}, "99.1, reference, seed 0"),
        ({"right": [*RIGHT, np.mean]}, "99.1, right answer 4, seed 0"),
        ({"right": RIGHT[:2]}, "needs 3 other right answers, has 2"),
        ({"wrong": dict(list(WRONG.items())[:3])}, "needs 4 planted mistakes, has 3"),
        ({"wrong": WRONG | {"anything": np.sum}}, "99.1, mistake 'anything', seed 0"),
        ({"wrong": WRONG | {"other words": np.mean}}, "not in these words: 99.1"),
        ({"wrong": WRONG | {"Sum of squares": np.mean}}, "not in these words: 99.1"),
        ({"stub": np.sum}, "99.1, stub, seed 0"),
        ({"stub": np.mean}, "99.1, stub, seed 0"),
    ],
)
def test_a_broken_promise_is_found(changes, words):
    promised = {"reference": np.sum, "right": RIGHT, "wrong": WRONG, "stub": stub}
    with pytest.raises(AssertionError) as caught:
        prove("99.1", **(promised | changes))
    assert words in str(caught.value)


def test_every_seed_counts():
    lucky = {"the sum": lambda x: x.sum() if x[0] > 0.2 else 0.0}
    with pytest.raises(AssertionError, match=r"mistake 'the sum', seed \d"):
        prove("99.1", np.sum, right=RIGHT, wrong=WRONG | lucky, stub=stub)


def test_an_unproven_option_and_missing_hints_are_found():
    with pytest.raises(AssertionError, match="no proof for the options b, c"):
        prove("99.3", "b", wrong={"too few": "a"})
    code("99.5", "No hints")(lambda f, rng: f())
    with pytest.raises(AssertionError, match="has 0 hints, a code exercise needs 3"):
        prove("99.5", np.sum, right=RIGHT, wrong=WRONG)
