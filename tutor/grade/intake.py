"""Submissions as they come: a folder, a zip, or what a learning platform exports.

Nothing is unpacked to disk and no link is followed; archives are read in memory and up to a
limit. Whatever cannot be read becomes a line about that learner and stops nobody else.
"""

import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

LARGEST = 100 << 20  # bytes of one file, unpacked; figures make notebooks large
MOST = 1000  # files of one archive
SOURCE = 2 << 20  # characters of code
PARTS = 10_000_000  # entries of a notebook's JSON: each takes a hundred times its byte
IGNORED = {"__MACOSX", ".ipynb_checkpoints", ".git"}
MOODLE = re.compile(r"(?P<who>.+?)_\d+_assignsubmission_[a-z]+_?(?P<rest>.*)")
CANVAS = re.compile(r"(?P<who>[^_]+)(_LATE)?_\d+_\d+_(?P<rest>.+)")
BLACKBOARD = re.compile(r".+?_(?P<who>[^_]+)_attempt_[\d-]+_?(?P<rest>.*)")
DAY = re.compile(r"[ _-]*day\d\d.*", re.IGNORECASE)
# Of untrusted text: no pattern here may take more than linear time.
CHECK = re.compile(r"check\([ \t]*['\"](\d{1,3})\.\d+['\"]")
DEFINED = re.compile(r"^(?:def |class )?[ \t]*(\w+)[ \t]*[(:=]", re.MULTILINE)


@dataclass(frozen=True)
class Notebook:
    """The code cells of a notebook, each with the exercise id that it carries or ""."""

    name: str
    cells: tuple[tuple[str, str], ...]

    def days(self, names: dict[str, str]) -> set[int]:
        """The days that it is about: by ids, else by its file's name, else by names of answers."""
        code = "\n".join(source for source, _ in self.cells)
        ids = {int(day) for day in CHECK.findall(code)}
        ids |= {int(e.partition(".")[0]) for _, e in self.cells if re.fullmatch(r"\d{1,3}\.\d+", e)}
        ids = ids or {int(day) for day in re.findall(r"day(\d\d)", self.name.lower())}
        defined = set(DEFINED.findall(code))
        return ids or {int(e.partition(".")[0]) for e, name in names.items() if name in defined}


@dataclass
class Submission:
    """What one learner handed in, and in words what of it could not be read."""

    learner: str
    notebooks: list[Notebook] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


class UnreadableError(ValueError):
    """This file cannot be graded; the message says why, for the learner."""


def collect(source: Path) -> list[Submission]:
    """All submissions in a folder or a zip, by learner.

    Raises:
        FileNotFoundError: there is nothing at `source`.
        ValueError: it is neither a folder nor a zip, or holds no submission.
    """
    if not source.exists():
        raise FileNotFoundError(f"submissions = {source}: there is no such folder or file")
    if source.is_dir():
        files = _in_folder(source)
    elif zipfile.is_zipfile(source):
        files = _in_archive(source.read_bytes(), (), depth=0)
    else:
        raise ValueError(f"submissions = {source}: give a folder or a .zip of notebooks")
    found: dict[str, Submission] = {}
    for parts, content in _below_common_folder(list(files)):
        if content is None and len(parts) == 1:  # some other file beside the submissions
            continue
        learner = printable(owner(parts))
        submission = found.setdefault(learner, Submission(learner))
        try:
            if content is None:
                continue
            if isinstance(content, UnreadableError):
                raise content
            submission.notebooks.append(read(printable("/".join(parts)), content))
        except UnreadableError as error:
            submission.troubles.append(printable(f"{parts[-1]}: {error}"))
    if not found:
        raise ValueError(f"submissions = {source}: no notebook in it")
    for submission in found.values():
        if not submission.notebooks and not submission.troubles:
            submission.troubles.append("no notebook (.ipynb) was handed in")
    return [found[learner] for learner in sorted(found, key=str.casefold)]


def owner(parts: tuple[str, ...]) -> str:
    """The learner to whom a file belongs: the folder, or what the platform's file name says."""
    first = parts[0] if len(parts) > 1 else PurePosixPath(parts[0]).stem
    for pattern in (MOODLE, BLACKBOARD, *([] if len(parts) > 1 else [CANVAS])):
        match = pattern.fullmatch(first)
        if match:
            return match["who"].strip()
    return first if len(parts) > 1 else DAY.sub("", first) or first


