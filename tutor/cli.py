"""`tutor`, on the command line. Exit codes: 0 fine, 1 something is wrong, 2 wrong usage."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from tutor import __version__
from tutor.grade.cli import grade
from tutor.site.cli import site, slides
from tutor.symmetry_cli import symmetry

app = typer.Typer(
    help="A hands-on course on neural-network interatomic potentials.\n\n"
    "New here? Run `tutor start` and follow the notebook.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="The data sets: list, verify, or make them anew.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.command()(symmetry)
app.command()(grade)
app.command()(site)
app.command()(slides)
COURSE = Path("my-course")
out, err = Console(), Console(stderr=True)

Day = Annotated[str, typer.Argument(help="A lesson: 1, day01 or its full name.")]
Days = Annotated[list[str] | None, typer.Argument(help="Lessons; all of them if none is named.")]
Name = Annotated[str, typer.Argument(help="A data set; `tutor data list` names them.")]
OwnFolder = Annotated[
    Path | None, typer.Option("--dir", help="Your folder; by default this one, or my-course in it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of a table.")]


def main() -> None:
    """Run the command line; an error that the user can mend is one line, not a traceback."""
    try:
        app()
    except (ValueError, OSError, LookupError, ImportError, RuntimeError) as error:
        message = error.args[0] if isinstance(error, KeyError) and error.args else error
        err.print(f"[bold red]error:[/] {escape(str(message))}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None


def _table(title, *columns, rows):
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    out.print(table)


@app.callback(invoke_without_command=True)
def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
):
    if show_version:
        out.print(__version__)
        raise typer.Exit


@app.command()
def doctor(as_json: AsJson = False):
    """Is this machine ready? Versions, devices, known-broken releases, disk, what to do."""
    from tutor.doctor import examine

    with err.status("Looking around …"):
        findings = examine()
    if as_json:
        typer.echo(json.dumps([f._asdict() for f in findings], indent=2))
    else:
        rows = [("ok" if f.ok else "PROBLEM", f.subject, f.found, f.remedy) for f in findings]
        _table("tutor doctor", "", "looked at", "found", "what to do", rows=rows)
        problems = sum(not f.ok for f in findings)
        out.print(
            "All is well." if not problems else f"{problems} problem(s): see the last column."
        )
    raise typer.Exit(not all(f.ok for f in findings))


@app.command()
def start(
    day: Day = "day01",
    folder: Annotated[Path, typer.Option("--dir", help="Your own folder.")] = COURSE,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    lab: Annotated[bool, typer.Option(help="Start JupyterLab.")] = True,
):
    """Copy a lesson into your own folder and open JupyterLab on it. Nothing is overwritten."""
    from tutor.start import copy_for_learner, find_day, open_lab

    notebook, new = copy_for_learner(find_day(day), folder)
    out.print(
        f"{'Copied the lesson to' if new else 'Your own copy is kept:'} {notebook}", soft_wrap=True
    )
    if lab:
        out.print("Starting JupyterLab. Stop it here with Ctrl-C.")
        raise typer.Exit(open_lab(notebook, browser=browser))


@app.command()
def build(
    days: Days = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the notebooks are up to date.")
    ] = False,
    repository: Annotated[
        str | None, typer.Option(help="OWNER/NAME on GitHub, for the Colab badges.")
    ] = None,
):
    """Make the notebooks from lessons/ and solutions/, executed; for authors."""
    from tutor import build as builder

    root = builder.find_root()
    if not check:
        for path in builder.build(days, root, repository=repository):
            out.print(f"wrote {path}", soft_wrap=True)
        return
    problems = builder.check(days, root, repository=repository)
    for problem in problems:
        out.print(f"✗ {problem}", soft_wrap=True, markup=False)
    if not problems:
        out.print("All notebooks are exactly what the sources give.")
    raise typer.Exit(bool(problems))


@app.command()
def progress(folder: OwnFolder = None):
    """What you have solved so far."""
    from tutor.exercises import progress as show

    _use_progress_of(folder)
    show()


@app.command()
def hint(
    exercise: Annotated[str, typer.Argument(help="An exercise, for example 1.2.")],
    folder: OwnFolder = None,
):
    """The next hint for an exercise: there are three, and the last nearly gives it away."""
    from tutor.exercises import hint as show

    _use_progress_of(folder)
    show(exercise)


def _use_progress_of(folder: Path | None) -> None:
    """Notebooks keep progress beside themselves: look there when called from the folder above."""
    if folder is None and "TUTOR_PROGRESS" not in os.environ:
        folder = next((f for f in (Path(), COURSE) if (f / "tutor-progress.json").exists()), None)
    if folder is not None:
        os.environ["TUTOR_PROGRESS"] = str(folder / "tutor-progress.json")


@data_app.command("list")
def data_list(as_json: AsJson = False):
    """Every data set: what it holds, how large it is, who made it."""
    from tutor import data

    cards = [data.card(name) for name in data.names()]
    if as_json:
        rows = [{"name": c.name, "title": c.title, "structures": c.structures,
                 "splits": dict(c.splits), "engine": dict(c.engine)} for c in cards]  # fmt: skip
        typer.echo(json.dumps(rows, indent=2))
        return
    rows = [(c.name, c.title, f"{c.structures:,}", ", ".join(c.splits), ", ".join(c.engine))
            for c in cards]  # fmt: skip
    _table("data sets", "name", "what", "structures", "parts", "made by", rows=rows)
    out.print("The whole card of one: `tutor data show NAME`.")


@data_app.command("show")
def data_show(name: Name):
    """The card of a data set: level of theory, units, splits, what it must not be used for."""
    from tutor import data

    out.print(str(data.card(name)), markup=False, highlight=False)


@data_app.command("verify")
def data_verify(name: Name):
    """Audit a data set: checksum, statistics, and some labels recomputed by the real engine."""
    from tutor import data

    _report(f"{name}: verified", lambda progress: data.verify(name, progress=progress))


@data_app.command("make")
def data_make(
    name: Name,
    folder: Annotated[Path, typer.Option("--dir", help="Where to write it.")] = Path("my-data"),
):
    """Make a data set anew with the real engine, and compare it with the shipped one."""
    from tutor import data

    folder.mkdir(parents=True, exist_ok=True)
    _report(f"{name}: made anew in {folder}", lambda progress: data.make(name, folder, progress))


def _report(title, audit):
    """Run an audit under a progress bar, print its rows, and exit by its verdict."""
    with Progress(console=err, transient=True) as bars:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        checks = audit(progress)
    verdict = {True: "ok", False: "WRONG", None: "not done"}
    _table(title, "", "what", "expected", "found",
           rows=[(verdict[c.ok], c.what, c.expected, c.found) for c in checks])  # fmt: skip
    raise typer.Exit(any(c.ok is False for c in checks))


if __name__ == "__main__":
    main()
