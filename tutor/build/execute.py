"""Run a notebook in a kernel of its own, the same way every time."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

TIMEOUT = 600  # s, for one cell

# Sums over several threads differ in the last digits.
ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
# The first three change what a kernel shows; with the last it does not catch what C++ writes.
DROPPED = ("MPLBACKEND", "NO_COLOR", "FORCE_COLOR", "PYTEST_CURRENT_TEST")


def kernel_environment(folder: Path) -> dict[str, str]:
    """The environment of a kernel that shows the same whoever starts it.

    Args:
        folder: where IPython keeps its files, so that nobody's own start-up files are read.
    """
    fixed = {
        "COLUMNS": "100",
        "IPYTHONDIR": str(folder),
        "JAX_PLATFORMS": "cpu",
        "PYTHONHASHSEED": "0",
        "TUTOR_PROGRESS": "off",
    }
    return {k: v for k, v in os.environ.items() if k not in DROPPED} | fixed


async def execute(notebook: NotebookNode, *, advance: Callable[[], None]) -> str:
    """Run all cells in place, in an empty folder and with one thread.

    Args:
        advance: called after every cell.

    Returns:
        what stopped it beside an exception in a cell, which is among the outputs; else "".
    """
    with tempfile.TemporaryDirectory(prefix="tutor-build-") as name:
        folder = Path(name)
        (folder / "empty").mkdir()
        client = NotebookClient(
            notebook,
            timeout=TIMEOUT,
            record_timing=False,
            store_widget_state=False,
            on_cell_complete=lambda **_: advance(),
        )
        client.km = AsyncKernelManager(  # this Python, whatever kernels are installed
            kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager()
        )
        stopped = ""
        try:
            await client.async_execute(
                cwd=str(folder / "empty"),
                env=kernel_environment(folder) | ONE_THREAD,
                stderr=subprocess.DEVNULL,  # the kernel's own log; cells write to the notebook
            )
        except CellExecutionError:
            pass
        except (CellTimeoutError, DeadKernelError) as error:
            stopped = str(error).strip()
        _tidy(notebook)
        return stopped or _littered(folder / "empty") or _paths(notebook, name)


def _tidy(notebook: NotebookNode) -> None:
    """Undo what depends on timing or on the version of the kernel."""
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Consecutive pieces of one stream as one: how a kernel cuts it is chance."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.output_type == "stream" == last.get("output_type") and last.name == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _littered(folder: Path) -> str:
    left = sorted(path.name for path in folder.iterdir())
    return f"leaves files behind: {', '.join(left)}" if left else ""


def _paths(notebook: NotebookNode, folder: str) -> str:
    shown = folder in str([cell.get("outputs") for cell in notebook.cells])
    return f"shows the working folder, {folder}, which is another one every time" if shown else ""
