import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.spatial.transform import Rotation

from tutor import symmetry
from tutor.data.recipes.n_body import (
    BETWEEN,
    MOST,
    by_component,
    by_length,
    charged_particles,
    evolve,
)


def like_charges(rng, systems=3):
    """Charges of one sign repel each other, so none comes so near that its force is limited."""
    x = rng.normal(size=(systems, 5, 3))
    return x, 0.3 * rng.normal(size=x.shape), np.ones(x.shape[:2])


def test_paths_against_an_adaptive_integrator(rng):
    x, v, q = like_charges(rng)

    def slope(_, state, q):
        x, v = state.reshape(2, 5, 3)
        d = x[:, None] - x
        r = np.linalg.norm(d, axis=-1) + np.eye(5)
        return np.concatenate([v, ((q[:, None] * q / r**3)[..., None] * d).sum(axis=1)]).ravel()

    there = evolve(x, v, q, 1.0)[0]
    for k in range(3):
        start = np.concatenate([x[k], v[k]]).ravel()
        exact = solve_ivp(slope, (0, 1.0), start, args=(q[k],), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(there[k], exact.y[:15, -1].reshape(5, 3), atol=5e-3)
        assert np.abs(there[k] - x[k]).max() > 0.5


def test_momentum_stays(rng):
    """Forces come in pairs, as long as none is limited."""
    x, v, q = like_charges(rng)
    after = evolve(x, v, q, 1.0)[1]
    np.testing.assert_allclose(after.sum(axis=1), v.sum(axis=1), atol=1e-12)


def test_the_limits(rng):
    F = jnp.asarray(rng.normal(size=(3, 5, 40)) * np.geomspace(1, 1e4, 40), jnp.float32)
    short = np.asarray(by_length(F, MOST))
    length = np.linalg.norm(np.asarray(F), axis=0)
    np.testing.assert_allclose(np.linalg.norm(short, axis=0), np.minimum(length, MOST), rtol=1e-5)
    np.testing.assert_allclose(np.cross(short, np.asarray(F), axis=0) / length**2, 0, atol=1e-5)
    assert np.abs(by_component(F, MOST)).max() == MOST


@pytest.fixture(scope="module")
def systems():
    return charged_particles(300, seed=3)


def test_the_start_is_that_of_the_task():
    first = charged_particles(2000, seed=1)
    again = charged_particles(2000, seed=1)
    np.testing.assert_array_equal(first.later, again.later)
    assert set(np.unique(first.q)) == {-1.0, 1.0}
    assert first.x.shape == first.v.shape == first.later.shape == (2000, 5, 3)
    assert np.isfinite(first.later).all()


@pytest.mark.parametrize(("limit", "turns"), [(by_length, True), (by_component, False)])
def test_labels_turn_with_the_system_where_the_length_is_limited(systems, limit, turns):
    R = Rotation.random(random_state=0).as_matrix()
    x, v, q, _ = systems
    as_it_is = evolve(x, v, q, BETWEEN, limit=limit)[0]
    turned = evolve(x @ R.T, v @ R.T, q, BETWEEN, limit=limit)[0] @ R
    changed = np.abs(turned - as_it_is).max(axis=(1, 2)) > 1e-6
    assert changed.any() != turns
    assert changed.mean() < 0.5


def test_the_floor_of_the_labels_is_seen_by_the_library(systems):
    spec = symmetry.Spec(
        {"x": symmetry.points(), "v": symmetry.velocities(), "q": symmetry.scalar(per="atom")},
        {"later": symmetry.points()},
    )
    x, v, q, later = systems
    plain = evolve(x, v, q, BETWEEN, limit=by_component)[0]
    cut = np.flatnonzero(np.abs(plain - later).max(axis=(1, 2)) > 1e-6)[:4]

    def solve(limit):
        return lambda x, v, q: evolve(x[None], v[None], q[None], BETWEEN, limit=limit)[0][0]

    chosen = [{"x": x[k], "v": v[k], "q": q[k]} for k in cut]
    options = {"structures": 4, "draws": 3, "library": "numpy"}
    clean = symmetry.label_floor(solve(by_length), spec, chosen, **options)["later"]
    broken = symmetry.label_floor(solve(by_component), spec, chosen, **options)["later"]
    assert clean.mse < 1e-12 < 1e-6 < broken.mse
