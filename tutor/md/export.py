"""Trajectories for others: ASE, files that other programs read, and the eye."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ase
import ase.io
import numpy as np
from ase import units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress


def to_atoms(trajectory: Any, *, replica: int | None = None) -> Iterator[ase.Atoms]:
    """The frames of an opened trajectory one by one, with velocities, energy, forces and stress
    where they were stored. In ASE's units; `atoms.info["time"]` is in fs.

    Args:
        trajectory: from `open_trajectory`, or a part of it: `run.isel(time=slice(0, None, 10))`.
        replica: which one, where there are several.

    Raises:
        ValueError: without positions or numbers, or where `replica` is missing.
    """
    if missing := {"positions", "numbers"} - set(trajectory.variables):
        raise ValueError(f"the trajectory holds no {' and no '.join(sorted(missing))}")
    if "replica" in trajectory.dims:
        if replica is None:
            count = trajectory.sizes["replica"]
            raise ValueError(f"the trajectory holds {count} replicas: give replica=0 … {count - 1}")
        trajectory = trajectory.isel(replica=replica)
    for k in range(trajectory.sizes["time"]):
        frame = {name: x.values for name, x in trajectory.isel(time=k).variables.items()}
        atoms = ase.Atoms(
            frame["numbers"],
            frame["positions"],
            cell=frame.get("cell"),
            pbc=frame.get("pbc", False),
        )
        if "masses" in frame:
            atoms.set_masses(frame["masses"])
        if "velocities" in frame:
            atoms.set_velocities(frame["velocities"] / units.fs)
        atoms.info["time"] = float(frame["time"])
        atoms.calc = _results(atoms, frame)
        yield atoms


def export(trajectory: Any, path: str | Path, *, replica: int | None = None) -> None:
    """Writes the frames to one file by `ase.io`; its name says how: .extxyz, .traj, .xyz, …

    Args as for `to_atoms`.
    """
    ase.io.write(path, list(to_atoms(trajectory, replica=replica)))


def play(
    trajectory: Any, *, frames: int = 50, replica: int | None = None, wrap: bool = True, **options
) -> Any:
    """Plays `frames` frames, evenly spread, in the notebook; options as for `tutor.view`.

    Args:
        wrap: bring atoms back into the cell along periodic directions.
    """
    from tutor.viewer import view

    count = trajectory.sizes["time"]
    chosen = np.unique(np.linspace(0, count - 1, min(frames, count)).round().astype(int))
    shown = list(to_atoms(trajectory.isel(time=chosen), replica=replica))
    for atoms in shown:
        if wrap:
            atoms.wrap()
    return view(shown, **options)


def _results(atoms: ase.Atoms, frame: dict[str, np.ndarray]) -> SinglePointCalculator | None:
    found = {name: frame[name] for name in ("energy", "energies", "forces") if name in frame}
    if "potential_energy" in frame:
        found["energy"] = frame["potential_energy"]
    if "energy" in found:
        found["energy"] = float(found["energy"])
    if "stress" in frame:
        found["stress"] = full_3x3_to_voigt_6_stress(frame["stress"])
    return SinglePointCalculator(atoms, **found) if found else None
