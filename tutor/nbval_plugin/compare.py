"""Whether two runs of a cell show the same, and what is different, in words."""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
INTEGER = re.compile(r"[+-]?\d+\.?")  # NumPy prints the float 12.0 as "12."
TOKEN = re.compile(rf"(?<![\w.]){NUMBER.pattern}|\w+|\S")
FIGURE = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]+|\bsrcdoc=(\"[^\"]*\"|'[^']*')")
NOT_COMPARED = ("image/", "application/vnd.jupyter.widget-view+json")


class Tolerance(NamedTuple):
    """How far a number may be from the stored one; `stated`: by the cell, so for integers too."""

    rtol: float = 1e-3
    atol: float = 1e-9
    stated: bool = False

    @classmethod
    def of(cls, cell) -> "Tolerance":
        own = cell.metadata.get("tutor", {})
        given = {key: float(own[key]) for key in ("rtol", "atol") if key in own}
        return cls(**given, stated=bool(given))


def tokens(text: str) -> list[str]:
    """Numbers, words and single signs."""
    return TOKEN.findall(FIGURE.sub(" figure ", text))


def disagreement(stored: str, fresh: str, tolerance: Tolerance) -> str:
    """Why two tokens are not the same, in words; "" where they are."""
    if stored == fresh:
        return ""
    if not (NUMBER.fullmatch(stored) and NUMBER.fullmatch(fresh)):
        return f"stored {stored!r}, fresh {fresh!r}"
    said = f"stored {stored}, fresh {fresh}"
    if INTEGER.fullmatch(stored) and INTEGER.fullmatch(fresh) and not tolerance.stated:
        same = float(stored) == float(fresh) and stored[-1:].isdigit() == fresh[-1:].isdigit()
        return "" if same else f"{said}; the cell states no tolerance, so integers must be equal"
    rtol, atol, _ = tolerance
    off, size = abs(float(fresh) - float(stored)), abs(float(stored))
    if off <= atol + rtol * size:
        return ""
    relative = f" ({100 * off / size:.2g} %)" if size else ""
    return f"{said}, off by {off:.3g}{relative}; the tolerance is rtol={rtol:g}, atol={atol:g}"


def difference(stored: str, fresh: str, tolerance: Tolerance) -> str:
    """The first difference between two outputs, told in words; "" where there is none."""
    old, new = tokens(stored), tokens(fresh)
    for at, (a, b) in enumerate(zip_longest(old, new)):
        if a is None or b is None:
            found = "fresh goes on" if a is None else "fresh ends here"
        else:
            found = disagreement(a, b, tolerance)
        if found:
            return "\n".join(
                (f"token {at + 1}: {found}", _around("stored", old, at), _around("fresh", new, at))
            )
    return ""


def _around(label: str, words: list[str], at: int, reach: int = 8) -> str:
    before, after = words[max(0, at - reach) : at], words[at + 1 : at + 1 + reach]
    here = f">>> {words[at] if at < len(words) else '(end)'} <<<"
    return f"    {label + ':':<8}{' '.join([*before, here, *after])}"


def differences(stored: list, fresh: list, tolerance: Tolerance) -> Iterator[str]:
    """What differs between the outputs of two runs of a cell, kind by kind."""
    old, new = _by_kind(stored), _by_kind(fresh)
    for kind in sorted(old.keys() | new.keys()):
        for a, b in zip_longest(old[kind], new[kind]):
            if a is None:
                yield f"{kind}: not stored, fresh {b[:300]!r}"
            elif b is None:
                yield f"{kind}: stored {a[:300]!r}, not in the fresh run"
            elif told := difference(a, b, tolerance):
                yield f"{kind}, {told}"


def _by_kind(outputs: list) -> dict[str, list[str]]:
    """The texts of each kind, in order. Which of two kinds came first is left to chance."""
    found = defaultdict(list)
    for output in outputs:
        if output.output_type == "stream":
            found[output.name].append(output.text)
        elif output.output_type == "error":
            found["error"].append(f"{output.ename}: {output.evalue}")
        else:
            for kind, content in output.data.items():
                found[kind].append("" if kind.startswith(NOT_COMPARED) else str(content))
    return found
