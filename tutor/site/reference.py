"""The library's own pages, from its docstrings."""

import pkgutil
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from sphinx.domains.python import PyObject
from sphinx.util import inspect

# What authors, instructors and the command line use is described elsewhere.
LEFT_OUT = {"__main__", "build", "cli", "doctor", "grade", "nbval_plugin", "render", "site",
            "start", "symmetry_cli"}  # fmt: skip
SUPPORTS = r"_SupportsArray\[dtype\[Any\]\]"
ARRAY_LIKE = re.compile(  # as NumPy spells it out
    rf"_Buffer \| {SUPPORTS} \| _NestedSequence\[{SUPPORTS}\]"
    r"(?: \| (?:bool|int|float|complex|str|bytes))* \| _NestedSequence\[[^\]]*\]"
)
ONE_PAGE_EACH = {"models"}
NEEDS = {"twins": "torch"}
LIBRARY = Path(__file__).parents[1]


def write_reference(folder: Path) -> None:
    """A page for every room of the library, and for every model."""
    folder.mkdir()
    rooms = [room for room in pkgutil.iter_modules([str(LIBRARY)]) if room.name not in LEFT_OUT]
    for room in rooms:
        pages = []
        if room.name in ONE_PAGE_EACH:
            files = pkgutil.iter_modules([str(LIBRARY / room.name)])
            pages = [f"{room.name}.{file.name}" for file in files]
        for page in pages:
            _write(folder, page, "ignore-module-all")
        option = "imported-members" if room.ispkg else "ignore-module-all"
        _write(folder, room.name, option, pages)
    text = "The library\n===========\n\n.. automodule:: tutor\n"
    (folder / "index.rst").write_text(text + _toctree([room.name for room in rooms]), "utf-8")


def _write(folder: Path, name: str, option: str, pages: Sequence[str] = ()) -> None:
    title = f"tutor.{name}"
    text = f"{title}\n{'=' * len(title)}\n\n"
    if name in NEEDS and not find_spec(NEEDS[name]):
        text += f"This page was made where {NEEDS[name]} is not installed.\n"
    else:
        text += f".. automodule:: {title}\n   :special-members: __call__\n"
        text += "".join(f"   :{word}:\n" for word in ("members", option))
    (folder / f"{name}.rst").write_text(text + _toctree(pages), "utf-8")


def _toctree(pages: Sequence[str]) -> str:
    listed = "".join(f"   {page.split('.')[-1]} <{page}>\n" for page in pages)
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


def signature(obj: type) -> str:
    """How to call a class: by its __init__, where Sphinx would show what its metaclass takes."""
    if getattr(obj, "_is_protocol", False):
        return ""
    try:
        called = inspect.signature(obj.__init__, bound_method=True)
        shown = inspect.stringify_signature(
            called, show_return_annotation=False, unqualified_typehints=True
        )
    except (TypeError, ValueError):  # it is not written in Python
        return ""
    return "" if shown == "(*args, **kwargs)" else shown


def short(annotations: str | None) -> str | None:
    """Types by their plain names."""
    if annotations:
        annotations = re.sub(r"~?\b(?:\w+\.)*jaxlib\._jax\.|~(?:\w+\.)+", "", annotations)
        annotations = ARRAY_LIKE.sub("ArrayLike", annotations)
    return annotations


def setup(app) -> dict:
    """What Sphinx calls."""

    def docstring(app, what, name, obj, options, lines):
        lines[:] = restructured(lines)

    def call(app, what, name, obj, options, arguments, returns):
        if arguments is None:
            return None
        if what == "class":
            arguments, returns = signature(obj), None
        return short(arguments), short(returns)

    def skip(app, what, name, obj, skipped, options):
        return skipped or (getattr(obj, "__doc__", "") or "").startswith("Alias for field number")

    for field in PyObject.doc_field_types:
        field.label = "Attributes" if field.name == "variable" else field.label
    app.connect("autodoc-process-docstring", docstring, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", call)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True}
