"""The message-passing neural network: T times, each atom hears its neighbours and updates itself.

    m_i = Σ_j f_C(r_ij) A(r_ij) h_j        message: a matrix for each pair, made by a network
    h_i ← GRU(h_i, m_i)                    update: a gate decides what to keep

with the same A and GRU in every step, and E_i read from h_i after the last. Gilmer et al., ICML
2017 (arXiv 1704.01212) with their edge network; the atoms of that paper are all joined, and its
energy is read from all of them at once: here neighbours end smoothly and energies are atomic.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.models.graph_network import GraphNetwork, SmoothSum, stateless
from tutor.models.mlp import MLP
from tutor.models.readout import Embedding, Readout
from tutor.radial import bessel_basis


class EdgeNetwork(nnx.Module):
    """φᵉ: A(e_ij) h_j, where a network gives a matrix for each edge."""

    def __init__(self, radial: int, hidden: int, channels: int, *, rngs: nnx.Rngs):
        self.channels = channels
        self.net = MLP([radial, hidden, channels**2], rngs=rngs)

    def __call__(self, e: Array, h_i: Array, h_j: Array, u: Array) -> Array:
        A = self.net(e).reshape(*e.shape[:-1], self.channels, self.channels)
        return jnp.einsum("...cd,...d->...c", A, h_j) / self.channels**0.5


class GRU(nnx.Module):
    """φᵛ, the gated recurrent unit: h ← (1 − z) h + z tanh(W m + U (s h)).

    z and s are gates between 0 and 1, made from m and h. Cho et al., arXiv 1406.1078 (2014).
    """

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        self.gates = nnx.Linear(2 * channels, 2 * channels, rngs=rngs)
        self.candidate = nnx.Linear(2 * channels, channels, rngs=rngs)

    def __call__(self, m: Array, h: Array, u: Array) -> Array:
        z, s = jnp.split(jax.nn.sigmoid(self.gates(_beside(m, h))), 2, axis=-1)
        return (1 - z) * h + z * jnp.tanh(self.candidate(_beside(m, s * h)))


def _beside(*x: Array) -> Array:
    return jnp.concatenate(x, axis=-1)


class MPNN(nnx.Module):
    """Energies in eV after `steps` steps of message passing.

    Args:
        species: the atomic numbers that may occur; others give NaN.
        cutoff: in Å. A chain of `steps` messages reaches `steps` times as far.
        channels: the size of h. A has its square for each edge: keep it small.
        steps: T.
        radial: how many Bessel functions of the distance are the features of an edge.
        hidden: the size of the hidden layer of the edge network.
        neighbors: a typical number of neighbours; sums over them are divided by its root.
        energies: a reference energy e_Z in eV for each species, 0 by default.

    Raises:
        ValueError: where `energies` does not fit `species`.
    """

    def __init__(
        self,
        species: Sequence[int],
        *,
        cutoff: float = 5.0,
        channels: int = 16,
        steps: int = 3,
        radial: int = 8,
        hidden: int = 32,
        neighbors: float = 10.0,
        energies: Sequence[float] | None = None,
        rngs: nnx.Rngs,
    ):
        self.cutoff = cutoff
        self.hops = steps
        self.radial = radial
        self.embedding = Embedding(species, channels, rngs=rngs)
        self.block = GraphNetwork(
            EdgeNetwork(radial, hidden, channels, rngs=rngs),
            GRU(channels, rngs=rngs),
            edges_to_nodes=SmoothSum(neighbors),
        )
        self.readout = Readout(species, energies, channels, rngs=rngs)

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        graph = graph.within(self.cutoff)
        r = graph.lengths()
        e = bessel_basis(r, self.cutoff, self.radial)
        h, u = self.embedding(graph.species, r.dtype), stateless(graph, r.dtype)
        for _ in range(self.hops):
            _, h, _ = self.block(graph, e, h, u)
        return self.readout(h, graph.species)
