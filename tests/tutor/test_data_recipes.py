"""The recipes, where their engines are installed: pip install 'nnp-tutor[data]'.

Engines are heavy, and do not exist for every platform. Without them these tests are not collected.
"""

from collections import Counter

import numpy as np
import pytest

import tutor.data
from tutor.data.recipes import ethanol, graphs, h2, small_molecules
from tutor.data.recipes.engines import missing, on_grid
from tutor.data.recipes.xtb import GFN2


def test_rounding_gives_the_floats_that_storage_gives_back():
    values = np.random.default_rng(0).normal(size=1000)
    integers = np.round(values / 1e-4).astype(int)
    np.testing.assert_array_equal(on_grid(values, 1e-4), integers * 1e-4)


if not missing(["tblite"]):

    @pytest.mark.parametrize("frame", [0, 1200, 2000])
    def test_ethanol_forces_are_the_gradient_of_the_energy(frame):
        data = tutor.data.load("ethanol")
        system, engine, step = data[frame], GFN2(data[frame].numbers), 1e-3
        for atom, axis in [(0, 0), (2, 1), (3, 2), (8, 0)]:
            ends = []
            for sign in (1, -1):
                moved = system.positions.copy()
                moved[atom, axis] += sign * step
                ends.append(engine(moved).energy)
            slope = -(ends[0] - ends[1]) / (2 * step)
            assert slope == pytest.approx(data.forces[frame, atom, axis], abs=5e-4)

    def test_langevin_repeats_bit_for_bit_and_keeps_its_temperature(monkeypatch):
        monkeypatch.setattr(ethanol, "BURN_IN", 1)
        numbers, masses = np.array([8, 1, 1]), np.array([15.999, 1.008, 1.008])
        start = np.array([[0.0, 0, 0.12], [0, 0.76, -0.48], [0, -0.76, -0.48]])

        def frames(seed, count=3):
            run = ethanol.langevin(numbers, masses, start, 300.0, seed=seed)
            return np.array([next(run) for _ in range(count)])

        np.testing.assert_array_equal(frames(1), frames(1))
        assert np.abs(frames(1) - frames(2)).max() > 0.01
        stretch = np.linalg.norm(np.diff(frames(3, 100)[:, :2], axis=1), axis=-1)
        # one O-H bond: k <x^2> = kT with k near 50 eV/Å^2, so 0.023 Å
        assert 0.01 < stretch.std() < 0.04

    def test_labels_turn_with_the_molecule(rng):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        system = tutor.data.load("ethanol")[0]
        before = ethanol.relabel(system)
        after = GFN2(system.numbers)(system.positions @ turn.T)
        assert after.energy == pytest.approx(before["energy"], abs=1e-6)
        np.testing.assert_allclose(after.forces, before["forces"] @ turn.T, atol=1e-5)
        np.testing.assert_allclose(after.dipole, before["dipole"] @ turn.T, atol=1e-5)


if not missing(["tblite", "rdkit"]):

    def test_a_molecule_passes_through_the_whole_recipe():
        losses = Counter()
        (row,) = small_molecules._molecule("CCO", losses)
        assert not losses
        shipped = tutor.data.load("small_molecules")
        index = int(np.flatnonzero(shipped.properties["smiles"] == "CCO")[0])
        assert row["energy"] == pytest.approx(shipped.energy[index], abs=1e-3)
        assert np.abs(GFN2(row["numbers"])(row["positions"]).forces).max() < 0.05

    def test_a_molecule_whose_bonds_change_is_dropped(monkeypatch):
        losses = Counter()
        monkeypatch.setattr(small_molecules, "BOND", 0.5)
        assert small_molecules._molecule("CC", losses) == []
        assert losses == {"bonds changed": 1}

    def test_graphs_follow_the_rules():
        found = [smiles for level in graphs.enumerate_molecules(4) for smiles in level]
        assert len(set(found)) == len(found)
        assert {"CCCC", "CC(C)C", "C1CCC1", "CC1CC1", "C#CC#C", "CCCO", "CCOC"} <= set(found)
        unstable = {"OO", "OF", "C=CO", "NN", "OCO", "C1=CC1", "C=C=C", "ON"}
        assert not unstable & set(found)

    def test_shipped_smiles_are_those_of_the_rules():
        shipped = set(tutor.data.load("small_molecules").properties["smiles"])
        rules = {smiles for level in graphs.enumerate_molecules(4) for smiles in level}
        assert len(rules - shipped) <= 3  # dropped on relaxation


if not missing(["pyscf", "tblite"]):

    def test_two_hydrogen_atoms_are_those_of_the_card():
        constants = tutor.data.card("h2").constants
        for key, energy in h2.hydrogen_atoms().items():
            assert energy == pytest.approx(constants[key].value, abs=2 * constants[key].error)
