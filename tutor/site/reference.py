"""The library's own pages, from its docstrings."""

import pkgutil
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import tutor

# What authors, instructors and the command line use is described elsewhere.
LEFT_OUT = {"__main__", "build", "cli", "doctor", "grade", "nbval_plugin", "render", "site", "start",
            "symmetry_cli"}  # fmt: skip
ONE_PAGE_EACH = {"models"}


def write_reference(folder: Path) -> None:
    """A page for every room of the library, and for every model."""
    folder.mkdir()
    names = [room.name for room in pkgutil.iter_modules(tutor.__path__) if room.name not in LEFT_OUT]
    for name in sorted(names):
        pages = []
        if name in ONE_PAGE_EACH:
            rooms = pkgutil.iter_modules(import_module(f"tutor.{name}").__path__)
            pages = [f"{name}.{room.name}" for room in rooms]
            for page in pages:
                _write(folder, page)
        _write(folder, name, pages)
    text = "The library\n===========\n\n.. automodule:: tutor\n"
    (folder / "index.rst").write_text(text + _toctree(sorted(names)), "utf-8")


def _write(folder: Path, name: str, pages: Sequence[str] = ()) -> None:
    title = f"tutor.{name}"
    try:
        exports = hasattr(import_module(title), "__all__")
    except ImportError as error:
        if error.name != "torch":
            raise
        text = f"{title}\n{'=' * len(title)}\n\nThe site was made where torch is not installed.\n"
    else:
        text = f"{title}\n{'=' * len(title)}\n\n.. automodule:: {title}\n   :members:\n"
        text += "   :special-members: __call__\n" + "   :imported-members:\n" * exports
    (folder / f"{name}.rst").write_text(text + _toctree(pages), "utf-8")


def _toctree(pages: Sequence[str]) -> str:
    listed = "".join(f"   {page}\n" for page in pages)
    return f"\n.. toctree::\n   :maxdepth: 1\n\n{listed}" if pages else ""


def restructured(lines: Sequence[str]) -> list[str]:
    """A docstring of ours as reStructuredText: what is set off by indentation is shown as it is.

    A star, a bar and a final underscore, which have a meaning there, have none here.
    """
    out, shown = [], False
    for line in lines:
        indented, empty = line.startswith("    "), not line.strip()
        if indented and not shown and out and not out[-1].strip():
            out += ["::", ""]
            shown = True
        shown = shown and (indented or empty)
        out.append(line if shown else _escaped(line))
    return out


def _escaped(line: str) -> str:
    pieces = re.split(r"(``.*?``|`[^`]*`)", line)
    pieces[::2] = [re.sub(r"[*|\\]|_(?!\w)", r"\\\g<0>", piece) for piece in pieces[::2]]
    return "".join(pieces)


def setup(app) -> dict:
    """What Sphinx calls."""

    def process(app, what, name, obj, options, lines):
        lines[:] = restructured(lines)

    def skip(app, what, name, obj, skipped, options):
        return skipped or (getattr(obj, "__doc__", "") or "").startswith("Alias for field number")

    app.connect("autodoc-process-docstring", process, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True}
