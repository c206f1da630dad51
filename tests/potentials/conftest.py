"""Potentials are tested in double precision: each test runs inside `float64()`."""

import pytest

from tutor.models.registry import REGISTRY, Entry
from tutor.precision import float64


@pytest.fixture(autouse=True, scope="module")
def _quick(quick_compilation):
    pass


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


@pytest.fixture(params=sorted(REGISTRY))
def entry(request) -> Entry:
    """Every model in turn, with what a test must know of it."""
    return REGISTRY[request.param]


@pytest.fixture
def potential(entry):
    """A small instance of it."""
    return entry.make()
