"""Moments against ASE and LAMMPS, averages against a process whose error is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase import units
from ase.build import bulk

from tests.potentials.lammps_reference import PRESSURE, _engine
from tests.potentials.structures import compute
from tutor.ase import from_atoms
from tutor.md.observables import block_average, kinetic_energy, pressure, temperature
from tutor.models.pair import LennardJones, Pair, shifted
from tutor.precision import float64


@pytest.fixture
def atoms(rng):
    atoms = bulk("Ar", a=5.3, cubic=True) * 2
    atoms.rattle(0.1, seed=1)
    atoms.set_masses(rng.uniform(1, 100, len(atoms)))
    atoms.set_velocities(rng.normal(size=(len(atoms), 3)) * 1e-2)
    return atoms


def moving(atoms):
    return jnp.asarray(atoms.get_velocities() * units.fs), jnp.asarray(atoms.get_masses())


def test_kinetic_energy_and_temperature_as_ase(atoms):
    with float64():
        v, m = moving(atoms)
        assert np.isclose(kinetic_energy(v, m), atoms.get_kinetic_energy(), rtol=1e-8)
        same = temperature(v, m, conserved=0)
        assert np.isclose(same, atoms.get_temperature(), rtol=1e-6)  # its k_B is that of 2014
        ratio = temperature(v, m) / temperature(v, m, conserved=0)
        assert np.isclose(ratio, 96 / 93, rtol=1e-14)


def test_padding_and_replicas(atoms):
    with float64():
        v, m = moving(atoms)
        padded = jnp.pad(v, ((0, 5), (0, 0))), jnp.pad(m, (0, 5))
        assert np.isclose(temperature(*padded), temperature(v, m), rtol=1e-14)
        several = temperature(jnp.stack([v, 2 * v]), m)
        np.testing.assert_allclose(several, temperature(v, m) * np.array([1, 4]), rtol=1e-14)


def test_temperature_of_drawn_velocities_is_that_of_the_bath(rng):
    """With the centre of mass at rest only 3 N − 3 degrees of freedom are left, here 9 of 12."""
    masses, T = np.array([1.0, 16.0, 40.0, 4.0]), 300.0
    v = rng.normal(size=(40_000, 4, 3)) * np.sqrt(units.kB * T / masses)[:, None] * units.fs
    v -= (masses[:, None] * v).sum(axis=1, keepdims=True) / masses.sum()
    with float64():
        found = np.asarray(temperature(jnp.asarray(v), jnp.asarray(masses)))
    assert abs(found.mean() - T) < 4 * T * np.sqrt(2 / 9 / 40_000)
    assert np.isclose(found.std(), T * np.sqrt(2 / 9), rtol=0.02)


def test_pressure_as_lammps(atoms):
    potential = Pair(LennardJones(epsilon=0.0103, sigma=3.4), cutoff=5.0, ending=shifted)
    atoms.set_masses(np.full(len(atoms), 39.95))
    system = from_atoms(atoms)
    v = atoms.get_velocities() * units.fs
    with float64():
        virial = compute(potential, system).virial[0]
        jitted = jax.jit(pressure)
        found = jitted(jnp.asarray(v), jnp.full(32, 39.95), virial, atoms.get_volume())
        kelvin = temperature(jnp.asarray(v), jnp.full(32, 39.95))
    engine = _engine()
    L = float(atoms.cell[0, 0])
    engine.commands_list(
        [
            "units metal",
            "atom_modify map array sort 0 0",
            f"region cell block 0 {L!r} 0 {L!r} 0 {L!r}",
            "create_box 1 cell",
            "mass 1 39.95",
        ]
    )
    x = atoms.get_positions(wrap=True).ravel().tolist()
    velocities = (v * 1e3).ravel().tolist()  # Å/ps
    engine.create_atoms(32, list(range(1, 33)), [1] * 32, x, velocities, None, False)
    engine.commands_list(
        [
            "pair_style lj/cut 5.0",
            "pair_coeff 1 1 0.0103 3.4",
            "pair_modify shift yes",
            "thermo_style custom press temp",
            "run 0 post no",
        ]
    )
    assert np.isclose(engine.get_thermo("press") / PRESSURE, found, rtol=1e-5)  # its constants
    assert np.isclose(engine.get_thermo("temp"), kelvin, rtol=1e-5)
    engine.close()


def ornstein_uhlenbeck(rng, frames: int, tau: float, series: int = 1) -> np.ndarray:
    """Variance 1, correlation e^(−t/τ)."""
    a = np.exp(-1 / tau)
    noise = rng.normal(size=(frames, series)) * np.sqrt(1 - a**2)
    x = np.empty_like(noise)
    x[0] = rng.normal(size=series)
    for t in range(1, frames):
        x[t] = a * x[t - 1] + noise[t]
    return x


def test_block_average_knows_the_error_of_a_correlated_series(rng):
    """Closed form: the variance of the mean is that of one value times coth(1/2τ) / n."""
    frames, tau = 16_384, 20.0
    x = ornstein_uhlenbeck(rng, frames, tau, series=64)
    expected = np.sqrt(1 / np.tanh(0.5 / tau) / frames)
    found = [block_average(series) for series in x.T]
    errors = np.array([estimate.error for estimate in found])
    assert np.isclose(np.sqrt((errors**2).mean()), expected, rtol=0.1)
    naive = x.std() / np.sqrt(frames)
    assert expected > 6 * naive  # what is at stake
    inside = np.mean([abs(estimate.value) < 2 * estimate.error for estimate in found])
    assert inside > 0.85
    assert str(found[0]).count("±") == 1


def test_independent_values_have_the_error_of_textbooks(rng):
    x = rng.normal(size=4096)
    assert np.isclose(block_average(x).error, 1 / 64, rtol=0.25)
    assert block_average(np.ones(100)) == (1.0, 0.0)


def test_a_short_run_has_no_error(rng):
    with pytest.raises(ValueError, match=r"fewer than 8 blocks are independent.*Run longer"):
        block_average(ornstein_uhlenbeck(rng, 200, 100.0)[:, 0])
