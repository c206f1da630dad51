"""What a long training shows while it runs: a bar in the terminal, one line in a notebook."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tutor.render import in_notebook

Display = Callable[[int, str], None]


@contextmanager
def display(epochs: int, done: int, show: bool) -> Iterator[Display]:
    """A function to call after each epoch with its number and what is known then.

    Args:
        done: how many epochs a checkpoint has brought already.
        show: whether anything is shown at all.
    """
    if show and in_notebook():
        yield _line(epochs, done)
        return
    columns = (
        TextColumn("{task.completed}/{task.total} epochs"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, transient=True, disable=not show) as bar:
        task = bar.add_task("compiling", total=epochs, completed=done)
        yield lambda epoch, note: bar.update(task, completed=epoch, description=note)


def _line(epochs: int, done: int) -> Display:
    """Text that is written anew: a bar of widgets would not be in the stored notebook.

    What stays at the end holds no seconds, which differ from run to run.
    """
    from IPython.display import display as publish

    start = monotonic()
    handle = publish({"text/plain": "compiling"}, raw=True, display_id=True)

    def update(epoch, note):
        left = (monotonic() - start) / (epoch - done) * (epochs - epoch)
        ahead = f", {left:.0f} s left" if epoch < epochs else ""
        text = f"{epoch}/{epochs} epochs{ahead}; in validation: {note}"
        handle.update({"text/plain": text}, raw=True)

    return update