def printable(text: str) -> str:
    """`text` without what cannot be written to a file or would command a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)


def read(name: str, content: bytes) -> Notebook:
    """The code of a notebook; outputs and everything else are dropped.

    Raises:
        UnreadableError: it is none.
    """
    if not content.strip():
        raise UnreadableError("the file is empty")
    if sum(map(content.count, (b"[", b"{", b","))) > PARTS:
        raise UnreadableError("too many entries; clear the outputs and hand in again")
    try:
        notebook = json.loads(content)
        cells = notebook["cells"] if notebook.get("nbformat", 4) >= 4 else None
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        pairs = tuple(("".join(cell["source"]), _exercise(cell)) for cell in code)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnreadableError(
            "this is not a Jupyter notebook of format 4; download it again as .ipynb"
        ) from None
    if sum(len(source) for source, _ in pairs) > SOURCE:
        raise UnreadableError(f"more than {SOURCE >> 20} MB of code")
    return Notebook(name, pairs)


def _exercise(cell: dict) -> str:
    own = cell.get("metadata", {}).get("tutor", {})
    return str(own.get("exercise", ""))[:20] if isinstance(own, dict) else ""


def _in_folder(folder: Path) -> Iterator[tuple[tuple[str, ...], bytes | UnreadableError | None]]:
    """Path and content of every notebook; of another file, None."""
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - IGNORED)
        for name in sorted(names):
            file = Path(path, name)
            parts = file.relative_to(folder).parts
            try:
                yield from _opened(parts, _content(file), depth=0)
            except UnreadableError as error:
                yield parts, error


def _content(file: Path) -> bytes:
    if file.suffix.lower() not in (".ipynb", ".zip"):
        return b""
    if file.is_symlink() or not file.is_file():
        raise UnreadableError("a link or a device, not a file; it was not opened")
    if file.stat().st_size > LARGEST:
        raise UnreadableError(
            f"larger than {LARGEST >> 20} MB; clear the outputs and hand in again"
        )
    return file.read_bytes()


def _opened(parts: tuple, content: bytes, depth: int) -> Iterator:
    suffix = PurePosixPath(parts[-1]).suffix.lower()
    if suffix == ".ipynb" and not parts[-1].startswith("._"):
        yield parts, content
    elif suffix == ".zip":
        above = (*parts[:-1], PurePosixPath(parts[-1]).stem)
        yield from _in_archive(content, above if parts[1:] else (owner(parts),), depth + 1)
    else:
        yield parts, None


def _in_archive(content: bytes, above: tuple, depth: int) -> Iterator:
    at = above or ("archive",)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [m for m in archive.infolist() if not m.is_dir()]
        if depth > 2 or len(members) > MOST:
            raise UnreadableError("too many files or archives within archives; it was not opened")
        left = LARGEST if above else 10 * LARGEST
        for member in members:
            path = PurePosixPath(member.filename.replace("\\", "/"))
            if set(path.parts) & IGNORED:
                continue
            parts = (*above, *path.parts)
            if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
                safe = tuple(part for part in parts if part not in ("..", "/"))
                yield (
                    safe,
                    UnreadableError(f"{member.filename!r:.80} leaves the archive; it was not read"),
                )
                continue
            if path.suffix.lower() not in (".ipynb", ".zip"):
                yield parts, None
                continue
            with archive.open(member) as file:
                data = file.read(min(left, LARGEST) + 1)
            left -= len(data)
            if left < 0 or len(data) > LARGEST:
                raise UnreadableError(
                    f"it unpacks to more than {LARGEST >> 20} MB; not read further"
                )
            yield from _opened(parts, data, depth)
    except UnreadableError as error:
        yield at, error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, OSError, ValueError, EOFError,
            NotImplementedError, zipfile.zlib.error) as error:  # fmt: skip
        yield at, UnreadableError(f"the archive cannot be read: {error}")


def _below_common_folder(files: list) -> list:
    """Without the one folder that holds the folders of all learners, if there is one."""
    tops = {parts[0] for parts, _ in files}
    if len(tops) == 1 and all(len(parts) > 2 for parts, _ in files):
        return [(parts[1:], content) for parts, content in files]
    return files
