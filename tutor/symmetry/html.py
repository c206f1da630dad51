"""A report as HTML that is legible on light and dark, with its picture and its words."""

import os
import tempfile
from html import escape
from pathlib import Path

from tutor.render import GREEN, RED, boxed, prose, table
from tutor.symmetry.report import HEADER, Finding, Report, distinct, panel

STYLE = (
    ":root{color-scheme:light dark}h1{font-size:1.5em;margin:0}summary{margin:1em 0 .2em}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
)


def page(report: Report, heading: str = "strong") -> str:
    """The report in a tinted box, as a fragment of HTML."""
    whole = [[cell.replace(" ", "\u00a0") for cell in row[2:]] for row in report.rows()]
    parts = [
        f"<{heading}>{escape(report.headline())}</{heading}>",
        f"<small>{escape(report.how())}</small>",
        table(HEADER, [[*row[:2], *rest] for row, rest in zip(report.rows(), whole, strict=True)]),
        *(_failure(finding) for finding in distinct(report.failures())),
    ]
    if report.untested:
        rows = "".join(f"<li>{prose(f'{k}: {v}')}</li>" for k, v in report.untested.items())
        parts.append(f"<details><summary>not tested</summary><ul>{rows}</ul></details>")
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    return boxed(" ".join(parts), GREEN if report.ok else RED)


def _failure(finding: Finding) -> str:
    told = panel(finding)
    return (
        f"<details open><summary>{prose(told.head)}</summary>{told.details()}"
        f"{_picture(finding.witness)}</details>"
    )


def _picture(witness) -> str:
    if witness is None:
        return ""
    from tutor.symmetry.figure import before_and_after

    return before_and_after(witness)._repr_html_()


def save(report: Report, path: Path) -> Path:
    """Write the report as a page of its own; the file is there whole or not at all."""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(report.headline())}</title><style>{STYLE}</style></head>"
        f"<body>{page(report, heading='h1')}</body></html>\n"
    )
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
    return path
