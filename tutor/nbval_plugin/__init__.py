"""pytest plugin (`-p tutor.nbval_plugin`): run notebooks again and compare the outputs.

nbval runs the cells, but compares strings. Here words and integers must be equal, and other
numbers equal within the tolerance that the cell's metadata states:

    {"tutor": {"rtol": 0.01, "atol": 1e-6}}     |fresh - stored| <= atol + rtol * |stored|

Without one, rtol is 1e-3 and atol 1e-9. A cell that states a tolerance has its integers compared
within it, too. White space and the sign of zero do not count. Figures are made and not compared:
images, also inside HTML, and what an iframe holds (its srcdoc), such as a molecule to turn.

Every .ipynb that pytest collects is run, each in a kernel of its own and in an empty folder; while
the results of one are read, the next one is running already. (Under pytest-xdist, which runs files
side by side itself, one at a time in each process.)
"""

import os
import tempfile
from itertools import pairwise
from pathlib import Path
from subprocess import DEVNULL
from textwrap import indent

import zmq
from jupyter_client import KernelManager
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager, RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from tutor.nbval_plugin.compare import Tolerance, differences

AT_ONCE = min(2, os.cpu_count() or 1)


class Kernel(RunningKernel):
    """nbval's kernel, but of this Python, with the build's environment, and sent all cells at once.

    The number of threads is left as it is: the outputs must not depend on it.
    """

    def __init__(self, folder: Path, timeout: float):
        # late, so that the tests can instrument tutor first
        from tutor.build.execute import KERNEL_ARGUMENTS, kernel_environment

        (folder / "empty").mkdir()
        self.context = zmq.Context()
        self.context.rcvhwm = 0  # keep every message until it is read
        self.km = KernelManager(
            kernel_name=CURRENT_ENV_KERNEL_NAME,
            kernel_spec_manager=NbvalKernelspecManager(),
            context=self.context,
        )
        self.km.start_kernel(
            extra_arguments=KERNEL_ARGUMENTS,
            stdout=DEVNULL,
            stderr=DEVNULL,
            cwd=str(folder / "empty"),
            env=kernel_environment(folder),
        )
        self.kc = self.km.client()
        self.kc.start_channels()
        self.kc.wait_for_ready(timeout=timeout)
        self._ensure_iopub_up()
        self.sent: dict[str, str] = {}
        self.due = ""

    def send(self, cells: dict[str, str]) -> None:
        """Have all cells run, given as name to source."""
        for name, source in cells.items():
            self.sent[name] = super().execute_cell_input(source, allow_stdin=False)

    def execute_cell_input(self, cell_input, allow_stdin=None):
        return self.sent[self.due]

    def stop(self):
        super().stop()
        self.context.destroy(linger=0)


class Notebook(IPyNbFile):
    """One notebook; its cells share a kernel."""

    following: "Notebook | None" = None

    def collect(self):
        self.sources = {}
        for item in super().collect():
            keep = {"cell_num": item.cell_num, "cell": item.cell, "options": item.options}
            cell = Cell.from_parent(self, name=item.cell.get("id", item.name), **keep)
            if not cell.options["skip"]:
                self.sources[cell.name] = cell.cell.source
            yield cell

    def begin(self):
        """Start running, unless that has been done."""
        if self.kernel is None:
            self.folder = tempfile.TemporaryDirectory(prefix="tutor-nbval-")
            timeout = self.config.option.nbval_kernel_startup_timeout
            self.kernel = Kernel(Path(self.folder.name), timeout)
            self.kernel.send(self.sources)

    def setup(self):
        self.begin()
        if self.following and AT_ONCE > 1:
            self.following.begin()

    def teardown(self):
        super().teardown()
        if self.kernel is not None:
            self.folder.cleanup()


class Cell(IPyNbCell):
    """One code cell."""

    def runtest(self):
        self.parent.kernel.due = self.name
        super().runtest()

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


def pytest_collection_finish(session):
    if hasattr(session.config, "workerinput"):
        return  # with pytest-xdist, another process may run the next notebook
    for notebook, following in pairwise(_notebooks(session)):
        notebook.following = following


def pytest_sessionfinish(session):
    for notebook in _notebooks(session):  # one may have begun that was never reached
        notebook.teardown()


def _notebooks(session) -> list[Notebook]:
    return list(dict.fromkeys(item.parent for item in session.items if isinstance(item, Cell)))


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".ipynb" and not parent.config.option.nbval_lax:
        return Notebook.from_parent(parent, path=file_path)
    return None
