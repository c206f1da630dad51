"""Water and argon, against their force fields written down once more, term by term, in NumPy."""

from itertools import pairwise

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from scipy.special import erf, erfc

import tutor.data
from tutor.data.force_fields import SITES
from tutor.data.recipes.engines import missing
from tutor.units import KB, KCAL_PER_MOL

COULOMB = 14.399645  # eV Å
WATER = ["water", "water_steps", "water_large"]


def slow_water(numbers, positions, cell=None):
    """Energy and forces of SPC/Fw, with an Ewald sum where there is a cell.

    Parameters as in LAMMPS' manual, Howto_spc and Wu, Tepper, Voth, table I.
    """
    k_bond, bond, k_angle, angle = 529.581, 1.012, 37.95, np.radians(113.24)
    sigma, epsilon, q = 3.165492, 0.1554253 * KCAL_PER_MOL, np.where(numbers == 8, -0.82, 0.41)
    forces = np.zeros(positions.shape)
    o, *others = (positions[k::3] for k in range(3))
    (a, b), energy = (h - o for h in others), 0.0
    for k, arm in ((1, a), (2, b)):
        r = np.linalg.norm(arm, axis=1)
        energy += KCAL_PER_MOL * k_bond * ((r - bond) ** 2).sum()
        pull = 2 * KCAL_PER_MOL * k_bond * ((r - bond) / r)[:, None] * arm
        forces[0::3] += pull
        forces[k::3] -= pull
    p, s = (np.linalg.norm(arm, axis=1) for arm in (a, b))
    u, v = a / p[:, None], b / s[:, None]
    cosine = (u * v).sum(axis=1)
    theta = np.arccos(cosine)
    energy += KCAL_PER_MOL * k_angle * ((theta - angle) ** 2).sum()
    torque = 2 * KCAL_PER_MOL * k_angle * (theta - angle) / np.sin(theta)
    for k, (along, other, length) in {1: (u, v, p), 2: (v, u, s)}.items():
        push = (torque / length)[:, None] * (other - cosine[:, None] * along)
        forces[k::3] += push
        forces[0::3] -= push
    atoms = Atoms(numbers, positions, cell=cell, pbc=cell is not None)
    reach = 9.0 if cell is not None else 30.0
    i, j, r, R = neighbor_list("ijdD", atoms, reach)
    alpha = 0.4 if cell is not None else 1e-9
    own = i // 3 == j // 3
    lj = (numbers[i] == 8) & (numbers[j] == 8) & (r < 9.0)
    x, ends = (sigma / np.where(lj, r, 9.0)) ** 6, (sigma / 9.0) ** 6
    energy += (np.where(lj, 4 * epsilon * (x**2 - x - ends**2 + ends), 0.0)).sum() / 2
    slope = np.where(lj, -24 * epsilon / r * (2 * x**2 - x), 0.0)
    # inside a molecule there is no Coulomb energy: take away what the reciprocal sum puts there
    screened = np.where(own, -erf(alpha * r), erfc(alpha * r)) / r
    qq = COULOMB * q[i] * q[j]
    energy += (qq * screened).sum() / 2
    slope += qq * (-screened / r - 2 * alpha / np.sqrt(np.pi) * np.exp(-((alpha * r) ** 2)) / r)
    np.add.at(forces, i, (slope / r)[:, None] * R)
    if cell is not None:
        more, push = reciprocal(positions, q, cell, alpha)
        energy, forces = energy + more, forces + push
    return energy, forces


def reciprocal(positions, q, cell, alpha, largest=13):
    """The smooth part of an Ewald sum."""
    n = np.stack(np.meshgrid(*[np.arange(-largest, largest + 1)] * 3), axis=-1).reshape(-1, 3)
    n = n[n.any(axis=1) & ((n**2).sum(axis=1) <= largest**2)]
    k = 2 * np.pi * n @ np.linalg.inv(cell).T
    weight = 2 * np.pi / abs(np.linalg.det(cell)) * np.exp(-(k**2).sum(1) / 4 / alpha**2)
    weight *= COULOMB / (k**2).sum(axis=1)
    energy, forces = -COULOMB * alpha / np.sqrt(np.pi) * (q**2).sum(), np.zeros(positions.shape)
    for part in np.array_split(np.arange(len(k)), 20):
        phase = np.exp(1j * positions @ k[part].T)
        S = q @ phase
        energy += (weight[part] * abs(S) ** 2).sum()
        forces += 2 * q[:, None] * (np.imag(phase * S.conj()) * weight[part]) @ k[part]
    return energy, forces


