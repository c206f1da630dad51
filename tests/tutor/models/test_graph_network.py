"""The block against Algorithm 1 of Battaglia et al., written as the loops that it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.graph import Graph
from tutor.models.graph_network import GraphNetwork, Joined, SmoothSum, attention
from tutor.models.per_species import checked_energies
from tutor.neighbors import batch, graph, to_edges
from tutor.precision import float64
from tutor.radial import cosine_cutoff
from tutor.system import System

CUTOFF = 2.5


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


@pytest.fixture
def made(rng) -> Graph:
    """A crystal with images, a molecule, a lone atom, and padding of every kind."""
    systems = [
        System(
            np.array([6, 8, 6]),
            rng.uniform(0, 3, (3, 3)),
            np.diag([2.0, 3.0, 3.5]) + rng.uniform(-0.3, 0.3, (3, 3)),
            np.array([True, True, False]),
        ),
        System(np.array([8, 6, 6, 8]), rng.uniform(0, 2.5, (4, 3))),
        System(np.array([8]), np.zeros((1, 3))),
    ]
    tight = graph(systems, CUTOFF, dtype=jnp.float64)
    atoms, slots = tight.mask.shape
    return batch([tight], atoms=atoms + 2, slots=slots + 3, structures=4)


def inputs(made, rng, edge=3, node=4, state=2):
    atoms, slots = made.mask.shape
    shapes = (atoms, slots, edge), (atoms, node), (len(made.cell), state)
    return [jnp.asarray(rng.normal(size=shape)) for shape in shapes]


def networks():
    """φᵉ, φᵛ and φᵘ."""
    rngs = nnx.Rngs(0)
    sizes = [3 + 4 + 4 + 2, 6, 5], [5 + 4 + 2, 6, 7], [5 + 7 + 2, 6, 3]
    return [Joined(s, rngs=rngs) for s in sizes]


def in_numpy(joined, *parts):
    x = np.concatenate(parts)
    layers = joined.net.layers.layers
    for k, layer in enumerate(layers):
        x = x @ np.asarray(layer.kernel[...], float) + np.asarray(layer.bias[...], float)
        x = x / (1 + np.exp(-x)) if k < len(layers) - 1 else x
    return x


def algorithm_1(made, E, V, u, phi, rho):
    """Line by line, for one structure after the other, on lists of edges."""
    edges = to_edges(made)
    structure, real = np.asarray(made.structure), np.asarray(made.species) > 0
    phi_e, phi_v, phi_u = phi
    E_new, V_new, u_new = [None] * len(E), {}, {}
    for g in range(len(u)):
        nodes = [i for i in range(len(V)) if real[i] and structure[i] == g]
        own = [k for k in range(len(E)) if edges.receivers[k] in nodes]
        for k in own:
            r, s = edges.receivers[k], edges.senders[k]
            E_new[k] = in_numpy(phi_e, E[k], V[r], V[s], u[g])
        for i in nodes:
            arriving = [E_new[k] for k in own if edges.receivers[k] == i]
            V_new[i] = in_numpy(phi_v, rho(arriving, 5), V[i], u[g])
        e_bar = rho([E_new[k] for k in own], 5)
        v_bar = rho([V_new[i] for i in nodes], 7)
        u_new[g] = in_numpy(phi_u, e_bar, v_bar, u[g])
    return E_new, V_new, u_new


def total(vectors, size):
    return np.sum([np.zeros(size), *vectors], axis=0)


def largest(vectors, size):
    return np.max([np.full(size, -9.0), *vectors], axis=0)


def max_over_slots(graph, e):
    return jnp.where(graph.mask[..., None], e, -9.0).max(axis=1)


def max_over_edges(graph, e):
    return max_over_atoms(graph, max_over_slots(graph, e))


def max_over_atoms(graph, v):
    own = (graph.structure == jnp.arange(len(graph.cell))[:, None]) & (graph.species > 0)
    return jnp.where(own[..., None], v, -9.0).max(axis=1)


OTHER = {
    "edges_to_nodes": max_over_slots,
    "edges_to_state": max_over_edges,
    "nodes_to_state": max_over_atoms,
}


@pytest.mark.parametrize(("rho", "parts"), [(total, {}), (largest, OTHER)])
def test_against_algorithm_1(made, rng, rho, parts):
    e, v, u = inputs(made, rng)
    phi = networks()
    E, V, U = jax.jit(GraphNetwork(*phi, **parts).__call__)(made, e, v, u)
    mask = np.asarray(made.mask)
    assert mask.sum() > 20
    edges, nodes, states = algorithm_1(
        made, np.asarray(e)[mask], np.asarray(v), np.asarray(u), phi, rho
    )
    np.testing.assert_allclose(np.asarray(E)[mask], np.stack(edges), rtol=0, atol=1e-10)
    np.testing.assert_allclose(V[np.array(list(nodes))], list(nodes.values()), rtol=0, atol=1e-10)
    np.testing.assert_allclose(U, list(states.values()), rtol=0, atol=1e-10)
    assert np.abs(E).max() > 0.1
    assert np.abs(U).max() > 0.1


def test_padding_does_not_reach_anything(made, rng):
    e, v, u = inputs(made, rng)
    block = GraphNetwork(*networks())
    mask, real = made.mask, made.species > 0
    one = block(made, e, v, u)
    other = block(made, jnp.where(mask[..., None], e, 1e3), jnp.where(real[:, None], v, -1e3), u)
    np.testing.assert_array_equal(np.asarray(one[0])[mask], np.asarray(other[0])[mask])
    np.testing.assert_array_equal(np.asarray(one[1])[real], np.asarray(other[1])[real])
    np.testing.assert_array_equal(one[2], other[2])


def test_a_state_stays_in_its_structure(made, rng):
    """Another u for one structure changes that structure and no other."""
    e, v, u = inputs(made, rng)
    block = GraphNetwork(*networks())
    one, other = block(made, e, v, u), block(made, e, v, u.at[1].add(1.0))
    changed = np.abs(one[1] - other[1]).max(axis=1) > 1e-6
    real = np.asarray(made.species) > 0
    np.testing.assert_array_equal(changed[real], np.asarray(made.structure)[real] == 1)


def test_what_is_sent_can_be_computed_at_the_sender(made, rng):
    """φᵉ after `send` is φᵉ with the same map inside, computed once for an atom."""
    e, v, u = inputs(made, rng)
    matrix = jnp.asarray(rng.normal(size=(4, 3)))
    node, state = Joined([3 + 4 + 2, 7], rngs=nnx.Rngs(1)), Joined([3 + 7 + 2, 2], rngs=nnx.Rngs(2))
    inside = GraphNetwork(lambda e, v_i, v_j, u: e * (v_j @ matrix), node, state)
    outside = GraphNetwork(lambda e, v_i, v_j, u: e * v_j, node, state, send=lambda v: v @ matrix)
    for a, b in zip(inside(made, e, v, u), outside(made, e, v, u), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)


def test_by_default_the_state_stays(made, rng):
    e, v, u = inputs(made, rng)
    _, _, after = GraphNetwork(*networks()[:2])(made, e, v, u)
    np.testing.assert_array_equal(after, u)


def test_smooth_sum(made, rng):
    e, _, _ = inputs(made, rng)
    r, mask = np.asarray(made.lengths()), np.asarray(made.mask)
    weights = np.where(mask, (1 + np.cos(np.pi * r / CUTOFF)) / 2, 0)
    expected = np.einsum("ik,ikc->ic", weights, e) / np.sqrt(7.0)
    found = SmoothSum(7.0, cosine_cutoff)(made, e)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_attention(rng):
    """Against its formula, with a logit that would overflow, an absent element and an empty set."""
    logits = jnp.array([[1.0, 2.0, 500.0], [1e4, 1e4, -1e4], [3.0, 1.0, 2.0]])
    weights = jnp.array([[1.0, 3.0, 0.0], [0.25, 0.75, 1.0], [0.0, 0.0, 0.0]])
    found, gradient = jax.value_and_grad(lambda x: attention(x, weights)[0, 0])(logits)
    e = np.exp(1.0)
    assert float(found) == pytest.approx(1 / (1 + 3 * e))
    assert float(gradient[0, 0]) == pytest.approx(3 * e / (1 + 3 * e) ** 2)
    np.testing.assert_allclose(attention(logits, weights)[1:], [[0.25, 0.75, 0], [0, 0, 0]])
    assert np.isfinite(gradient).all()
    assert not np.asarray(gradient)[1:].any()


def test_energies_must_fit_the_species():
    assert checked_energies(None, (6, 8)) == (0.0, 0.0)
    with pytest.raises(ValueError, match="give one energy in eV for each species"):
        checked_energies((1.0,), (6, 8))
