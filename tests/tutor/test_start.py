"""The learner's own folder: nothing of theirs is lost, whatever happens on the way."""

import os
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from tutor.cli import app
from tutor.start import copy_for_learner, find_day, notebooks, open_lab


@pytest.fixture
def lesson(tmp_path):
    code = nbformat.v4.new_code_cell("1 + 1", id="a", execution_count=3)
    code.outputs = [nbformat.v4.new_output("stream", text="2")]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Day", id="b"), code]
    )
    path = tmp_path / "day01_x.ipynb"
    nbformat.write(notebook, path)
    return path


def test_the_copy_has_no_outputs(lesson, tmp_path):
    copied = copy_for_learner(lesson, tmp_path / "mine")
    assert copied.new
    cells = nbformat.read(copied.path, as_version=4).cells
    assert [c.cell_type for c in cells] == ["markdown", "code"]
    assert cells[1].outputs == []
    assert cells[1].execution_count is None
    assert os.access(copied.path, os.R_OK | os.W_OK)


def test_the_second_time_keeps_the_learners_work(lesson, tmp_path):
    path = copy_for_learner(lesson, tmp_path / "mine").path
    path.write_text("mine")
    again = copy_for_learner(lesson, tmp_path / "mine")
    assert not again.new
    assert path.read_text() == "mine"
    assert [p.name for p in (tmp_path / "mine").iterdir()] == [path.name]


def test_an_interrupted_start_leaves_nothing_half_done(lesson, tmp_path, monkeypatch):
    def power_cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(nbformat, "write", power_cut)
    with pytest.raises(KeyboardInterrupt):
        copy_for_learner(lesson, tmp_path / "mine")
    monkeypatch.undo()
    assert list((tmp_path / "mine").iterdir()) == []
    assert copy_for_learner(lesson, tmp_path / "mine").new


def test_two_at_once_do_not_overwrite(lesson, tmp_path, monkeypatch):
    """Another process makes the file between our look and our write."""
    target = tmp_path / "mine" / lesson.name
    write = nbformat.write

    def rival(notebook, file):
        write(notebook, file)
        target.write_text("theirs")

    monkeypatch.setattr(nbformat, "write", rival)
    assert not copy_for_learner(lesson, tmp_path / "mine").new
    assert target.read_text() == "theirs"


def test_no_hard_links(lesson, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError("no hard links on this file system")

    monkeypatch.setattr(os, "link", refuse)
    copied = copy_for_learner(lesson, tmp_path / "mine")
    assert copied.new
    assert [p.name for p in (tmp_path / "mine").iterdir()] == [lesson.name]


def test_a_file_in_the_way(lesson, tmp_path):
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(NotADirectoryError, match="choose another folder with --dir"):
        copy_for_learner(lesson, tmp_path / "mine")


@pytest.mark.parametrize("name", ["1", "01", "day01", "Day01", "day01_positions_to_energy"])
def test_days_by_any_name(name):
    assert find_day(name).stem == "day01_positions_to_energy"


def test_unknown_day():
    with pytest.raises(ValueError, match=r"day = '99': no such lesson; there is day01_"):
        find_day("99")


def test_start_without_lab(tmp_path):
    result = CliRunner().invoke(app, ["start", "day01", "--no-lab", "--dir", str(tmp_path / "me")])
    assert result.exit_code == 0, result.output
    assert [p.name for p in (tmp_path / "me").iterdir()] == ["day01_positions_to_energy.ipynb"]


def test_missing_lab_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"nnp-tutor\[lab\].*--no-lab"):
        open_lab(Path("x.ipynb"), browser=False)


def test_the_lessons_are_found_in_the_source_tree():
    assert all(path.is_file() for path in notebooks().values())
