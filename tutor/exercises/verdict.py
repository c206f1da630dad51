"""What a check says: the two ways in which it stops early, and the verdict made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from numbers import Real

from tutor.exercises.values import show, show_apart
from tutor.render import BLUE, GREEN, GREY, RED, Panel


class NotAttempted(Exception):  # noqa: N818 -- an outcome, not a fault
    """There is no answer yet."""


class Broken(Exception):  # noqa: N818
    """A law that the answer does not obey.

    Attributes:
        law: the law, as one would state it: "rotating the molecule leaves its energy alone".
        message: what went wrong, in words.
        error: the size of the error, in words and numbers.
        example: the input that shows it, by name; the last call's inputs where none is given.
        expected, got: what should have come out, and what did.
        labels: what to call these two.
        where: the learner's line, for an answer that raised.
    """

    FIELDS = ("law", "message", "error", "example", "expected", "got", "labels", "where")

    def __init__(
        self,
        law: str,
        message: str = "",
        *,
        error: str = "",
        example: Mapping | None = None,
        expected: object = None,
        got: object = None,
        labels: tuple[str, str] = ("expected", "got"),
        where: str = "",
    ):
        super().__init__(f"{law}: {message}")
        self.law, self.message, self.error, self.where = law, message, error, where
        self.example, self.expected, self.got, self.labels = example, expected, got, labels


class Status(Enum):
    """The four outcomes, each with its symbol and its words."""

    NOT_ATTEMPTED = ("○", "not attempted yet", GREY)
    RIGHT = ("✓", "right", GREEN)
    WRONG = ("✗", "wrong", RED)
    RECORDED = ("✎", "recorded", BLUE)

    def __init__(self, symbol: str, words: str, colour: str):
        self.symbol, self.words, self.colour = symbol, words, colour


@dataclass(frozen=True)
class Verdict:
    """What a check found. `str(verdict)` is the plain text; a notebook shows `verdict.html()`.

    Attributes:
        status: one of `Status`.
        id, title: of the exercise.
        points, out_of: points reached and to be had; a written answer has none until it is marked.
        law, message, error, example, expected, got, labels, where: as in `Broken`.
        next: what to do now.
    """

    status: Status
    id: str
    title: str
    points: Real = 0
    out_of: Real = 0
    law: str = ""
    message: str = ""
    error: str = ""
    example: Mapping = field(default_factory=dict)
    expected: object = None
    got: object = None
    labels: tuple[str, str] = ("expected", "got")
    where: str = ""
    next: str = ""

    def text(self) -> str:
        return self._panel().text()

    def html(self) -> str:
        return self._panel().html()

    __str__ = text

    def _panel(self) -> Panel:
        expected, got = ("", "")
        if self.expected is not None:
            expected, got = show_apart(self.expected, self.got)
        elif self.got is not None:
            got = show(self.got)
        said = "what happened" if self.law else "why" if self.status is Status.WRONG else ""
        rows = [
            ("broken law", self.law),
            (said, self.message),
            ("your line", self.where),
            ("error", self.error),
            (
                "for example",
                "\n".join(f"{k} = {_hung(k, show(v))}" for k, v in self.example.items()),
            ),
            (self.labels[0], expected),
            (self.labels[1], got),
            ("next", self.next),
        ]
        head = f"{self.status.symbol} {self.id} {self.status.words}: {self.title}"
        if self.status is Status.RIGHT and self.out_of:
            head += f" ({self.points:g} of {self.out_of:g} points)"
        return Panel(
            head,
            [row for row in rows if row[1]],
            frozenset({"your line", "for example", *self.labels}),
            self.status.colour,
        )


def _hung(name: str, text: str) -> str:
    return text.replace("\n", "\n" + " " * (len(name) + 3))
