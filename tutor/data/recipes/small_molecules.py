"""Every reasonable molecule of up to six heavy atoms, relaxed on GFN2-xTB.

Graph → a conformer by distance geometry (ETKDG, doi 10.1021/acs.jcim.5b00654) → force field →
GFN2-xTB minimum. What changes its bonds on the way, or hardly has a gap, is dropped.
"""

from collections import Counter

import numpy as np

from tutor.data.dataset import Dataset
from tutor.data.recipes.engines import Progress, on_grid, require, silent
from tutor.data.recipes.graphs import enumerate_molecules
from tutor.data.recipes.xtb import GFN2
from tutor.system import System

ENGINES = ("rdkit", "tblite")

HEAVY_ATOMS = 6
LARGER = 500  # molecules with one heavy atom more, to test extrapolation in size
HELD_OUT = 500  # molecules each for validation and test
SEED = 7
GRID = 2e-4  # Å, of the stored positions
MAX_FORCE = 0.01  # eV/Å, where the relaxation stops
STIFFNESS = 40.0  # eV/Å², a first guess of the curvature, or the first step is far too long
MAX_FORCE_ROUNDED = 0.05  # eV/Å, after rounding the positions
MIN_GAP = 0.5  # eV
BOND = 1.25  # sums of covalent radii


def generate(progress: Progress = silent) -> Dataset:
    """All molecules; the last progress message says how many were dropped, and why."""
    random = np.random.default_rng(SEED)
    *complete, larger = enumerate_molecules(HEAVY_ATOMS + 1, progress)
    complete = [smiles for level in complete for smiles in level]
    shuffled = [larger[i] for i in random.permutation(len(larger))]
    losses = Counter()
    rows = []
    for done, smiles in enumerate(complete, start=1):
        rows += _molecule(smiles, losses)
        progress("molecules relaxed", done, len(complete))
    few = len(rows)
    for smiles in shuffled:
        if len(rows) == few + LARGER:
            break
        rows += _molecule(smiles, losses)
        progress("larger molecules relaxed", len(rows) - few, LARGER)
    progress(f"done; dropped: {dict(losses)}", 1, 1)
    test, val, train = np.split(random.permutation(few), [HELD_OUT, 2 * HELD_OUT])
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    return Dataset(
        name="small_molecules",
        numbers=_pad(columns["numbers"]),
        positions=_pad(columns["positions"]),
        energy=np.array(columns["energy"]),
        dipole=np.array(columns["dipole"]),
        properties={
            "smiles": np.array(columns["smiles"]),
            "gap": np.array(columns["gap"]),
            "charges": _pad(columns["charges"]),
        },
        splits={"train": train, "val": val, "test": test, "larger": np.arange(few, len(rows))},
    )


def _molecule(smiles, losses):
    """One row, or none and the reason counted in `losses`."""
    molecule = _embed(smiles)
    if molecule is None:
        losses["no conformer"] += 1
        return []
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    try:
        positions = _relax(numbers, molecule.GetConformer().GetPositions())
    except RuntimeError:
        losses["self-consistency not reached"] += 1
        return []
    system = System(numbers, on_grid(positions - positions.mean(axis=0), GRID))
    labels = GFN2(numbers)(system.positions)
    reason = _flaw(molecule, system, labels)
    if reason:
        losses[reason] += 1
        return []
    return [{"smiles": smiles, "numbers": numbers, "positions": system.positions} | _row(labels)]


def _embed(smiles):
    """An RDKit molecule with hydrogens and one conformer, or None."""
    require("rdkit.RDLogger").DisableLog("rdApp.*")
    chem, allchem = require("rdkit.Chem"), require("rdkit.Chem.AllChem")
    molecule = chem.AddHs(chem.MolFromSmiles(smiles))
    settings = allchem.ETKDGv3()
    settings.randomSeed = SEED
    if allchem.EmbedMolecule(molecule, settings) != 0:
        settings.useRandomCoords = True
        if allchem.EmbedMolecule(molecule, settings) != 0:
            return None
    if allchem.MMFFHasAllMoleculeParams(molecule):
        allchem.MMFFOptimizeMolecule(molecule)
    elif allchem.UFFHasAllMoleculeParams(molecule):
        allchem.UFFOptimizeMolecule(molecule)
    return molecule


def _relax(numbers, positions):
    """BFGS from `positions` (Å), each self-consistency started from the last."""
    from scipy.optimize import minimize

    engine, last = GFN2(numbers, accuracy=1.0), [None]

    def energy_gradient(flat):
        labels = engine(flat.reshape(-1, 3), last[0])
        last[0] = labels.state
        return labels.energy, -labels.forces.ravel()

    found = minimize(
        energy_gradient,
        positions.ravel(),
        jac=True,
        method="BFGS",
        options={
            "gtol": MAX_FORCE,
            "maxiter": 500,
            "hess_inv0": np.eye(positions.size) / STIFFNESS,
        },
    )
    return found.x.reshape(-1, 3)


def _flaw(molecule, system, labels):
    """Why a relaxed molecule is not fit to be kept, or None."""
    table = require("rdkit.Chem").GetPeriodicTable()
    radii = np.array([table.GetRcovalent(int(z)) for z in system.numbers])
    distance = np.linalg.norm(system.positions[:, None] - system.positions, axis=-1)
    near = np.triu(distance < BOND * (radii[:, None] + radii), k=1)
    bonds = {tuple(sorted((b.GetBeginAtomIdx(), b.GetEndAtomIdx()))) for b in molecule.GetBonds()}
    if {(int(i), int(j)) for i, j in np.argwhere(near)} != bonds:
        return "bonds changed"
    if np.abs(labels.forces).max() > MAX_FORCE_ROUNDED:
        return "no minimum found"
    return f"gap below {MIN_GAP} eV" if labels.gap < MIN_GAP else None


def _row(labels):
    return {key: getattr(labels, key) for key in ("energy", "dipole", "charges", "gap")}


def _pad(ragged):
    """Arrays of different lengths as one, filled up with zeros."""
    padded = np.zeros((len(ragged), max(map(len, ragged)), *ragged[0].shape[1:]), ragged[0].dtype)
    for row, values in zip(padded, ragged, strict=True):
        row[: len(values)] = values
    return padded


def relabel(system: System) -> dict[str, float | np.ndarray]:
    """energy (eV), dipole (e·Å), charges (e) and gap (eV) of one structure, computed anew."""
    return _row(GFN2(system.numbers)(system.positions))


def statistics(data: Dataset) -> dict[str, float]:
    """Sizes and spreads, and what an energy per element, fitted to `train`, leaves unexplained."""
    parts = {name: data.split(name) for name in ("train", "test", "larger")}
    _, elements = data.counts()
    counts = {name: part.counts(elements)[0] for name, part in parts.items()}
    per_element, *_ = np.linalg.lstsq(counts["train"], parts["train"].energy, rcond=None)
    error = {name: counts[name] @ per_element - part.energy for name, part in parts.items()}
    complete = data[data.splits["larger"].min() > np.arange(len(data))]
    return {
        "atoms_mean": (complete.numbers > 0).sum(axis=1).mean(),
        "energy_std": complete.energy.std(),
        "dipole_mean": np.linalg.norm(complete.dipole, axis=1).mean(),
        "gap_mean": complete.properties["gap"].mean(),
        "baseline_mae_test": np.abs(error["test"]).mean(),
        "baseline_mae_larger": np.abs(error["larger"]).mean(),
        "baseline_bias_larger": error["larger"].mean(),
    }
