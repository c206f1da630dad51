"""The doctor tells a broken machine from a sound one."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tutor import doctor
from tutor.cli import app


def test_this_machine_is_sound():
    findings = doctor.examine()
    assert all(f.ok for f in findings), [f for f in findings if not f.ok]
    assert {"Python", "jax", "devices", "arithmetic", "free disk"} <= {f.subject for f in findings}


@pytest.mark.parametrize(("name", "version"), doctor.BROKEN)
def test_known_broken_versions(monkeypatch, name, version):
    real = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda p: version if p == name else real(p))
    (finding,) = [f for f in doctor.examine() if not f.ok]
    assert finding.subject == name
    assert "pip install" in finding.remedy


def test_wrong_arithmetic_is_found_by_computing(monkeypatch):
    import jax

    wrong = lambda f: lambda w, d: np.asarray(f(w, d)) + 1e-3  # noqa: E731
    monkeypatch.setattr(jax, "jit", wrong)
    (finding,) = [f for f in doctor.examine() if not f.ok]
    assert finding.subject == "arithmetic"
    assert "wrong by 0.001" in finding.found


def test_full_disk(monkeypatch):
    monkeypatch.setattr(doctor, "FREE_GB", 1e9)
    (finding,) = [f for f in doctor.examine() if not f.ok]
    assert "free at least" in finding.remedy


def test_missing_package_and_exit_code(monkeypatch):
    real = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda p: None if p == "optax" else real(p))
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    rows = {row["subject"]: row for row in json.loads(result.stdout)}
    assert rows["optax"]["remedy"] == "pip install optax"


def test_optional_packages_are_no_problem(monkeypatch):
    real = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda p: None if p in doctor.OPTIONAL else real(p))
    assert all(f.ok for f in doctor.examine())
