import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.spatial.transform import Rotation

from tutor.models.egnn import EGNN, Dipole, EquivariantLayer, bounded
from tutor.models.n_body import NBody, complete_graph
from tutor.neighbors import graph
from tutor.potential import energy
from tutor.precision import float64
from tutor.system import System


def silu(x):
    return x / (1 + np.exp(-x))


def loud(model, scale):
    """The same model with larger steps: fresh ones hardly move an atom."""
    state = jax.tree.map(lambda w: w, model)
    for layer in state.layers.layers:
        layer.phi_x.kernel = nnx.Param(layer.phi_x.kernel[...] * scale)
    return state


class PublicLayer:
    """The published layer with velocities, edge by edge; weights as (outputs, inputs)."""

    def __init__(self, rng, channels, attributes):
        def linear(i, o, bias=True):
            return rng.normal(size=(o, i)) / i**0.5, 0.3 * rng.normal(size=o) * bias

        self.edge_mlp = linear(2 * channels + 1 + attributes, channels), linear(channels, channels)
        self.node_mlp = linear(2 * channels, channels), linear(channels, channels)
        head, none = linear(channels, 1, bias=False)
        self.coord_mlp = linear(channels, channels), (0.1 * head, none)
        self.coord_mlp_vel = linear(channels, channels), linear(channels, 1)

    @staticmethod
    def mlp(weights, x):
        (W, b), (V, c) = weights
        return V @ silu(W @ x + b) + c

    def __call__(self, h, x, v, attributes):
        n = len(h)
        messages, shift = [np.zeros_like(h[0]) for _ in h], [np.zeros(3) for _ in h]
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                d = x[i] - x[j]
                inputs = np.concatenate([h[i], h[j], [d @ d], attributes[i][j]])
                m = silu(self.mlp(self.edge_mlp, inputs))
                messages[i] = messages[i] + m
                shift[i] = shift[i] + d * self.mlp(self.coord_mlp, m) / (n - 1)
        x_new = [x[i] + shift[i] + self.mlp(self.coord_mlp_vel, h[i]) * v[i] for i in range(n)]
        h_new = [
            h[i] + self.mlp(self.node_mlp, np.concatenate([h[i], messages[i]])) for i in range(n)
        ]
        return h_new, x_new


def copied(public, linears):
    for (W, b), linear in zip(public, linears, strict=True):
        linear.kernel = nnx.Param(jnp.asarray(W.T))
        if linear.bias is not None:
            linear.bias = nnx.Param(jnp.asarray(b))


def test_the_weights_of_published_layers_give_the_same_positions(rng):
    channels, n = 7, 5
    layers = [PublicLayer(rng, channels, 2) for _ in range(3)]
    W0, b0 = rng.normal(size=(channels, 1)), rng.normal(size=channels)
    x, v, q = rng.normal(size=(n, 3)), rng.normal(size=(n, 3)), rng.choice([-1.0, 1.0], n)

    h, now = [W0 @ [np.linalg.norm(u)] + b0 for u in v], list(x)
    attributes = [[np.array([q[i] * q[j], (x[i] - x[j]) @ (x[i] - x[j])]) for j in range(n)]
                  for i in range(n)]  # fmt: skip
    for layer in layers:
        h, now = layer(h, now, v, attributes)

    with float64():
        model = NBody(n, channels=channels, layers=3, rngs=nnx.Rngs(0))
        copied([(W0, b0)], [model.embedding])
        for public, layer, phi_v in zip(
            layers, model.layers.layers, model.phi_v.layers, strict=True
        ):
            copied(public.edge_mlp, layer.phi_e.layers.layers)
            copied(public.node_mlp, layer.phi_h.layers.layers)
            copied(public.coord_mlp, [layer.hidden, layer.phi_x])
            copied(public.coord_mlp_vel, phi_v.layers.layers)
        found = np.asarray(model(*map(jnp.asarray, (x, v, q))))
    assert np.abs(found - x).max() > 0.1
    np.testing.assert_allclose(found, now, rtol=1e-10)


@pytest.fixture
def molecule(rng):
    return System(np.array([6, 8, 8, 6, 8]), rng.uniform(0, 2.5, (5, 3)))


def test_n_body_turns_moves_and_renumbers(rng):
    x, v = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    q = rng.choice([-1.0, 1.0], 5)
    R = Rotation.random(random_state=1).as_matrix() * -1.0  # with a mirror
    order = rng.permutation(5)
    with float64():
        model = loud(NBody(5, channels=8, layers=2, rngs=nnx.Rngs(0)), 300.0)
        x, v, q, R = map(jnp.asarray, (x, v, q, R))
        there = model(x, v, q)
        assert jnp.abs(there - x).max() > 0.05
        np.testing.assert_allclose(model(x @ R.T + 7.0, v @ R.T, q), there @ R.T + 7.0, atol=1e-12)
        np.testing.assert_allclose(model(x[order], v[order], q[order]), there[order], atol=1e-12)


