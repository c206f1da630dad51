"""Put the sources of the site together: lessons, the pages of course/, data cards, downloads."""

import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import nbformat

from tutor import data
from tutor.build.compose import notebook_path
from tutor.build.lesson import Lesson
from tutor.data import Card
from tutor.site.lessons import BUNDLE, lesson_page
from tutor.site.mathjax import SCRIPT as MATHJAX
from tutor.site.reference import write_reference
from tutor.site.slides import write_slides

DAYS = "<!-- the days -->"
TIMES = "<!-- the times -->"
FIRST = ("syllabus", "glossary", "references")
TEACHING = ("teaching", "instructor", "contributing")
PAGES = {"CONTRIBUTING.md": "contributing.md", "tutor/data/sets": "data/index.md"}
READ_ME = """\
The notebooks of the course, and the library that they run on.

On your own machine, with Python 3.11 or newer, in this folder:
    pip install "./{wheel}[lessons]" "jupyterlab>=4.2"
    jupyter lab

On Google Colab: upload a notebook, and with the folder icon on the left the file {wheel};
then run the first cells, which install it.
"""


def write_pages(
    source: Path, lessons: list[Lesson], *, solutions: bool, reference: bool, repository: str
) -> None:
    """Write everything that Sphinx reads into the folder `source`."""
    root = lessons[0].root
    (source / "notebooks").mkdir(parents=True)
    for lesson in lessons:
        page = lesson_page(lesson, solved=solutions, repository=repository)
        nbformat.write(page, source / "notebooks" / f"{lesson.stem}.ipynb")
    if (root / "course" / "images").is_dir():
        shutil.copytree(root / "course" / "images", source / "images")
    pages = {path.stem: path.read_text("utf-8") for path in (root / "course").glob("*.md")}
    if (root / "CONTRIBUTING.md").is_file():
        pages["contributing"] = (root / "CONTRIBUTING.md").read_text("utf-8")
    pages["index"] = pages.get("index", "# The course\n\n" + DAYS) + _contents(pages, reference)
    for name, text in pages.items():
        text = text.replace(DAYS, _days(lessons) if name == "index" else _syllabus(lessons))
        text = text.replace(TIMES, _times(lessons))
        (source / f"{name}.md").write_text(_outward(text, repository), "utf-8")
    _write_cards(source / "data")
    if reference:
        write_reference(source / "library")
    _write_downloads(source / "extra" / "downloads", lessons)
    write_slides(lessons, source / "extra" / "slides", mathjax=f"../_static/mathjax/{MATHJAX}")


def _contents(pages: dict[str, str], reference: bool) -> str:
    """The table of contents: what the sidebar shows, and the order of the pages."""
    others = sorted(set(pages) - {"index", *FIRST, *TEACHING})
    groups = {
        "Lessons": ["notebooks/*"],
        "The course": [name for name in (*FIRST, *others) if name in pages],
        "Look up": ["data/index", *(["library/index"] if reference else [])],
        "Teaching": [name for name in TEACHING if name in pages],
    }
    tables = [
        "\n".join(["```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", "", *names, "```"])
        for caption, names in groups.items()
        if names
    ]
    return "\n\n" + "\n\n".join(tables) + "\n"


def _days(lessons: list[Lesson]) -> str:
    """For the front page."""
    cards = "".join(
        f'<li><a href="notebooks/{lesson.stem}.html">{escape(lesson.header.title)}</a>'
        f"<p>{_sentence(lesson, 'Question of the day')}</p>"
        f"<small>{lesson.header.minutes} minutes</small></li>"
        for lesson in lessons
    )
    return f'<ul class="course-days">{cards}</ul>'


def _sentence(lesson: Lesson, label: str) -> str:
    text = " ".join(lesson.header.labels[label].split())
    return re.sub(r"\*(.+?)\*", r"<em>\1</em>", escape(text[:1].upper() + text[1:]))


def _reached(lesson: Lesson) -> str:
    """The table with which the notebook ends."""
    cells = iter(nbformat.read(notebook_path(lesson, solved=False), as_version=4).cells)
    for cell in cells:
        if cell.source.startswith("## The day in numbers"):
            printed = "".join(output.get("text", "") for output in next(cells).outputs)
            return f"\n\n**The day in numbers:**\n\n```text\n{printed.rstrip()}\n```"
    return ""


