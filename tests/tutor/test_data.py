"""The container, the storage and the catalogue. What the sets hold is tested in test_data_sets."""

import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import tutor.data
from tutor.data import catalogue
from tutor.data.dataset import Dataset
from tutor.data.storage import read, write
from tutor.graph import System


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


def test_an_unknown_name_lists_the_names_and_the_nearest():
    with pytest.raises(ValueError, match=r'no data set "etanol"; there are ethanol, .*"ethanol"\?'):
        tutor.data.load("etanol")
    with pytest.raises(ValueError, match=r'no data set "qm9"; there are [a-z_0-9, ]+\.$'):
        tutor.data.card("qm9")


def _copy_of(name, folder):
    for suffix in (".npz", ".toml"):
        content = (catalogue.SETS / f"{name}{suffix}").read_bytes()
        (folder / f"{name}{suffix}").write_bytes(content)
    return folder / f"{name}.npz"


def test_one_changed_byte_is_an_error_that_says_what_to_do(tmp_path):
    path = _copy_of("h2", tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    stated = tutor.data.card("h2").sha256
    with pytest.raises(
        ValueError, match=rf"h2\.npz is corrupt: .* be {stated}, found [0-9a-f]"
    ) as e:
        tutor.data.load("h2", folder=tmp_path)
    assert "tutor data make h2" in str(e.value)
    (check,) = tutor.data.verify("h2", folder=tmp_path)
    assert (check.expected, check.ok) == (stated, False)


def test_a_missing_file_is_the_same_error(tmp_path):
    _copy_of("h2", tmp_path).unlink()
    with pytest.raises(ValueError, match=r"is corrupt: .* found no file"):
        tutor.data.load("h2", folder=tmp_path)


def test_a_card_that_is_none_names_the_file_and_the_entry(tmp_path):
    (tmp_path / "odd.toml").write_text('name = "odd"\n')
    with pytest.raises(ValueError, match=r"odd\.toml is not a card: .*title"):
        tutor.data.card("odd", folder=tmp_path)
    text = (catalogue.SETS / "h2.toml").read_text(encoding="utf-8")
    (tmp_path / "odd.toml").write_text('author = "me"\n' + text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"odd\.toml is not a card: .*author"):
        tutor.data.card("odd", folder=tmp_path)


def test_loading_twice_costs_nothing():
    assert tutor.data.load("h2") is tutor.data.load("h2")


def test_verify_says_what_it_could_not_do(monkeypatch):
    monkeypatch.setattr(catalogue, "missing", lambda packages: list(packages))
    *done, last = tutor.data.verify("h2")
    assert done
    assert all(check.ok for check in done)
    assert last.ok is None
    assert "pyscf, tblite not installed: pip install 'nnp-tutor[data]'" in last.found


def test_verify_finds_a_wrong_label(monkeypatch):
    data = tutor.data.load("h2")

    def relabel(system):
        i = int(np.argmin(np.abs(data.positions[:, 1, 2] - system.positions[1, 2])))
        return {"energy": data.energy[i] + 3e-5}

    recipe = SimpleNamespace(ENGINES=(), statistics=lambda d: _h2_statistics(d), relabel=relabel)
    monkeypatch.setattr(catalogue, "_recipe", lambda name: recipe)
    last = tutor.data.verify("h2")[-1]
    assert "energy of 5 structures recomputed" in last.what
    assert last.found == "3.0e-05 eV"
    assert not last.ok


def _h2_statistics(data):
    from tutor.data.recipes import h2

    return h2.statistics(data)


@pytest.fixture
def regenerated(monkeypatch):
    """`make("h2")` with an engine that gives the shipped energies plus `regenerated.error`."""
    recipe = SimpleNamespace(ENGINES=(), statistics=_h2_statistics, error=0.0)

    def generate(progress):
        data = tutor.data.load("h2")
        progress("distances", 61, 61)
        return replace(data, energy=data.energy * (1 + recipe.error))

    recipe.generate = generate
    monkeypatch.setattr(catalogue, "_recipe", lambda name: recipe)
    monkeypatch.setattr(catalogue, "version", lambda package: "99.0")
    return recipe


def test_make_writes_the_set_and_a_card_that_fits(regenerated, tmp_path):
    seen = []
    checks = tutor.data.make("h2", tmp_path, lambda *message: seen.append(message))
    assert all(check.ok for check in checks)
    assert seen == [("distances", 61, 61)]
    again = tutor.data.load("h2", folder=tmp_path)
    np.testing.assert_array_equal(again.energy, tutor.data.load("h2").energy)
    assert set(tutor.data.card("h2", folder=tmp_path).engine.values()) == {"99.0"}


def test_make_reports_what_came_out_differently(regenerated, tmp_path):
    regenerated.error = 1e-3
    checks = {check.what: check for check in tutor.data.make("h2", tmp_path)}
    assert checks["SHA-256 of the file"].ok is None  # other bits are no fault
    assert checks["structures"].ok
    assert not checks["well_depth"].ok
    assert re.fullmatch(r"4\.70\d+ eV", checks["well_depth"].found)


def test_make_overwrites_nothing(regenerated, tmp_path):
    (tmp_path / "h2.toml").write_text("mine")
    with pytest.raises(FileExistsError, match=r"h2\.toml exists: remove it, or choose another"):
        tutor.data.make("h2", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["h2.toml"]


def test_a_missing_engine_says_what_to_install():
    from tutor.data.recipes.engines import require

    with pytest.raises(ImportError, match=r"no_such_engine is needed .* 'nnp-tutor\[data\]'"):
        require("no_such_engine.interface")


def test_loading_needs_no_engine_and_nothing_heavy():
    code = (
        "import sys, tutor.data; tutor.data.load('ethanol', 'train');"
        "print(*{'jax', 'ase', 'scipy', 'torch', 'rdkit', 'tblite', 'pyscf'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
