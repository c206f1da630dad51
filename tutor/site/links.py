"""What a reader without a network would miss: links that lead nowhere, pages that ask elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "object": ("data",),
    "embed": ("src",),
    "link": ("href",),
    "use": ("href",),
}
NOT_LOADED = {"canonical", "next", "prev", "search", "index", "author", "license"}


def problems(folder: Path) -> Iterator[str]:
    """One sentence for each broken link, and for each thing that would come from another host."""
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in folder.rglob("*.html")}
    for path, page in sorted(pages.items()):
        name = path.relative_to(folder.resolve()).as_posix()
        yield from (f"{name} loads {url} from another host" for url in page.remote)
        yield from (f"{name}: the link {url} leads nowhere" for url in _broken(path, page, pages))
    for path in sorted(folder.rglob("*.css")):
        for url in re.findall(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^)"']+)""", path.read_text("utf-8")):
            yield f"{path.relative_to(folder).as_posix()} loads {url} from another host"


def _broken(path: Path, page: "Page", pages: dict[Path, "Page"]) -> Iterator[str]:
    for url in sorted(page.links):
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file():
            yield url
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
            yield url


class Page(HTMLParser):
    """What a page links to, what it loads from elsewhere, and what can be linked to in it."""

    def __init__(self, html: str):
        super().__init__()
        self.links: set[str] = set()
        self.remote: list[str] = []
        self.ids: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        loaded = LOADED.get(tag, ())
        if tag == "link" and given.get("rel") in NOT_LOADED:
            loaded = ()
        for name in ("href", "src", "data", "poster"):
            url = given.get(name, "")
            if name in loaded and re.match(r"(https?:)?//", url):
                self.remote.append(url)
            elif name in ("href", "src") and url and not url.startswith(("data:", "#__", "javascript:")):
                self.links.add(url)
        if inner := given.get("srcdoc"):
            self.remote += Page(inner).remote
