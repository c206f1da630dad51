"""A many-body network of Cartesian moments: scalars, vectors and tensors, multiplied at the atoms.

In each of F channels an atom has a scalar h, at first that of its element, a vector v and a
symmetric traceless tensor T, at first zero (l = 0, 1, 2). With u = r_ij / |r_ij| and
{X} = ½ (X + Xᵀ) − ⅓ tr X, a layer sums the moments of the neighbours, mixes channels and adds,

    a = W₀ Σ_j R₀(r_ij) h_j
    v ← v + W₁ Σ_j (R₁(r_ij) h_j u + R₃(r_ij) v_j)
    T ← T + W₂ Σ_j (R₂(r_ij) h_j {u u} + R₄(r_ij) T_j)

and reads off what does not turn, to third order in the moments:

    h ← h + f(h, a, v·v, T:T, v·Tv, T:TT)

Before the next layer the products that do turn, all of v and T up to third order with factors
g = G h that are scalars of the atom, take the place of v and T:

    v ← U (g₁ v, g₂ Tv, g₃ TTv)
    T ← Q (g₄ T, g₅ {v v}, g₆ {TT}, g₇ {v Tv})

f is a network with one hidden layer, R are linear maps of Bessel functions times a cutoff function,
W, U, Q and G are matrices; products are taken within a channel. A sum over neighbours costs time
linear in their number, and its powers know angles and dihedrals: the density trick of the atomic
cluster expansion (Drautz, Phys. Rev. B 99, 014104 (2019)), with messages as in MACE (Batatia et
al., NeurIPS 2022, arXiv 2206.07697), in Cartesian form as TensorNet (Simeon and De Fabritiis,
NeurIPS 2023, arXiv 2306.06482) and CACE (Cheng, npj Comput. Mater. 10, 157 (2024)). The layer
itself is our own.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.models.mlp import MLP
from tutor.models.readout import Embedding, Readout
from tutor.radial import bessel_basis, polynomial_cutoff

Scalars = Float[Array, "atoms channels"]
Vectors = Float[Array, "atoms 3 channels"]
Tensors = Float[Array, "atoms 6 channels"]

# A symmetric tensor is kept as its components xx, xy, xz, yy, yz, zz.
ROW, COLUMN = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)
PLACE = ((0, 1, 2), (1, 3, 4), (2, 4, 5))


def outer(
    v: Float[Array, "*batch 3 channels"], w: Float[Array, "*batch 3 channels"]
) -> Float[Array, "*batch 3 3 channels"]:
    """v_a w_b."""
    return v[..., :, None, :] * w[..., None, :, :]


def matrix(T: Float[Array, "*batch 6 channels"]) -> Float[Array, "*batch 3 3 channels"]:
    """The six components as a symmetric matrix."""
    return T[..., jnp.array(PLACE), :]


def traceless(X: Float[Array, "*batch 3 3 channels"]) -> Float[Array, "*batch 6 channels"]:
    """{X} = ½ (X + Xᵀ) − ⅓ tr X, as six components."""
    trace = jnp.einsum("...aac->...c", X)[..., None, None, :] * jnp.eye(3, dtype=X.dtype)[..., None]
    symmetric = (X + jnp.swapaxes(X, -2, -3)) / 2 - trace / 3
    return symmetric[..., jnp.array(ROW), jnp.array(COLUMN), :]


class Moments(nnx.Module):
    """The sums over neighbours: a, and what is added to v and T."""

    def __init__(
        self, channels: int, radial: int, neighbors: float, carry: bool, *, rngs: nnx.Rngs
    ):
        self.scale = neighbors**-0.5
        self.parts = 5 if carry else 3
        self.radial = nnx.Linear(radial, self.parts * channels, use_bias=False, rngs=rngs)
        self.W = nnx.Sequential(*(_matrix(channels, channels, rngs) for _ in range(3)))

    def __call__(
        self,
        h: Scalars,
        v: Vectors | None,
        T: Tensors | None,
        graph: Graph,
        basis: Float[Array, "atoms slots radial"],
    ) -> tuple[Scalars, Vectors, Tensors]:
        R = jnp.split(self.radial(basis), self.parts, axis=-1)
        h_j = graph.at_neighbors(h)
        u = graph.directions()[..., None]
        m0 = R[0] * h_j
        m1 = (R[1] * h_j)[:, :, None] * u
        m2 = (R[2] * h_j)[:, :, None] * traceless(outer(u, u))
        if self.parts == 5:
            m1 += R[3][:, :, None] * graph.at_neighbors(v)
            m2 += R[4][:, :, None] * graph.at_neighbors(T)
        sums = (self.scale * graph.over_neighbors(m) for m in (m0, m1, m2))
        return tuple(W(A) for W, A in zip(self.W.layers, sums, strict=True))


class Products(nnx.Module):
    """The products of one atom that turn with it."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        self.G = nnx.Linear(channels, 7 * channels, rngs=rngs)
        self.U = _matrix(3 * channels, channels, rngs)
        self.Q = _matrix(4 * channels, channels, rngs)

    def __call__(self, h: Scalars, v: Vectors, T: Tensors) -> tuple[Vectors, Tensors]:
        M = matrix(T)
        Tv = times(M, v)
        vectors = (v, Tv, times(M, Tv))
        tensors = (T, *(traceless(X) for X in (outer(v, v), square(M), outer(v, Tv))))
        g = jnp.split(self.G(h)[:, None], 7, axis=-1)
        vectors = [g_k * x for g_k, x in zip(g[:3], vectors, strict=True)]
        tensors = [g_k * x for g_k, x in zip(g[3:], tensors, strict=True)]
        return self.U(jnp.concatenate(vectors, axis=-1)), self.Q(jnp.concatenate(tensors, axis=-1))


