"""What a reader without a network would miss: links that lead nowhere, pages that ask elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}
NO_LOAD = {"canonical", "next", "prev", "search", "index", "author", "license"}  # of a <link rel>
REMOTE = r"((?:https?:)?//[^\"')\s]+)"
IN_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?" + REMOTE)
IN_SCRIPT = re.compile(r"(?:\b(?:import|fetch)\s*\(?|\bfrom)\s*[\"']" + REMOTE)


def problems(folder: Path) -> Iterator[str]:
    """One sentence for each broken link, and for each thing that would come from another host."""
    folder = folder.resolve()
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        yield from (f"{name} loads {url} from another host" for url in page.remote)
        yield from (f"{name}: the link {url} leads nowhere" for url in _broken(path, page, pages))
    for path in sorted(folder.rglob("*.css")):
        for url in IN_STYLE.findall(path.read_text("utf-8")):
            yield f"{path.relative_to(folder).as_posix()} loads {url} from another host"


def _broken(path: Path, page: "Page", pages: dict[Path, "Page"]) -> Iterator[str]:
    for url in sorted(page.links):
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        wanted = unquote(parts.fragment)
        if not target.is_file() or (wanted and target in pages and wanted not in pages[target].ids):
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
        loaded = given.get(LOADED.get(tag, ""), "")
        if re.match(REMOTE, loaded) and given.get("rel") not in NO_LOAD:
            self.remote.append(loaded)
        self.remote += IN_STYLE.findall(given.get("style", ""))
        links = (given.get(name, "") for name in ("href", "src"))
        self.links |= {url for url in links if url and not url.startswith("data:")}
        if inner := given.get("srcdoc"):
            self.remote += Page(inner).remote

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:  # in a <style> or a <script>
            self.remote += (IN_STYLE if self.cdata_elem == "style" else IN_SCRIPT).findall(data)
