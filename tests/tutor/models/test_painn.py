import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.models.painn import EPSILON, PaiNN
from tutor.neighbors import graph
from tutor.potential import energy, evaluate
from tutor.precision import float64
from tutor.radial import cosine_cutoff
from tutor.system import System

CUTOFF, CHANNELS, RADIAL = 3.0, 4, 5


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def made(**options) -> PaiNN:
    small = {"cutoff": CUTOFF, "channels": CHANNELS, "radial": RADIAL, "layers": 3}
    return PaiNN((6, 8), **{**small, "rngs": nnx.Rngs(0), **options})


def trained(potential: PaiNN) -> PaiNN:
    """Away from its initial weights, where constants are zero."""
    return jax.tree.map(lambda w: w + 0.1, potential)


def dense(linear, x):
    return x @ np.asarray(linear.kernel[...], float) + np.asarray(linear.bias[...], float)


def silu(x):
    return x / (1 + np.exp(-x))


def network(mlp, x):
    first, last = mlp.layers.layers
    return dense(last, silu(dense(first, x)))


def by_loops(potential, numbers, x) -> float:
    """The equations of the paper with its cosine cutoff, one atom and one pair at a time."""
    F, atoms = CHANNELS, range(len(x))
    s = [np.array(potential.embedding.table[...], float)[(6, 8).index(z)] for z in numbers]
    v = [np.zeros((F, 3)) for _ in atoms]
    for message, update in zip(potential.messages.layers, potential.updates.layers, strict=True):
        ds, dv = [np.zeros(F) for _ in atoms], [np.zeros((F, 3)) for _ in atoms]
        for i in atoms:
            for j in atoms:
                r = np.linalg.norm(x[j] - x[i])
                if i == j or r >= CUTOFF:
                    continue
                basis = np.array([np.sin(n * np.pi * r / CUTOFF) / r for n in range(1, RADIAL + 1)])
                W = dense(message.filter, np.sqrt(2 / CUTOFF) * basis)
                W *= (1 + np.cos(np.pi * r / CUTOFF)) / 2
                phi = network(message.phi, s[j])
                ds[i] += phi[:F] * W[:F]
                for c in range(F):
                    dv[i][c] += v[j][c] * phi[F + c] * W[F + c]
                    dv[i][c] += phi[2 * F + c] * W[2 * F + c] * (x[j] - x[i]) / r
        for i in atoms:
            s[i], v[i] = s[i] + ds[i], v[i] + dv[i]
            U, V = (np.asarray(m.kernel[...], float).T @ v[i] for m in (update.U, update.V))
            length = [np.sqrt(V[c] @ V[c] + EPSILON) for c in range(F)]
            a = network(update.a, np.concatenate([s[i], length]))
            s[i] = s[i] + a[:F] + a[F : 2 * F] * np.array([U[c] @ V[c] for c in range(F)])
            v[i] = v[i] + a[2 * F :, None] * U
    readout = potential.readout
    return sum(
        readout.energies[(6, 8).index(z)] + dense(readout.last, silu(dense(readout.hidden, s_i)))[0]
        for z, s_i in zip(numbers, s, strict=True)
    )


def test_against_loops_over_atoms_and_pairs(rng):
    potential = trained(made(neighbors=1.0, envelope=cosine_cutoff, energies=(-3.0, 2.0)))
    numbers, x = np.array([6, 8, 8, 6, 8, 6]), rng.uniform(0, 3, (6, 3))
    found = energy(potential, graph(System(numbers, x), CUTOFF, dtype=jnp.float64))[0]
    assert float(found) == pytest.approx(by_loops(potential, numbers, x), abs=1e-10)
    other = trained(made(neighbors=1.0, energies=(-3.0, 2.0)))  # the comparison sees the cutoff
    g = graph(System(numbers, x), CUTOFF, dtype=jnp.float64)
    assert abs(float(energy(other, g)[0]) - by_loops(potential, numbers, x)) > 1e-3


