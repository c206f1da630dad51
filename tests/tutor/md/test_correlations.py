"""Motion against slow loops, MDAnalysis, and processes whose correlations are known."""

import numpy as np
import pytest

from tests.tutor.md.test_observables import ornstein_uhlenbeck
from tutor.md.correlations import correlation, diffusion, msd, spectrum, unwrap, vacf
from tutor.units import AMU, KB


def slow_msd(r):
    lags = [[((r[t + s] - r[t]) ** 2).sum(-1) for t in range(len(r) - s)] for s in range(len(r))]
    return np.array([np.mean(lag) for lag in lags])


def walk(rng, frames, atoms, D, timestep):
    steps = rng.normal(size=(frames, atoms, 3)) * np.sqrt(2 * D * timestep)
    return np.cumsum(steps, axis=0) + rng.uniform(0, 1e3, (1, atoms, 3))


def test_msd_is_the_double_loop(rng):
    r = walk(rng, 60, 4, D=0.01, timestep=2.0)
    np.testing.assert_allclose(msd(r), slow_msd(r), rtol=1e-11, atol=1e-11)
    assert msd(r)[0] == pytest.approx(0, abs=1e-12)


def test_msd_as_mdanalysis(rng):
    MDAnalysis = pytest.importorskip("MDAnalysis")
    from MDAnalysis.analysis.msd import EinsteinMSD

    r = (walk(rng, 200, 5, D=0.01, timestep=2.0) % 50.0).astype(np.float32)
    universe = MDAnalysis.Universe.empty(5, trajectory=True)
    universe.load_new(r, order="fac")
    universe.dimensions = [50, 50, 50, 90, 90, 90]
    theirs = EinsteinMSD(universe, fft=False).run().results.timeseries
    np.testing.assert_allclose(msd(r), theirs, rtol=1e-6, atol=1e-6)


def test_diffusion_of_a_random_walk(rng):
    D, dt = 0.02, 5.0
    found = [diffusion(walk(rng, 2000, 10, D, dt), dt, fit=(25.0, 150.0)) for _ in range(20)]
    values, errors = np.array(found).T
    assert abs(values.mean() - D) < 4 * values.std() / np.sqrt(20)
    assert values.std() < 0.05 * D
    assert np.isclose(np.sqrt((errors**2).mean()), values.std(), rtol=0.5)  # errors are honest


@pytest.mark.parametrize("fit", [(0.0, 50.0), (5.0, 10.0), (25.0, 1100.0)])
def test_a_line_needs_lags(rng, fit):
    with pytest.raises(ValueError, match="give 3 or more lags, from 1 to 100"):
        diffusion(np.zeros((1000, 1, 3)), 5.0, fit=fit)


def test_unwrapped_paths_have_no_jumps(rng):
    cell = np.array([[9.0, 0, 0], [2.0, 8.0, 0], [-1.0, 0.5, 7.0]])
    path = walk(rng, 500, 6, D=0.02, timestep=2.0)
    scaled = path @ np.linalg.inv(cell)
    wrapped = path - np.floor(scaled) @ cell
    assert np.abs(np.diff(wrapped, axis=0)).max() > 5
    slab = path - np.floor(scaled) * [1, 1, 0] @ cell
    for found in (unwrap(wrapped, cell), unwrap(slab, cell, (True, True, False))):
        np.testing.assert_allclose(found - found[0], path - path[0], atol=1e-9)


def test_correlation_is_the_double_loop(rng):
    x = rng.normal(size=(50, 2, 3))
    slow = [np.mean([x[t] * x[t + s] for t in range(50 - s)], axis=0) for s in range(50)]
    np.testing.assert_allclose(correlation(x), slow, atol=1e-13)


def test_velocities_of_langevin_dynamics(rng):
    """An Ornstein–Uhlenbeck process: ⟨v·v⟩ = 3 kT/m e^(−γt), D = kT/mγ, a Lorentzian spectrum."""
    dt, gamma = 1.0, 0.05
    thermal = KB * 300 / (18 * AMU)
    v = ornstein_uhlenbeck(rng, 20_000, 1 / (gamma * dt), series=90).reshape(-1, 30, 3)
    found = vacf(v * np.sqrt(thermal))[:400]
    expected = 3 * thermal * np.exp(-gamma * dt * np.arange(400))
    np.testing.assert_allclose(found, expected, atol=0.02 * expected[0])
    D = (found.sum() - found[0] / 2) * dt / 3
    assert np.isclose(D, thermal / gamma, rtol=0.1)

    f, density = spectrum(expected, dt, window=False)
    lorentzian = 6 * thermal * gamma / (gamma**2 + (2 * np.pi * f) ** 2)
    low = f < 0.05
    np.testing.assert_allclose(density[low], lorentzian[low], rtol=0.03)
    assert np.isclose(np.trapezoid(density, f), expected[0] / 2, rtol=1e-10)


def test_a_harmonic_oscillator_is_one_line():
    dt, frames, period = 0.5, 4000, 37.3
    t = np.arange(frames) * dt
    v = np.cos(2 * np.pi * t / period)[:, None, None] * np.array([1.0, 0, 0])
    c = vacf(v)[:2000]
    np.testing.assert_allclose(c, np.cos(2 * np.pi * t[:2000] / period) / 2, atol=0.02)
    f, density = spectrum(c, dt)
    assert abs(f[density.argmax()] - 1 / period) < 1 / (2000 * dt)
    near = np.abs(f - 1 / period) < 4 / (2000 * dt)
    assert density[near].sum() > 0.95 * density.sum()
