"""load, card, verify and make; and their errors. What the sets hold is tested in test_data_sets."""

import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import tutor.data
from tutor.data import catalogue


def test_an_unknown_name_lists_the_names_and_the_nearest():
    with pytest.raises(ValueError, match=r'no data set "etanol"; there are argon, .*"ethanol"\?'):
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
