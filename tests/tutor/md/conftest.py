"""Dynamics is tested in double precision: each test runs inside `float64()`."""

import pytest

from tutor.precision import float64


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield
