"""The rules for lessons and solutions that need no execution; one sentence per breach."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

from nbformat import NotebookNode

from tutor.build.figures import links, markdown_without_alt
from tutor.build.lesson import LABELS, Lesson, checks, exercise, first_line, lessons, signatures

MAX_LINES = 25
METADATA = {"exercise": str, "rtol": int | float, "atol": int | float}


def source_problems(lesson: Lesson) -> Iterator[str]:
    """Everything that is wrong with the sources of one lesson."""
    where = f"lessons/{lesson.stem}.py"
    if not lesson.solution_path.is_file():
        yield f"solutions/{lesson.stem}.py is missing: every lesson has a solution file"
    yield from _header(lesson, where)
    yield from _cells(lesson.cells, where)
    yield from _cells(lesson.solution_cells, f"solutions/{lesson.stem}.py", code=False)
    yield from _links(lesson, where)
    yield from _exercises(lesson, where)


def _name(where: str, number: int, cell: NotebookNode) -> str:
    return f"{where}, cell {number} (`{first_line(cell)}`)"


def _header(lesson: Lesson, where: str) -> Iterator[str]:
    header = lesson.header
    if not re.match(rf"Day {lesson.day}: \S", header.title):
        yield f"{where}, cell 1: the title must be `# Day {lesson.day}: …`, not {header.title!r}"
    for label in LABELS:
        if not header.labels[label]:
            yield f"{where}, cell 1: no **{label}:** in the header"
    if header.labels["Minutes"] and header.minutes is None:
        yield f"{where}, cell 1: **Minutes:** must be a whole number"
    if header.labels["Objectives"] and not header.objectives:
        yield f"{where}, cell 1: **Objectives:** must be followed by a bulleted list"


def _cells(cells: list[NotebookNode], where: str, *, code: bool = True) -> Iterator[str]:
    """What is wrong with single cells; without `code`, only answers are held to the length."""
    for number, cell in enumerate(cells, 1):
        name, lines = _name(where, number, cell), len(cell.source.splitlines())
        yield from (f"{name}: {problem}" for problem in _metadata(cell))
        if cell.cell_type == "code" and lines > MAX_LINES and (code or exercise(cell)):
            yield f"{name}: {lines} lines; a code cell has at most {MAX_LINES}"
        if cell.cell_type == "code" and len({key for key, _ in checks(cell.source)}) > 1:
            yield f"{name}: checks several exercises; each needs a cell of its own"
        if cell.cell_type == "markdown":
            yield from (f"{name}: {problem}" for problem in markdown_without_alt(cell.source))
    for key, count in Counter(filter(None, map(exercise, cells))).items():
        if count > 1:
            yield f"{where}: {count} cells have the exercise id {key}; an id stands once"


def _metadata(cell: NotebookNode) -> Iterator[str]:
    if broken := cell.metadata.get("incorrectly_encoded_metadata"):
        yield f'the metadata `{broken}` is not JSON; write tutor={{"key": value}}'
    own = cell.metadata.get("tutor", {})
    if not isinstance(own, dict):
        yield f'the metadata tutor={own!r} must be of the form {{"key": value}}'
        return
    for key, value in own.items():
        if key not in METADATA:
            yield f"unknown metadata {key!r}; there is {', '.join(METADATA)}"
        elif not isinstance(value, METADATA[key]):
            yield f"{key}={value!r} must be {'a string' if key == 'exercise' else 'a number'}"


def _links(lesson: Lesson, where: str) -> Iterator[str]:
    folder = lesson.root / "course" / "notebooks"
    built = {f"{other.stem}.ipynb" for other in lessons(lesson.root)}
    for number, cell in enumerate(lesson.cells, 1):
        if cell.cell_type != "markdown":
            continue
        for link in links(cell.source):
            target = unquote(re.split("[#?]", link)[0])
            if not target or target in built or re.match(r"[a-z][a-z0-9+.-]*:|//", link):
                continue
            if target.startswith("/") or not (folder / target).exists():
                name = _name(where, number, cell)
                yield f"{name}: the link {link} leads nowhere; links start at course/notebooks/"


def _exercises(lesson: Lesson, where: str) -> Iterator[str]:
    solutions = f"solutions/{lesson.stem}.py"
    stubs = {exercise(cell): (n, cell) for n, cell in enumerate(lesson.cells) if exercise(cell)}
    for key in sorted(set(lesson.answers) - set(stubs)):
        yield f"{solutions}: the answer {key} has no stub in {where}"
    for key, (number, cell) in stubs.items():
        name = _name(where, number + 1, cell)
        if key not in lesson.answers:
            yield f"{name}: exercise {key} has no answer in {solutions}"
        else:
            yield from _mismatch(name, cell.source, lesson.answers[key], f"{solutions}, {key}")
        yield from _check_call(name, key, cell, lesson.cells[number + 1 :])
    yield from _registered(lesson, where, list(stubs))


def _mismatch(name: str, stub: str, answer: str, where: str) -> Iterator[str]:
    """Where the answer does not define what the stub does, in the same form."""
    try:
        wanted = signatures(stub)
    except SyntaxError as error:
        yield f"{name}: the stub is not Python: {error.msg}"
        return
    try:
        given = signatures(answer)
    except SyntaxError as error:
        yield f"{where}: the answer is not Python: {error.msg}"
        return
    if not wanted:
        yield f"{name}: a stub must define a function, a class or a value"
    for thing, signature in wanted.items():
        if thing not in given:
            yield f"{where}: defines {', '.join(given) or 'nothing'}, the stub defines {thing}"
        elif given[thing] != signature:
            yield f"{where}: `{thing}` is `{given[thing]}`, but in the stub `{signature}`"


def _check_call(name: str, key: str, stub: NotebookNode, below: list) -> Iterator[str]:
    """Where no cell below the stub calls check("id", what the stub defines)."""
    calls = [call for cell in below if cell.cell_type == "code" for call in checks(cell.source)]
    mine = [call for call in calls if call[0] == key]
    if not mine:
        yield f'{name}: no cell below it calls check("{key}", …)'
        return
    try:
        defined = set(signatures(stub.source))
    except SyntaxError:
        return
    for _, names in mine:
        if not names & defined:
            yield f'{name}: check("{key}", …) is not given what the stub defines'


def _registered(lesson: Lesson, where: str, ids: list[str]) -> Iterator[str]:
    """Where the lesson and `tutor.exercises` do not have the same exercises."""
    from tutor.exercises.registry import UnknownExerciseError, exercises

    try:
        known = [e.id for e in exercises(lesson.day)]
    except UnknownExerciseError:
        known = []
    for key in ids:
        if key not in known:
            yield f"{where}: exercise {key} is unknown to tutor.exercises.day{lesson.day:02d}"
    for key in known:
        if key not in ids:
            yield f"{where}: tutor.exercises knows {key}, but the lesson has no stub for it"
