"""EGNN: atoms exchange messages and move along the lines between them.

    m_ij = φ_e(h_i, h_j, |d_ij|², a_ij)        d_ij = x_i − x_j
    x_i ← x_i + C Σ_j d_ij φ_x(m_ij)
    h_i ← h_i + φ_h(h_i, Σ_j m_ij)

Satorras, Hoogeboom and Welling, ICML 2021 (arXiv 2102.09844), with one position for an atom; here
it may have several, x_i in R^(3 × vectors), which all start at the atom and each get a |d|² and a
φ_x of their own. What is kept of x_i is how far it has moved: a translation cannot change that, and
images in a periodic cell need no care. A rotation turns it, so vectors are read from x_i, and
without vectors the same network is invariant.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.models.mlp import MLP
from tutor.models.readout import Embedding, Readout
from tutor.radial import bessel_basis, polynomial_cutoff

Invariant = Float[Array, "atoms channels"]
Moved = Float[Array, "atoms 3 vectors"]
EdgeFeatures = Float[Array, "atoms slots edge"]
Weights = Float[Array, "atoms slots"]


def bounded(u: Moved, bound: float) -> Moved:
    """u / √(1 + |u|²/b²): short steps as they are, long ones cut to b Å.

    The length is cut and not each component, which would tell the axes apart.
    """
    return u / jnp.sqrt(1 + (u**2).sum(axis=1, keepdims=True) / bound**2)


class EquivariantLayer(nnx.Module):
    """One round of messages.

    Args:
        channels: the size of h and of the messages.
        vectors: how many positions an atom has. 0: nothing moves, and h is all there is.
        edge: the size of a_ij.
        neighbors: Σ_j m_ij is divided by this number.
        C: what multiplies the sum that moves an atom.
        bound: no layer moves a position by more, in Å.
    """

    def __init__(
        self,
        channels: int,
        vectors: int,
        edge: int,
        *,
        neighbors: float = 1.0,
        C: float = 1.0,
        bound: float = jnp.inf,
        rngs: nnx.Rngs,
    ):
        self.neighbors, self.C, self.bound = neighbors, C, bound
        self.phi_e = MLP([2 * channels + vectors + edge, channels, channels], rngs=rngs)
        self.phi_h = MLP([2 * channels, channels, channels], rngs=rngs)
        small = nnx.initializers.normal(1e-3 / channels**0.5)
        self.hidden = nnx.Linear(channels, channels, rngs=rngs)
        self.phi_x = nnx.Linear(channels, vectors, use_bias=False, kernel_init=small, rngs=rngs)

    def __call__(
        self, graph: Graph, h: Invariant, x: Moved, a: EdgeFeatures, f: Weights
    ) -> tuple[Invariant, Moved]:
        """h and x after the messages; `f` weighs each of them, and ends at 0 at the cutoff."""
        r_ij = jnp.where(graph.mask[..., None], graph.r_ij, 0.0)
        d = x[:, None] - graph.at_neighbors(x) - r_ij[..., None]
        slots = (*a.shape[:2], h.shape[1])
        inputs = [jnp.broadcast_to(h[:, None], slots), graph.at_neighbors(h), (d**2).sum(axis=2), a]
        m = f[..., None] * jax.nn.silu(self.phi_e(jnp.concatenate(inputs, axis=-1)))
        along = self.phi_x(jax.nn.silu(self.hidden(m)))
        step = f[..., None, None] * d * along[:, :, None]
        x = x + bounded(self.C * graph.over_neighbors(step), self.bound)
        M = graph.over_neighbors(m) / self.neighbors
        return h + self.phi_h(jnp.concatenate([h, M], axis=-1)), x


class EGNN(nnx.Module):
    """Energies in eV, read from h.

    Every layer is also given the radial functions √(2/r_c) sin(nπ r/r_c)/r as a_ij, because the
    square of a distance alone tells a network little about bonds.

    Args:
        species: the atomic numbers that may occur; others give NaN.
        cutoff: in Å. A chain of `layers` messages reaches `layers` times as far.
        channels: the size of h.
        vectors: how many positions an atom has. 1 as published; 0 gives the invariant network, the
            one behind the published numbers for QM9, as its code never moves an atom.
        radial: how many radial functions.
        neighbors: a typical number of neighbours: sums are divided by its root, steps by itself.
        bound: no layer moves a position by more, in Å. Unbounded steps make training diverge.
        envelope: how messages end at the cutoff; C2 by default.
        energies: a reference energy e_Z in eV for each species, 0 by default.

    Raises:
        ValueError: where `energies` does not fit `species`.
    """

    def __init__(
        self,
        species: Sequence[int],
        *,
        cutoff: float = 5.0,
        channels: int = 64,
        vectors: int = 1,
        layers: int = 3,
        radial: int = 12,
        neighbors: float = 10.0,
        bound: float = 1.0,
        envelope: Callable[[Array, float], Array] = polynomial_cutoff,
        energies: Sequence[float] | None = None,
        rngs: nnx.Rngs,
    ):
        self.cutoff, self.hops = cutoff, layers
        self.channels, self.vectors, self.radial = channels, vectors, radial
        self.envelope = envelope
        self.embedding = Embedding(species, channels, rngs=rngs)
        options = {"neighbors": neighbors**0.5, "C": 1 / neighbors, "bound": bound, "rngs": rngs}
        self.layers = nnx.Sequential(
            *(EquivariantLayer(channels, vectors, radial, **options) for _ in range(layers))
        )
        self.readout = Readout(species, energies, channels, rngs=rngs)

    def features(self, graph: Graph) -> tuple[Invariant, Moved]:
        """What h and x have become: numbers and vectors for each atom."""
        graph = graph.within(self.cutoff)
        r = graph.lengths()
        a, f = bessel_basis(r, self.cutoff, self.radial), self.envelope(r, self.cutoff)
        h = self.embedding(graph.species, r.dtype)
        x = jnp.zeros((len(h), 3, self.vectors), r.dtype)
        for layer in self.layers.layers:
            h, x = layer(graph, h, x, a, f)
        return h, x

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        h, _ = self.features(graph)
        return self.readout(h, graph.species)


class Dipole(nnx.Module):
    """The dipole moment of neutral molecules in e·Å: μ = Σ_i Σ_c w_c(h_i) x_ic.

    x_i is how far positions have moved, so μ turns with the molecule and does not change when it is
    translated. Nothing is added to it: no constant vector turns with a molecule.

    Args:
        network: whose atoms move; its energies are not used.

    Raises:
        ValueError: for a network without vectors.
    """

    def __init__(self, network: EGNN, *, rngs: nnx.Rngs):
        if network.vectors < 1:
            raise ValueError(
                "network has vectors = 0, so that it is invariant, and a dipole moment is not: "
                "build it with EGNN(species, vectors=8, …)"
            )
        self.cutoff, self.hops = network.cutoff, network.hops
        self.network = network
        self.w = nnx.Linear(network.channels, network.vectors, rngs=rngs)

    def __call__(self, graph: Graph) -> Float[Array, "structures 3"]:
        h, x = self.network.features(graph)
        return graph.per_structure((self.w(h)[:, None] * x).sum(axis=2))
