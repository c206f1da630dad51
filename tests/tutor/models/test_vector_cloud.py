import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.spatial.transform import Rotation

from tutor.models.vector_cloud import Scalar, Tensor, Vector, VectorCloud, gram
from tutor.precision import float64

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


@pytest.fixture
def cloud():
    return VectorCloud(5, scalars=2, vectors=1, length=1.5, rngs=nnx.Rngs(0))


@pytest.fixture
def data(rng):
    x, scalars, vectors = (rng.normal(size=(9, *s)) for s in [(3,), (2,), (1, 3)])
    return {"x": x, "scalars": scalars, "vectors": vectors, "weights": rng.uniform(0.1, 1, 9)}


def call(cloud, data, **more):
    return cloud(**{k: jnp.asarray(v) for k, v in {**data, **more}.items()})


@pytest.mark.parametrize("weighted", [True, False])
def test_against_loops(cloud, data, weighted):
    w = data["weights"] if weighted else np.full(9, 1 / 9)
    if not weighted:
        del data["weights"]
    center = sum(wi * xi for wi, xi in zip(w, data["x"], strict=True)) / w.sum()
    expected = np.zeros((2, 5, 3))
    for wi, xi, si, vi in zip(w, data["x"], data["scalars"], data["vectors"], strict=True):
        y = (xi - center) / 1.5
        phi = np.asarray(cloud.phi(jnp.array([y @ y, *si])))
        expected += wi * np.stack([np.outer(phi, y), np.outer(phi, vi[0])])
    np.testing.assert_allclose(call(cloud, data), expected.reshape(10, 3), atol=1e-14)


@pytest.mark.parametrize("sign", [1, -1])
def test_scalars_vectors_and_tensors_turn_as_they_must(cloud, data, rng, sign):
    heads = [head(cloud.rows, rngs=nnx.Rngs(1)) for head in (Scalar, Vector, Tensor)]
    R = sign * Rotation.random(random_state=rng).as_matrix()
    order = rng.permutation(9)
    moved = {k: v[order] for k, v in data.items()}
    moved["x"] = moved["x"] @ R.T + rng.normal(size=3)
    moved["vectors"] = moved["vectors"] @ R.T
    y, r, Q = (head(call(cloud, data)) for head in heads)
    y2, r2, Q2 = (head(call(cloud, moved)) for head in heads)
    for expected, found in [(y, y2), (R @ r, r2), (R @ Q @ R.T, Q2)]:
        assert np.abs(expected).max() > 1e-2
        np.testing.assert_allclose(found, expected, atol=1e-13)
    np.testing.assert_allclose(Q, Q.T, atol=1e-15)
    assert np.abs(r2 - r).max() > 1e-2  # and the vector did turn


def test_in_two_dimensions(rng):
    cloud, head = VectorCloud(4, rngs=nnx.Rngs(0)), Vector(4, rngs=nnx.Rngs(1))
    x = rng.normal(size=(7, 2))
    R = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = head(cloud(jnp.asarray(x @ R.T)))
    np.testing.assert_allclose(turned, R @ head(cloud(jnp.asarray(x))), atol=1e-14)


def test_padding_changes_nothing_and_has_no_gradient(cloud, data):
    mask = np.arange(12) < 9
    padded = {k: np.concatenate([v, np.full((3, *v.shape[1:]), np.nan)]) for k, v in data.items()}
    np.testing.assert_allclose(call(cloud, padded, mask=mask), call(cloud, data), atol=1e-15)

    def total(x):
        return (call(cloud, padded, x=x, mask=mask) ** 2).sum()

    gradient = np.asarray(jax.grad(total)(jnp.asarray(padded["x"])))
    assert np.isfinite(gradient).all()
    assert not gradient[9:].any()


def test_no_points_and_one_point(cloud, data):
    none = {"mask": np.zeros(9, bool)}
    assert not np.asarray(call(cloud, data, **none)).any()
    lone = VectorCloud(4, rngs=nnx.Rngs(0))
    gradient = jax.grad(lambda x: lone(x).sum())(jnp.ones((1, 3)))
    assert np.isfinite(gradient).all()


def test_volume_weights_do_not_see_how_densely_a_region_is_sampled(rng):
    cloud = VectorCloud(4, rngs=nnx.Rngs(0))
    x = rng.normal(size=(6, 3))
    split = np.concatenate([x, x[:2]])  # the first two cells cut in half
    w = rng.uniform(0.5, 1, 6)
    halves = np.concatenate([w[:2] / 2, w[2:], w[:2] / 2])
    expected = cloud(jnp.asarray(x), weights=jnp.asarray(w))
    found = cloud(jnp.asarray(split), weights=jnp.asarray(halves))
    np.testing.assert_allclose(found, expected, atol=1e-15)
    assert np.abs(cloud(jnp.asarray(split)) - cloud(jnp.asarray(x))).max() > 1e-3


@pytest.mark.parametrize("radius", [0.3, 1.0, 4.0])
def test_it_is_blind_for_the_centred_tetrahedron(radius, rng):
    cloud = VectorCloud(8, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(gram(cloud(jnp.asarray(radius * TETRAHEDRON))), 0, atol=1e-28)
    bent = radius * TETRAHEDRON + 0.3 * rng.normal(size=(4, 3))
    assert np.abs(gram(cloud(jnp.asarray(bent)))).max() > 1e-6


def test_what_the_seed_writes_with_points_as_rows(rng):
    """X Xᵀ does not turn; Xᵀ X does."""
    X = rng.normal(size=(5, 3))
    Y = X @ Rotation.random(random_state=rng).as_matrix().T
    np.testing.assert_allclose(Y @ Y.T, X @ X.T, atol=1e-14)
    assert np.abs(Y.T @ Y - X.T @ X).max() > 0.1
