import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.models.deep_sets import DeepSets, SetPotential, max_pool, mean_pool, sum_pool
from tutor.models.per_species import PerSpecies
from tutor.neighbors import graph
from tutor.potential import energy
from tutor.precision import float64
from tutor.system import System

POOLS = {sum_pool: np.sum, mean_pool: np.mean, max_pool: np.max}


def test_the_worked_example(rng):
    """z₁² + z₂² + z₁z₂ = ½ (z₁ + z₂)² + ½ (z₁² + z₂²)."""

    def phi(z):
        return jnp.concatenate([z, z**2], axis=-1)

    def rho(y):
        return (y[..., :1] ** 2 + y[..., 1:]) / 2

    with float64():
        z = rng.normal(size=(1000, 2, 1))
        found = DeepSets(phi, rho)(jnp.asarray(z))
    z1, z2 = z[:, 0], z[:, 1]
    np.testing.assert_allclose(found, z1**2 + z2**2 + z1 * z2, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("pool", POOLS)
def test_against_a_loop_over_sets_of_different_sizes(pool, rng):
    model = DeepSets.of_networks([3, 8, 5], [5, 8, 2], pool, rngs=nnx.Rngs(0))
    with float64():
        x = rng.normal(size=(4, 6, 3))
        sizes = np.array([1, 6, 3, 4])
        mask = np.arange(6) < sizes[:, None]
        found = jax.jit(model)(jnp.asarray(np.where(mask[..., None], x, np.nan)), jnp.asarray(mask))
        for k, n in enumerate(sizes):
            elements = rng.permutation(x[k, :n])
            rows = [np.asarray(model.phi(jnp.asarray(one))) for one in elements]
            expected = model.rho(jnp.asarray(POOLS[pool](rows, axis=0)))
            np.testing.assert_allclose(found[k], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("pool", POOLS)
def test_the_empty_set_and_padding_have_no_gradient(pool, rng):
    model = DeepSets.of_networks([3, 8, 5], [5, 8, 1], pool, rngs=nnx.Rngs(0))
    mask = np.array([[False] * 4, [True, False, True, True]])
    x = jnp.asarray(rng.normal(size=(2, 4, 3)).astype(np.float32))
    gradient = np.asarray(jax.grad(lambda x: model(x, jnp.asarray(mask)).sum())(x))
    assert np.isfinite(gradient).all()
    assert not gradient[~mask].any()
    assert gradient[1, 0].any()
    np.testing.assert_array_equal(model(x, jnp.asarray(mask))[0], model.rho(jnp.zeros(5)))


def test_what_each_pool_forgets(rng):
    """Twice the same set, and a set with one element repeated."""
    a, b = rng.normal(size=(2, 3)).astype(np.float32)
    sets = {"ab": [a, b], "abab": [a, b, a, b], "abb": [a, b, b]}

    def outputs(pool):
        model = DeepSets.of_networks([3, 8, 5], [5, 8, 1], pool, rngs=nnx.Rngs(0))
        return {name: float(model(jnp.stack(rows))[0]) for name, rows in sets.items()}

    total, mean, largest = map(outputs, (sum_pool, mean_pool, max_pool))
    assert len(set(total.values())) == 3
    assert mean["ab"] == pytest.approx(mean["abab"], abs=1e-6)
    assert abs(mean["ab"] - mean["abb"]) > 1e-3
    assert largest["ab"] == largest["abab"] == largest["abb"]


def test_the_set_potential_against_loops_over_atoms_and_neighbors(rng):
    """The same energies from positions alone, with the Bessel functions written out."""
    potential = SetPotential((6, 8), cutoff=4.0, neighbors=3.0, channels=5, rngs=nnx.Rngs(1))
    numbers = np.array([6, 8, 8, 6, 8])
    positions = rng.uniform(0, 4, (5, 3))
    net = {Z: (potential.phi.nets.layers[k], potential.rho.nets.layers[k])
           for k, Z in enumerate((6, 8))}  # fmt: skip
    with float64():
        made = graph(System(numbers, positions), 4.0, dtype=jnp.float64)
        found = float(energy(potential, made)[0])
        expected = 0.0
        for i in range(5):
            pooled = np.zeros(5)
            for j in range(5):
                r = np.linalg.norm(positions[j] - positions[i])
                if i == j or r >= 4.0:
                    continue
                bessel = [np.sqrt(0.5) * np.sin(n * np.pi * r / 4) / r for n in range(1, 9)]
                x = r / 4
                end = 1 - 28 * x**6 + 48 * x**7 - 21 * x**8
                pooled += end * np.asarray(net[numbers[j]][0](jnp.array(bessel))) / 3.0
            expected += float(net[numbers[i]][1](jnp.asarray(pooled))[0])
    assert found == pytest.approx(expected, abs=1e-12)


def test_an_unknown_element_has_no_energy():
    potential = SetPotential((6, 8), cutoff=4.0, rngs=nnx.Rngs(0))
    made = graph(System(np.array([6, 7]), np.array([[0, 0, 0], [0, 0, 1.2]])), 4.0)
    assert np.isnan(potential(made)).all()


@pytest.mark.parametrize("species", [(), (6, 6), (0, 6)])
def test_wrong_species_are_refused(species):
    with pytest.raises(ValueError, match="give each atomic number once"):
        PerSpecies(species, [1, 1], rngs=nnx.Rngs(0))
