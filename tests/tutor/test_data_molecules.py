"""The small molecules, against experiment and against what every textbook counts by hand."""

import re
from collections import Counter

import numpy as np
import pytest

import tutor.data
from tutor.units import DEBYE


@pytest.fixture(scope="module")
def molecules():
    return tutor.data.load("small_molecules")


def _the(molecules, smiles):
    (index,) = np.flatnonzero(molecules.properties["smiles"] == smiles)
    return molecules[int(index)], int(index)


def test_molecules_smiles_have_the_heavy_atoms_of_the_structure(molecules):
    for smiles, numbers in zip(molecules.properties["smiles"], molecules.numbers, strict=True):
        written = Counter(re.sub(r"\[nH\]", "n", smiles).upper())
        actual = Counter("HCNOF"[(1, 6, 7, 8, 9).index(z)] for z in numbers if z)
        assert all(written[e] == actual[e] for e in "CNOF"), smiles
        most = 2 * actual["C"] + 2 + actual["N"] - actual["F"]
        assert actual["H"] <= most, smiles
        assert (most - actual["H"]) % 2 == 0, smiles


def test_molecules_are_all_different_and_of_the_stated_sizes(molecules):
    assert len(set(molecules.properties["smiles"])) == len(molecules)
    heavy = (molecules.numbers > 1).sum(axis=1)
    larger = molecules.splits["larger"]
    assert set(heavy[larger]) == {7}
    assert set(np.delete(heavy, larger)) == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize(
    ("formula", "isomers"),
    [
        # alkanes, OEIS A000602
        *(((n, 2 * n + 2, 0, 0), count) for n, count in enumerate((1, 1, 1, 2, 3, 5), start=1)),
        ((4, 10, 0, 1), 7),  # 4 alcohols and 3 ethers
        ((5, 12, 0, 1), 14),  # 8 alcohols and 6 ethers
        ((3, 9, 1, 0), 4),  # amines
        ((4, 11, 1, 0), 8),
    ],
)
def test_molecules_are_complete(molecules, formula, isomers):
    """Numbers of constitutional isomers that every textbook counts by hand."""
    counts, _ = molecules.counts((6, 1, 7, 8, 9))
    assert (counts == (*formula, 0)).all(axis=1).sum() == isomers


@pytest.mark.parametrize(
    ("smiles", "pair", "length"),
    [
        ("C", (6, 1), 1.087),
        ("O", (8, 1), 0.958),
        ("N", (7, 1), 1.012),
        ("F", (9, 1), 0.917),
        ("CC", (6, 6), 1.535),
        ("C=C", (6, 6), 1.339),
        ("C#C", (6, 6), 1.203),
        ("C=O", (6, 8), 1.205),
        ("N#N", (7, 7), 1.098),
        ("C#N", (6, 7), 1.153),
        ("CF", (6, 9), 1.383),
    ],
)
def test_molecules_have_the_bond_lengths_of_experiment(molecules, smiles, pair, length):
    """Gas-phase values of the CRC Handbook, in Å; GFN2-xTB is good to 0.04."""
    system, _ = _the(molecules, smiles)
    a, b = (system.positions[system.numbers == z] for z in pair)
    distance = np.linalg.norm(a[:, None] - b, axis=-1)
    assert distance[distance > 0].min() == pytest.approx(length, abs=0.04)


def test_molecules_dipoles_point_from_minus_to_plus(molecules):
    system, index = _the(molecules, "F")
    bond = system.positions[system.numbers == 1][0] - system.positions[system.numbers == 9][0]
    along = molecules.dipole[index] @ bond / np.linalg.norm(bond)
    assert along == pytest.approx(1.83 * DEBYE, abs=0.2)  # experiment; GFN2-xTB gives 2.5 D
    for symmetric in ("C", "CC", "N#N", "C#C", "FC(F)(F)F"):
        assert np.abs(molecules.dipole[_the(molecules, symmetric)[1]]).max() < 0.01, symmetric


def test_molecules_are_neutral_and_have_a_gap(molecules):
    charges = molecules.properties["charges"]
    assert np.abs(charges.sum(axis=1)).max() < charges.shape[1] * 0.5e-3 + 1e-9
    assert (charges[molecules.numbers == 0] == 0).all()
    assert molecules.properties["gap"].min() >= 0.5


def test_molecules_splits_are_alike(molecules):
    """A random split: every part has the same mix of sizes; and its order is random, too."""
    sizes = {name: (molecules.split(name).numbers > 0).sum(axis=1) for name in ("train", "test")}
    assert sizes["train"].mean() == pytest.approx(sizes["test"].mean(), abs=0.4)
    assert sizes["train"][:200].mean() == pytest.approx(sizes["train"].mean(), abs=0.8)
