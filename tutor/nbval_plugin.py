"""pytest plugin (`-p tutor.nbval_plugin`): run notebooks again and compare the outputs.

nbval runs the cells, but compares strings. Here words and integers must be equal, and other
numbers equal within the tolerance that the cell's metadata states:

    {"tutor": {"rtol": 0.01, "atol": 1e-6}}     |fresh - stored| <= atol + rtol * |stored|

Without one, rtol is 1e-3 and atol 1e-9. A cell that states a tolerance has its integers compared
within it, too. White space and the sign of zero do not count. Figures are made and not compared:
images, also inside HTML, and what an iframe holds (its srcdoc), such as a molecule to turn.

Every .ipynb that pytest collects is run, each in a kernel of its own and in an empty folder.
"""

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from subprocess import DEVNULL
from textwrap import indent
from typing import NamedTuple

from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel, start_new_kernel
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

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


class Kernel(RunningKernel):
    """nbval's kernel, of this Python, in a given folder and with the build's environment."""

    def __init__(self, folder: Path, timeout: float):
        # late, so that the tests can instrument tutor first
        from tutor.build.execute import KERNEL_ARGUMENTS, kernel_environment

        (folder / "empty").mkdir()
        self.km, self.kc = start_new_kernel(
            startup_timeout=timeout,
            kernel_name=CURRENT_ENV_KERNEL_NAME,
            extra_arguments=KERNEL_ARGUMENTS,
            stdout=DEVNULL,
            stderr=DEVNULL,
            cwd=str(folder / "empty"),
            env=kernel_environment(folder),
        )
        self._ensure_iopub_up()


class Notebook(IPyNbFile):
    """One notebook; its cells share a kernel."""

    def collect(self):
        for item in super().collect():
            keep = {"cell_num": item.cell_num, "cell": item.cell, "options": item.options}
            yield Cell.from_parent(self, name=item.cell.get("id", item.name), **keep)

    def setup(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutor-nbval-")
        timeout = self.config.option.nbval_kernel_startup_timeout
        self.kernel = Kernel(Path(self.folder.name), timeout)

    def teardown(self):
        super().teardown()
        self.folder.cleanup()


class Cell(IPyNbCell):
    """One code cell."""

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}::{self.name}"

    def repr_failure(self, excinfo):
        if not isinstance(excinfo.value, NbCellError):
            return super().repr_failure(excinfo)
        told = (excinfo.value.inner_traceback or "").strip()
        head = f"{self.path.name}, cell {self.name}: {excinfo.value}"
        return f"{head}\n\n{told}\n\nThe cell:\n{indent(self.cell.source, '    ')}\n"

    def compare_outputs(self, test, ref, skip_compare=None):
        found = differences(ref, test, Tolerance.of(self.cell))
        self.comparison_traceback = list(found)
        return not self.comparison_traceback


def pytest_configure(config):
    config.option.nbval = False  # with --nbval, nbval would run every notebook a second time


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".ipynb" and not parent.config.option.nbval_lax:
        return Notebook.from_parent(parent, path=file_path)
    return None
