"""From lessons and solutions to executed notebooks, and whether these are still up to date.

    lessons/dayNN_slug.py + solutions/dayNN_slug.py
        -> course/notebooks/dayNN_slug.ipynb    the learner's, executed with nothing solved
        -> course/solved/dayNN_slug.ipynb       the same with the answers spliced in, executed

Rules for authors; `tutor build` refuses, and `tutor build --check` names, whatever breaks one.

The first cell of a lesson is Markdown, a title and five bold labels in any order:

    # Day 1: From positions to an energy

    **Question of the day:** one sentence.

    **You will have built:** one sentence.

    **Minutes:** 90

    **Prerequisites:** what a learner must know, or "none".

    **Objectives:** after this day you can

    - say what ...
    - fit ...

An exercise is a stub cell, `# %% tutor={"exercise": "1.2"}`, and below it a cell that calls
`check("1.2", name)`, where `name` is what the stub defines. A stub is a function with a typed
signature and `raise NotImplementedError`, or `name = ...`, or, for bug hunts, code with a bug.
The solution file has a cell with the same metadata that defines the same names: functions with
the same arguments, defaults and annotations, or assignments. It may also define helpers. An
answer cell replaces the stub cell as it stands, so it can use what the lesson's cells above it
have defined and nothing else. Cells of the solution file without an exercise id only make that
file importable (imports, stand-ins for the lesson's variables) and are never copied.

The processor time of the run stands in the notebook (metadata `tutor.seconds`) and on the site.

Every cell runs without an exception and without a word on stderr, so without warnings, solved or
not: cells below a stub use the library, never the learner's answer. Building twice gives the same
bytes: no clock times, no unseeded randomness, no `<object at 0x...>`, no paths, no files left
behind. Where a duration is the point, print a claim that holds on any machine, such as
`print("faster:", slow > 3 * fast)`.

Code cells have at most 25 lines, answers too. Figures are shown with `tutor.show(fig, alt="...")`,
molecules with `tutor.view(...)`; images in Markdown have alt text. Relative links start at
`course/notebooks/`.

The tests run both notebooks again, with any number of threads. Words and integers must come out
equal, other numbers within rtol 1e-3 (atol 1e-9): print four significant digits. A cell can state
its own tolerance, which then holds for integers too: `# %% tutor={"rtol": 0.05, "atol": 1e-6}`.
Figures and molecules are made and not compared.

The "Open in Colab" badge and the set-up cell come after the title cell by themselves, and stubs
and checks get the metadata by which nbgrader knows them (tutor/exercises/graded.py).
"""

import contextlib
import tomllib
from pathlib import Path

__all__ = ["BuildError", "build", "check", "find_root"]


class BuildError(RuntimeError):
    """Some notebooks cannot be built; one line for each reason."""


def find_root(start: Path | None = None) -> Path:
    """The repository that holds `start` (default: the working folder).

    Raises:
        FileNotFoundError: where no folder upwards has a pyproject.toml with [tool.tutor].
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and "tutor" in tomllib.loads(file.read_text("utf-8")).get("tool", {}):
            return folder
    raise FileNotFoundError(
        f"{start} is not in the course's repository (no pyproject.toml with [tool.tutor] upwards); "
        "`tutor build` is for authors and runs in a clone of it"
    )


def build(days: list[str] | None, root: Path, *, repository: str | None = None) -> list[Path]:
    """Make both notebooks of each lesson. Notebooks that fail leave the old ones in place.

    Args:
        days: "1", "day01" or stems; None or [] for all lessons.
        repository: "owner/name" on GitHub, for the badge. None: pyproject's, else git's.

    Returns:
        the files written.

    Raises:
        BuildError: where sources or outputs break a rule.
        ValueError: unknown lesson, or malformed `repository`.
    """
    from tutor.build.compose import (
        compose,
        guessed_repository,
        notebook_path,
        stated_repository,
    )
    from tutor.build.lesson import select
    from tutor.build.make import make
    from tutor.build.rules import source_problems

    chosen = select(days, root)
    if problems := [problem for lesson in chosen for problem in source_problems(lesson)]:
        raise BuildError("\n".join(problems))
    repository = stated_repository(root, repository) or guessed_repository(root)
    notebooks = {
        notebook_path(lesson, solved=solved): compose(lesson, solved=solved, repository=repository)
        for lesson in chosen
        for solved in (False, True)
    }
    if problems := make(notebooks, root):
        raise BuildError("\n".join(problems))
    return list(notebooks)


def check(days: list[str] | None, root: Path, *, repository: str | None = None) -> list[str]:
    """What is wrong with the sources, and where the notebooks are not what these give.

    Nothing is run. The badge is compared with the repository that the notebook was built for,
    unless one is stated here or in pyproject: a fork has another git remote.

    Raises:
        ValueError: unknown lesson, or malformed `repository`.
    """
    from tutor.build.compose import stated_repository
    from tutor.build.lesson import lessons, select
    from tutor.build.outputs import stored_problems
    from tutor.build.rules import source_problems
    from tutor.exercises.registry import UnknownExerciseError

    stated, problems = stated_repository(root, repository), []
    for lesson in select(days, root):
        problems += source_problems(lesson)
        for solved in (False, True):
            with contextlib.suppress(FileNotFoundError, UnknownExerciseError):  # said already
                problems += stored_problems(lesson, solved=solved, repository=stated)
    if not days:
        stems = {lesson.stem for lesson in lessons(root)}
        rooms = ("solutions/*.py", "course/notebooks/*.ipynb", "course/solved/*.ipynb")
        files = (path for room in rooms for path in sorted(root.glob(room)))
        problems += [
            f"{path.relative_to(root).as_posix()} belongs to no lesson; remove it"
            for path in files
            if path.stem not in stems
        ]
    return problems