@pytest.mark.parametrize(("name", "frame"), [("water", 0), ("water", 119), ("water_steps", 30)])
def test_water_is_spcfw_with_an_ewald_sum(name, frame):
    data = tutor.data.load(name)
    energy, forces = slow_water(data.numbers[frame], data.positions[frame], data.cell[frame])
    assert energy == pytest.approx(data.energy[frame], abs=2e-3)  # 648 atoms
    np.testing.assert_allclose(forces, data.forces[frame], atol=1e-3)  # stored to 0.5e-3


@pytest.mark.parametrize("curve", ["stretch", "bend", "dimer"])
def test_molecules_in_empty_space_are_spcfw(curve):
    data = tutor.data.load("water_pairs", curve)
    for k in range(0, len(data), 8):
        system = data[k]
        energy, forces = slow_water(system.numbers, system.positions)
        assert energy == pytest.approx(data.energy[k], abs=1e-5)
        np.testing.assert_allclose(forces, data.forces[k, : len(system)], atol=6e-4)


def test_pairs_are_coulomb_lennard_jones_and_a_spring():
    data = tutor.data.load("water_pairs")
    r = data.positions[:, 1, 0] - data.positions[:, 0, 0]
    found = {name: (r[m], data.energy[m], data.forces[m, 1, 0]) for name, m in data.splits.items()}
    for name, charges in {"HH": 0.41**2, "OH": -0.41 * 0.82}.items():
        r, energy, force = found[name]
        np.testing.assert_allclose(energy, COULOMB * charges / r, atol=1e-5)
        np.testing.assert_allclose(force, COULOMB * charges / r**2, atol=6e-4)
    r, energy, force = found["OO"]
    x, end = (3.165492 / r) ** 6, (3.165492 / 9) ** 6
    lj = 4 * 0.1554253 * KCAL_PER_MOL * (x**2 - x - end**2 + end)
    np.testing.assert_allclose(energy, lj + COULOMB * 0.82**2 / r, atol=1e-5)
    r, energy, force = found["bond"]
    np.testing.assert_allclose(energy, 529.581 * KCAL_PER_MOL * (r - 1.012) ** 2, atol=1e-5)
    np.testing.assert_allclose(force, -2 * 529.581 * KCAL_PER_MOL * (r - 1.012), atol=6e-4)


@pytest.mark.parametrize("frame", [0, 69])
def test_argon_is_lennard_jones(frame):
    data = tutor.data.load("argon")
    atoms = Atoms(data.numbers[frame], data.positions[frame], cell=data.cell[frame], pbc=True)
    i, r, R = neighbor_list("idD", atoms, 9.0)
    epsilon, x, end = 120 * KB, (3.4 / r) ** 6, (3.4 / 9) ** 6
    energy = 2 * epsilon * (x**2 - x - end**2 + end).sum()
    slope = -24 * epsilon / r * (2 * x**2 - x)
    forces = np.zeros((len(atoms), 3))
    np.add.at(forces, i, (slope / r)[:, None] * R)
    stress = np.einsum("k,ka,kb->ab", slope / r, R, R) / 2 / atoms.get_volume()
    assert energy == pytest.approx(data.energy[frame], abs=1e-5)
    np.testing.assert_allclose(forces, data.forces[frame], atol=6e-4)
    np.testing.assert_allclose(stress, data.stress[frame], atol=1e-6)


@pytest.mark.parametrize("name", ["water", "water_steps"])
def test_molecules_are_whole_and_never_break(name):
    data = tutor.data.load(name)
    molecules = data.positions.reshape(len(data), -1, 3, 3)
    assert (data.numbers.reshape(len(data), -1, 3) == [8, 1, 1]).all()
    bonds = np.linalg.norm(molecules[:, :, 1:] - molecules[:, :, :1], axis=-1)
    assert bonds.min() > 0.85
    assert bonds.max() < 1.25
    assert np.abs(data.forces.sum(axis=1)).max() < 0.05  # rounding, and PPPM


