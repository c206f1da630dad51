"""How a verdict reads: as text, as HTML, and the numbers within."""

import re
from html.parser import HTMLParser

import jax.numpy as jnp
import numpy as np
import pytest

from tutor.exercises.values import show, show_apart
from tutor.exercises.verdict import Status, Verdict
from tutor.render import BLUE, GREEN, GREY, RED, Panel, columns, display, table

NASTY = '<script>alert("x")</script> & `a<b`'


def wrong(**changes):
    told = {
        "law": "rotating the molecule leaves its energy alone",
        "message": "it moved",
        "error": "off by 0.46",
        "example": {"positions": np.eye(2), "n": 3},
        "expected": np.array([0.5, 1.0]),
        "got": np.array([0.5, 2.0]),
        "where": "return x / 0    # line 3 in f",
        "next": '`hint("1.2")`',
    }
    return Verdict(Status.WRONG, "1.2", "Turn it", out_of=2, **(told | changes))


def test_the_text_says_it_all():
    assert (
        wrong().text()
        == str(wrong())
        == (
            "✗ 1.2 wrong: Turn it\n"
            "  broken law     rotating the molecule leaves its energy alone\n"
            "  what happened  it moved\n"
            "  your line      return x / 0    # line 3 in f\n"
            "  error          off by 0.46\n"
            "  for example    positions = [[1 0]\n"
            "                              [0 1]]\n"
            "                 n = 3\n"
            "  expected       [0.5 1]\n"
            "  got            [0.5 2]\n"
            '  next           `hint("1.2")`'
        )
    )


def test_the_other_outcomes_are_short():
    right = Verdict(Status.RIGHT, "1.2", "Turn it", points=2, out_of=2, message="and so it stays")
    assert right.text() == "✓ 1.2 right: Turn it (2 of 2 points)\n    and so it stays"
    blank = Verdict(Status.NOT_ATTEMPTED, "1.2", "Turn it", out_of=2)
    assert blank.text() == "○ 1.2 not attempted yet: Turn it"


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.words, self.tags, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


def test_everything_is_escaped():
    verdict = wrong(
        law=NASTY, message=NASTY, error=NASTY, where=NASTY, example={NASTY: NASTY}, got=NASTY,
        expected=NASTY + "!", labels=(NASTY, NASTY + "?"), next=NASTY,
    )  # fmt: skip
    reader = read(verdict.html())
    assert {tag for tag, _ in reader.tags} <= {"div", "strong", "dl", "dt", "dd", "pre", "code"}
    assert '<script>alert("x")</script>' in "".join(reader.words)
    escaped = read(table([NASTY], [[NASTY]], NASTY))
    assert "script" not in {tag for tag, _ in escaped.tags}


def test_html_says_the_same_words_as_the_text():
    words = re.sub(r"\s+", " ", " ".join(read(wrong().html()).words))
    for line in wrong().text().splitlines():
        for word in line.replace("`", "").split():
            assert word in words


@pytest.mark.parametrize("status", Status)
def test_html_is_announced_and_takes_the_pages_colours(status):
    html = Verdict(status, "1.2", "Turn it").html()
    _, attributes = read(html).tags[0]
    assert attributes["role"] == "status"
    assert "color:inherit" in attributes["style"]
    assert f"background:rgba({status.colour},.1)" in attributes["style"]
    assert not re.search(r"(?<!-)\bcolor:(?!inherit)|background:(?!rgba|none)|#[0-9a-f]{3}", html)
    assert f"{status.symbol} 1.2 {status.words}" in "".join(read(html).words)


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("page", [(1, 1, 1), (17 / 255,) * 3], ids=["light", "dark"])
@pytest.mark.parametrize("colour", [GREEN, RED, BLUE, GREY])
def test_borders_stand_out_on_light_and_dark(colour, page):
    """At least 3 to 1, as WCAG 2.1 (1.4.11) asks of graphics."""
    border = [int(part) / 255 for part in colour.split(",")]
    light, dark = sorted([luminance(border), luminance(page)], reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_statuses_differ_without_colour():
    assert len({status.symbol for status in Status}) == len(Status)
    assert len({status.words for status in Status}) == len(Status)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.1 + 0.2, "0.3"),
        (-10982.3456, "-1.098e+04"),
        (np.float32(1.5), "1.5"),
        (True, "True"),
        (None, "None"),
        ("a'b", '"a\'b"'),
        (np.array([1.0, 1e-7, np.nan]), "[1 1e-07 nan]"),
        (np.array(["H", "O"]), "[H O]"),
        ([1, 2], "[1 2]"),
        ((1.0, np.arange(2)), "(1, [0 1])"),
        ({"a": np.arange(2)}, "{'a': [0 1]}"),
        (np.zeros((0, 3)), "[]  shape (0, 3)"),
        (jnp.arange(3), "[0 1 2]"),
        (np.sum, "the function sum"),
        (object(), "<object object>"),
    ],
)
def test_values_as_text(value, text):
    assert show(value) == text


def test_long_values_are_abridged():
    text = show(np.arange(300.0).reshape(100, 3))
    assert text.count("\n") == 6
    assert text.endswith("shape (100, 3)")
    assert show(np.arange(12.0)) == "[0 1 2 ... 9 10 11]  shape (12,)"
    assert show(np.zeros((100, 21, 3))).count("\n") <= 10
    assert show(np.zeros((20, 1))).count("\n") == 6
    assert len(show("x" * 1000)) <= 200


def test_columns_of_an_array_are_aligned():
    assert show(np.array([[1.0, -2.5], [100.0, 3.0]])) == "[[   1 -2.5]\n [ 100    3]]"


def test_two_values_are_shown_with_the_digits_that_tell_them_apart():
    assert show_apart(-10982.3, -10983.1) == ("-10982.3", "-10983.1")
    assert show_apart(1.0, 2.0) == ("1", "2")
    assert show_apart(1.0, 1.0) == ("1", "1")


def test_panels_and_columns_as_text():
    assert (
        Panel("head", [("a", "x\ny"), ("bcd", "z")]).text() == "head\n  a    x\n       y\n  bcd  z"
    )
    assert columns(["", "n"], [["1.1", "5"], ["1.10", "15"]]) == "      n\n1.1   5\n1.10  15"


def test_a_terminal_that_lacks_a_symbol_gets_another(monkeypatch, capsysbinary):
    import io
    import sys

    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    display("✓ right", "")
    out.flush()
    assert out.buffer.getvalue().replace(b"\r", b"") == b"? right\n"
