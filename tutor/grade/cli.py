"""`tutor grade`: a folder of submissions in, a gradebook and pages out."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def grade(
    submissions: Annotated[
        Path, typer.Argument(help="A folder or zip of notebooks, as a learning platform exports.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where results and pages go.")] = Path(
        "graded"
    ),
    days: Annotated[
        list[int] | None, typer.Option("--day", help="Grade this day; by default all there are.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Grade this learner anew, and nobody else.")
    ] = None,
    marks: Annotated[
        Path | None, typer.Option(help="Marks of written answers, saved elsewhere than in --out.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the inputs; by default kept from the last run.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Submissions at a time.")] = os.cpu_count() or 1,
    seconds: Annotated[float, typer.Option(min=1, help="For one exercise.")] = 30.0,
    nbgrader: Annotated[
        Path | None, typer.Option(help="A course folder of nbgrader: write there, and read marks.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a dask scheduler, for more than one machine.")
    ] = None,
    uncontained: Annotated[
        bool, typer.Option(help="Go on where no sandbox works: on a machine that holds nothing.")
    ] = False,
):
    """Grade a class: gradebook, feedback for each learner, an overview, written answers."""
    from tutor.grade import grade_class
    from tutor.grade.sandbox import Limits, choose

    err = Console(stderr=True)
    protection = choose(uncontained=uncontained)
    err.print(f"Protection: {protection.name}. {protection.words}", highlight=False)
    limits = Limits(seconds=seconds, total=max(10 * seconds, 60.0))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bars:
        task = bars.add_task("grading")

        def show(learner: str, done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        graded = grade_class(
            submissions, out, protection, days=days or (), only=only or (), marks=marks, seed=seed,
            jobs=jobs, limits=limits, progress=show,
            course=nbgrader, scheduler=scheduler,
        )  # fmt: skip
    report = Console()
    report.print(f"{graded.learners} learners, day {', '.join(map(str, graded.days))}.")
    for learner, trouble in graded.troubles:
        report.print(f"✗ {learner}: {trouble}", markup=False, highlight=False, soft_wrap=True)
    if graded.waiting:
        report.print(f"{graded.waiting} written answers wait: mark them in {out / 'written.html'} "
                     "or written.csv, and run this again.", soft_wrap=True)  # fmt: skip
    report.print(f"wrote {out / 'index.html'}, gradebook.csv, feedback/", soft_wrap=True)
