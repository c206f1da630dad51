"""What the shipped sets hold, against closed forms, cited constants and their own cards."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

import tutor.data
from tutor.data import catalogue
from tutor.units import AMU, DEBYE, HARTREE, KB

NAMES = ["ethanol", "h2", "small_molecules"]


def test_these_sets_are_shipped():
    assert tutor.data.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_what_its_card_says(name):
    checks = tutor.data.verify(name, samples=3)
    assert [check for check in checks if check.ok is False] == []
    assert {"SHA-256 of the file", "structures"} <= {check.what for check in checks}


@pytest.mark.parametrize("name", NAMES)
def test_cards_are_complete(name):
    card, data = tutor.data.card(name), tutor.data.load(name)
    labels = set(data.arrays()) - {"numbers", "positions"}
    assert labels == set(card.fields)
    assert (
        set(card.units)
        == set(card.steps)
        == {key for key, value in data.arrays().items() if value.dtype.kind == "f"}
    )
    assert len(card.statistics) >= 5
    assert card.licence.startswith("CC BY 4.0")
    assert card.not_for
    assert all(re.search(r"doi 10\.\d{4}/\S+$", reference) for reference in card.references)
    for words in (card.title, card.description, card.level_of_theory, card.split_rule):
        assert len(words) > 20
    assert f"Not for: {card.not_for[0]}" in str(card)
    assert (catalogue.SETS / f"{name}.npz").stat().st_size < 800_000


@pytest.mark.parametrize("name", NAMES)
def test_splits_do_not_overlap(name):
    data = tutor.data.load(name)
    members = Counter(i for split in data.splits.values() for i in split.tolist())
    assert set(members.values()) <= {1}
    assert all(0 <= i < len(data) for i in members)


# ---- h2 ------------------------------------------------------------------------------------------


@pytest.fixture
def h2():
    data = tutor.data.load("h2")
    return np.linalg.norm(data.positions[:, 1] - data.positions[:, 0], axis=1), data


def test_h2_distances(h2):
    distance, _ = h2
    assert (distance[0], distance[-1]) == pytest.approx((0.3, 6.0))
    assert (np.diff(distance) > 0).all()


def test_h2_agrees_with_the_exact_curve(h2):
    """Kolos & Wolniewicz, doi 10.1063/1.1669836; wave number: Huber & Herzberg, 4401.21 / cm."""
    distance, data = h2
    k = data.energy.argmin()
    curve = np.polynomial.Polynomial.fit(distance[k - 3 : k + 4], data.energy[k - 3 : k + 4], 4)
    bond = min(curve.deriv().roots().real, key=lambda r: abs(r - distance[k]))
    assert bond == pytest.approx(0.7414, abs=0.002)
    separate = tutor.data.card("h2").constants["two_atoms"].value
    depth = separate - curve(bond)
    assert 4.7477 - 0.05 < depth < 4.7477  # a finite basis binds too weakly
    reduced_mass = 1.00782503 / 2 * AMU
    wave_number = np.sqrt(curve.deriv(2)(bond) / reduced_mass) / (2 * np.pi * 2.99792458e-5)
    assert wave_number == pytest.approx(4401.2, rel=0.01)


def test_h2_levels_are_ordered_as_the_variational_principle_demands(h2):
    _, data = h2
    rhf, uhf = data.properties["energy_rhf"], data.properties["energy_uhf"]
    assert (data.energy < uhf + 1e-5).all()
    assert (uhf < rhf + 1e-5).all()
    assert (data.energy > -1.17447571 * HARTREE).all()  # the exact minimum


def test_h2_dissociates_only_where_it_should(h2):
    """RHF mixes in H+ H-: at large R it lies at most (5/8 - 1/R) / 2 Hartree too high."""
    distance, data = h2
    constants = {key: c.value for key, c in tutor.data.card("h2").constants.items()}
    assert -HARTREE < constants["two_atoms"] < -HARTREE + 0.02
    assert data.energy[-1] == pytest.approx(constants["two_atoms"], abs=1e-3)
    assert data.properties["energy_uhf"][-1] == pytest.approx(constants["two_atoms"], abs=1e-3)
    bound = (5 / 8 - 0.529177 / distance[-1]) / 2 * HARTREE
    assert 6 < data.properties["energy_rhf"][-1] - data.energy[-1] < bound
    assert 2 < data.properties["energy_b3lyp"][-1] - constants["two_atoms_b3lyp"] < 3
    entropy = 2 * KB * 300 * np.log(4)  # of two half-filled orbitals for either spin
    gfn2 = data.properties["energy_gfn2"][-1] - constants["two_atoms_gfn2"]
    assert gfn2 == pytest.approx(-entropy, abs=1e-3)


# ---- ethanol -------------------------------------------------------------------------------------


@pytest.fixture
def ethanol():
    return tutor.data.load("ethanol")


def test_ethanol_blocks_are_apart_in_time(ethanol):
    blocks = [ethanol.split(name).properties["time"] for name in ("train", "val", "test")]
    for block in blocks:
        np.testing.assert_array_equal(np.diff(block), 10.0)
    for before, after in pairwise(blocks):
        assert after[0] - before[-1] >= 3000


def test_ethanol_is_one_molecule_that_never_breaks(ethanol):
    assert np.unique(ethanol.numbers, axis=0).tolist() == [[6, 6, 8, 1, 1, 1, 1, 1, 1]]
    bonds = np.array([(0, 1), (1, 2), (2, 3), (1, 4), (1, 5), (0, 6), (0, 7), (0, 8)])
    first, second = ethanol.positions[:, bonds[:, 0]], ethanol.positions[:, bonds[:, 1]]
    length = np.linalg.norm(first - second, axis=-1)
    assert length.min() > 0.8
    assert length.max() < 1.9
    np.testing.assert_allclose(length.mean(axis=0)[:2], [1.52, 1.42], atol=0.03)


def test_ethanol_forces_neither_push_nor_turn_the_whole_molecule(ethanol):
    torque = np.cross(ethanol.positions, ethanol.forces).sum(axis=1)
    assert np.abs(ethanol.forces.sum(axis=1)).max() < 9 * 0.5e-4 + 1e-9  # rounding alone
    assert np.abs(torque).max() < 1e-3


@pytest.mark.parametrize(("split", "correlation"), [("train", 0.9), ("test", 0.9), ("hot", 0.8)])
def test_ethanol_forces_do_the_work_that_the_energy_shows(ethanol, split, correlation):
    """The trapezoid rule over 10 fs is exact for harmonic forces only: hence a correlation."""
    data = ethanol.split(split)
    path = np.diff(data.positions, axis=0)
    work = -((data.forces[1:] + data.forces[:-1]) / 2 * path).sum(axis=(1, 2))
    gained = np.diff(data.energy)
    assert np.corrcoef(work, gained)[0, 1] > correlation
    assert (work @ gained) / (work @ work) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(("split", "temperature"), [("train", 500), ("test", 500), ("hot", 1200)])
def test_ethanol_has_the_temperature_it_claims(ethanol, split, temperature):
    """21 nearly harmonic modes: the energy spreads by sqrt(21/2) kT, within 15 %."""
    spread = ethanol.split(split).energy.std()
    assert spread == pytest.approx(np.sqrt(21 / 2) * KB * temperature, rel=0.15)


def test_ethanol_equipartition_between_the_temperatures(ethanol):
    rise = ethanol.split("hot").energy.mean() - ethanol.split("train").energy.mean()
    assert rise == pytest.approx(21 / 2 * KB * (1200 - 500), rel=0.15)


def test_ethanol_dipole_turns_with_the_molecule(ethanol):
    """Fixed charges on the atoms, fitted in one block, explain the vectors in another."""
    kinds = np.array([0, 1, 2, 3, 4, 4, 5, 5, 5])

    def moments(data):
        return np.stack([data.positions[:, kinds == k].sum(axis=1) for k in range(6)], axis=-1)

    train, test = ethanol.split("train"), ethanol.split("test")
    charges, *_ = np.linalg.lstsq(
        moments(train).reshape(-1, 6), train.dipole.reshape(-1), rcond=None
    )
    unexplained = ((moments(test) @ charges - test.dipole) ** 2).sum() / (test.dipole**2).sum()
    assert unexplained < 0.02


# ---- small_molecules -----------------------------------------------------------------------------


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
