"""The progress file: safe against corruption, read-only folders and a second notebook."""

import json
import os
import subprocess
import sys
import time

import pytest

from tutor.exercises import record as module
from tutor.exercises.record import Record, counted, record


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tutor-progress.json"


def stored(path):
    return json.loads(path.read_text())["exercises"]


def test_attempts_are_counted_and_right_stays_right(path):
    for outcome in ("not attempted", "wrong", "right", "wrong"):
        Record(path).change("1.2", counted(outcome))
    entry = stored(path)["1.2"]
    assert (entry["status"], entry["attempts"], entry["hints"]) == ("right", 3, 0)
    first = entry["first_right"]
    assert first.endswith("+00:00")
    Record(path).change("1.2", counted("right"))
    assert stored(path)["1.2"]["first_right"] == first


def test_wrong_after_nothing_has_no_time(path):
    Record(path).change("1.2", counted("wrong"))
    assert stored(path)["1.2"] == {
        "status": "wrong",
        "attempts": 1,
        "hints": 0,
        "first_right": None,
    }


def test_nothing_but_the_file_is_left_behind(path):
    Record(path).change("1.2", counted("wrong"))
    assert list(path.parent.iterdir()) == [path]


def test_entries_of_others_and_unknown_fields_are_kept(path):
    mine, theirs = Record(path), Record(path)
    mine.change("1.1", counted("right"))
    theirs.change("1.2", lambda entry: entry | {"note": "kept"})
    mine.change("1.3", counted("wrong"))
    assert list(stored(path)) == ["1.1", "1.2", "1.3"]
    assert mine.entries()["1.2"]["note"] == "kept"


@pytest.mark.parametrize(
    "content",
    ["", "{not json", "[]", "null", '{"exercises": []}', '{"exercises": {"1.1": 3}}',
     '{"exercises": {"1.1": {"status": "right", "attempts": "x", "hints": 0}}}', "\x00\xff"],
)  # fmt: skip
def test_a_corrupt_file_is_kept_aside_and_told_once(path, content):
    path.write_bytes(content.encode("latin-1"))
    mine = Record(path)
    mine.change("1.1", counted("right"))
    assert stored(path)["1.1"]["status"] == "right"
    aside = path.with_name(path.name + ".bak")
    assert aside.read_bytes() == content.encode("latin-1")
    assert mine.trouble() == f"The progress file could not be read; it is kept as {aside.name}."
    mine.change("1.1", counted("right"))
    assert mine.trouble() == ""


def test_a_second_corrupt_file_does_not_replace_the_first(path):
    for content in ("first", "second"):
        path.write_text(content)
        Record(path).change("1.1", counted("right"))
    kept = sorted(p.read_text() for p in path.parent.glob("*.bak*"))
    assert kept == ["first", "second"]


@pytest.mark.parametrize("name", ["missing/p.json", "file/p.json", "."])
def test_a_place_that_cannot_be_written_is_told_once_and_memory_serves(tmp_path, name):
    (tmp_path / "file").write_text("not a folder")
    mine = Record(tmp_path / name)
    mine.change("1.1", counted("wrong"))
    mine.change("1.1", counted("right"))
    assert mine.trouble().startswith("Progress is not saved: ")
    mine.change("1.2", counted("right"))
    assert mine.trouble() == ""
    assert mine.entries()["1.1"]["attempts"] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_a_read_only_file_is_left_alone(path, monkeypatch):
    Record(path).change("1.1", counted("wrong"))
    before = path.read_bytes()
    monkeypatch.setattr(module.os, "access", lambda file, mode: False)  # root may write anything
    mine = Record(path)
    assert mine.change("1.1", counted("right"))["attempts"] == 2
    assert mine.change("1.1", counted("right"))["attempts"] == 3
    assert "the file is read-only" in mine.trouble()
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_read_is_not_overwritten(path, monkeypatch):
    Record(path).change("1.1", counted("wrong"))
    before = path.read_bytes()

    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(module.Path, "read_text", denied)
        mine = Record(path)
        mine.change("1.2", counted("right"))
        assert "Permission denied" in mine.trouble()
        assert list(mine.entries()) == ["1.2"]
    assert path.read_bytes() == before
    mine.change("1.3", counted("wrong"))
    assert list(stored(path)) == ["1.1", "1.2", "1.3"]  # what was kept in memory follows


def test_an_interrupted_write_keeps_the_old_file(path, monkeypatch):
    Record(path).change("1.1", counted("right"))
    before = path.read_bytes()

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.json, "dump", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Record(path).change("1.2", counted("right"))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_an_abandoned_lock_is_removed(path):
    lock = path.with_name(f".{path.name}.lock")
    lock.touch()
    os.utime(lock, (time.time() - 60,) * 2)
    Record(path).change("1.1", counted("right"))
    assert stored(path)["1.1"]["status"] == "right"
    assert not lock.exists()


def test_a_lock_that_stays_does_not_stop_the_check(path, monkeypatch):
    monkeypatch.setattr(module, "_WAIT", 0.02)
    path.with_name(f".{path.name}.lock").touch()
    Record(path).change("1.1", counted("right"))
    assert stored(path)["1.1"]["status"] == "right"


WRITER = """
import sys
from pathlib import Path
from tutor.exercises.record import Record, counted
mine, name = Record(Path(sys.argv[1])), sys.argv[2]
sys.stdin.readline()
for n in range(40):
    mine.change(f"{name}.{n}", counted("right"))
    mine.change("9.9", counted("wrong"))
"""


def test_two_processes_lose_nothing_of_each_other(path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, path, name], stdin=subprocess.PIPE, text=True
        )
        for name in ("1", "2")
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.close()
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    entries = stored(path)
    assert len(entries) == 81
    assert entries["9.9"]["attempts"] == 80
    assert list(path.parent.iterdir()) == [path]


def test_the_environment_names_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTOR_PROGRESS", str(tmp_path / "mine.json"))
    assert record().path == tmp_path / "mine.json"
    monkeypatch.setenv("TUTOR_PROGRESS", "off")
    record().change("98.1", counted("right"))
    assert record().path is None
    assert record().entries()["98.1"]["status"] == "right"
    monkeypatch.delenv("TUTOR_PROGRESS")
    monkeypatch.chdir(tmp_path)
    assert record().path == tmp_path / "tutor-progress.json"
    assert list(tmp_path.iterdir()) == []
