"""A web page that needs nothing but itself: light and dark, and no request to anywhere."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --line: #d5dae1; --soft: #f4f6f8;
  --link: #0b5cad; --good: #00704f; --bad: #b54200; --wait: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --paper: #14181e; --line: #3a424d;
  --soft: #1d232b; --link: #7cb8ff; --good: #3fc79a; --bad: #ff9a5c; --wait: #7cb8ff } }
body { color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { line-height: 1.2 } h2 { margin-top: 2rem } a { color: var(--link) }
table { border-collapse: collapse; width: 100% } .wide { overflow-x: auto }
th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid var(--line);
  vertical-align: top } th { font-weight: 600 } td.number, th.number { text-align: right }
.good { color: var(--good) } .bad { color: var(--bad) } .wait { color: var(--wait) }
meter { width: 8rem; height: 1rem } .big { font-size: 1.6rem; margin: .5rem 0 }
blockquote, .note { background: var(--soft); border-left: 4px solid var(--line); margin: .6rem 0;
  padding: .6rem .9rem } textarea { width: 100%; box-sizing: border-box; font: inherit }
input, button { font: inherit; padding: .2rem .5rem } details { margin: .4rem 0 }
summary { cursor: pointer } pre { overflow-x: auto; white-space: pre !important }
"""


def page(title: str, body: str, script: str = "") -> str:
    """A whole page; `body` is HTML, `title` is text."""
    scripts = "script-src 'unsafe-inline'; " if script else ""
    rules = f"default-src 'none'; style-src 'unsafe-inline'; {scripts}form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{rules}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main>"
        f"{f'<script>{script}</script>' if script else ''}</body></html>\n"
    )


def table(header: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """Rows of HTML cells under a header of text; the columns in `numbers` stand to the right."""
    side = lambda n: ' class="number"' if n in numbers else ""  # noqa: E731
    head = "".join(f'<th scope="col"{side(n)}>{escape(h)}</th>' for n, h in enumerate(header))
    body = "".join(
        "<tr>" + "".join(f"<td{side(n)}>{cell}</td>" for n, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    head = f"<thead><tr>{head}</tr></thead>"
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'
