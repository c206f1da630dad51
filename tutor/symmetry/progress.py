"""One line on stderr that says how far a check has come, once it takes longer than two seconds."""

import sys
from time import monotonic

PATIENCE = 2.0


class Progress:
    """Call it with what is being done and how far that is; use as a context manager."""

    def __init__(self, show: bool):
        self._show, self._start, self._width, self._last = show, monotonic(), 0, -1.0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._start

    def __call__(self, what: str, done: int, total: int) -> None:
        now = self.elapsed
        if not self._show or now < PATIENCE or now - self._last < 0.2:
            return
        self._last = now
        text = f"symmetry: {what} {done}/{total} ({now:.0f} s)"
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
