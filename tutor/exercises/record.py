"""The learner's progress: a small JSON file in their own folder.

`tutor-progress.json` in the current folder, or the file that the environment variable
TUTOR_PROGRESS names; TUTOR_PROGRESS=off keeps everything in memory. Trouble with the file never
stops a check: it is told once, in one line, and the session goes on in memory.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

NAME = "tutor-progress.json"
_WAIT, _STALE = 2.0, 10.0  # seconds: for another notebook's lock; until a lock counts as abandoned
NEW = {"status": "not attempted", "attempts": 0, "hints": 0, "first_right": None}


def record() -> "Record":
    """The record that TUTOR_PROGRESS and the current folder name now."""
    named = os.environ.get("TUTOR_PROGRESS", "")
    if named.strip().lower() == "off":
        return _at(None)
    return _at(Path(named or NAME).expanduser().absolute())


class Record:
    """Per exercise id: status, attempts, hints (how many were asked for) and first_right (time).

    Each change reads the file again under a lock and rewrites it whole, so two notebooks keep
    each other's entries.
    """

    def __init__(self, path: Path | None):
        self.path, self._unsaved, self._trouble, self._told = path, {}, "", set()

    def entries(self) -> dict[str, dict]:
        """All entries, by exercise id."""
        try:
            return self._read()
        except OSError as error:
            self._complain(f"Progress cannot be read: {self.path} ({error.strerror or error}).")
            return dict(self._unsaved)

    def change(self, exercise_id: str, change: Callable[[dict], dict]) -> dict:
        """Replaces the entry of one exercise by `change(entry)`, and returns the new one."""
        if self.path is None:
            entry = change(NEW | self._unsaved.get(exercise_id, {}))
            self._unsaved[exercise_id] = entry
            return entry
        try:
            with _lock(self.path):
                entries = self._read()
                entry = entries[exercise_id] = change(NEW | entries.get(exercise_id, {}))
                _write(self.path, {"version": 1, "exercises": entries})
                self._unsaved.clear()
        except OSError as error:
            entry = change(NEW | self.entries().get(exercise_id, {}))
            self._unsaved[exercise_id] = entry
            self._complain(f"Progress is not saved: {self.path} ({error.strerror or error}).")
        return entry

    def trouble(self) -> str:
        """What went wrong since this was last asked, in one line; "" if nothing, or told before."""
        told, self._trouble = self._trouble, ""
        return told

    def _read(self) -> dict[str, dict]:
        if self.path is None:
            return dict(self._unsaved)
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))["exercises"]
            for entry in entries.values():
                str(entry["status"]), entry["attempts"] + 0, entry["hints"] + 0, NEW | entry
        except FileNotFoundError:
            return dict(self._unsaved)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._set_aside()
            return dict(self._unsaved)
        return entries | self._unsaved

    def _set_aside(self) -> None:
        names = (f"{self.path.name}.bak{n or ''}" for n in range(1000))
        aside = next(a for a in map(self.path.with_name, names) if not a.exists())
        self.path.replace(aside)
        self._complain(f"The progress file could not be read; it is kept as {aside.name}.")

    def _complain(self, line: str) -> None:
        self._trouble = self._trouble if line in self._told else line
        self._told.add(line)


_at = cache(Record)


def counted(outcome: str) -> Callable[[dict], dict]:
    """The change that an attempt makes; what was right once stays right."""

    def change(entry: dict) -> dict:
        if outcome == "not attempted":
            return entry
        right = outcome == "right"
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return entry | {
            "status": "right" if entry["status"] == "right" else outcome,
            "attempts": entry["attempts"] + 1,
            "first_right": entry["first_right"] or (now if right else None),
        }

    return change


def _write(path: Path, content: dict) -> None:
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(None, "the file is read-only")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)
            file.write("\n")
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Holds `.NAME.lock` beside the file; goes on without it when another holds it too long."""
    lock, deadline = path.with_name(f".{path.name}.lock"), time.monotonic() + _WAIT
    held = False
    while not held and time.monotonic() < deadline:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            held = True
        except FileExistsError:
            with suppress(OSError):
                if time.time() - lock.stat().st_mtime > _STALE:
                    lock.unlink()
            time.sleep(0.005)
    try:
        yield
    finally:
        if held:
            with suppress(OSError):
                lock.unlink()
