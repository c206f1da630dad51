"""The course as a website: static pages that need no server and no network.

    tutor site                       everything, into site/; open site/index.html
    tutor site --solutions           for instructors: solved lessons, answers folded away
    tutor slides                     slides of every lesson, HTML and PDF, into slides/

The pages are the built notebooks, the Markdown pages of course/, the cards of the data sets, and
the docstrings of the library. What the pages load lies beside them, so that they work from a USB
stick. A link that leads nowhere, or a page that would ask another host for something, is an error.
"""

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

__all__ = ["SiteError", "make_site", "make_slides"]

NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx-mathjax-offline", "hatchling")


class SiteError(RuntimeError):
    """The site has faults; one line for each."""


def make_site(
    root: Path,
    out: Path,
    *,
    days: list[str] | None = None,
    solutions: bool = False,
    reference: bool = True,
    repository: str | None = None,
) -> Path:
    """Write the site into `out`, which it replaces.

    Args:
        root: the repository.
        days: as for `tutor.build.build`; None for all lessons.
        solutions: show the solved lessons, each answer folded away.
        reference: with the pages of the library, which import all of it.
        repository: "owner/name" on GitHub, for "Open in Colab". None: pyproject's, else git's.

    Returns:
        the front page.

    Raises:
        ImportError: without the packages of the extra "site".
        FileExistsError: `out` is there and is no site of ours.
        FileNotFoundError: a lesson has not been built.
        SiteError: Sphinx complains, a link is broken, or a page would load from another host.
    """
    _need()
    from tutor.build.compose import guessed_repository, stated_repository
    from tutor.build.lesson import select
    from tutor.site.links import problems
    from tutor.site.pages import write_pages
    from tutor.site.run import run_sphinx

    if out.is_dir() and any(out.iterdir()) and not (out / "searchindex.js").is_file():
        raise FileExistsError(f"out = {out} holds something else: name a new folder with --out")
    repository = stated_repository(root, repository) or guessed_repository(root)
    with tempfile.TemporaryDirectory(prefix="tutor-site-") as folder:
        source, made = Path(folder, "source"), Path(folder, "made")
        write_pages(
            source, select(days, root), solutions=solutions, reference=reference,
            repository=repository,
        )  # fmt: skip
        if found := run_sphinx(source, made, repository) or list(problems(made)):
            raise SiteError("\n".join(found))
        if out.is_dir():
            shutil.rmtree(out)
        shutil.copytree(made, out)
    return out / "index.html"


def make_slides(root: Path, out: Path, *, days: list[str] | None = None) -> list[Path]:
    """Write the slides of the lessons into `out`: HTML, and PDF where a Chromium is found.

    Returns:
        the files.

    Raises:
        ImportError: without the packages of the extra "site".
        FileNotFoundError: a lesson has not been built.
    """
    _need()
    from tutor.build.lesson import select
    from tutor.site.mathjax import SCRIPT, copy_mathjax
    from tutor.site.slides import print_pdf, write_slides

    pages = write_slides(select(days, root), out, mathjax=f"mathjax/{SCRIPT}")
    copy_mathjax(out / "mathjax")
    return [*pages, *filter(None, map(print_pdf, pages))]


def _need() -> None:
    if missing := [name for name in NEEDED if not find_spec(name)]:
        raise ImportError(
            f"the site needs {', '.join(missing)}: call `uv run --extra site tutor site`, "
            "or pip install 'nnp-tutor[site]'"
        )
