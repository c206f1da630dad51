"""Put a notebook together: the lesson's cells, the answers, and what Colab needs."""

import hashlib
import json
import re
import subprocess
import tomllib
from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from tutor.build.lesson import Lesson, checks, exercise
from tutor.exercises.graded import answer_metadata, check_metadata
from tutor.exercises.registry import find

COLAB = "https://colab.research.google.com/github"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
FOLDERS = {False: "notebooks", True: "solved"}

NO_BADGE = """\
> **On Google Colab:** upload this notebook, and with the folder icon on the left the file
> `nnp_tutor-….whl` that `uv build` makes; then run the next cell, which installs it."""

SET_UP = """\
#@title Set-up: installs the course on Google Colab, does nothing elsewhere
import importlib.util
import sys

if "google.colab" in sys.modules and importlib.util.find_spec("tutor") is None:
    %pip list --format=freeze > /tmp/there.txt
    {install}
    importlib.invalidate_caches()"""

# What is there stays as it is: packages that Colab has imported must not change under it.
PIP = "%pip install -q --constraint /tmp/there.txt"
FROM_GITHUB = PIP + ' "nnp-tutor[lessons] @ git+https://github.com/{repository}"'
FROM_WHEEL = f'''\
import glob

    wheels = sorted(glob.glob("nnp_tutor-*.whl"))
    assert wheels, "upload nnp_tutor-….whl first: the folder icon on the left"
    {PIP} "{{wheels[-1]}}[lessons]"'''


def compose(lesson: Lesson, *, solved: bool, repository: str) -> NotebookNode:
    """The notebook as it is before it runs; `repository` is "owner/name" or "".

    Raises:
        UnknownExerciseError: the lesson has an exercise that `tutor.exercises` does not know.
    """
    cells = [_copy(cell, lesson.answers if solved else {}) for cell in lesson.cells]
    _mark_graded(cells)
    cells[1:1] = _colab(f"course/{FOLDERS[solved]}/{lesson.stem}.ipynb", repository)
    for number, cell in enumerate(cells, 1):
        cell.id = f"{lesson.stem[:5]}-{number:02d}"
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "tutor": {"repository": repository, "source_sha256": lesson.sha256(solved=solved)},
    }
    return new_notebook(cells=cells, metadata=metadata)


def notebook_path(lesson: Lesson, *, solved: bool) -> Path:
    return lesson.root / "course" / FOLDERS[solved] / f"{lesson.stem}.ipynb"


def outputs_sha256(notebook: NotebookNode) -> str:
    """Of everything that running the notebook has left in it."""
    left = [[c.execution_count, c.outputs] for c in notebook.cells if c.cell_type == "code"]
    return hashlib.sha256(json.dumps(left, sort_keys=True).encode()).hexdigest()


def stated_repository(root: Path, argument: str | None) -> str | None:
    """The repository that somebody has set: the argument, else pyproject's; None if neither.

    Raises:
        ValueError: where it is not of the form owner/name.
    """
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    stated = argument or settings["tool"]["tutor"].get("repository") or None
    if stated and not re.fullmatch(r"[\w.-]+/[\w.-]+", stated):
        raise ValueError(f"repository = {stated!r}: must be OWNER/NAME, as in a GitHub address")
    return stated


def guessed_repository(root: Path) -> str:
    """The owner/name of the git remote "origin", if that is on GitHub; else ""."""
    command = ["git", "-C", str(root), "remote", "get-url", "origin"]
    try:
        url = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:  # no git
        return ""
    match = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?\s*$", url)
    return match[1] if match else ""


def _copy(cell: NotebookNode, answers: dict[str, str]) -> NotebookNode:
    new = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
    source = answers.get(exercise(cell), cell.source)
    return new[cell.cell_type](source, metadata=deepcopy(cell.metadata))


def _mark_graded(cells: list[NotebookNode]) -> None:
    """Say to nbgrader which cells are answers, and which first check them."""
    checked = set()
    for cell in (cell for cell in cells if cell.cell_type == "code"):
        called = next((key for key, _ in checks(cell.source)), "")
        if answered := exercise(cell):
            cell.metadata["nbgrader"] = answer_metadata(find(answered))
        elif called and called not in checked:
            cell.metadata["nbgrader"] = check_metadata(find(called))
            checked.add(called)


def _colab(path: str, repository: str) -> list[NotebookNode]:
    """The cells that follow the title."""
    link = f"{COLAB}/{repository}/blob/main/{path}"
    install = FROM_GITHUB.format(repository=repository) if repository else FROM_WHEEL
    form = {"cellView": "form", "jupyter": {"source_hidden": True}}
    return [
        new_markdown_cell(f"[![Open in Colab]({BADGE})]({link})" if repository else NO_BADGE),
        new_code_cell(SET_UP.replace("{install}", install), metadata=form),
    ]
