"""Submissions as they come: a folder, a zip, or what a learning platform exports.

Whatever cannot be read becomes a line about that learner and stops nobody else.
"""

import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from tutor.grade.files import UnreadableError, in_archive, in_folder
from tutor.grade.owner import owner

SOURCE = 2 << 20  # characters of code
PARTS = 10_000_000  # entries of a notebook's JSON: each takes a hundred times its byte
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

    @classmethod
    def from_values(cls, values: dict) -> "Submission":
        """The submission of which `asdict` made these values."""
        notebooks = [
            Notebook(n["name"], tuple((source, exercise) for source, exercise in n["cells"]))
            for n in values["notebooks"]
        ]
        return cls(values["learner"], notebooks, list(values["troubles"]))


def collect(source: Path) -> list[Submission]:
    """All submissions in a folder or a zip, by learner.

    Raises:
        FileNotFoundError: there is nothing at `source`.
        ValueError: it is neither a folder nor a zip, or holds no submission.
    """
    if not source.exists():
        raise FileNotFoundError(f"submissions = {source}: there is no such folder or file")
    if source.is_dir():
        files = in_folder(source)
    elif zipfile.is_zipfile(source):
        files = in_archive(source.read_bytes())
    else:
        raise ValueError(f"submissions = {source}: give a folder or a .zip of notebooks")
    found: dict[str, Submission] = {}
    for parts, content in _below_common_folder([(p, _understood(p, c)) for p, c in files]):
        if content is None and len(parts) == 1:  # some other file beside the submissions
            continue
        learner = printable(owner(parts))
        submission = found.setdefault(learner, Submission(learner))
        if isinstance(content, Notebook):
            submission.notebooks.append(content)
        elif content is not None:
            submission.troubles.append(printable(f"{parts[-1]}: {content}"))
    if not found:
        raise ValueError(f"submissions = {source}: no notebook in it")
    for submission in found.values():
        if not submission.notebooks and not submission.troubles:
            submission.troubles.append("no notebook (.ipynb) was handed in")
    return [found[learner] for learner in sorted(found, key=str.casefold)]


def _understood(parts: tuple, content: bytes | UnreadableError | None):
    """A notebook, or why there is none, or None: at once, so that no figure stays in memory."""
    if not isinstance(content, bytes):
        return content
    try:
        return read(printable("/".join(parts)), content)
    except UnreadableError as error:
        return error


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


def _below_common_folder(files: list) -> list:
    """Without the one folder that holds the folders of all learners, if there is one."""
    tops = {parts[0] for parts, _ in files}
    if len(tops) == 1 and all(len(parts) > 2 for parts, _ in files):
        return [(parts[1:], content) for parts, content in files]
    return files
