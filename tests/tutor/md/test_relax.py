"""Minima in closed form: crystals whose lattice constants and energies are known."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.tutor.md.fluids import ARGON
from tutor.md import relax
from tutor.models.stillinger_weber import StillingerWeber
from tutor.system import System
from tutor.units import GPA

DIAMOND = np.array([[0, 0, 0], [2, 2, 0], [2, 0, 2], [0, 2, 2]])
DIAMOND = np.concatenate([DIAMOND, DIAMOND + 1]) / 4


def silicon(rng, length: float, noise: float) -> System:
    cell = length * (np.eye(3) + rng.uniform(-0.03, 0.03, (3, 3)))
    positions = DIAMOND @ cell + rng.normal(size=(8, 3)) * noise
    return System(np.full(8, 14), positions, cell, np.ones(3, bool))


def test_silicon_finds_its_lattice_constant(rng):
    """5.4310 Å and −4.3366 eV per atom: Stillinger and Weber fitted ε and σ to them."""
    found = relax(
        StillingerWeber(), silicon(rng, 5.6, 0.1), cell=True, force=1e-5, dtype=jnp.float64
    )
    volume = abs(np.linalg.det(found.system.cell))
    np.testing.assert_allclose(volume ** (1 / 3), 5.4310, atol=2e-4)
    np.testing.assert_allclose(found.energy / 8, -4.3366, atol=1e-4)
    assert found.force < 1e-5
    np.testing.assert_allclose(found.stress, 0, atol=1e-6)
    lengths = np.linalg.norm(found.system.cell, axis=1)
    np.testing.assert_allclose(lengths, 5.4310, atol=1e-3)  # the shear is gone as well


def test_under_pressure_the_stress_is_minus_the_pressure(rng):
    pressure = 2 * GPA
    found = relax(
        StillingerWeber(),
        silicon(rng, 5.4, 0.0),
        cell=True,
        pressure=pressure,
        force=1e-5,
        dtype=jnp.float64,
    )
    np.testing.assert_allclose(found.stress, -pressure * np.eye(3), rtol=0, atol=1e-3 * pressure)


def test_a_dimer_finds_the_bottom_of_its_well():
    """2^(1/6) σ, where the switch of the cutoff has not begun, and −ε."""
    start = System(np.array([18, 18]), np.array([[0.0, 0, 0], [3.4, 0.5, 0]]))
    found = relax(ARGON, start, force=1e-7, dtype=jnp.float64)
    bond = np.linalg.norm(found.system.positions[1] - found.system.positions[0])
    np.testing.assert_allclose(bond, 2 ** (1 / 6) * 3.405, rtol=1e-5)
    np.testing.assert_allclose(found.energy, -0.010323, rtol=1e-9)
    assert found.stress is None


def test_what_cannot_be_relaxed_is_refused():
    pair = System(np.array([18, 18]), np.array([[0.0, 0, 0], [3.4, 0.5, 0]]))
    with pytest.raises(ValueError, match="cell = True, but pbc"):
        relax(ARGON, pair, cell=True)
    with pytest.raises(ValueError, match="force = 0"):
        relax(ARGON, pair, force=0.0)
    with pytest.raises(RuntimeError, match=r"after 20 steps .* give more steps"):
        relax(ARGON, pair, force=1e-7, steps=20, dtype=jnp.float64)
