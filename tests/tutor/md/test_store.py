"""Runs on disk: what was written is what was made, and a run goes on from there bit by bit."""

import jax
import numpy as np
import pytest

from tests.tutor.md.fluids import TAU, fluid, kelvin, moved
from tutor.md import Langevin, Verlet
from tutor.md.trajectory import open_trajectory

BATH = Langevin(0.004 * TAU, kelvin(1.0), 1e-3)


def test_a_run_goes_on_where_it_was_left(tmp_path):
    whole = moved(BATH, 400)
    part = moved(BATH, 200, path=tmp_path / "run")
    rest = moved(BATH, 400, path=tmp_path / "run")
    assert len(part) == len(rest) == 2
    for one, other in zip(jax.tree.leaves(whole.state), jax.tree.leaves(rest.state), strict=True):
        np.testing.assert_array_equal(one, other)
    with open_trajectory(tmp_path / "run") as stored:
        np.testing.assert_array_equal(stored.positions.values, whole.positions)
        np.testing.assert_array_equal(stored.temperature.values, whole.temperature)
        np.testing.assert_array_equal(stored.time.values, whole.time)
        np.testing.assert_array_equal(stored.numbers.values, 18)
    again = moved(BATH, 400, path=tmp_path / "run")
    assert len(again) == 0
    np.testing.assert_array_equal(again.state.positions, whole.state.positions)


def test_replicas_are_stored_too(tmp_path):
    run = moved(BATH, 100, system=[fluid(), fluid()], path=tmp_path / "run")
    with open_trajectory(tmp_path / "run") as stored:
        assert stored.positions.dims == ("time", "replica", "atom", "axis")
        np.testing.assert_array_equal(stored.positions.values, run.positions)


def test_another_run_is_not_continued(tmp_path):
    moved(BATH, 100, path=tmp_path / "run")
    with pytest.raises(ValueError, match="holds another run"):
        moved(Verlet(0.004 * TAU), 100, path=tmp_path / "run")
