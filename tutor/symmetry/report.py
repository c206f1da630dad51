"""What a check found, as text, JSON, HTML and a picture."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from numbers import Real
from pathlib import Path

import numpy as np

from tutor.render import Panel, columns
from tutor.symmetry.spec import Spec
from tutor.symmetry.witness import Witness

HEADER = ("law", "output", "verdict", "error", "floor", "ratio", "cases broken (95 %)")


class Verdict(Enum):
    """The three outcomes, each with a symbol and a word."""

    HOLDS = ("✓", "holds")
    BROKEN = ("✗", "BROKEN")
    VACUOUS = ("○", "VACUOUS")

    def __init__(self, symbol: str, word: str):
        self.symbol, self.word = symbol, word

    def __str__(self) -> str:
        return f"{self.symbol} {self.word}"


@dataclass(frozen=True)
class Finding:
    """One law on one output.

    Attributes:
        error, floor: relative to the output, at the worst case.
        ratio: error over floor; the verdict goes by it.
        trials, informative, broken: cases tried, cases in which the output responded to its input
            at all, and cases that broke the law.
        sentence: the law in words. suspect: what usually breaks it. note: what was seen here.
        witness: the smallest example, if the law is broken and one structure shows it.
    """

    law: str
    output: str
    verdict: Verdict
    error: float
    floor: float
    ratio: float
    trials: int
    informative: int
    broken: int
    dtype: str
    sentence: str
    suspect: str
    note: str
    witness: Witness | None = field(repr=False)

    @property
    def power(self) -> str:
        """Which fraction of all cases breaks the law, at 95 % confidence, and what was seen."""
        seen = f"({self.broken} of {self.trials if self.broken else self.informative})"
        if self.broken:
            return f"≥ {100 * _least_fraction(self.broken, self.trials):.2g} % {seen}"
        if self.informative <= 3:
            return f"unknown {seen}"
        return f"< {300 / self.informative:.2g} % {seen}"  # the rule of three


def _least_fraction(broken: int, trials: int) -> float:
    """The lower end of the one-sided 95 % Clopper-Pearson interval."""
    from scipy.stats import beta

    return float(beta.ppf(0.05, broken, trials - broken + 1))


@dataclass(frozen=True)
class Report:
    """All findings. `report.ok` is the verdict; `print(report)` shows it; a notebook shows HTML.

    Attributes:
        model: what was checked, by name.
        findings: one per law and output.
        untested: laws that could not be tested, and why.
        library, dtypes: how the map was called.
        seconds: how long it took.
        notes: what else happened.
        slack: error over floor from which a law counts as broken.
    """

    model: str
    spec: Spec
    findings: tuple[Finding, ...]
    untested: dict[str, str]
    library: str
    dtypes: tuple[str, ...]
    seconds: float
    notes: tuple[str, ...] = ()
    slack: Real = 30.0

    @property
    def ok(self) -> bool:
        """Whether every law that was tested holds, and none of them vacuously."""
        return all(f.verdict is Verdict.HOLDS for f in self.findings)

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the broken laws, in order, each once."""
        return tuple(dict.fromkeys(f.law for f in self.failures() if f.verdict is Verdict.BROKEN))

    def failures(self) -> list[Finding]:
        """The findings that do not hold, the vacuous ones among them."""
        return [f for f in self.findings if f.verdict is not Verdict.HOLDS]

    def __getitem__(self, key: str | tuple[str, str]) -> Finding:
        """`report["rotation", "energy"]`, or `report["rotation"]` for the worst of its outputs."""
        law, output = key if isinstance(key, tuple) else (key, None)
        found = [f for f in self.findings if f.law == law and output in (None, f.output)]
        if not found:
            raise KeyError(
                f"no finding {key!r}: {', '.join(sorted({f.law for f in self.findings}))}"
                + (f"; not tested: {self.untested[law]}" if law in self.untested else "")
            )
        return max(found, key=lambda f: (f.verdict is not Verdict.HOLDS, f.ratio))

    def __add__(self, other: "Report") -> "Report":
        """Both reports as one."""
        return replace(
            self, findings=self.findings + other.findings, notes=self.notes + other.notes,
            untested={k: v for k, v in (self.untested | other.untested).items()
                      if k not in {f.law for f in self.findings + other.findings}},
            seconds=self.seconds + other.seconds,
        )  # fmt: skip

    def headline(self) -> str:
        """The verdict in one line."""
        laws = len({f.law for f in self.findings})
        vacuous = dict.fromkeys(f.output for f in self.findings if f.verdict is Verdict.VACUOUS)
        parts = [f"breaks {', '.join(self.broken)}"] if self.broken else []
        parts += [f"{', '.join(vacuous)} VACUOUS"] if vacuous else []
        said = "; ".join(parts) or f"all {laws} laws hold"
        return f"{'✓' if self.ok else '✗'} {self.model}: {said}"

    def rows(self) -> list[tuple[str, ...]]:
        """The table: law, output, verdict, error, floor, ratio, power."""
        groups: dict[tuple, list[Finding]] = {}
        for f in self.findings:  # outputs on which a law holds share a line
            own = f.output if f.verdict is Verdict.BROKEN else ""
            groups.setdefault((f.law, f.verdict, own), []).append(f)
        return [_row(group) for group in groups.values()]

    def text(self) -> str:
        """The whole report as text."""
        lines = [self.headline(), "  " + self.how(), ""]
        lines += ["  " + line for line in columns(HEADER, self.rows()).split("\n")]
        for finding in distinct(self.failures()):
            lines += ["", panel(finding).text()]
        if self.untested:
            lines += ["", "not tested:"]
            lines += [f"  {law}: {reason}" for law, reason in self.untested.items()]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    __str__ = text

    def how(self) -> str:
        return f"{self.library} arrays, {' and '.join(self.dtypes)}, {self.seconds:.1f} s"

    def html(self) -> str:
        """The report as a fragment of HTML, its picture included."""
        from tutor.symmetry.html import page

        return page(self)

    _repr_html_ = html

    def plot(self, law: str | None = None):
        """A matplotlib figure of the smallest example, before and after the change.

        Raises:
            ValueError: if nothing is broken, or no single structure shows it.
        """
        from tutor.symmetry.figure import before_and_after

        shown = [f for f in self.failures() if f.witness and law in (None, f.law)]
        if not shown:
            raise ValueError(f"law={law!r}: no broken law of that name has an example to draw")
        return before_and_after(shown[0].witness)

    def to_json(self) -> str:
        """The findings as JSON."""
        findings = [
            {"law": f.law, "output": f.output, "verdict": f.verdict.name, "error": _number(f.error),
             "floor": _number(f.floor), "ratio": _number(f.ratio), "trials": f.trials,
             "informative": f.informative, "broken": f.broken, "dtype": f.dtype, "note": f.note,
             "power": f.power,
             "witness": f.witness and {
                 "inputs": {n: np.asarray(v).tolist() for n, v in f.witness.inputs.items()},
                 "change": f.witness.change.words()}}
            for f in self.findings
        ]  # fmt: skip
        return json.dumps(
            {"model": self.model, "ok": self.ok, "broken": list(self.broken),
             "library": self.library, "dtypes": list(self.dtypes), "findings": findings,
             "untested": self.untested, "notes": list(self.notes)}, indent=2
        )  # fmt: skip

    def save_html(self, path: str | Path) -> Path:
        """Write the report as one HTML file, whole or not at all."""
        from tutor.symmetry.html import save

        return save(self, Path(path))


