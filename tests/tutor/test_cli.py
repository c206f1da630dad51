"""The command line as a user types it."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tutor.cli import app


def tutor(*words, cwd=None):
    """Run a real process, as a shell would."""
    command = [sys.executable, "-m", "tutor", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def run(*words):
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "120"})


def test_help_names_every_command():
    result = run("--help")
    assert result.exit_code == 0
    for word in ("doctor", "start", "build", "data", "progress", "hint", "tutor start"):
        assert word in result.output


def test_no_words_show_the_help_and_are_wrong_usage():
    result = run()
    assert result.exit_code == 2
    assert "doctor" in result.output


@pytest.mark.parametrize("words", [["fly"], ["start", "--wings"], ["data", "make"]])
def test_wrong_usage_is_2(words):
    assert run(*words).exit_code == 2


def test_an_error_is_one_line_and_1(tmp_path):
    result = tutor("data", "show", "ethnol", cwd=tmp_path)
    assert result.returncode == 1
    assert 'no data set "ethnol"' in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") == 1


def test_brackets_survive(tmp_path):
    """`pip install 'nnp-tutor[lab]'` must not lose its extra to the terminal's markup."""
    from tutor.cli import _table, out

    with out.capture() as captured:
        _table("remedies", "what to do", rows=[("pip install 'nnp-tutor[lab]'",)])
    assert "nnp-tutor[lab]" in captured.get()


def test_data_list_for_scripts():
    rows = json.loads(run("data", "list", "--json").output)
    assert {row["name"] for row in rows} >= {"ethanol", "h2", "small_molecules"}
    assert all(row["structures"] > 0 and row["engine"] for row in rows)


def test_data_show_says_what_a_set_is_not_for():
    result = run("data", "show", "h2")
    assert result.exit_code == 0
    assert "Not for:" in result.output
    assert "Licence: CC BY 4.0" in result.output


def test_data_verify_passes_on_what_is_shipped():
    result = run("data", "verify", "h2")
    assert result.exit_code == 0, result.output
    assert "WRONG" not in result.output


def test_data_verify_fails_on_a_changed_file(monkeypatch):
    from tutor.data import Check

    checks = [Check("SHA-256 of the file", "aa", "bb", False)]
    monkeypatch.setattr("tutor.data.verify", lambda name, progress: checks)
    result = run("data", "verify", "h2")
    assert result.exit_code == 1
    assert "WRONG" in result.output


def test_hints_go_on(tmp_path):
    first, second = (tutor("hint", "1.1", cwd=tmp_path).stdout for _ in range(2))
    assert "Hint 1 of 3" in first
    assert "Hint 2 of 3" in second
    assert "Read the well" in tutor("progress", cwd=tmp_path).stdout


def test_version():
    from tutor import __version__

    assert run("--version").output.strip() == __version__
