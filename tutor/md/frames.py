"""One moment of a run, in memory or on disk, as a structure.

system = system_of(run)                           # the last frame of what `simulate` gave back
system = system_of(open_trajectory("run"), 0)     # the first of what it wrote
atoms = tutor.ase.to_atoms(system)
"""

from typing import Any

import numpy as np

from tutor.system import System


def system_of(run: Any, frame: int = -1, *, replica: int | None = None) -> System:
    """The structure in one frame; its positions, in Å, are not wrapped into the cell.

    Args:
        run: a Run, or what `open_trajectory` gives.
        frame: which one; -1 is the last.
        replica: which one, where there are several.

    Raises:
        ValueError: where positions were not recorded, there is no such frame, or `replica` is
            missing, or given where there is but one structure.
    """
    frames = getattr(run, "frames", run)
    if "positions" not in frames:
        raise ValueError('the run holds no positions: simulate with record=("positions",)')
    count, cell = len(frames["positions"]), frames.get("cell")
    if not -count <= frame < count:
        raise ValueError(f"frame = {frame}, but the run has {count}: give -{count} … {count - 1}")
    positions = np.array(frames["positions"][frame], np.float64)
    cell = np.zeros((3, 3)) if cell is None else np.array(cell, np.float64)
    cell = cell[frame] if cell.ndim > 2 else cell  # on disk it may be one for all frames
    if (positions.ndim == 3) != (replica is not None):
        kind = f"{len(positions)} replicas" if positions.ndim == 3 else "one structure"
        raise ValueError(f"replica = {replica}, but the run is of {kind}: say which of several")
    if replica is not None:
        positions, cell = positions[replica], cell[replica] if cell.ndim > 2 else cell
    pbc = np.broadcast_to(np.array(getattr(run, "pbc", False), bool), 3).copy()
    return System(np.array(run.numbers), positions, np.where(pbc[:, None], cell, 0.0), pbc)
