"""Structures to ASE and back, and potentials as ASE calculators."""

import jax.numpy as jnp
import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, molecule
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.lj import LennardJones as AseLennardJones
from ase.md.verlet import VelocityVerlet

from tutor.ase import PotentialCalculator, from_atoms, to_atoms
from tutor.models.pair import LennardJones, Pair, argon, shifted


def argon_crystal(seed=0) -> Atoms:
    atoms = bulk("Ar", a=5.3, cubic=True) * 2
    atoms.rattle(0.1, seed=seed)
    return atoms


@pytest.mark.parametrize("atoms", [argon_crystal(), molecule("CH3OH")])
def test_there_and_back(atoms):
    system = from_atoms(atoms)
    assert to_atoms(system) == Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    system.positions[:] = 0
    assert atoms.positions.any()


def test_all_properties_as_ase():
    potential = Pair(LennardJones(0.0103, 3.4), cutoff=7.0, ending=shifted)
    ours, theirs = argon_crystal(), argon_crystal()
    ours.calc = PotentialCalculator(potential)
    theirs.calc = AseLennardJones(epsilon=0.0103, sigma=3.4, rc=7.0)
    for name in ("energy", "energies", "forces", "stress"):
        one, two = (a.calc.get_property(name, a) for a in (ours, theirs))
        assert np.shape(one) == np.shape(two)
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-12)


def test_single_precision():
    atoms, same = argon_crystal(), argon_crystal()
    atoms.calc = PotentialCalculator(argon(), dtype=jnp.float32)
    same.calc = PotentialCalculator(argon())
    difference = np.abs(atoms.get_forces() - same.get_forces()).max()
    assert 0 < difference < 1e-5
    assert atoms.get_forces().dtype == np.float64


def test_a_molecule_has_no_stress():
    atoms = Atoms("Ar2", [[0, 0, 0], [0, 0, 3.8]], calculator=PotentialCalculator(argon()))
    assert atoms.get_potential_energy() < 0
    with pytest.raises(PropertyNotImplementedError, match="give three cell vectors"):
        atoms.get_stress()


class Counting:
    """Counts how often it is traced, that is, compiled."""

    def __init__(self, potential):
        self.potential, self.traced = potential, 0
        self.cutoff, self.hops = potential.cutoff, potential.hops

    def __call__(self, graph):
        self.traced += 1
        return self.potential(graph)


def test_dynamics_compiles_once_and_keeps_energy():
    potential = Counting(argon())
    atoms = argon_crystal()
    atoms.calc = PotentialCalculator(potential)
    thermal = np.random.default_rng(0).normal(size=(32, 3)) * np.sqrt(60 * units.kB)
    atoms.set_momenta(thermal * np.sqrt(atoms.get_masses())[:, None])
    before = atoms.get_total_energy()
    kinetic = atoms.get_kinetic_energy()
    VelocityVerlet(atoms, timestep=2 * units.fs).run(200)
    assert potential.traced == 1
    assert abs(atoms.get_kinetic_energy() - kinetic) > 100 * abs(atoms.get_total_energy() - before)
    atoms.set_cell(atoms.cell * 0.9, scale_atoms=True)
    atoms.get_forces()
    assert potential.traced == 2  # more neighbours than there was room for
