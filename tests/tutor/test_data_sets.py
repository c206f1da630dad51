"""What the shipped sets hold, against closed forms, cited constants and their own cards."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

import tutor.data
from tutor.data import catalogue
from tutor.units import AMU, HARTREE, KB

NAMES = [
    "argon",
    "ethanol",
    "h2",
    "small_molecules",
    "water",
    "water_large",
    "water_pairs",
    "water_steps",
]


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
    assert (catalogue.SETS / f"{name}.npz").stat().st_size < 1_000_000


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