def _row(group: Sequence[Finding]) -> tuple[str, ...]:
    f = max(group, key=lambda one: one.ratio)
    ratio = f"{f.ratio:.1e}" if f.ratio >= 1000 else f"{f.ratio:.2g}"
    outputs = ", ".join(one.output for one in group)
    return (f.law, outputs, str(f.verdict), f"{f.error:.1e}", f"{f.floor:.1e}", ratio, f.power)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def distinct(failures: Sequence[Finding]) -> list[Finding]:
    """Of each law the worst finding; of what is vacuous only that it is."""
    failures = [f for f in failures if f.verdict is Verdict.BROKEN or f.law == "dependence"]
    laws = dict.fromkeys(f.law for f in failures)
    return [max((f for f in failures if f.law == law), key=lambda f: f.ratio) for law in laws]


def panel(finding: Finding) -> Panel:
    """A failure: what broke, by how much, the usual cause, and the smallest example."""
    head = f"{finding.verdict} {finding.law}, on {finding.output}: {finding.sentence}"
    if finding.verdict is Verdict.VACUOUS:
        why = "no trial could have failed: the output does not respond to its input"
        return Panel(head, [("why", why), ("usual cause", finding.suspect)])
    size = f"{finding.error:.2g} of its size; the noise is {finding.floor:.1e}"
    rows = [("off by", size), ("seen", finding.note), ("usual cause", finding.suspect)]
    if finding.witness:
        atoms = finding.witness.atoms
        found = f"the smallest found: {atoms} atom{'s' * (atoms != 1)}, {finding.witness.dtype}"
        rows.append(("example", f"{found}\n{finding.witness.text()}"))
    return Panel(head, [row for row in rows if row[1]], frozenset({"example"}))
