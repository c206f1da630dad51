"""Integrators alone, on forces in closed form: order, reversal, momentum, and what they sample."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.md import Langevin, NoseHoover, VelocityRescaling, Verlet, state_of, step
from tutor.system import System
from tutor.units import AMU, KB

SPRING = 2.0  # eV/Å²
T = 300.0  # K


def springs(state):
    """Every atom on a spring of its own, a little stiffer far away."""
    x = state.positions
    return replace(
        state, forces=-SPRING * x * (1 + x**2), energy=(SPRING * (x**2 / 2 + x**4 / 4)).sum()
    )


def bonds(state):
    """Springs of length 2 Å between all pairs: nothing from outside."""
    d = state.positions[:, None] - state.positions
    r = jnp.sqrt((d**2).sum(axis=-1) + jnp.eye(len(d)))
    pull = SPRING * (r - 2) / r * (1 - jnp.eye(len(d)))
    energy = (SPRING * (r - 2) ** 2 * (1 - jnp.eye(len(d)))).sum() / 4
    return replace(state, forces=-(pull[..., None] * d).sum(axis=1), energy=energy)


def atoms(count=4, seed=0, temperature=T):
    rng = np.random.default_rng(seed)
    system = System(np.full(count, 14), rng.normal(size=(count, 3)))
    masses = rng.uniform(5, 50, count)
    return state_of(
        system, temperature=temperature, key=jax.random.key(seed), masses=masses, dtype=jnp.float64
    )


@partial(jax.jit, static_argnames=("forces", "steps"))
def run(integrator, state, forces, steps):
    state = forces(integrator.start(state))
    return jax.lax.scan(lambda s, _: (step(integrator, s, forces),) * 2, state, length=steps)[1]


def last(integrator, state, forces, steps):
    return jax.tree.map(lambda x: x[-1], run(integrator, state, forces, steps))


def test_verlet_is_of_second_order():
    """Against a run with much shorter steps, errors fall fourfold with half the step."""
    state = atoms()
    exact = last(Verlet(1 / 16), state, bonds, 64 * 16).positions
    errors = [
        np.abs(last(Verlet(dt), state, bonds, round(64 / dt)).positions - exact).max()
        for dt in (4.0, 2.0, 1.0)
    ]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.1)


def test_the_energy_error_of_verlet_is_of_second_order_and_does_not_grow():
    state = atoms()
    spread = []
    for dt in (2.0, 1.0):
        energies = np.array(run(Verlet(dt), state, bonds, round(20_000 / dt)).conserved)
        spread.append(energies.std())
        half = len(energies) // 2
        assert abs(energies[half:].mean() - energies[:half].mean()) < 0.1 * energies.std()
    np.testing.assert_allclose(spread[0] / spread[1], 4, rtol=0.05)


@pytest.mark.parametrize("integrator", [Verlet(1.0), NoseHoover(1.0, T, 100.0)])
def test_time_reversal(integrator):
    """With all velocities turned round, the way back is the way there."""
    # A tetrahedron at rest: far from equilibrium a chain of baths only dissipates, and what it
    # dissipated it cannot bring back from round-off.
    corners = jnp.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 2**0.5
    state = replace(atoms(), positions=corners)
    there = last(integrator, state, bonds, 500)
    bath = jax.tree.map(jnp.negative, there.bath)
    if bath:
        bath = bath._replace(positions=there.bath.positions)
    turned = replace(there, velocities=-there.velocities, bath=bath)
    back = jax.jit(lambda s: jax.lax.fori_loop(0, 500, lambda _, s: step(integrator, s, bonds), s))(
        turned
    )
    assert np.abs(there.positions - state.positions).max() > 0.1
    np.testing.assert_allclose(back.positions, state.positions, rtol=0, atol=1e-10)
    np.testing.assert_allclose(back.velocities, -state.velocities, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "integrator", [Verlet(1.0), NoseHoover(1.0, T, 100.0), VelocityRescaling(1.0, T, 100.0)]
)
def test_momentum_is_conserved(integrator):
    state = atoms()
    end = last(integrator, state, bonds, 1000)
    size = np.abs(AMU * state.masses[:, None] * state.velocities).max()
    momentum = AMU * (end.masses[:, None] * end.velocities).sum(axis=0)
    np.testing.assert_allclose(momentum, 0, atol=1e-12 * size)


def test_the_chain_conserves_its_energy():
    found = run(NoseHoover(0.5, T, 100.0), atoms(), bonds, 20_000)
    assert np.ptp(found.energy + found.kinetic) > 0.2  # eV, which the bath took and gave
    assert np.ptp(found.conserved) < 2e-3


# Replicas of 4 atoms on springs: canonical averages in closed form or by quadrature.

BATHS = {
    "langevin": Langevin(2.0, T, 0.02),
    "rescaling": VelocityRescaling(2.0, T, 50.0),
    "nose_hoover": NoseHoover(2.0, T, 100.0),
}


@pytest.fixture(scope="module", params=sorted(BATHS))
def sampled(request):
    """Kinetic energies (k_B T), dof, and positions of 128 replicas, 2000 frames 20 fs apart."""
    from tutor.precision import float64

    integrator = BATHS[request.param]

    @jax.jit
    def sample(key):
        def one(key):
            state = atoms(temperature=0.0)
            noise = jax.random.normal(key, state.positions.shape)
            velocities = noise * jnp.sqrt(KB * T / state.inertia)
            state = replace(state, velocities=velocities, key=jax.random.key_data(key))
            state = springs(integrator.start(replace(state, freedom=jnp.int32(12))))
            # nothing conserves momentum on springs, so all 12 degrees are free
            state = replace(state, freedom=jnp.int32(12))

            def frame(state, _):
                state = jax.lax.fori_loop(0, 10, lambda _, s: step(integrator, s, springs), state)
                return state, (state.kinetic / (KB * T), state.positions, state.heat)

            return jax.lax.scan(frame, state, length=2000)[1]

        return jax.vmap(one)(jax.random.split(key, 128))

    with float64():
        kinetic, positions, heat = jax.device_get(sample(jax.random.key(1)))
    return kinetic[:, 200:], positions[:, 200:], heat[:, 200:]


def mean(x):
    """Mean over everything and its standard error from the replicas, which are independent."""
    each = x.reshape(len(x), -1).mean(axis=1)
    return each.mean(), each.std(ddof=1) / np.sqrt(len(each))


def test_kinetic_energy_is_canonical(sampled):
    """⟨K⟩ = f/2 k_B T, var K = f/2 (k_B T)², third cumulant f (k_B T)³, with f = 12."""
    kinetic = sampled[0]
    for value, expected in (
        (kinetic, 6),
        ((kinetic - 6) ** 2, 6),
        ((kinetic - 6) ** 3, 12),
    ):
        found, error = mean(value)
        assert abs(found - expected) < 4 * error + 0.003 * expected, (found, error)
        assert error < 0.1 * expected


def test_velocities_are_maxwell_boltzmann_at_the_start():
    system = System(np.tile([1, 18], 4000), np.zeros((8000, 3)))
    state = state_of(system, temperature=T, key=jax.random.key(3), dtype=jnp.float64)
    each = np.array(state.inertia * state.velocities**2).reshape(4000, 2, 3) / (KB * T)
    for k in (0, 1):  # both elements: mean 1, variance 2, with their standard errors
        assert abs(each[:, k].mean() - 1) < 4 * np.sqrt(2 / 12_000)
        assert abs(each[:, k].var() - 2) < 4 * np.sqrt(56 / 12_000)
    momentum = (state.masses[:, None] * state.velocities).sum(axis=0)
    np.testing.assert_allclose(momentum, 0, atol=1e-12)


def test_positions_are_canonical(sampled):
    """⟨x²⟩ on the anharmonic springs, by quadrature."""
    x = np.linspace(-1.5, 1.5, 20001)
    weight = np.exp(-SPRING * (x**2 / 2 + x**4 / 4) / (KB * T))
    expected = (weight * x**2).sum() / weight.sum()
    found, error = mean(sampled[1] ** 2)
    assert abs(found - expected) < 4 * error + 0.003 * expected, (found, expected, error)
    assert error < 0.02 * expected


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Verlet(0.0), "dt = 0.0: give a positive number"),
        (lambda: Langevin(1.0, -1.0, 0.1), "temperature = -1.0"),
        (lambda: Langevin(1.0, 300.0, float("nan")), "friction = nan"),
        (lambda: VelocityRescaling(1.0, 300.0, 0.0), "relaxation = 0.0"),
        (lambda: NoseHoover(1.0, 300.0, 100.0, links=0), "links = 0"),
    ],
)
def test_bad_settings_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
