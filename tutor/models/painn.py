"""PaiNN, the polarizable atom interaction network: every atom carries scalars and vectors.

An atom i has F scalars s_i, at first those of its element, and F vectors v_i, at first zero. Each
layer is a message from the neighbours j, with u_ij = r_ij / |r_ij|,

    s_i ← s_i + Σ_j φ_s(s_j) ∘ W_s(r_ij)
    v_i ← v_i + Σ_j v_j ∘ φ_vv(s_j) ∘ W_vv(r_ij) + Σ_j u_ij φ_vs(s_j) ∘ W_vs(r_ij)

and an update, in which scalars and vectors of one atom meet:

    s_i ← s_i + a_ss(s_i, |V v_i|) + a_sv(s_i, |V v_i|) ∘ ⟨U v_i, V v_i⟩
    v_i ← v_i + a_vv(s_i, |V v_i|) ∘ U v_i

φ and a are networks, U and V mix channels, W are linear maps of sin(nπ r / r_c) / r times a cutoff
function. The energy is read from the scalars. Schütt, Unke and Gastegger, ICML 2021 (arXiv
2102.03150).
"""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.models.mlp import MLP
from tutor.models.readout import Embedding, Readout
from tutor.radial import bessel_basis, polynomial_cutoff

EPSILON = 1e-8  # |v| = √(v² + ε): zero vectors have a gradient, namely 0

Scalars = Float[Array, "atoms channels"]
Vectors = Float[Array, "atoms 3 channels"]


class Message(nnx.Module):
    """What the neighbours tell an atom."""

    def __init__(self, channels: int, radial: int, neighbors: float, *, rngs: nnx.Rngs):
        self.scale = neighbors**-0.5
        self.phi = MLP([channels, channels, 3 * channels], rngs=rngs)
        self.filter = nnx.Linear(radial, 3 * channels, rngs=rngs)

    def __call__(
        self,
        s: Scalars,
        v: Vectors | None,
        graph: Graph,
        basis: Float[Array, "atoms slots radial"],
        cutoff: Float[Array, "atoms slots"],
    ) -> tuple[Scalars, Vectors]:
        """The messages to scalars and to vectors. `v` is None in the first layer."""
        W_s, W_vv, W_vs = thirds(cutoff[..., None] * self.filter(basis))
        phi_s, phi_vv, phi_vs = thirds(self.phi(s))
        dv = graph.directions()[..., None] * (W_vs * graph.at_neighbors(phi_vs))[:, :, None]
        if v is not None:
            dv = dv + W_vv[:, :, None] * graph.at_neighbors(phi_vv[:, None] * v)
        ds = graph.over_neighbors(W_s * graph.at_neighbors(phi_s))
        return self.scale * ds, self.scale * graph.over_neighbors(dv)


class Update(nnx.Module):
    """What an atom makes of it."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        self.U = nnx.Linear(channels, channels, use_bias=False, rngs=rngs)
        self.V = nnx.Linear(channels, channels, use_bias=False, rngs=rngs)
        self.a = MLP([2 * channels, channels, 3 * channels], rngs=rngs)

    def __call__(self, s: Scalars, v: Vectors) -> tuple[Scalars, Vectors]:
        """The changes of scalars and vectors."""
        Uv, Vv = self.U(v), self.V(v)
        length = jnp.sqrt((Vv**2).sum(axis=1) + EPSILON)
        a_ss, a_sv, a_vv = thirds(self.a(jnp.concatenate([s, length], axis=-1)))
        return a_ss + a_sv * (Uv * Vv).sum(axis=1), a_vv[:, None] * Uv


class PaiNN(nnx.Module):
    """Energies in eV from scalars and vectors that atoms exchange.

    Args:
        species: the atomic numbers that may occur; others give NaN.
        cutoff: in Å. A chain of `layers` messages reaches `layers` times as far.
        channels: F, the number of scalars and of vectors of an atom.
        radial: how many radial functions.
        neighbors: a typical number of neighbours; sums over them are divided by its root. 1 gives
            the sums of the paper.
        envelope: how messages end at the cutoff. The default is C2; `radial.cosine_cutoff`, that
            of the paper, is C1.
        energies: a reference energy e_Z in eV for each species, 0 by default.
    """

    def __init__(
        self,
        species: Sequence[int],
        *,
        cutoff: float = 5.0,
        channels: int = 64,
        layers: int = 3,
        radial: int = 20,
        neighbors: float = 10.0,
        envelope: Callable[[Array, float], Array] = polynomial_cutoff,
        energies: Sequence[float] | None = None,
        rngs: nnx.Rngs,
    ):
        self.cutoff = cutoff
        self.hops = layers
        self.radial = radial
        self.envelope = envelope
        self.embedding = Embedding(species, channels, rngs=rngs)
        self.messages = nnx.Sequential(
            *(Message(channels, radial, neighbors, rngs=rngs) for _ in range(layers))
        )
        self.updates = nnx.Sequential(*(Update(channels, rngs=rngs) for _ in range(layers)))
        self.readout = Readout(species, energies, channels, rngs=rngs)

    def features(self, graph: Graph) -> tuple[Scalars, Vectors]:
        """The scalars and vectors of all atoms after the last layer, for readouts of other kinds.

        Scalars do not change with a rotation, vectors turn with it.
        """
        graph = graph.within(self.cutoff)
        r = graph.lengths()
        basis, cutoff = bessel_basis(r, self.cutoff, self.radial), self.envelope(r, self.cutoff)
        s, v = self.embedding(graph.species, r.dtype), None
        for message, update in zip(self.messages.layers, self.updates.layers, strict=True):
            ds, dv = message(s, v, graph, basis, cutoff)
            s, v = s + ds, dv if v is None else v + dv
            ds, dv = update(s, v)
            s, v = s + ds, v + dv
        return s, v

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        s, _ = self.features(graph)
        return self.readout(s, graph.species)


def thirds(x: Float[Array, "*batch triple"]) -> list[Float[Array, "*batch third"]]:
    """Three equal parts of the channels."""
    return jnp.split(x, 3, axis=-1)