def test_its_vectors_turn_with_the_structure_and_its_scalars_do_not(rng):
    potential = trained(made(layers=2))
    numbers, x = np.array([6, 8, 8, 6, 8]), rng.uniform(0, 3, (5, 3))
    R = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    features = jax.jit(type(potential).features)

    def found(places):
        return features(potential, graph(System(numbers, places), CUTOFF, dtype=jnp.float64))

    (s, v), (s_turned, v_turned) = found(x), found(x @ R.T)
    assert s.shape == (5, CHANNELS)
    assert v.shape == (5, 3, CHANNELS)
    assert np.abs(v).max() > 1e-2
    np.testing.assert_allclose(s_turned, s, atol=1e-10)
    np.testing.assert_allclose(v_turned, np.einsum("ab,ibc->iac", R, v), atol=1e-10)


def test_the_cutoff_of_the_paper_has_forces_whose_slope_jumps():
    """What the default repairs: half a cosine is C1."""
    jumps = {}
    for name, options in (("cosine", {"envelope": cosine_cutoff}), ("polynomial", {})):
        potential = trained(made(layers=1, **options))
        near = System(np.array([6, 6]), np.array([[0, 0, 0], [0, 0, CUTOFF - 1e-6]]))
        g = graph(near, CUTOFF, dtype=jnp.float64)

        def at(z, g=g, near=near, potential=potential):
            return energy(potential, g.at(jnp.asarray(near.positions).at[1, 2].set(z))).sum()

        jumps[name] = abs(float(jax.grad(jax.grad(at))(CUTOFF - 1e-6)))
    assert jumps["cosine"] > 1e-4
    assert jumps["polynomial"] < 1e-3 * jumps["cosine"]


def test_vectors_that_cancel_have_finite_forces_and_gradients():
    """On the atom in the middle all vectors are zero, where a bare norm has no slope."""
    line = System(np.array([8, 6, 8]), np.array([[-1.2, 0, 0], [0, 0, 0], [1.2, 0, 0]]))
    g = graph(line, CUTOFF, dtype=jnp.float64)

    def loss(potential):
        return (evaluate(potential, g).forces ** 2).sum()

    value, gradient = jax.jit(jax.value_and_grad(loss))(made())
    assert float(value) > 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_an_unknown_element_has_no_energy():
    system = System(np.array([6, 7]), np.array([[0, 0, 0], [0, 0, 1.2]]))
    assert np.isnan(made()(graph(system, CUTOFF))).all()


def test_an_atom_alone_has_its_reference_energy_and_a_constant():
    alone = graph(System(np.array([8]), np.zeros((1, 3))), CUTOFF, dtype=jnp.float64)
    difference = made(energies=(1.0, -432.1))(alone) - made()(alone)
    assert float(difference[0]) == pytest.approx(-432.1, abs=1e-10)


def test_a_network_starts_with_small_energies(rng):
    numbers, x = np.array([6, 8, 8, 6, 8, 6]), rng.uniform(0, 3, (6, 3))
    energies = made(channels=64)(graph(System(numbers, x), CUTOFF))
    assert np.abs(energies).max() < 1


def test_energies_must_fit_the_species():
    with pytest.raises(ValueError, match="give one energy in eV for each species"):
        made(energies=(1.0,))


def test_it_trains_on_forces_and_keeps_its_constants(rng):
    potential = made(energies=(-3.0, 2.0))
    g = graph(System(np.array([6, 8, 8, 6]), rng.uniform(0, 2.5, (4, 3))), CUTOFF)

    def loss(potential):
        return ((evaluate(potential, g).forces - 0.1) ** 2).mean()

    before, gradient = jax.jit(jax.value_and_grad(loss))(potential)
    stepped = jax.tree.map(lambda w, d: w - 1e-4 * d, potential, gradient)
    assert loss(stepped) < before
    assert (stepped.cutoff, stepped.hops) == (CUTOFF, 3)
