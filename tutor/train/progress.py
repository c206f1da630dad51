"""What a training shows while it runs: epochs, and the best errors in validation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tutor.live import live

Display = Callable[[int, str], None]


@contextmanager
def display(epochs: int, done: int, show: bool) -> Iterator[Display]:
    """A function to call after each epoch with its number and what is known then.

    Args:
        done: how many epochs a checkpoint has brought already.
        show: whether anything is shown at all.
    """
    with live("epochs", epochs, done, show) as update:
        yield lambda epoch, note: update(epoch, f"in validation: {note}", "")
