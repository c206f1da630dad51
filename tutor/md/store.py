"""Where the frames of a run go: into the memory, and with a path also to the disk."""

from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import jax
import numpy as np

from tutor.md.state import State

SECONDS = 10.0  # of computing that may be lost when a program is killed


class Store:
    """Keeps frames, and writes them with the state after them, some seconds' worth at a time.

    Args:
        path: a folder, or None.
        state: where the run begins.
        settings: what else decides it: numbers and strings.

    Raises:
        ValueError: where the folder holds another run.
    """

    def __init__(self, path: str | Path | None, state: State, settings: Mapping[str, Any]):
        self.state, self._frames, self._waiting, self._writer = state, [], [], None
        if path is None:
            return
        from tutor.md.trajectory import Writer, last

        one = state if state.positions.ndim == 2 else jax.tree.map(lambda x: x[0], state)
        constants = {"numbers": one.species, "masses": one.masses, "pbc": np.array(one.pbc)}
        self._writer, self._since = Writer(path, constants, settings), monotonic()
        if self._writer.step > int(np.max(state.step)):
            self.state, _ = last(path, like=state)

    def add(self, frames: dict[str, np.ndarray], state: State) -> None:
        """Frames, and the state after them."""
        self._frames.append(frames)
        self.state = state
        if self._writer is not None:
            self._waiting.append(frames)
            if monotonic() - self._since > SECONDS:
                self.flush()

    def flush(self) -> None:
        """Writes what is still to be written."""
        if self._waiting:
            self._writer.write(_joined(self._waiting), self.state, int(np.max(self.state.step)))
            self._waiting, self._since = [], monotonic()

    def frames(self) -> dict[str, np.ndarray]:
        """All frames that were added."""
        return _joined(self._frames) if self._frames else {"time": np.zeros(0)}


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
