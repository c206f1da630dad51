"""Read a lesson and its solutions: cells, exercises, header."""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext
from nbformat import NotebookNode

LABELS = ("Question of the day", "You will have built", "Minutes", "Prerequisites", "Objectives")


@dataclass(frozen=True)
class Header:
    """What the first cell of a lesson says; a label that is missing has an empty text."""

    title: str
    labels: dict[str, str]

    @property
    def minutes(self) -> int | None:
        text = self.labels["Minutes"].strip(" .")
        return int(text) if text.isdigit() else None

    @property
    def objectives(self) -> list[str]:
        text = self.labels["Objectives"]
        items = re.findall(r"^[-*] +(.+(?:\n +\S.*)*)", text, re.MULTILINE)
        return [" ".join(item.split()).rstrip(";.") for item in items]


@dataclass(frozen=True)
class Lesson:
    """One lesson and its solution file, which may be missing."""

    root: Path
    stem: str

    @property
    def path(self) -> Path:
        return self.root / "lessons" / f"{self.stem}.py"

    @property
    def solution_path(self) -> Path:
        return self.root / "solutions" / f"{self.stem}.py"

    @property
    def day(self) -> int:
        return int(self.stem[3:5])

    @cached_property
    def cells(self) -> list[NotebookNode]:
        return _cells(self.path)

    @cached_property
    def solution_cells(self) -> list[NotebookNode]:
        return _cells(self.solution_path) if self.solution_path.is_file() else []

    @cached_property
    def answers(self) -> dict[str, str]:
        """Exercise id to the code that replaces the stub."""
        return {exercise(c): c.source for c in self.solution_cells if exercise(c)}

    @cached_property
    def header(self) -> Header:
        text = self.cells[0].source if self.cells else ""
        title = re.match(r"# (.+)", text)
        return Header(title[1].strip() if title else "", {k: _labelled(text, k) for k in LABELS})

    def sha256(self, *, solved: bool) -> str:
        """Of the text of the lesson, and of its solutions for the solved notebook."""
        texts = [self.path.read_text("utf-8")]
        if solved:
            texts.append(self.solution_path.read_text("utf-8"))
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def lessons(root: Path) -> list[Lesson]:
    """All lessons, in order."""
    paths = sorted((root / "lessons").glob("day[0-9][0-9]_*.py"))
    return [Lesson(root, path.stem) for path in paths]


def select(days: list[str] | None, root: Path) -> list[Lesson]:
    """The lessons that `days` names ("1", "day01" or the stem); all of them for None or [].

    Raises:
        ValueError: where no lesson has that name.
    """
    found = lessons(root)
    names = {name: x for x in found for name in (x.stem, x.stem[:5], str(x.day))}
    unknown = [day for day in days or [] if day not in names]
    if unknown or not found:
        known = ", ".join(x.stem for x in found) or "none"
        raise ValueError(f"days = {', '.join(unknown) or 'all'}: {root}/lessons has {known}")
    wanted = {names[day].stem for day in days} if days else {x.stem for x in found}
    return [lesson for lesson in found if lesson.stem in wanted]


def exercise(cell: NotebookNode) -> str:
    """The exercise id of a stub or an answer; "" for any other cell."""
    own = cell.metadata.get("tutor", {})
    return str(own.get("exercise", "")) if isinstance(own, dict) else ""


def checks(source: str) -> Iterator[tuple[str, set[str]]]:
    """The calls check("id", ...) in a cell: the id, and the names in the other arguments."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic; IPython will judge it
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        function, first = node.func, node.args[0]
        called = getattr(function, "id", getattr(function, "attr", None))
        if called == "check" and isinstance(first, ast.Constant):
            names = {n.id for a in node.args[1:] for n in ast.walk(a) if isinstance(n, ast.Name)}
            yield str(first.value), names


def first_line(cell: NotebookNode) -> str:
    """How an author recognises a cell."""
    line = next((text for text in cell.source.splitlines() if text.strip()), "(empty)")
    return line if len(line) <= 50 else line[:49] + "…"


def signatures(source: str) -> dict[str, str]:
    """What code defines at its top level: name to its first line, or to "a value".

    Methods count as "Class.method".

    Raises:
        SyntaxError: where it is not Python.
    """
    return dict(_defined(ast.parse(source).body))


def _defined(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            yield prefix + node.name, f"{word} {node.name}({ast.unparse(node.args)}){returns}"
        elif isinstance(node, ast.ClassDef):
            bases = ", ".join(ast.unparse(base) for base in [*node.bases, *node.keywords])
            yield prefix + node.name, f"class {node.name}({bases})"
            yield from _defined(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield prefix + node.target.id, f"a value: {ast.unparse(node.annotation)}"
        elif isinstance(node, ast.Assign):
            targets = [n for target in node.targets for n in ast.walk(target)]
            yield from ((prefix + n.id, "a value") for n in targets if isinstance(n, ast.Name))


def _cells(path: Path) -> list[NotebookNode]:
    """The cells of a percent file, without what jupytext notes for its own use."""
    cells = jupytext.reads(path.read_text("utf-8"), fmt="py:percent").cells
    for cell in cells:
        for key in ("lines_to_next_cell", "lines_to_end_of_cell_marker"):
            cell.metadata.pop(key, None)
    return cells


def _labelled(text: str, label: str) -> str:
    """What follows **label:** up to the next bold label."""
    match = re.search(rf"\*\*{label}:?\*\*:?(.*?)(?=\n\s*\*\*[A-Z][\w ]+:?\*\*|\Z)", text, re.S)
    return match[1].strip() if match else ""
