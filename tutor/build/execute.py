"""Run a notebook in a kernel of its own, the same way every time."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

import psutil
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

from tutor.build.lesson import first_line

TIMEOUT = 600  # s, for one cell

# Sums over several threads differ in the last digits.
ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
# What C code writes would reach the notebook through a pipe, at a moment left to chance.
KERNEL_ARGUMENTS = ["--IPKernelApp.capture_fd_output=False"]
DROPPED = ("MPLBACKEND", "NO_COLOR", "FORCE_COLOR")  # they change what a kernel shows


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

    What C code writes past Python is added to the outputs of its cell, as stderr. The processor
    time goes into the metadata, `tutor.seconds`: with one thread it is what a learner waits for on
    a machine with nothing else to do.

    Args:
        advance: called after every code cell.

    Returns:
        what went wrong beside the outputs: a dead kernel, a time-out, files left; else "".
    """
    with tempfile.TemporaryDirectory(prefix="tutor-build-") as name:
        folder, stopped = Path(name), ""
        (folder / "empty").mkdir()
        try:
            async with _kernel(notebook, folder) as (client, log):
                for index, cell in enumerate(notebook.cells):
                    if cell.cell_type == "code":
                        where = f"cell {cell.id} (`{first_line(cell)}`)"
                        await _run(client, index, cell, log)
                        advance()
                used = psutil.Process(client.km.provisioner.pid).cpu_times()
                own = notebook.metadata.setdefault("tutor", NotebookNode())
                own["seconds"] = max(1, round(sum(used)))
        except CellExecutionError:  # stands in the outputs
            pass
        except CellTimeoutError:
            stopped = f"{where} takes more than {TIMEOUT} s"
        except DeadKernelError:
            stopped = f"{where} ends the kernel"
        return stopped or _littered(folder / "empty") or _paths(notebook, name)


@asynccontextmanager
async def _kernel(
    notebook: NotebookNode, folder: Path
) -> AsyncIterator[tuple[NotebookClient, TextIO]]:
    """A client for a new kernel of this Python, and what the kernel writes on its terminal."""
    manager = AsyncKernelManager(
        kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager()
    )
    client = NotebookClient(
        notebook, timeout=TIMEOUT, record_timing=False, extra_arguments=KERNEL_ARGUMENTS
    )
    client.km = manager
    with (folder / "log").open("w") as terminal, (folder / "log").open(errors="replace") as log:
        try:
            await client.async_start_new_kernel(
                cwd=str(folder / "empty"),
                env=kernel_environment(folder) | ONE_THREAD,
                stdout=terminal,
                stderr=terminal,
            )
            await client.async_start_new_kernel_client()
            yield client, log
        finally:  # on Ctrl-C, too
            if client.kc is not None:
                client.kc.stop_channels()
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)


async def _run(client: NotebookClient, index: int, cell: NotebookNode, log: TextIO) -> None:
    log.seek(0, os.SEEK_END)
    try:
        await client.async_execute_cell(cell, index)
    finally:
        cell.outputs = _joined(cell.outputs)
        if written := log.read():
            cell.outputs.append(new_output("stream", name="stderr", text=written))


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
