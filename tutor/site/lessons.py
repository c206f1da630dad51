"""A built notebook as a page: buttons, folded hints, and in the instructors' site solutions."""

import re
from collections.abc import Iterator
from html import escape

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from tutor.build.compose import COLAB, notebook_path
from tutor.build.lesson import Lesson, exercise
from tutor.exercises.registry import find
from tutor.render import prose

BUNDLE = "nnp-tutor.zip"


def lesson_page(lesson: Lesson, *, solved: bool, repository: str) -> NotebookNode:
    """The notebook that Sphinx is given.

    Raises:
        FileNotFoundError: it has not been built.
    """
    path = notebook_path(lesson, solved=solved)
    if not path.is_file():
        name = path.relative_to(lesson.root).as_posix()
        raise FileNotFoundError(f"{name} is missing: run `tutor build {lesson.stem[:5]}` first")
    notebook = nbformat.read(path, as_version=4)
    title, _, _, *cells = notebook.cells  # without what only Colab needs
    notebook.cells = [title, _buttons(lesson, repository), *_dressed(cells, solved=solved)]
    return notebook


def _buttons(lesson: Lesson, repository: str) -> NotebookNode:
    file = f"{lesson.stem}.ipynb"
    links = [
        (f"../downloads/{file}", "Download the notebook"),
        (f"../downloads/{BUNDLE}", "Download the course (zip)"),
        (f"../slides/{lesson.stem[:5]}.html", "Slides"),
    ]
    if repository:
        at = f"{COLAB}/{repository}/blob/main/course/notebooks/{file}"
        links.insert(0, (at, "Open in Colab"))
    buttons = "".join(f'<a class="course-button" href="{to}">{text}</a>' for to, text in links)
    return new_markdown_cell(f'<p class="course-buttons">{buttons}</p>')


def _dressed(cells: list[NotebookNode], *, solved: bool) -> Iterator[NotebookNode]:
    for cell in cells:
        if solved and exercise(cell):
            cell.metadata["tags"] = ["hide-input"]
        yield cell
        called = re.match(r'check\("(\d+\.\d+)"', cell.source)
        if called and cell.cell_type == "code" and not solved:
            yield new_markdown_cell(hints(called[1]))


def hints(exercise_id: str) -> str:
    """The hints of an exercise, each folded into the one before."""
    folded = ""
    given = find(exercise_id).hints
    for number, hint in reversed(list(enumerate(given, 1))):
        summary = escape(f"Hint {number} of {len(given)}")
        folded = f"<details><summary>{summary}</summary><p>{prose(hint)}</p>{folded}</details>"
    return f'<div class="course-hints">{folded}</div>'