def _syllabus(lessons: list[Lesson]) -> str:
    """What every day asks, builds, needs and reaches."""
    return "\n\n".join(
        f"### [{lesson.header.title}](notebooks/{lesson.stem}.ipynb)\n\n"
        + "\n\n".join(
            f"**{label}:** {lesson.header.labels[label]}"
            for label in ("Question of the day", "You will have built", "Prerequisites")
        )
        + f"\n\n**Minutes:** {lesson.header.minutes}\n\nAfter this day you can\n\n"
        + "\n".join(f"- {objective}" for objective in lesson.header.objectives)
        + _reached(lesson)
        for lesson in lessons
    )


def _times(lessons: list[Lesson]) -> str:
    """A table of what every day takes: of the learner, and of the machine when it was built."""
    rows = []
    for lesson in lessons:
        own = nbformat.read(notebook_path(lesson, solved=False), as_version=4).metadata["tutor"]
        took = f"{own['seconds']} s" if "seconds" in own else "not measured"
        title = f"[{lesson.header.title}](notebooks/{lesson.stem}.ipynb)"
        rows.append(f"| {title} | {lesson.header.minutes} minutes | {took} |")
    total = sum(lesson.header.minutes or 0 for lesson in lessons)
    head = ["| lesson | at your desk | the machine computes |", "|---|---:|---:|"]
    return "\n".join([*head, *rows, f"| all | {total} minutes | |"])


def _outward(text: str, repository: str) -> str:
    """Links to files of the repository: to their page, to GitHub, or no link at all."""

    def elsewhere(link: re.Match) -> str:
        words, target = link.groups()
        if target in PAGES:
            return f"[{words}]({PAGES[target]})"
        if repository:
            return f"[{words}](https://github.com/{repository}/blob/main/{target})"
        return f"{words} (`{target}`)"

    return re.sub(r"(?<!!)\[([^\]]+)\]\(\.\./([^)]+)\)", elsewhere, text)


def _write_cards(folder: Path) -> None:
    folder.mkdir()
    names = data.names()
    for name in names:
        (folder / f"{name}.md").write_text(card_page(data.card(name)), "utf-8")
    listed = "\n".join(f"- [{data.card(n).title}]({n}.md): `tutor.data.load({n!r})`" for n in names)
    contents = "\n".join(["```{toctree}", ":hidden:", "", *names, "```"])
    title = "# Data sets\n\nMade by real engines, shipped with the library."
    (folder / "index.md").write_text(f"{title}\n\n{listed}\n\n{contents}\n", "utf-8")


def card_page(card: Card) -> str:
    """Everything a user should know before trusting a data set, as Markdown."""
    fields = [f"| `{k}` | {what} | {card.units.get(k, '')} |" for k, what in card.fields.items()]
    splits = ", ".join(f"{name} {count:,}" for name, count in card.splits.items())
    made = ", ".join(f"{package} {version}" for package, version in card.engine.items())
    parts = [
        f"# {card.name}",
        f"**{card.title}.**",
        card.description.strip(),
        f'```python\n{card.name} = tutor.data.load("{card.name}")\n```',
        f"**Structures:** {card.structures:,}" + (f" ({splits})" if splits else ""),
        "\n".join(["| array | what | unit |", "|---|---|---|", *fields]),
        f"## Level of theory\n\n{card.level_of_theory.strip()}",
        f"## Splits\n\n{card.split_rule.strip()}",
        "## Not for\n\n" + "\n".join(f"- {use}" for use in card.not_for),
        f"## Made by\n\n{made}; {card.cpu_minutes:g} minutes on one core.",
        "\n".join(f"- {reference}" for reference in card.references),
        f"Licence: {card.licence}",
    ]
    return "\n\n".join(parts) + "\n"


def _write_downloads(folder: Path, lessons: list[Lesson]) -> None:
    """The notebooks one by one, and all of them with the library in one zip."""
    folder.mkdir(parents=True)
    root = lessons[0].root
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    done = subprocess.run(build, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the wheel cannot be built: {done.stderr.strip()}")
    paths = [notebook_path(lesson, solved=False) for lesson in lessons]
    for path in paths:
        shutil.copy(path, folder)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(folder / BUNDLE, "w", ZIP_DEFLATED) as bundle:
        bundle.writestr("nnp-tutor/README.txt", READ_ME.format(wheel=wheel.name))
        for path in (*paths, wheel):
            bundle.write(path, f"nnp-tutor/{path.name}")
