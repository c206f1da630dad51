"""For the tests of exercises: a toy to be solved."""

import pytest

from tutor.exercises.engine import code
from tutor.exercises.expect import expect
from tutor.exercises.registry import throwaway


@pytest.fixture
def double():
    """Exercise 99.1: twice its input."""
    with throwaway():

        @code("99.1", "Double it")
        def check(f, rng):
            for _ in range(2):
                x = rng.normal(size=(2, 3))
                expect(f(x), 2 * x, law="twice the input")

        yield
