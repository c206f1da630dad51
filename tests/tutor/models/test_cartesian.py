import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.models.cartesian import CartesianNetwork, matrix, traceless
from tutor.neighbors import graph
from tutor.potential import energy, evaluate
from tutor.precision import float64
from tutor.system import System

CUTOFF, CHANNELS, RADIAL, NEIGHBORS = 3.0, 4, 3, 5.0


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def made(**options) -> CartesianNetwork:
    small = {"cutoff": CUTOFF, "channels": CHANNELS, "radial": RADIAL, "neighbors": NEIGHBORS}
    return CartesianNetwork((6, 8), **{**small, "rngs": nnx.Rngs(0), **options})


def weights(linear) -> np.ndarray:
    return np.asarray(linear.kernel[...], float)


def dense(linear, x):
    return x @ weights(linear) + np.asarray(linear.bias[...], float)


def silu(x):
    return x / (1 + np.exp(-x))


def braces(X) -> np.ndarray:
    return (X + X.T) / 2 - np.trace(X) / 3 * np.eye(3)


def mixed(matrix, parts):
    """Σ_c x_c M_cd for a list of x of any shape, one for each channel c."""
    M = weights(matrix)
    return [sum(M[c, d] * x for c, x in enumerate(parts)) for d in range(M.shape[1])]


def by_loops(potential, numbers, x) -> float:
    """The equations in the docstring of the module, one atom, pair and channel at a time."""
    atoms, F = range(len(x)), range(CHANNELS)
    h = [np.array(potential.embedding.table[...], float)[(6, 8).index(z)] for z in numbers]
    v = [[np.zeros(3) for _ in F] for _ in atoms]
    T = [[np.zeros((3, 3)) for _ in F] for _ in atoms]
    for layer, (moments, f) in enumerate(
        zip(potential.moments.layers, potential.f.layers, strict=True)
    ):
        if layer:
            for i in atoms:
                v[i], T[i] = turning(potential.products.layers[layer - 1], h[i], v[i], T[i])
        new = [sums(moments, i, numbers, x, h, v, T) for i in atoms]
        for i, (a, dv, dT) in enumerate(new):
            v[i] = [v[i][c] + dv[c] for c in F]
            T[i] = [T[i][c] + dT[c] for c in F]
            q = np.concatenate(
                [
                    h[i],
                    a,
                    [v[i][c] @ v[i][c] for c in F],
                    [np.trace(T[i][c] @ T[i][c]) for c in F],
                    [v[i][c] @ T[i][c] @ v[i][c] for c in F],
                    [np.trace(T[i][c] @ T[i][c] @ T[i][c]) for c in F],
                ]
            )
            first, last = f.layers.layers
            h[i] = h[i] + dense(last, silu(dense(first, q)))
    readout = potential.readout
    return sum(
        readout.energies[(6, 8).index(z)] + dense(readout.last, silu(dense(readout.hidden, h_i)))[0]
        for z, h_i in zip(numbers, h, strict=True)
    )


def sums(moments, i, numbers, x, h, v, T):
    """a, and what is added to v and T of atom i."""
    F = range(CHANNELS)
    A0, A1, A2 = [0.0 for _ in F], [np.zeros(3) for _ in F], [np.zeros((3, 3)) for _ in F]
    for j in range(len(x)):
        r = np.linalg.norm(x[j] - x[i])
        if i == j or r >= CUTOFF:
            continue
        u, t = (x[j] - x[i]) / r, r / CUTOFF
        envelope = 1 - 28 * t**6 + 48 * t**7 - 21 * t**8
        basis = [np.sqrt(2 / CUTOFF) * np.sin(n * np.pi * t) / r for n in range(1, RADIAL + 1)]
        R = (envelope * np.array(basis)) @ weights(moments.radial) / np.sqrt(NEIGHBORS)
        for c in F:
            R0, R1, R2, *carry = R[c::CHANNELS]
            A0[c] += R0 * h[j][c]
            A1[c] += R1 * h[j][c] * u
            A2[c] += R2 * h[j][c] * braces(np.outer(u, u))
            if carry:
                A1[c] += carry[0] * v[j][c]
                A2[c] += carry[1] * T[j][c]
    return tuple(mixed(W, A) for W, A in zip(moments.W.layers, (A0, A1, A2), strict=True))


