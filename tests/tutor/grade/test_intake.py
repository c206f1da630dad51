"""Submissions as they come, the hostile ones too."""

import io
import json
import os
import zipfile

import pytest

from tests.tutor.grade.classroom import DISTANCES, notebook
from tutor.grade.intake import collect
from tutor.grade.owner import owner

NOTEBOOK = notebook(("1.7", DISTANCES)).encode()


def zipped(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def put(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("path", "learner"),
    [
        ("Ada Lovelace/day01.ipynb", "Ada Lovelace"),
        ("Ada Lovelace/week 1/day01.ipynb", "Ada Lovelace"),
        ("Ada Lovelace_123_assignsubmission_file_/day01.ipynb", "Ada Lovelace"),
        ("Ada Lovelace_123_assignsubmission_file_day01.ipynb", "Ada Lovelace"),
        ("lovelaceada_4711_0815_day01-2.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_4711_0815_day01.ipynb", "lovelaceada"),
        ("Homework 1_ada_attempt_2026-10-01-12-00-00_day01.ipynb", "ada"),
        ("ada_day01_positions_to_energy.ipynb", "ada"),
        ("ada.ipynb", "ada"),
        ("day01_positions_to_energy.ipynb", "day01_positions_to_energy"),
    ],
)
def test_whose_it_is(path, learner):
    assert owner(tuple(path.split("/"))) == learner


def test_a_folder_a_zip_and_zips_within_are_the_same(tmp_path):
    files = {"ada/day01.ipynb": NOTEBOOK, "bob.ipynb": NOTEBOOK, "eve/work.zip": zipped(x=b"no")}
    files["cyd.zip"] = zipped(**{"deep/day01.ipynb": NOTEBOOK, "__MACOSX/._day01.ipynb": b"x"})
    files |= {"ada/.ipynb_checkpoints/day01.ipynb": b"old", "grades.csv": b"a,b", "dan/a.pdf": b"%"}
    of_folder = collect(put(tmp_path / "in", files))
    (tmp_path / "all.zip").write_bytes(zipped(**files))
    of_zip = collect(tmp_path / "all.zip")
    deep = {f"Week 1/{name}": content for name, content in files.items() if "/" in name}
    (tmp_path / "wrapped.zip").write_bytes(zipped(**deep))
    assert [s.learner for s in of_folder] == ["ada", "bob", "cyd", "dan", "eve"]
    assert [(s.learner, len(s.notebooks)) for s in of_folder] == [
        (s.learner, len(s.notebooks)) for s in of_zip
    ]
    assert [s.learner for s in collect(tmp_path / "wrapped.zip")] == ["ada", "dan", "eve"]
    troubles = {s.learner: s.troubles for s in of_folder if s.troubles}
    assert list(troubles) == ["dan", "eve"]
    assert troubles["dan"] == troubles["eve"] == ["no notebook (.ipynb) was handed in"]


def test_colab_has_other_metadata_and_large_outputs(tmp_path):
    image = {"output_type": "display_data", "data": {"image/png": "A" * 5_000_000}}
    source = ["import numpy as np\n", *DISTANCES.splitlines(keepends=True)]
    cell = {"cell_type": "code", "metadata": {"id": "x"}, "outputs": [image], "source": source}
    text = {"cell_type": "markdown", "metadata": {}, "source": ["# Day 1"]}
    colab = {"nbformat": 4, "nbformat_minor": 0, "metadata": {"colab": {}}, "cells": [text, cell]}
    put(tmp_path, {"ada/Copy of x.ipynb": json.dumps(colab).encode()})
    (submission,) = collect(tmp_path)
    assert submission.notebooks[0].days({"1.7": "pair_distances"}) == {1}
    assert len(str(submission)) < 1000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (bytes(range(256)) * 9, "not a Jupyter notebook"),
        (b"\x7fELF\x02", "not a Jupyter notebook"),
        (b"[" * 200_000, "not a Jupyter notebook"),
        (b"[1, 2]", "not a Jupyter notebook"),
        (b'{"cells": [3]}', "not a Jupyter notebook"),
        (b'{"worksheets": [], "nbformat": 3}', "not a Jupyter notebook"),
        (NOTEBOOK[:-9], "not a Jupyter notebook"),
        (notebook("#" * 3_000_000).encode(), "more than 2 MB of code"),
        (b"[" + b"{}," * 6_000_000 + b"{}]", "too many entries"),
    ],
    ids=[
        "empty",
        "blank",
        "binary",
        "program",
        "deep",
        "list",
        "cells",
        "old",
        "cut",
        "long",
        "wide",
    ],
)
def test_what_is_no_notebook_is_told_and_others_are_read(tmp_path, content, words):
    eve, good = collect(put(tmp_path, {"eve/x.ipynb": content, "good/x.ipynb": NOTEBOOK}))
    assert words in eve.troubles[0]
    assert len(good.notebooks) == 1
    assert not good.troubles


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("tutor.grade.files.LARGEST", 1 << 20)
    bomb = zipped(**{"day01.ipynb": bytes(20 << 20)})
    many = zipped(**{f"{n}.ipynb": bytes(1 << 20) for n in range(3)})
    nested = bomb
    for _ in range(4):
        nested = zipped(**{"a.zip": nested})
    files = {"bomb.zip": bomb, "many.zip": many, "nested.zip": nested, "good/x.ipynb": NOTEBOOK}
    found = {s.learner: s for s in collect(put(tmp_path, files))}
    assert "unpacks to more than" in found["bomb"].troubles[0]
    assert "unpacks to more than" in found["many"].troubles[-1]
    assert "archives within archives" in found["nested"].troubles[0]
    assert not found["good"].troubles


