"""`tutor site` and `tutor slides`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out, err = Console(), Console(stderr=True)
Repository = Annotated[
    str | None, typer.Option(help='OWNER/NAME on GitHub, for the "Open in Colab" buttons.')
]


def site(
    folder: Annotated[Path, typer.Option("--out", "-o", help="Where it goes.")] = Path("site"),
    solutions: Annotated[
        bool, typer.Option("--solutions", help="For instructors: solved, with answers to unfold.")
    ] = False,
    repository: Repository = None,
):
    """Make the website of the course: static pages that need no network."""
    from tutor.build import find_root
    from tutor.site import make_site

    with err.status("Making the pages …"):
        page = make_site(find_root(), folder, solutions=solutions, repository=repository)
    out.print(f"Open {page} in a browser.", soft_wrap=True)


def slides(
    days: Annotated[
        list[str] | None, typer.Argument(help="Lessons; all of them if none is named.")
    ] = None,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Where they go.")] = Path("slides"),
):
    """Make slides from the lessons: their key sentences, equations and figures."""
    from tutor.build import find_root
    from tutor.site import make_slides

    with err.status("Making the slides …"):
        paths = make_slides(find_root(), folder, days=days)
    for path in paths:
        out.print(f"wrote {path}", soft_wrap=True)
    if not any(path.suffix == ".pdf" for path in paths):
        out.print("No Chromium or Chrome was found, so there is no PDF: print the pages yourself.")
