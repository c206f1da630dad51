"""Slides from a lesson: its question, key sentences, equations, figures, exercises and numbers.

A key sentence is a paragraph with something in bold or with an equation of its own, a table, or a
box; a round also begins with its first paragraph. Nothing is written for the slides, so they say
what the lesson says.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

from tutor.build.compose import notebook_path
from tutor.build.lesson import Lesson

HERE = Path(__file__).parent
ROOM = 620  # letters on a slide
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FIGURE = re.compile(r"<img |<iframe ")


@dataclass
class Slide:
    """A heading, and blocks of HTML below it."""

    heading: str
    blocks: list[str] = field(default_factory=list)
    kind: str = "text"

    def html(self) -> str:
        tag = "h1" if self.kind == "title" else "h2"
        inner = f"<{tag}>{self.heading}</{tag}>{''.join(self.blocks)}"
        return f'<section class="{self.kind}">{inner}</section>'


def write_slides(lessons: list[Lesson], folder: Path, *, mathjax: str) -> list[Path]:
    """One page for each lesson; `mathjax` is where its script lies, seen from `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lesson in lessons:
        path = folder / f"{lesson.stem[:5]}.html"
        path.write_text(deck(lesson, mathjax), "utf-8")
        written.append(path)
    return written


def deck(lesson: Lesson, mathjax: str) -> str:
    """The slides of a lesson, as a page."""
    notebook = nbformat.read(notebook_path(lesson, solved=False), as_version=4)
    slides = [title(lesson), *rounds(notebook.cells[3:])]
    parts = {
        "TITLE": escape(lesson.header.title),
        "STYLE": (HERE / "slides.css").read_text("utf-8"),
        "MATHJAX_PAGE": mathjax,
        "SLIDES": "\n".join(slide.html() for slide in slides),
    }
    page = (HERE / "slides.html").read_text("utf-8")
    return re.sub("|".join(parts), lambda match: parts[match[0]], page)


def title(lesson: Lesson) -> Slide:
    header = lesson.header
    blocks = [markdown(f"**{header.labels['Question of the day']}**")]
    blocks += [markdown("\n".join(f"- {objective}" for objective in header.objectives))]
    return Slide(escape(header.title), blocks, "title")


def rounds(cells: list[NotebookNode]) -> Iterator[Slide]:
    """The slides of all rounds, in the order of the lesson."""
    slide = None
    for cell in cells:
        if cell.cell_type == "markdown":
            for heading, text in sections(cell.source):
                if heading:
                    yield from filled(slide)
                    slide = Slide(heading)
                if slide:
                    slide.blocks += key_blocks(text, first=bool(heading))
        elif slide:
            shown = list(outputs(cell, numbers="in numbers" in slide.heading))
            if shown:
                yield from filled(slide)
                yield from (Slide(slide.heading, [html], "figure") for html in shown)
                slide = Slide(slide.heading)
    yield from filled(slide)


def sections(text: str) -> Iterator[tuple[str, str]]:
    """A cell in pieces: (heading or "", what stands below it)."""
    pieces = re.split(r"^#{2,3} +(.+)$", text, flags=re.MULTILINE)
    yield "", pieces[0]
    yield from ((inline(h), body) for h, body in zip(pieces[1::2], pieces[2::2], strict=True))


def key_blocks(text: str, *, first: bool) -> Iterator[str]:
    """The paragraphs that belong on a slide, as HTML."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    equation = [paragraph.startswith("$$") for paragraph in paragraphs]
    for number, paragraph in enumerate(paragraphs):
        around = any(equation[max(0, number - 1) : number + 2])  # what leads to it, and explains it
        key = around or re.search(r"\*\*\S|^\||^> ", paragraph)
        if paragraph and (key or (first and number == 0)):
            yield markdown(paragraph)


def filled(slide: Slide | None) -> Iterator[Slide]:
    """The slide, or several of the same heading where there is too much for one."""
    part: list[str] = []
    for block in slide.blocks if slide else ():
        if part and letters([*part, block]) > ROOM:
            yield Slide(slide.heading, part)
            part = []
        part.append(block)
    if part:
        yield Slide(slide.heading, part)


def letters(blocks: list[str]) -> int:
    return sum(len(re.sub(r"<[^>]*>", "", block)) for block in blocks)


def outputs(cell: NotebookNode, *, numbers: bool) -> Iterator[str]:
    """The figures and molecules of a cell; its text where that is the day's result."""
    for output in cell.outputs:
        html = output.get("data", {}).get("text/html", "")
        if FIGURE.search(html):
            alt = re.search(r'alt="([^"]*)"', html)
            caption = f"<figcaption>{alt[1]}</figcaption>" if alt and "<iframe" not in html else ""
            yield f"<figure>{html}{caption}</figure>"
        elif numbers and output.output_type == "stream":
            yield f"<pre>{escape(output.text)}</pre>"


def markdown(text: str) -> str:
    return _parser().render(text)


def inline(text: str) -> str:
    return _parser().renderInline(text)


def _parser() -> MarkdownIt:
    def mathematics(content: str, options: dict) -> str:
        left, right = (r"\[", r"\]") if options["display_mode"] else (r"\(", r"\)")
        return left + escape(content) + right

    return MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, renderer=mathematics)


def print_pdf(page: Path) -> Path | None:
    """The page as PDF beside it; None where no Chromium or Chrome is found.

    Raises:
        RuntimeError: the browser fails.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return None
    pdf = page.with_suffix(".pdf")
    command = [browser, "--headless", "--disable-gpu", "--no-sandbox", "--no-pdf-header-footer",
               "--virtual-time-budget=60000", "--allow-file-access-from-files",
               f"--print-to-pdf={pdf}", page.resolve().as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode or not pdf.is_file():
        raise RuntimeError(f"{browser} could not print {page}: {done.stderr.strip()[-300:]}")
    return pdf
