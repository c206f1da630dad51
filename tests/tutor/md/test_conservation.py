"""Energy over long times: 1e-5 ε per atom in 1000 τ is the limit, for learned potentials too.

Verlet conserves not E but E + dt²/24 Σ F²/m + dt²/12 d²U/dt² up to dt⁴. Over some time the last
term averages out; with the other one added, the same run tells a ten times smaller drift.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.tutor.md.fluids import EPSILON, MASS, TAU, kelvin, moved
from tutor.md import Verlet, simulate
from tutor.models.pair import LennardJones, Pair
from tutor.models.registry import REGISTRY
from tutor.potential import Sum
from tutor.precision import float64
from tutor.system import System
from tutor.units import AMU, KB


def drift(run, dt, masses):
    """The slope of the conserved energy by time, in eV/fs, and its standard error."""
    shadow = (run.forces**2 / (AMU * masses[:, None])).sum(axis=(1, 2)) * dt**2 / 24
    energies = run.conserved + shadow
    blocks = len(energies) // 20
    x, y = (v[: 20 * blocks].reshape(20, blocks).mean(axis=1) for v in (run.time, energies))
    slope, covariance = np.polyfit(x, y, 1, cov=True)
    return slope[0], np.sqrt(covariance[0, 0])


@pytest.fixture(scope="module")
def melted():
    with float64():
        warm = {"temperature": kelvin(1.6), "record": ("forces",)}
        return moved(Verlet(0.004 * TAU), 1000, **warm).state


def test_the_energy_of_a_lennard_jones_liquid_does_not_drift(melted):
    """108 atoms, ρ* = 0.8442, T* ≈ 0.85, dt = 0.001 τ, 50 τ."""
    dt = 0.001 * TAU
    run = moved(Verlet(dt), 50_000, every=10, state=melted, record=("forces",))
    assert run.temperature.mean() * KB / EPSILON > 0.7  # a liquid, not a crystal at rest
    slope, error = np.array(drift(run, dt, np.full(108, MASS))) * 1000 * TAU / (108 * EPSILON)
    assert error < 4e-6
    assert abs(slope) < 1e-5


def test_the_energy_fluctuates_by_the_square_of_the_time_step(melted):
    options = {"state": melted, "record": ("forces",)}
    spread = [
        moved(Verlet(0.004 * TAU / k), 500 * k, every=k, **options).conserved.std() for k in (1, 2)
    ]
    np.testing.assert_allclose(spread[0] / spread[1], 4, rtol=0.25)


@pytest.mark.parametrize("name", ["deep_potential", "schnet"])
def test_the_energy_of_a_network_does_not_drift(name):
    """8 atoms in a triclinic cell as small as the cutoff, dt = 0.25 fs, 2.5 ps at some 300 K.

    The time unit of such atoms is about 50 fs, so the limit is 1e-5 eV per atom in 50 ps, where
    the energy scale is an eV.
    """
    entry, dt = REGISTRY[name], 0.25
    rng = np.random.default_rng(0)
    sites = np.stack(np.meshgrid(*[np.arange(2)] * 3), -1).reshape(-1, 3)
    cell = 2 * entry.bond * (np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3)))
    positions = (sites + rng.uniform(-0.05, 0.05, (8, 3))) @ cell / 2
    system = System(np.tile(entry.species, 4), positions, cell, np.ones(3, bool))
    run = simulate(
        Sum(entry.make(), Pair(LennardJones(0.05, 1.2), cutoff=3.0)),  # atoms do not merge
        system,
        Verlet(dt),
        10_000,
        temperature=300.0,
        key=jax.random.key(0),
        every=5,
        record=("forces",),
        dtype=jnp.float64,
    )
    masses = np.array(run.state.masses)
    slope, error = np.array(drift(run, dt, masses)) / 8 * 50_000
    assert np.abs(run.forces).max() > 0.1
    assert run.temperature.min() > 30
    assert error < 4e-6
    assert abs(slope) < 1e-5