def turning(products, h, v, T):
    """The new v and T of an atom before the next layer."""
    g = dense(products.G, h)
    vectors, tensors = [], []
    for k in range(3):
        vectors += [g[k * CHANNELS + c] * np.linalg.matrix_power(T[c], k) @ v[c]
                    for c in range(CHANNELS)]  # fmt: skip
    for k, product in enumerate(
        [
            lambda v, T: T,
            lambda v, T: braces(np.outer(v, v)),
            lambda v, T: braces(T @ T),
            lambda v, T: braces(np.outer(v, T @ v)),
        ]
    ):
        tensors += [g[(3 + k) * CHANNELS + c] * product(v[c], T[c]) for c in range(CHANNELS)]
    return mixed(products.U, vectors), mixed(products.Q, tensors)


@pytest.mark.parametrize("layers", [1, 3])
def test_against_loops_over_atoms_neighbors_and_channels(layers, rng):
    potential = made(layers=layers, energies=(-3.0, 2.0))
    potential = jax.tree.map(lambda w: w + 0.05, potential)  # constants start as zeros
    numbers, x = np.array([6, 8, 8, 6, 8, 6]), rng.uniform(0, 3, (6, 3))
    found = energy(potential, graph(System(numbers, x), CUTOFF, dtype=jnp.float64))[0]
    assert float(found) == pytest.approx(by_loops(potential, numbers, x), abs=1e-10)
    if layers == 3:  # the comparison sees the tensors that atoms pass on
        radial = potential.moments.layers[1].radial
        radial.kernel = nnx.Param(radial.kernel[...].at[:, -CHANNELS:].set(0))
        assert abs(by_loops(potential, numbers, x) - float(found)) > 1e-6


def test_braces_are_symmetric_and_traceless(rng):
    X = rng.normal(size=(5, 3, 3, 2))
    found = np.asarray(matrix(traceless(jnp.asarray(X))))
    for i, c in np.ndindex(5, 2):
        np.testing.assert_allclose(found[i, :, :, c], braces(X[i, :, :, c]), atol=1e-15)


def test_third_order_knows_what_sums_of_directions_do_not():
    """One layer tells a square from a tetrahedron and from pairs at any angle, by T:T."""
    potential = made(layers=1)

    def middle(directions):
        unit = np.array(directions) / np.linalg.norm(directions, axis=1, keepdims=True)
        system = System(np.full(5, 6), np.vstack([np.zeros(3), 1.9 * unit]))
        return float(potential(graph(system, CUTOFF, dtype=jnp.float64))[0])

    square = middle([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    pairs = middle([[1.0, 0, 0], [-1, 0, 0], [0.6, 0.8, 0], [-0.6, -0.8, 0]])
    tetrahedron = middle([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    assert min(abs(square - pairs), abs(square - tetrahedron), abs(pairs - tetrahedron)) > 1e-6


def test_it_trains_on_forces_and_keeps_its_constants(rng):
    potential = made(energies=(-3.0, 2.0))
    system = System(np.array([6, 8, 8, 6]), rng.uniform(0, 2.5, (4, 3)))
    g = graph(system, CUTOFF, dtype=jnp.float64)

    def loss(potential):
        return ((evaluate(potential, g).forces - 0.1) ** 2).mean()

    before, gradient = jax.jit(jax.value_and_grad(loss))(potential)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    stepped = jax.tree.map(lambda w, d: w - 1e-2 * d, potential, gradient)
    assert loss(stepped) < before
    assert (stepped.cutoff, stepped.hops) == (CUTOFF, 2)
