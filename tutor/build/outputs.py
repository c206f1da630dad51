"""What must not stand in a stored notebook, and whether it is what the sources give."""

import re
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from tutor.build.compose import compose, notebook_path, outputs_sha256
from tutor.build.figures import without_alt
from tutor.build.lesson import Lesson, first_line

ANSI = re.compile(r"\x1b\[[0-9;]*m")
PAYLOAD = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
OF_THE_RUN = ("outputs_sha256", "seconds")  # metadata that no source gives
WIDGET = "application/vnd.jupyter.widget-view+json"


def output_problems(notebook: NotebookNode, name: str) -> Iterator[str]:
    """One sentence for each output that breaks a rule; `name` is what to call the notebook."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            where = f"{name}, cell {cell.id} (`{first_line(cell)}`)"
            for output in cell.outputs:
                yield from (f"{where}: {problem}" for problem in _output(output))


def _output(output: NotebookNode) -> Iterator[str]:
    if output.output_type == "error":
        yield f"raises {output.ename}: {ANSI.sub('', output.evalue)}"
        return
    if output.output_type == "stream":
        if output.name == "stderr":
            yield f"writes on stderr: {ANSI.sub('', output.text).strip()}"
            return
        data = {"text/plain": output.text}
    else:
        data = output.data
    for kind, content in data.items():
        if kind.startswith("image/") and "text/html" not in data:
            yield f'a figure without alt text ({kind}); show it with tutor.show(fig, alt="…")'
        if kind == WIDGET:
            yield "a live widget, which a stored notebook cannot show; use tutor.view(…)"
        if kind == "text/html":
            yield from without_alt(content)
        if kind.startswith("text/") and (found := ADDRESS.search(PAYLOAD.sub("", content))):
            yield f"shows a memory address, {found[0]}, which is another one every time"


def stored_problems(lesson: Lesson, *, solved: bool, repository: str | None) -> Iterator[str]:
    """Where a notebook on disk is not what the sources give; nothing is run.

    Args:
        repository: for the badge; None is the one that the notebook was built with.
    """
    path = notebook_path(lesson, solved=solved)
    name = path.relative_to(lesson.root).as_posix()
    if not path.is_file():
        yield f"{name} is missing; {_remedy(lesson)}"
        return
    try:
        stored = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        own = stored.metadata["tutor"]
        recorded, hashed = own["repository"], own["outputs_sha256"]
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        yield f"{name} is not a notebook built here ({error!r:.80}); {_remedy(lesson)}"
        return
    fresh = compose(lesson, solved=solved, repository=repository or recorded)
    problem = next(_differences(stored, fresh), "")
    if problem:
        yield f"{name}, {problem}; {_remedy(lesson)}"
    elif hashed != outputs_sha256(stored):
        yield f"{name}: outputs are not the ones that were built; {_remedy(lesson)}"
    yield from output_problems(stored, name)


def _remedy(lesson: Lesson) -> str:
    return f"run `tutor build {lesson.stem[:5]}`"


def _differences(stored: NotebookNode, fresh: NotebookNode) -> Iterator[str]:
    """Where two notebooks differ, outputs apart."""
    for old, new in zip(stored.cells, fresh.cells, strict=False):
        where = f"cell {new.id} (`{first_line(new)}`)"
        for part in ("cell_type", "source", "metadata", "id"):
            if old.get(part) != new[part]:
                what = f": `{first_line(old)}`" if part == "source" else ""
                yield f"{where}: {part} is not what the sources give{what}"
    if len(stored.cells) != len(fresh.cells):
        yield f"{len(stored.cells)} cells, where the sources give {len(fresh.cells)}"
    recorded = {k: v for k, v in stored.metadata["tutor"].items() if k not in OF_THE_RUN}
    if recorded != fresh.metadata["tutor"]:
        yield "the sources have changed since it was built"
    if set(stored.metadata) != set(fresh.metadata):
        yield "it has metadata that the sources do not give"
