"""A report as HTML that is legible on light and dark, with its picture and its words."""

import os
import tempfile
from base64 import b64encode
from html import escape
from io import BytesIO
from pathlib import Path

GREEN, RED = "0,158,115", "213,94,0"  # Okabe and Ito; a symbol and a word say the same
_CELL = 'style="text-align:left;padding:.15em 1em .15em 0;background:none"'


def page(report) -> str:
    """The report in a tinted box, as a fragment of HTML."""
    from tutor.symmetry.report import _distinct

    colour = GREEN if report.ok else RED
    header = ("law", "output", "verdict", "error", "floor", "ratio", "power (95 %)")
    head = "".join(f'<th scope="col" {_CELL}>{escape(h)}</th>' for h in header)
    body = "".join(
        '<tr style="background:none">'
        + "".join(f"<td {_CELL}>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in report.rows()
    )
    parts = [
        f"<strong>{escape(report.headline())}</strong> <small>({escape(report.how())})</small>",
        f'<table style="margin:.5em 0;border-collapse:collapse;color:inherit">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
        *(_failure(f) for f in _distinct(report.failures())),
    ]
    if report.untested:
        rows = "".join(f"<li>{escape(k)}: {escape(v)}</li>" for k, v in report.untested.items())
        parts.append(f"<details><summary>not tested</summary><ul>{rows}</ul></details>")
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    style = (
        f"border-left:4px solid rgb({colour});background:rgba({colour},.1);color:inherit;"
        "padding:.5em .9em;margin:.3em 0;line-height:1.45;overflow-x:auto"
    )
    return f'<div role="status" style="{style}">{"".join(parts)}</div>'


def _failure(finding) -> str:
    from tutor.symmetry.report import _told

    head, *rest = _told(finding)
    pre = "margin:0;background:none;color:inherit;white-space:pre-wrap"
    inner = f'<pre style="{pre}">{escape(chr(10).join(rest))}</pre>{_picture(finding.witness)}'
    return f"<details open><summary>{escape(head)}</summary>{inner}</details>"


def _picture(witness) -> str:
    if witness is None:
        return ""
    from tutor.symmetry.figure import before_and_after

    figure, buffer = before_and_after(witness), BytesIO()
    figure.savefig(buffer, format="png", dpi=80, transparent=True)
    data = b64encode(buffer.getvalue()).decode()
    alt = escape(figure.alt, quote=True)
    return f'<img alt="{alt}" src="data:image/png;base64,{data}" style="max-width:100%">'


def save(report, path: Path) -> Path:
    """Write the report as a page of its own; the file is there whole or not at all."""
    title = escape(report.headline())
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>:root{{color-scheme:light dark}}"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
        f"</style></head><body><h1>{title}</h1>{page(report)}</body></html>\n"
    )
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
    return path
