"""A frame of a run as a structure: from memory, from disk, of one replica."""

import jax
import numpy as np
import pytest

from tests.tutor.md.test_trajectory import CONSTANTS, written
from tests.tutor.md.test_trajectory import frames as chunk
from tutor.md import Run, state_of, system_of
from tutor.md.state import stack
from tutor.system import System

NUMBERS, PBC = np.array([18, 36]), (True, True, False)


def run(replicas=()) -> Run:
    """Three frames of two atoms in a cell that grows."""
    system = System(NUMBERS, np.eye(3)[:2], np.eye(3), np.array(PBC))
    state = state_of(system, temperature=1.0, key=jax.random.key(0))
    state = stack([state] * replicas[0]) if replicas else state
    shape = (3, *replicas, 2, 3)
    cells = np.arange(1.0, 4.0).reshape(3, *[1] * len(replicas), 1, 1) * np.eye(3)
    frames = {
        "time": np.arange(3.0),
        "positions": np.arange(np.prod(shape)).reshape(shape),
        "cell": np.broadcast_to(cells, (3, *replicas, 3, 3)),
    }
    return Run(state, frames)


def test_from_memory():
    found = system_of(run(), 1)
    np.testing.assert_array_equal(found.positions, np.arange(6.0, 12.0).reshape(2, 3))
    np.testing.assert_array_equal(found.cell, np.diag([2.0, 2, 0]))  # without what is not periodic
    np.testing.assert_array_equal(found.numbers, NUMBERS)
    np.testing.assert_array_equal(found.pbc, PBC)
    assert system_of(run()).cell[0, 0] == 3


def test_of_one_replica():
    several = run(replicas=(4,))
    found = system_of(several, -3, replica=2)
    np.testing.assert_array_equal(found.positions, several.positions[0, 2])
    np.testing.assert_array_equal(found.cell, np.diag([1.0, 1, 0]))
    np.testing.assert_array_equal(found.numbers, NUMBERS)


def test_from_disk(tmp_path):
    with written(tmp_path) as stored:
        found = system_of(stored, 4)
    np.testing.assert_array_equal(found.positions, chunk(3)["positions"][1])
    np.testing.assert_array_equal(found.numbers, CONSTANTS["numbers"])
    np.testing.assert_array_equal(found.cell[:2], CONSTANTS["cell"][:2])
    np.testing.assert_array_equal(found.pbc, CONSTANTS["pbc"])


@pytest.mark.parametrize(
    ("made", "options", "words"),
    [
        (lambda: run(), {"frame": 3}, "frame = 3, but the run has 3: give -3 … 2"),
        (lambda: run(), {"replica": 0}, "replica = 0, but the run is of one structure"),
        (lambda: run((4,)), {}, "replica = None, but the run is of 4 replicas"),
        (lambda: Run(run().state, {"time": np.zeros(3)}), {}, "holds no positions: simulate with"),
    ],
)
def test_what_is_not_there_is_named(made, options, words):
    with pytest.raises(ValueError, match=words):
        system_of(made(), **options)
