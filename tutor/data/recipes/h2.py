"""The H2 curve at five levels of theory: one bond, and what each approximation does to it.

FCI is exact within the orbital basis, cc-pVTZ: Dunning, doi 10.1063/1.456153.
"""

import numpy as np

from tutor.data.dataset import Dataset
from tutor.data.recipes.engines import Progress, on_grid, require, silent
from tutor.data.recipes.xtb import GFN2
from tutor.system import System
from tutor.units import HARTREE

ENGINES = ("pyscf", "tblite")

BASIS = "cc-pvtz"
GRID = 1e-4  # Å, of the stored positions
DISTANCES = np.r_[30:60:5, 60:90:2, 90:150:5, 150:300:10, 300:601:25] / 100  # Å


def generate(progress: Progress = silent) -> Dataset:
    """Every level at every distance."""
    half = on_grid(DISTANCES / 2, GRID)
    positions = np.zeros((len(half), 2, 3))
    positions[:, 0, 2], positions[:, 1, 2] = -half, half
    numbers = np.ones((len(half), 2), dtype=int)
    rows = []
    for done, place in enumerate(positions, start=1):
        rows.append(relabel(System(numbers[0], place)))
        progress("hydrogen molecule, distances", done, len(positions))
    curves = {level: np.array([row[level] for row in rows]) for level in rows[0]}
    return Dataset(
        name="h2",
        numbers=numbers,
        positions=positions,
        energy=curves.pop("energy"),
        properties=curves,
    )


def relabel(system: System) -> dict[str, float]:
    """Total energies in eV: `energy` by FCI, the others as `energy_<level>`."""
    atoms = [("H", place) for place in system.positions]
    molecule = require("pyscf.gto").M(atom=atoms, basis=BASIS, verbose=0)
    rhf = _converged(require("pyscf.scf").RHF(molecule))
    b3lyp = require("pyscf.dft").RKS(molecule)
    b3lyp.xc = "b3lyp"
    b3lyp.grids.level = 5
    fci, _ = require("pyscf.fci").FCI(rhf).kernel()
    return {
        "energy": fci * HARTREE,
        "energy_rhf": rhf.e_tot * HARTREE,
        "energy_uhf": _broken_symmetry(molecule, rhf).e_tot * HARTREE,
        "energy_b3lyp": _converged(b3lyp).e_tot * HARTREE,
        "energy_gfn2": GFN2(system.numbers)(system.positions).energy,
    }


def _converged(method, guess=None):
    method.conv_tol = 1e-9  # Hartree
    method.kernel(guess)
    if not method.converged:
        raise RuntimeError(f"{type(method).__name__} did not converge for H2")
    return method


def _broken_symmetry(molecule, rhf):
    """UHF started with one electron on each atom; where that falls back to RHF, it is RHF."""
    up, down = np.zeros((2, *rhf.get_ovlp().shape))
    first = molecule.aoslice_by_atom()[:, 2]
    up[first[0], first[0]] = down[first[1], first[1]] = 1.0
    return _converged(require("pyscf.scf").UHF(molecule), np.array([up, down]))


def hydrogen_atoms() -> dict[str, float]:
    """Energy in eV of two hydrogen atoms infinitely far apart, by level."""
    atom = require("pyscf.gto").M(atom="H", basis=BASIS, spin=1, verbose=0)
    uhf = _converged(require("pyscf.scf").UHF(atom))
    b3lyp = require("pyscf.dft").UKS(atom)
    b3lyp.xc = "b3lyp"
    b3lyp.grids.level = 5
    calculator = require("tblite.interface").Calculator(
        "GFN2-xTB", np.array([1]), np.zeros((1, 3)), uhf=1
    )
    calculator.set("verbosity", 0)
    return {
        "two_atoms": 2 * uhf.e_tot * HARTREE,
        "two_atoms_b3lyp": 2 * _converged(b3lyp).e_tot * HARTREE,
        "two_atoms_gfn2": 2 * float(calculator.singlepoint()["energy"]) * HARTREE,
    }


def statistics(data: Dataset) -> dict[str, float]:
    """Bond length, depth below the largest distance, and force constant of FCI; RHF's failure."""
    distance = np.linalg.norm(data.positions[:, 1] - data.positions[:, 0], axis=1)
    k = int(np.argmin(data.energy))
    near = slice(k - 3, k + 4)
    quartic = np.polynomial.Polynomial.fit(distance[near], data.energy[near], 4)
    roots = quartic.deriv().roots()
    minimum = float(roots[np.argmin(np.abs(roots - distance[k]))].real)
    return {
        "bond_length": minimum,
        "well_depth": data.energy[-1] - quartic(minimum),
        "force_constant": quartic.deriv(2)(minimum),
        "rhf_error_at_6": data.properties["energy_rhf"][-1] - data.energy[-1],
        "b3lyp_error_at_6": data.properties["energy_b3lyp"][-1] - data.energy[-1],
    }
