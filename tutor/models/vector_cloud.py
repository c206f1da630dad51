"""Scalars, vectors and tensors from a cloud of points, without a frame of reference.

    x'_i = x_i − x̄                        does not change by translation
    L    = (1/n) Σ_i φ(|x'_i|) ⊗ x'_i      turns with the cloud; the order of points is gone
    D    = L Lᵀ                           does not turn

    scalar ρ(D),    vector a(D)ᵀ L,    tensor Lᵀ A(D) L + b(D) 1

with any networks φ, ρ, a, A, b. Zhou, Han and Xiao, Comput. Methods Appl. Mech. Eng. 388, 114211
(2022), arXiv 2103.06685. D holds products of dipoles and nothing else: it is 0 for a regular
tetrahedron of any size, and the same for mirror images.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from tutor.models.mlp import MLP


class VectorCloud(nnx.Module):
    """The embedding L of one cloud; use `jax.vmap` for several.

    Args:
        channels: how many functions φ.
        scalars: how many numbers are attached to each point; φ sees them beside the distance.
        vectors: how many vectors are attached to each point; each is embedded like x', so that L
            has (1 + vectors) · channels rows.
        length: a typical distance from the centre, in the unit of the points.
        hidden: the sizes of the hidden layers of φ.
    """

    def __init__(
        self,
        channels: int = 16,
        *,
        scalars: int = 0,
        vectors: int = 0,
        length: float = 1.0,
        hidden: Sequence[int] = (32, 32),
        rngs: nnx.Rngs,
    ):
        self.rows = (1 + vectors) * channels
        self.length = length
        self.phi = MLP([1 + scalars, *hidden, channels], rngs=rngs)

    def __call__(
        self,
        x: Float[Array, "points axes"],
        *,
        scalars: Float[Array, "points scalars"] | None = None,
        vectors: Float[Array, "points vectors axes"] | None = None,
        mask: Bool[Array, "points"] | None = None,
        weights: Float[Array, "points"] | None = None,
    ) -> Float[Array, "rows axes"]:
        """L, in two or three dimensions.

        Args:
            mask: which points are there; by default all are.
            weights: the volume that each point stands for. The mean over points becomes an
                integral, which does not depend on how densely a region is sampled.
        """
        mask = jnp.ones(len(x), bool) if mask is None else mask
        x = jnp.where(mask[:, None], x, 0.0)
        w = jnp.where(mask, 1 / jnp.maximum(mask.sum(), 1) if weights is None else weights, 0.0)
        w = w.astype(x.dtype)
        x = (x - (w @ x) / jnp.where(mask.any(), w.sum(), 1.0)) / self.length

        # |x'|² instead of |x'|: the same information, and smooth for a point at the centre.
        inputs = (x**2).sum(axis=1, keepdims=True)
        if scalars is not None:
            inputs = jnp.concatenate([inputs, jnp.where(mask[:, None], scalars, 0.0)], axis=1)
        v = x[:, None, :]
        if vectors is not None:
            v = jnp.concatenate([v, jnp.where(mask[:, None, None], vectors, 0.0)], axis=1)
        return jnp.einsum("n,nm,nva->vma", w, self.phi(inputs), v).reshape(-1, x.shape[1])


def gram(L: Float[Array, "rows axes"]) -> Float[Array, "rows*rows"]:
    """vec(D) with D = L Lᵀ: all scalar products between the rows of L."""
    return (L @ L.T).reshape(-1)


class Scalar(nnx.Module):
    """ρ(D): `outputs` numbers that no rotation and no mirror changes."""

    def __init__(
        self, rows: int, outputs: int = 1, *, hidden: Sequence[int] = (64,), rngs: nnx.Rngs
    ):
        self.rho = MLP([rows**2, *hidden, outputs], rngs=rngs)

    def __call__(self, L: Float[Array, "rows axes"]) -> Float[Array, "outputs"]:
        return self.rho(gram(L))


class Vector(nnx.Module):
    """a(D)ᵀ L: a vector that turns and mirrors with the cloud, and lies in its span."""

    def __init__(self, rows: int, *, hidden: Sequence[int] = (64,), rngs: nnx.Rngs):
        self.a = MLP([rows**2, *hidden, rows], rngs=rngs)

    def __call__(self, L: Float[Array, "rows axes"]) -> Float[Array, "axes"]:
        return self.a(gram(L)) @ L


class Tensor(nnx.Module):
    """Lᵀ A(D) L + b(D) 1 with symmetric A: a symmetric tensor Q that becomes R Q Rᵀ."""

    def __init__(self, rows: int, *, hidden: Sequence[int] = (64,), rngs: nnx.Rngs):
        self.net = MLP([rows**2, *hidden, rows**2 + 1], rngs=rngs)

    def __call__(self, L: Float[Array, "rows axes"]) -> Float[Array, "axes axes"]:
        y = self.net(gram(L))
        A = y[:-1].reshape(len(L), len(L))
        return L.T @ (A + A.T) @ L / 2 + y[-1] * jnp.eye(L.shape[1], dtype=L.dtype)
