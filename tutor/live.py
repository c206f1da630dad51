"""What a long computation shows while it runs: a bar in the terminal, one line in a notebook."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tutor.render import in_notebook

Update = Callable[[int, str, str], None]


@contextmanager
def live(unit: str, total: int, done: int = 0, show: bool = True) -> Iterator[Update]:
    """A function to call with how much is done, what is known then, and how fast it goes.

        with live("epochs", 100) as update:
            update(1, "error 3 meV", "2 epochs/s")

    Args:
        unit: what is counted.
        done: how many were done before, and cost no time now.
        show: whether anything is shown at all.

    The speed is gone at the end, so that what a notebook stores is the same in every run.
    """
    if show and in_notebook():
        yield _line(unit, total, done)
        return
    columns = (
        TextColumn(f"{{task.completed}}/{{task.total}} {unit}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, transient=True, disable=not show) as bar:
        task = bar.add_task("compiling", total=total, completed=done)

        def update(count, note, speed=""):
            text = ", ".join(part for part in (note, speed) if part)
            bar.update(task, completed=count, description=text)

        yield update


def _line(unit: str, total: int, done: int) -> Update:
    """Text that is written anew: a bar of widgets would not be in the stored notebook."""
    from IPython.display import display as publish

    start = monotonic()
    handle = publish({"text/plain": "compiling"}, raw=True, display_id=True)

    def update(count, note, speed=""):
        ahead = ""
        if count < total:
            left = (monotonic() - start) / max(1, count - done) * (total - count)
            ahead = f", {left:.0f} s left" + (f", {speed}" if speed else "")
        text = f"{count}/{total} {unit}{ahead}; {note}"
        handle.update({"text/plain": text}, raw=True)

    return update