@pytest.mark.parametrize("vectors", [0, 1, 4])
def test_vectors_change_the_energy_only_where_there_are_some(molecule, vectors):
    with float64():
        model = EGNN((6, 8), cutoff=4.0, channels=8, vectors=vectors, layers=3, rngs=nnx.Rngs(0))
        made = graph(molecule, 4.0, dtype=jnp.float64)
        quiet, moving = energy(model, made), energy(loud(model, 1000.0), made)
        difference = abs(float(quiet[0] - moving[0]))
    assert (difference < 1e-12) == (vectors == 0)


def test_the_dipole_turns_mirrors_and_stays_when_moved(molecule):
    R = Rotation.random(random_state=3).as_matrix() * -1.0
    with float64():
        network = EGNN((6, 8), cutoff=4.0, channels=8, vectors=4, layers=3, rngs=nnx.Rngs(0))
        model = Dipole(loud(network, 300.0), rngs=nnx.Rngs(1))
        mu = model(graph(molecule, 4.0, dtype=jnp.float64))[0]
        turned = System(molecule.numbers, molecule.positions @ R.T + 11.0)
        np.testing.assert_allclose(
            model(graph(turned, 4.0, dtype=jnp.float64))[0], R @ mu, atol=1e-12
        )
    assert np.linalg.norm(mu) > 1e-2


def test_a_dipole_needs_vectors():
    with pytest.raises(ValueError, match="network has vectors = 0, so that it is invariant"):
        Dipole(EGNN((6,), vectors=0, rngs=nnx.Rngs(0)), rngs=nnx.Rngs(0))


def test_long_steps_are_cut_in_length_and_not_by_axis(rng):
    u = rng.normal(size=(6, 3, 2)).astype(np.float32) * 100
    cut = bounded(jnp.asarray(u), 0.5)
    np.testing.assert_allclose(np.linalg.norm(cut, axis=1), 0.5, rtol=1e-3)
    np.testing.assert_allclose(
        np.cross(cut, u, axis=1) / np.linalg.norm(u, axis=1, keepdims=True), 0, atol=1e-6
    )
    small = jnp.asarray(u) * 1e-6
    np.testing.assert_allclose(bounded(small, 0.5), small, rtol=1e-6)
    np.testing.assert_allclose(bounded(jnp.asarray(u), jnp.inf), u, rtol=1e-6)


def test_no_layer_moves_an_atom_by_more_than_its_bound(molecule):
    with float64():
        network = EGNN((6, 8), cutoff=4.0, channels=8, vectors=3, layers=2, bound=0.2,
                       rngs=nnx.Rngs(0))  # fmt: skip
        _, x = loud(network, 1e7).features(graph(molecule, 4.0, dtype=jnp.float64))
        lengths = np.linalg.norm(x, axis=1)
    assert 0.2 < lengths.max() < 0.4


def test_the_sum_of_messages_and_the_mean_of_steps_against_loops(rng):
    """Inside a cutoff, with several positions and the weights f of the messages."""
    with float64():
        layer = EquivariantLayer(4, 2, 1, neighbors=3.0, C=0.5, bound=0.7, rngs=nnx.Rngs(2))
        layer.phi_x.kernel = nnx.Param(jnp.asarray(rng.normal(size=(4, 2))))
        positions = jnp.asarray(rng.normal(size=(4, 3)))
        full = complete_graph(positions)
        h, x = jnp.asarray(rng.normal(size=(4, 4))), jnp.asarray(rng.normal(size=(4, 3, 2)))
        a, f = jnp.asarray(rng.normal(size=(4, 3, 1))), jnp.asarray(rng.uniform(size=(4, 3)))
        h_new, x_new = layer(full, h, x, a, f)
        for i in range(4):
            M, u = np.zeros(4), np.zeros((3, 2))
            for k, j in enumerate(full.neighbor[i]):
                d = positions[i, :, None] + x[i] - positions[j, :, None] - x[j]
                inputs = jnp.concatenate([h[i], h[j], (d**2).sum(axis=0), a[i, k]])
                m = f[i, k] * silu(np.asarray(layer.phi_e(inputs)))
                M += m / 3.0
                u += (
                    0.5
                    * f[i, k]
                    * d
                    * np.asarray(layer.phi_x(jax.nn.silu(layer.hidden(jnp.asarray(m)))))
                )
            step = u / np.sqrt(1 + (u**2).sum(axis=0) / 0.49)
            np.testing.assert_allclose(x_new[i], x[i] + step, rtol=1e-12)
            expected = h[i] + layer.phi_h(jnp.concatenate([h[i], jnp.asarray(M)]))
            np.testing.assert_allclose(h_new[i], expected, rtol=1e-12)