@pytest.mark.parametrize("temperature", [280.0, 300.0, 320.0, 340.0, 360.0])
def test_water_has_the_temperature_it_claims(temperature):
    """½ k ⟨x²⟩ = ½ k_B T for a spring; hydrogen bonds widen it a little."""
    data = tutor.data.load("water")
    data = data[data.properties["temperature"] == temperature]
    molecules = data.positions.reshape(-1, 3, 3)
    bonds = np.linalg.norm(molecules[:, 1:] - molecules[:, :1], axis=-1)
    spread = bonds.var() * 2 * 529.581 * KCAL_PER_MOL / (KB * temperature)
    assert 1.0 < spread < 1.3


@pytest.mark.parametrize("name", ["water", "argon"])
def test_blocks_are_apart_in_time(name):
    data = tutor.data.load(name)
    gap = {"water": 2.0, "argon": 10.0}[name]
    runs = data.properties.get("temperature", np.zeros(len(data)))
    for run in np.unique(runs):
        mine = data[runs == run]
        blocks = [mine.split(part).properties["time"] for part in ("train", "val", "test")]
        for before, after in pairwise(blocks):
            assert after.min() - before.max() >= gap - 1e-9


def test_the_first_frames_of_a_part_cover_all_temperatures():
    for part in ("train", "val", "test"):
        first = tutor.data.load("water", part).properties["temperature"][:5]
        assert sorted(first) == [280.0, 300.0, 320.0, 340.0, 360.0]


@pytest.mark.parametrize("name", [*WATER, "argon"])
def test_stress_is_symmetric_and_the_cell_a_box(name):
    data = tutor.data.load(name)
    np.testing.assert_allclose(data.stress, data.stress.swapaxes(1, 2), atol=1e-12)
    assert (data.cell[:, ~np.eye(3, dtype=bool)] == 0).all()


def test_sites_are_those_of_the_papers():
    assert SITES[8].charge == -2 * SITES[1].charge == -0.82
    assert SITES[8].epsilon / KCAL_PER_MOL == pytest.approx(0.1554253)
    assert SITES[18].epsilon / KB == pytest.approx(120.0)
    assert SITES[1].epsilon == SITES[18].charge == 0.0


def test_molecules_cut_by_the_walls_are_put_together():
    from tutor.data.recipes.molecular_dynamics import whole

    system = tutor.data.load("water", "val")[0]
    lengths = np.diag(system.cell)
    again = whole(system.positions % lengths, lengths, 3)
    assert np.abs(again - system.positions % lengths).max() > 1  # some were cut
    np.testing.assert_allclose(again, whole(system.positions, lengths, 3), atol=1e-9)
    bonds = again.reshape(-1, 3, 3)[:, 1:] - again.reshape(-1, 3, 3)[:, :1]
    assert np.linalg.norm(bonds, axis=-1).max() < 1.25
    assert ((again[::3] >= 0) & (again[::3] < lengths)).all()


if not missing(["lammps"]):

    @pytest.mark.parametrize("name", ["water", "argon"])
    def test_stress_is_the_slope_of_the_energy(name):
        from tutor.data.recipes.molecular_dynamics import relabel
        from tutor.system import System

        data, step = tutor.data.load(name), 1e-4
        system, ends = data[5], []
        for sign in (1, -1):
            scale = 1 + sign * step
            moved = System(
                system.numbers, scale * system.positions, scale * system.cell, system.pbc
            )
            ends.append(relabel(moved)["energy"])
        slope = (ends[0] - ends[1]) / (2 * step) / abs(np.linalg.det(system.cell))
        # a pair that crosses the cutoff has no energy there but a force: hence 2 %
        assert slope == pytest.approx(np.trace(data.stress[5]), rel=0.02, abs=2e-5)

    def test_a_run_repeats_bit_for_bit():
        from tutor.data.recipes.argon import crystal
        from tutor.data.recipes.molecular_dynamics import Engine

        def frame(seed):
            engine = Engine(crystal(4, 5.7))
            engine.thermostat(300.0, seed)
            system = engine.advance(0.1, 4e-3)
            engine.close()
            return system.positions

        np.testing.assert_array_equal(frame(1), frame(1))
        assert np.abs(frame(1) - frame(2)).max() > 0.01
