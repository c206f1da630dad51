"""Panels for a notebook (HTML) and a terminal (text), and the choice between the two.

The HTML takes the page's own text colour, tints the background with a transparent colour and
marks the left edge, so that it is legible on light and on dark. Colour repeats what a symbol and
a word already say.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

GREEN, RED, BLUE, GREY = "0,158,115", "213,94,0", "0,114,178", "128,128,128"  # Okabe and Ito


@dataclass(frozen=True)
class Panel:
    """A heading, rows of (label, text), and a footnote; rows whose text is code are set in pre."""

    head: str
    rows: Sequence[tuple[str, str]] = ()
    code: frozenset[str] = frozenset()
    colour: str = GREY

    def text(self) -> str:
        width = max((len(label) for label, _ in self.rows), default=0)
        lines = [self.head]
        for label, body in self.rows:
            indented = body.replace("\n", "\n" + " " * (width + 4))
            lines.append(f"  {label:<{width}}  {indented}")
        return "\n".join(line.rstrip() for line in lines)

    def html(self) -> str:
        return boxed(f"<strong>{prose(self.head)}</strong>{self.details()}", self.colour)

    def details(self) -> str:
        """The rows as HTML."""
        rows = "".join(
            f'<dt style="{_LABEL}">{escape(label)}</dt><dd style="{_BODY}">'
            f"{preformatted(body) if label in self.code else prose(body)}</dd>"
            for label, body in self.rows
        )
        return f'<dl style="{_LIST}">{rows}</dl>' if rows else ""


_LIST = "display:grid;grid-template-columns:max-content minmax(0,1fr);"
_LIST += "align-items:baseline;gap:.15em 1em;margin:.4em 0 0"
_LABEL = "float:none;width:auto;margin:0;padding:0;font-weight:normal;opacity:.75"
_BODY = "margin:0;padding:0"
_PRE = "margin:0;padding:0;background:none;color:inherit;white-space:pre-wrap;"
_PRE += "font:.9em/1.45 var(--jp-code-font-family,monospace)"


def boxed(inner: str, colour: str) -> str:
    """`inner` (HTML) in a tinted box that screen readers announce."""
    style = (
        f"border-left:4px solid rgb({colour});background:rgba({colour},.1);color:inherit;"
        "padding:.5em .9em;margin:.3em 0;line-height:1.45;overflow-x:auto"
    )
    return f'<div role="status" style="{style}">{inner}</div>'


def prose(text: str) -> str:
    """Escaped text in which `backticks` become code."""
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(text))
    return text.replace("\n", "<br>")


def preformatted(text: str) -> str:
    return f'<pre style="{_PRE}">{escape(text)}</pre>'


def columns(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as text, its columns aligned."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(header))]
    return "\n".join(
        "  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A table as HTML."""
    cell = "text-align:left;padding:.15em 1em .15em 0;background:none"
    head = "".join(f'<th scope="col" style="{cell}">{prose(name)}</th>' for name in header)
    body = "".join(
        '<tr style="background:none">'
        + "".join(f'<td style="{cell}">{prose(entry)}</td>' for entry in row)
        + "</tr>"
        for row in rows
    )
    title = f"{cell};font-weight:bold;color:inherit;caption-side:top"
    above = f'<caption style="{title}">{prose(caption)}</caption>' if caption else ""
    return (
        f'<table style="margin:0;border-collapse:collapse;color:inherit">{above}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def in_notebook() -> bool:
    """Whether what is displayed reaches a page."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def display(text: str, html: str) -> None:
    """Shows `html` in a notebook and prints `text` anywhere else."""
    if in_notebook():
        from IPython.display import display as publish

        publish({"text/html": html, "text/plain": text}, raw=True)
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))
