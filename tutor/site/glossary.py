"""The glossary: where a lesson first uses a term, a link with its meaning under the pointer.

`course/glossary.md` lists terms as `- **term**: what it means`. Other forms of a term follow after
a comma, `- **invariant, invariance**: …`; a plural s is understood.
"""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.transforms import SphinxTransform

TERM = re.compile(r"^- \*\*(.+?)\*\*: (.+(?:\n  .+)*)", re.MULTILINE)
NO_PROSE = (nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.raw)


def terms(text: str) -> dict[str, tuple[str, str]]:
    """Every form of every term, in small letters: the term's first form, and the meaning."""
    found = {}
    for forms, meaning in TERM.findall(text):
        first, *others = forms.split(", ")
        found |= {form.lower(): (first, " ".join(meaning.split())) for form in (first, *others)}
    return found


def anchor(term: str) -> str:
    return nodes.make_id(f"term-{term}")


class Links(SphinxTransform):
    """Links the first mention of every term in a lesson."""

    default_priority = 700

    def apply(self) -> None:
        known = terms((self.env.srcdir / "glossary.md").read_text("utf-8"))
        if not self.env.docname.startswith("notebooks/") or not known:
            return
        longest_first = sorted(known, key=len, reverse=True)
        any_of = "|".join(map(re.escape, longest_first))
        pattern = re.compile(rf"\b({any_of})(?=s?\b)", re.IGNORECASE)
        seen: set[str] = set()
        for text in list(self.document.findall(nodes.Text)):
            if not any(isinstance(node, NO_PROSE) for node in _around(text)):
                text.parent.replace(text, list(_linked(str(text), pattern, known, seen)))


def _around(node: nodes.Node) -> Iterator[nodes.Node]:
    while node := node.parent:
        yield node


def _linked(text: str, pattern: re.Pattern, known: dict, seen: set[str]) -> Iterator[nodes.Node]:
    """The text in pieces; adds to the terms `seen` those that it links."""
    end = 0
    for match in pattern.finditer(text):
        term, meaning = known[match[1].lower()]
        if term not in seen:
            seen.add(term)
            yield nodes.Text(text[end : match.start()])
            target = f"../glossary.html#{anchor(term)}"
            yield nodes.reference(
                "", match[1], internal=True, refuri=target, reftitle=_plain(meaning),
                classes=["course-term"],
            )  # fmt: skip
            end = match.end()
    yield nodes.Text(text[end:])


def _plain(markdown: str) -> str:
    return re.sub(r"[*`$\\]", "", markdown)


class Targets(SphinxTransform):
    """Gives every term of the glossary page a target."""

    default_priority = 690

    def apply(self) -> None:
        if self.env.docname == "glossary":
            for item in self.document.findall(nodes.list_item):
                for strong in list(item.findall(nodes.strong))[:1]:
                    item["ids"].append(anchor(strong.astext().split(", ")[0]))


def setup(app) -> dict:
    """What Sphinx calls."""

    def prepare(app) -> None:
        if (app.srcdir / "glossary.md").is_file():
            app.add_transform(Targets)
            app.add_transform(Links)

    app.connect("builder-inited", prepare)
    return {"parallel_read_safe": True}
