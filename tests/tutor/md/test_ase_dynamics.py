"""A network of ours in the molecular dynamics of ASE: the worked example."""

import numpy as np
from ase import units
from ase.build import bulk
from ase.md.verlet import VelocityVerlet

from tutor.ase import PotentialCalculator, from_atoms
from tutor.md.export import to_atoms
from tutor.md.trajectory import Writer, open_trajectory
from tutor.models.registry import REGISTRY


def simulated(timestep: float, time: float, observe=lambda atoms: None):
    """How far the total energy strays from its first value, in eV, and the atoms at the end."""
    atoms = bulk("C", "sc", a=2.0) * 3
    atoms.set_atomic_numbers(np.resize([6, 8, 8], len(atoms)))
    atoms.calc = PotentialCalculator(REGISTRY["schnet"].make())
    thermal = np.random.default_rng(0).normal(size=(27, 3)) * np.sqrt(300 * units.kB)
    momenta = thermal * np.sqrt(atoms.get_masses())[:, None]
    atoms.set_momenta(momenta - momenta.mean(axis=0))
    energies = []
    dynamics = VelocityVerlet(atoms, timestep=timestep * units.fs)
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()))
    dynamics.attach(lambda: observe(atoms))
    dynamics.run(round(time / timestep))
    return np.abs(np.array(energies) - energies[0]).max(), atoms


def test_a_network_conserves_energy_to_second_order_in_the_timestep():
    (coarse, atoms), (fine, _) = (simulated(timestep, time=60.0) for timestep in (2.0, 1.0))
    assert atoms.get_kinetic_energy() > 0.5
    assert coarse < 1e-2 * atoms.get_kinetic_energy()
    assert 3.3 < coarse / fine < 4.7
    assert np.abs(atoms.get_momenta().sum(axis=0)).max() < 1e-10


def test_its_trajectory_can_be_kept(tmp_path):
    kept = {"time": [], "positions": [], "velocities": [], "potential_energy": []}

    def keep(atoms):
        kept["time"].append(2.0 * len(kept["time"]))
        kept["positions"].append(atoms.positions.copy())
        kept["velocities"].append(atoms.get_velocities() * units.fs)
        kept["potential_energy"].append(atoms.get_potential_energy())

    _, atoms = simulated(2.0, time=20.0, observe=keep)
    system = from_atoms(atoms)
    constants = {"numbers": system.numbers, "cell": system.cell, "pbc": system.pbc}
    writer = Writer(tmp_path, constants, {"timestep": 2.0})
    writer.write(kept, restart={"positions": atoms.positions}, step=10)
    with open_trajectory(tmp_path) as run:
        *_, last = to_atoms(run)
    np.testing.assert_array_equal(last.positions, atoms.positions)
    assert last.get_potential_energy() == atoms.get_potential_energy()
    np.testing.assert_allclose(last.get_velocities(), atoms.get_velocities(), rtol=1e-14)