def test_a_path_that_leaves_the_archive_is_not_followed(tmp_path):
    names = ("../../evil.ipynb", "/etc/evil.ipynb", "..\\evil.ipynb", "C:/evil.ipynb", "x.ipynb")
    evil = zipped(**dict.fromkeys(names, NOTEBOOK))
    put(tmp_path / "in", {"eve.zip": evil, "good/x.ipynb": NOTEBOOK})
    eve, good = collect(tmp_path / "in")
    assert (eve.learner, good.learner) == ("eve", "good")
    assert len(eve.notebooks) == 1
    assert len([t for t in eve.troubles if "leaves the archive" in t]) == 4
    assert sorted(p.name for p in tmp_path.rglob("*.ipynb")) == ["x.ipynb"]


@pytest.mark.parametrize(  # named, for an archive holds the time, and all workers need one name
    "content",
    [b"", b"PK\x03\x04 no more", zipped(x=b"y")[:-30]],
    ids=["empty", "a head alone", "cut off"],
)
def test_a_broken_archive_is_told(tmp_path, content):
    eve, _ = collect(put(tmp_path, {"eve.zip": content, "good/x.ipynb": NOTEBOOK}))
    assert "the archive cannot be read" in eve.troubles[0]


def test_links_and_devices_are_not_opened(tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(NOTEBOOK)
    folder = put(tmp_path / "in", {"good/x.ipynb": NOTEBOOK})
    for learner in ("linker", "piper"):
        (folder / learner).mkdir()
    (folder / "linker/x.ipynb").symlink_to(secret)
    os.mkfifo(folder / "piper/x.ipynb")
    (folder / "outside").symlink_to(tmp_path)
    found = {s.learner: s for s in collect(folder)}
    assert set(found) == {"good", "linker", "piper"}
    for learner in ("linker", "piper"):
        assert "it was not opened" in found[learner].troubles[0]


@pytest.mark.parametrize(
    "source", ["\n" * 1_900_000, " " * 1_900_000, "a" * 1_900_000, "check(" + " " * 1_900_000,
               "check('" + "9" * 9000 + ".1')"],
    ids=["lines", "blanks", "name", "check", "number"],
)  # fmt: skip
def test_no_text_keeps_the_grader_busy(tmp_path, source):
    (submission,) = collect(put(tmp_path, {"eve/x.ipynb": notebook(source).encode()}))
    assert submission.notebooks[0].days({"1.7": "pair_distances"}) == set()


def test_a_name_commands_no_terminal(tmp_path):
    (submission,) = collect(put(tmp_path, {"eve\x1b[2J\n/x.ipynb": NOTEBOOK}))
    assert submission.learner == "eve�[2J�"


def test_nothing_to_grade_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        collect(tmp_path / "gone")
    with pytest.raises(ValueError, match="no notebook in it"):
        collect(tmp_path)
    (tmp_path / "x.tar").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"give a folder or a \.zip"):
        collect(tmp_path / "x.tar")
