"""`tutor symmetry`, as a user types it."""

import json

import pytest
from ase.build import bulk
from typer.testing import CliRunner

from tutor.cli import app
from tutor.symmetry_cli import load, numbers

MODEL = """
import numpy as np
def model(x, z):
    d = x[:, None] - x
    square = (d**2).sum(-1)
    bump = np.exp(-square)
    return {"energy": bump.sum() / 2, "forces": FACTOR * (2 * bump[..., None] * d).sum(1)}
"""


@pytest.fixture
def file(tmp_path):
    def write(factor):
        path = tmp_path / f"model_{factor}.py"
        path.write_text(MODEL.replace("FACTOR", factor))
        return f"{path}:model"

    return write


def run(*words):
    command = ["symmetry", *words, "--trials", "8"]
    return CliRunner().invoke(app, command, env={"COLUMNS": "200"})


def test_a_sound_model_is_0(file):
    result = run(file("1.0"))
    assert result.exit_code == 0, result.output
    assert "✓ model: all" in result.stdout


def test_a_broken_model_is_1_and_named(file, tmp_path):
    page = tmp_path / "report.html"
    result = run(file("1.1"), "--html", str(page))
    assert result.exit_code == 1
    assert "1.1 times what they must be" in result.stdout
    assert "the smallest found: 2 atoms" in result.stdout
    assert "<img alt=" in page.read_text("utf-8")


def test_json_for_scripts(file):
    result = run(file("1.1"), "--json", "--laws", "forces,rotation")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert data["broken"] == ["forces"]
    assert {f["law"] for f in data["findings"]} >= {"forces", "rotation"}


def test_an_ase_calculator_on_a_structure(tmp_path):
    path = tmp_path / "cu.xyz"
    bulk("Cu", cubic=True).write(path)
    result = run("ase.calculators.emt:EMT", "--structure", str(path), "--laws", "stress,images")
    assert result.exit_code == 0, result.output
    assert "stress" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["emt"], "say MODULE:OBJECT or FILE.py:OBJECT"),
        (["math:sine"], "math has no 'sine'"),
        (["nowhere.py:model"], "no file nowhere.py"),
        (["math:sin", "--structure", "nowhere.xyz"], "nowhere.xyz: no such file"),
        (["math:sin", "--species", "Xx"], "no element Xx"),
        (["math:sin", "--html", "nowhere/report.html"], "there is no folder nowhere"),
        (["fractions:Fraction.from_float"], "raised on every kind of array"),
        (["functools:partial"], "'functools:partial' is a class: name an instance"),
    ],
)
def test_wrong_use_is_told(words, said):
    result = run(*words)
    assert result.exit_code == 1
    assert said in str(result.exception)


def test_a_module_that_is_not_there():
    assert isinstance(run("nowhere_at_all:f").exception, ImportError)


def test_load_and_numbers():
    import math

    assert load("math:sin") is math.sin
    assert numbers("Cu, Au") == (29, 79)
