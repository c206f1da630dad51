"""What a learner who cannot see the picture gets: alt text in HTML and in Markdown."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser


def without_alt(html: str) -> Iterator[str]:
    """One sentence for every picture in `html` that has no text in its place.

    A picture is an img or an iframe, also inside the srcdoc of an iframe.
    """
    parser = _Pictures()
    parser.feed(html)
    parser.close()
    yield from parser.found


def markdown_without_alt(text: str) -> Iterator[str]:
    """The same for a Markdown cell."""
    for target in re.findall(r"!\[\s*\]\(([^)\s]+)", prose(text)):
        yield f"the image {target} has no alt text"
    yield from without_alt(prose(text))


def links(text: str) -> Iterator[str]:
    """The targets of the links and images of a Markdown text, HTML included."""
    yield from re.findall(r"\]\(<?([^)\s>]+)", prose(text))
    yield from re.findall(r"""<(?:img|a)\b[^>]*?\b(?:src|href)=["']([^"']+)""", prose(text))


def prose(text: str) -> str:
    """Markdown without code and formulas, in which brackets mean something else."""
    return re.sub(r"(?s)```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$", "", text)


class _Pictures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip() for name, value in attrs}
        if tag == "img" and not given.get("alt"):
            self.found.append("a figure has no alt text")
        if tag == "iframe":
            if not (given.get("title") or given.get("aria-label")):
                self.found.append("an embedded frame has no title")
            self.found += without_alt(given.get("srcdoc", ""))
