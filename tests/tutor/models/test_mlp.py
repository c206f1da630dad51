import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.models.mlp import MLP


def test_against_a_slow_loop(rng):
    net = MLP([3, 5, 2], rngs=nnx.Rngs(0))
    x = rng.normal(size=3).astype(np.float32)
    h = x.astype(float)
    for k, layer in enumerate(net.layers.layers):
        w, b = np.asarray(layer.kernel[...], float), np.asarray(layer.bias[...], float)
        h = np.array([sum(h[i] * w[i, o] for i in range(len(h))) + b[o] for o in range(len(b))])
        h = h / (1 + np.exp(-h)) if k == 0 else h
    np.testing.assert_allclose(net(jnp.array(x)), h, rtol=1e-5)


def test_works_under_plain_jax_transformations(rng):
    net = MLP([3, 8, 1], rngs=nnx.Rngs(0))
    x = jnp.asarray(rng.normal(size=(6, 3)), jnp.float32)
    batched = jax.jit(jax.vmap(lambda r: net(r)[0]))(x)
    np.testing.assert_allclose(batched, net(x)[:, 0], atol=1e-6)
    gradient = jax.grad(lambda m: m(x).sum())(net)
    assert {leaf.shape for leaf in jax.tree.leaves(gradient)} == {(3, 8), (8,), (8, 1), (1,)}


def test_too_few_sizes():
    with pytest.raises(ValueError, match=r"sizes = \[3\]: an MLP needs at least an input and an"):
        MLP([3], rngs=nnx.Rngs(0))
