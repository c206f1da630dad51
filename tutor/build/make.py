"""Execute composed notebooks and store those that are fit for it."""

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tutor.build.compose import outputs_sha256
from tutor.build.execute import execute
from tutor.build.outputs import output_problems

AT_ONCE = min(2, os.cpu_count() or 1)


def make(notebooks: dict[Path, NotebookNode], root: Path) -> list[str]:
    """Run every notebook and write it to its path, unless it has problems, which are returned."""
    return asyncio.run(_make_all(notebooks, root))


async def _make_all(notebooks: dict[Path, NotebookNode], root: Path) -> list[str]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    places = asyncio.Semaphore(AT_ONCE)
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:

        async def one(path: Path, notebook: NotebookNode) -> list[str]:
            name = path.relative_to(root).as_posix()
            cells = sum(cell.cell_type == "code" for cell in notebook.cells)
            task = progress.add_task(name, total=cells, start=False)
            async with places:
                progress.start_task(task)
                stopped = await execute(notebook, advance=lambda: progress.advance(task))
            problems = [f"{name}: {stopped}"] if stopped else []
            problems += output_problems(notebook, name)
            if not problems:
                notebook.metadata.tutor["outputs_sha256"] = outputs_sha256(notebook)
                _keep_seconds(notebook, path)
                _write(notebook, path)
            return problems

        found = await asyncio.gather(*(one(*item) for item in notebooks.items()))
    return [problem for problems in found for problem in problems]


def _keep_seconds(notebook: NotebookNode, path: Path) -> None:
    """Building again what has not changed gives the same bytes: its old time stays."""
    with contextlib.suppress(OSError, ValueError, KeyError, nbformat.ValidationError):
        before = nbformat.read(path, as_version=nbformat.NO_CONVERT).metadata["tutor"]
        same = ("source_sha256", "outputs_sha256")
        if all(before[key] == notebook.metadata.tutor[key] for key in same):
            notebook.metadata.tutor["seconds"] = before["seconds"]


def _write(notebook: NotebookNode, path: Path) -> None:
    """All of the file or nothing, whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, delete=False
    ) as part:
        part.write(text)
    Path(part.name).chmod(0o644)  # a temporary file is born private
    Path(part.name).replace(path)
