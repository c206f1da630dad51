"""The verbs, and one test per convention of signs, letters and padding."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.graph import Graph, System, masked
from tutor.neighbors import graph
from tutor.precision import float64


@pytest.fixture
def water() -> Graph:
    """Two molecules of three atoms in one graph, with padding of every kind."""
    positions = np.array([[0, 0, 0.1], [0, 0.76, -0.5], [0, -0.76, -0.5]])
    one = System(np.array([8, 1, 1]), positions)
    two = System(np.array([8, 1, 1]), positions + 0.2, 4.0 * np.eye(3), np.ones(3, bool))
    return graph([one, two], 3.0, atoms=8, slots=30, structures=3)


def test_r_ij_points_from_i_to_j():
    positions = np.array([[0, 0, 0], [1.0, 2.0, 2.0]])
    made = graph(System(np.array([1, 8]), positions), 5.0)
    assert made.neighbor[0, 0] == 1
    np.testing.assert_array_equal(made.r_ij[0, 0], [1, 2, 2])
    np.testing.assert_array_equal(made.r_ij[1, 0], [-1, -2, -2])


def test_an_image_is_shifted_by_rows_of_the_cell():
    """The cell vectors are rows: b = (1, 3, 0) leads from an atom to its image."""
    cell = np.array([[9.0, 0, 0], [1.0, 3.0, 0], [0, 0, 9.0]])
    made = graph(System(np.array([1]), np.zeros((1, 3)), cell, np.ones(3, bool)), 4.0)
    vectors = {tuple(s): v for s, v in zip(made.shift[0].tolist(), made.r_ij[0], strict=True)}
    assert set(vectors) == {(0, 1, 0), (0, -1, 0)}
    np.testing.assert_array_equal(vectors[0, 1, 0], [1, 3, 0])


def test_verbs_against_loops(rng, water):
    r, n = water.lengths(), water.directions()
    h = jnp.asarray(rng.normal(size=(8, 5)), jnp.float32)
    seen = water.at_neighbors(h)
    summed = water.over_neighbors(seen * r[..., None])
    t = jnp.asarray(rng.normal(size=(8, 30, 30)), jnp.float32)
    others = water.over_others(t)
    for i in range(8):
        total = np.zeros(5)
        for k in range(30):
            if not water.mask[i, k]:
                assert r[i, k] == water.cutoff
                assert not n[i, k].any()
                continue
            j = water.neighbor[i, k]
            distance = np.linalg.norm(water.r_ij[i, k])
            np.testing.assert_allclose(r[i, k], distance, rtol=1e-6)
            np.testing.assert_allclose(n[i, k], water.r_ij[i, k] / distance, rtol=1e-6)
            np.testing.assert_array_equal(seen[i, k], h[j])
            total += np.asarray(h[j]) * distance
            rest = sum(t[i, k, m] for m in range(30) if water.mask[i, m] and m != k)
            np.testing.assert_allclose(others[i, k], rest, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(summed[i], total, rtol=1e-4, atol=1e-4)
    expected = [h[:3].sum(axis=0), h[3:6].sum(axis=0), np.zeros(5)]
    np.testing.assert_allclose(water.per_structure(h), expected, rtol=1e-5)
    np.testing.assert_array_equal(water.per_structure(jnp.ones(8, int)), [3, 3, 0])


def test_within_keeps_the_nearer_neighbours(water):
    near = water.within(1.2)
    assert near.cutoff == 1.2
    assert (near.mask.sum(axis=1)[:6] == jnp.array([2, 1, 1, 2, 1, 1])).all()
    np.testing.assert_array_equal(near.lengths()[~near.mask], np.float32(1.2))
    with pytest.raises(ValueError, match=r"up to 1\.2 Å, but 3\.0 Å are needed: build it with"):
        near.within(3.0)


def test_empty_slots_have_no_gradient(water):
    """The double `where`: exactly zero and not NaN, also for what is infinite at r = 0."""

    def total(r_ij):
        made = replace(water, r_ij=r_ij)
        terms = made.lengths() ** -12 + made.directions()[..., 0]
        return made.over_neighbors(terms).sum()

    gradient = jax.grad(total)(water.r_ij)
    assert np.isfinite(gradient).all()
    assert not gradient[~water.mask].any()
    assert gradient[water.mask].any(axis=-1).all()


def test_masked_never_asks_where_it_should_not():
    x = jnp.array([-1.0, 0.0, 4.0])
    assert masked(jnp.sqrt, x, x > 0).tolist() == [0, 0, 2]
    assert jax.grad(lambda x: masked(jnp.sqrt, x, x > 0).sum())(x).tolist() == [0, 0, 0.25]


def test_at_moves_the_atoms(rng):
    cell = 3.0 * np.eye(3) + rng.uniform(-0.3, 0.3, (3, 3))
    system = System(np.array([6] * 4), rng.uniform(0, 3, (4, 3)), cell, np.ones(3, bool))
    there = system.positions + 1e-3 * rng.normal(size=(4, 3))
    with float64():
        made = graph(system, 5.0, dtype=jnp.float64)
        same = made.at(jnp.asarray(system.positions))
        np.testing.assert_allclose(same.r_ij, made.r_ij, rtol=0, atol=1e-14)
        direct = graph(System(system.numbers, there, cell, system.pbc), 4.5, dtype=jnp.float64)
        near = made.at(jnp.asarray(there)).within(4.5)
        for i in range(4):
            one, two = (np.sort(g.lengths()[i][g.mask[i]]) for g in (near, direct))
            np.testing.assert_allclose(one, two, rtol=0, atol=1e-13)


def test_a_graph_is_a_pytree(water):
    doubled = jax.tree.map(lambda x: 2 * x if x.dtype == jnp.float32 else x, water)
    np.testing.assert_array_equal(doubled.r_ij, 2 * water.r_ij)
    assert doubled.cutoff == water.cutoff
    calls = []

    @jax.jit
    def total(made):
        calls.append(made.cutoff)
        return made.lengths().sum()

    total(water), total(doubled), total(replace(water, cutoff=4.0))
    assert calls == [3.0, 4.0]  # traced once per cutoff
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(water)]
    assert names[:2] == [".r_ij", ".shift"]


def test_sums_are_the_same_bits_each_time(rng, water):
    m = jnp.asarray(rng.normal(size=(8, 30)), jnp.float32)
    first = jax.jit(lambda m: water.per_structure(water.over_neighbors(m)))
    assert all(np.array_equal(first(m), first(m)) for _ in range(5))