class CartesianNetwork(nnx.Module):
    """Energies in eV from products of moments.

    Args:
        species: the atomic numbers that may occur; others give NaN.
        cutoff: in Å. A chain of `layers` messages reaches `layers` times as far.
        channels: F, the number of scalars, of vectors and of tensors of an atom.
        radial: how many Bessel functions.
        neighbors: a typical number of neighbours; sums over them are divided by its root.
        energies: a reference energy e_Z in eV for each species, 0 by default.
    """

    def __init__(
        self,
        species: Sequence[int],
        *,
        cutoff: float = 5.0,
        channels: int = 32,
        layers: int = 2,
        radial: int = 8,
        neighbors: float = 10.0,
        energies: Sequence[float] | None = None,
        rngs: nnx.Rngs,
    ):
        self.cutoff = cutoff
        self.hops = layers
        self.radial = radial
        self.embedding = Embedding(species, channels, rngs=rngs)
        self.moments = nnx.Sequential(
            *(Moments(channels, radial, neighbors, k > 0, rngs=rngs) for k in range(layers))
        )
        self.products = nnx.Sequential(*(Products(channels, rngs=rngs) for _ in range(layers - 1)))
        self.f = nnx.Sequential(
            *(MLP([6 * channels, channels, channels], rngs=rngs) for _ in range(layers))
        )
        self.readout = Readout(species, energies, channels, rngs=rngs)

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        graph = graph.within(self.cutoff)
        r = graph.lengths()
        basis = bessel_basis(r, self.cutoff, self.radial)
        basis *= polynomial_cutoff(r, self.cutoff)[..., None]
        h = self.embedding(graph.species, r.dtype)
        a, v, T = self.moments.layers[0](h, None, None, graph, basis)
        h += self.f.layers[0](invariants(h, a, v, T))
        rest = zip(self.products.layers, self.moments.layers[1:], self.f.layers[1:], strict=True)
        for products, moments, f in rest:
            v, T = products(h, v, T)
            a, dv, dT = moments(h, v, T, graph, basis)
            v, T = v + dv, T + dT
            h += f(invariants(h, a, v, T))
        return self.readout(h, graph.species)


def invariants(
    h: Scalars, a: Scalars, v: Vectors, T: Tensors
) -> Float[Array, "atoms six_channels"]:
    """h, a, v·v, T:T, v·Tv, T:TT side by side."""
    M = matrix(T)
    vv, vTv = (v * v).sum(axis=1), (v * times(M, v)).sum(axis=1)
    TT, TTT = (M * M).sum(axis=(1, 2)), (M * square(M)).sum(axis=(1, 2))
    return jnp.concatenate([h, a, vv, TT, vTv, TTT], axis=-1)


def times(M: Float[Array, "atoms 3 3 channels"], v: Vectors) -> Vectors:
    """Σ_b M_ab v_b."""
    return (M * v[:, None]).sum(axis=2)


def square(M: Float[Array, "atoms 3 3 channels"]) -> Float[Array, "atoms 3 3 channels"]:
    """Σ_b M_ab M_bd."""
    return (M[..., None, :] * M[:, None]).sum(axis=2)


def _matrix(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    """A linear map without a constant, which would not turn."""
    return nnx.Linear(inputs, outputs, use_bias=False, rngs=rngs)
