"""The container and the storage."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tutor.data.dataset import Dataset
from tutor.data.storage import read, write
from tutor.system import System


@pytest.fixture
def water_and_nitrogen():
    """Three structures of different sizes, with a property and overlapping splits."""
    return Dataset(
        name="tiny",
        numbers=np.array([[8, 1, 1], [7, 7, 0], [8, 1, 1]]),
        positions=np.arange(27.0).reshape(3, 3, 3),
        energy=np.array([-1.0, -2.0, -3.0]),
        properties={"label": np.array(["a", "b", "c"])},
        units={"energy": "eV"},
        splits={"train": np.array([2, 0]), "test": np.array([1])},
    )


def test_an_integer_gives_one_system_without_padding(water_and_nitrogen):
    system = water_and_nitrogen[1]
    assert isinstance(system, System)
    assert system.numbers.tolist() == [7, 7]
    assert system.positions.tolist() == [[9, 10, 11], [12, 13, 14]]
    assert len(water_and_nitrogen[-1]) == 3


@pytest.mark.parametrize(
    "index", [slice(1, None), np.array([False, True, True]), np.array([1, 2]), [1, 2]]
)
def test_any_other_index_gives_a_dataset(water_and_nitrogen, index):
    part = water_and_nitrogen[index]
    assert len(part) == 2
    assert part.energy.tolist() == [-2, -3]
    assert part.properties["label"].tolist() == ["b", "c"]
    assert part.units == {"energy": "eV"}
    assert {name: s.tolist() for name, s in part.splits.items()} == {"train": [1], "test": [0]}


def test_splits_keep_their_own_order_and_follow_the_structures(water_and_nitrogen):
    train = water_and_nitrogen.split("train")
    assert train.properties["label"].tolist() == ["c", "a"]
    assert train.splits["train"].tolist() == [0, 1]
    assert set(train.splits) == {"train"}
    back = water_and_nitrogen[np.array([1, 0, 2, 0])]
    assert back.split("train").properties["label"].tolist() == ["c", "a", "a"]


def test_an_unknown_split_names_those_there_are(water_and_nitrogen):
    with pytest.raises(ValueError, match=r'tiny has no split "tset"; .* "train", "test"'):
        water_and_nitrogen.split("tset")


def test_iteration_ends(water_and_nitrogen):
    assert [len(system) for system in water_and_nitrogen] == [3, 2, 3]


def test_counts(water_and_nitrogen):
    counts, elements = water_and_nitrogen.counts()
    assert elements == (1, 7, 8)
    assert counts.tolist() == [[2, 0, 1], [0, 2, 0], [2, 0, 1]]
    counts, elements = water_and_nitrogen[:1].counts((7, 1))
    assert counts.tolist() == [[0, 2]]


def test_arrays_cannot_be_changed_by_accident(water_and_nitrogen):
    for array in water_and_nitrogen.arrays().values():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    with pytest.raises(TypeError, match="item assignment"):
        water_and_nitrogen.splits["test"] = np.array([0])
    mine = np.zeros(1)
    Dataset("mine", np.ones((1, 1), int), np.zeros((1, 1, 3)), energy=mine)
    mine[0] = 1.0  # the caller's own array stays writable


def test_rows_must_match():
    """In a process of its own, since the tests' own shape checks would strike first."""
    code = (
        "import numpy as np; from tutor.data import Dataset;"
        "one = dict(numbers=np.ones((1, 1), int), positions=np.zeros((1, 1, 3)));"
        "Dataset('odd', **one, energy=np.zeros(1), properties={'charge': np.zeros(2)})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ValueError: charge has 2 rows for 1 structures: give one row per" in done.stderr


def test_repr_says_what_how_many_and_in_which_units(water_and_nitrogen):
    text = repr(water_and_nitrogen)
    assert 'Dataset "tiny": 3 structures of 2 to 3 atoms' in text
    assert "energy [eV]" in text
    assert "train 2, test 1" in text
    assert "3 atoms, H2O" in repr(water_and_nitrogen[::2])
    assert "0 structures" in repr(water_and_nitrogen[:0])


@pytest.mark.parametrize(
    "extreme", [127, 128, -128, -129, 32767, -32768, 2**31 - 1, -(2**31), 2**40]
)
def test_what_is_on_the_grid_comes_back_bit_for_bit(water_and_nitrogen, tmp_path, extreme):
    step = 1e-4
    exact = replace(water_and_nitrogen, energy=np.array([extreme, -1, 3]) * step)
    steps = {"positions": 0.5, "energy": step}
    write(exact, tmp_path / "tiny.npz", steps)
    again = read(tmp_path / "tiny.npz", "tiny", steps, exact.units)
    for key, value in exact.arrays().items():
        assert again.arrays()[key].dtype == value.dtype
        np.testing.assert_array_equal(again.arrays()[key], value)
    assert {k: v.tolist() for k, v in again.splits.items()} == {"train": [2, 0], "test": [1]}


def test_rounding_is_to_the_nearest_step(water_and_nitrogen, tmp_path):
    write(water_and_nitrogen, tmp_path / "a.npz", {"positions": 0.7, "energy": 0.3})
    again = read(tmp_path / "a.npz", "a", {"positions": 0.7, "energy": 0.3}, {})
    assert np.abs(again.positions - water_and_nitrogen.positions).max() <= 0.35 + 1e-12
    np.testing.assert_allclose(again.energy, [-0.9, -2.1, -3.0])


def test_writing_refuses_what_would_lose_something(water_and_nitrogen, tmp_path):
    with pytest.raises(ValueError, match="steps has no entry for positions: say in the card"):
        write(water_and_nitrogen, tmp_path / "a.npz", {"energy": 1e-3})
    (tmp_path / "b.npz").write_text("mine")
    with pytest.raises(FileExistsError, match=r"b.npz exists: remove it, or choose another"):
        write(water_and_nitrogen, tmp_path / "b.npz", {"energy": 1.0, "positions": 1.0})
    assert [p.name for p in tmp_path.glob("*.npz")] == ["b.npz"]
