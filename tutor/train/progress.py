"""What a long training shows while it runs: a bar in the terminal, the same line in a notebook."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Display:
    """Call it after each epoch with what is known then."""

    def __init__(self, progress: Progress, epochs: int, done: int):
        self._progress = progress
        self._task = progress.add_task("training", total=epochs, completed=done, note="compiling")

    def __call__(self, epoch: int, note: str) -> None:
        self._progress.update(self._task, completed=epoch, note=note)


@contextmanager
def display(epochs: int, done: int, show: bool) -> Iterator[Display]:
    """A bar with the time left and a note; it disappears at the end, so that outputs stay alike.

    Args:
        done: how many epochs a checkpoint has brought already.
    """
    columns = (
        TextColumn("{task.completed}/{task.total} epochs"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, transient=True, disable=not show) as progress:
        yield Display(progress, epochs, done)
