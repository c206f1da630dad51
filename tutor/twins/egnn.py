"""EGNN in torch, the twin of `tutor.models.egnn`: atoms exchange messages and move.

    m_ij = φ_e(h_i, h_j, |d_ij|², a_ij)        d_ij = x_i − x_j
    x_i ← x_i + C Σ_j d_ij φ_x(m_ij)
    h_i ← h_i + φ_h(h_i, Σ_j m_ij)

Satorras, Hoogeboom and Welling, ICML 2021 (arXiv 2102.09844). What is kept of the positions
x_i in R^(3 × vectors) is how far they have moved from the atom.
"""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from tutor.twins.graph import Graph
from tutor.twins.networks import MLP, Embedding, Linear, Readout
from tutor.twins.radial import bessel_basis, polynomial_cutoff

Invariant = Float[Tensor, "atoms channels"]
Moved = Float[Tensor, "atoms 3 vectors"]
EdgeFeatures = Float[Tensor, "atoms slots edge"]
Weights = Float[Tensor, "atoms slots"]


def bounded(u: Moved, bound: float) -> Moved:
    """u / √(1 + |u|²/b²): short steps as they are, long ones cut to b Å."""
    return u / torch.sqrt(1 + (u**2).sum(dim=1, keepdim=True) / bound**2)


class EquivariantLayer(nn.Module):
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
        bound: float = math.inf,
    ):
        super().__init__()
        self.neighbors, self.C, self.bound = neighbors, C, bound
        self.phi_e = MLP([2 * channels + vectors + edge, channels, channels])
        self.phi_h = MLP([2 * channels, channels, channels])
        self.hidden = Linear(channels, channels)
        self.phi_x = Linear(channels, vectors, bias=False, std=1e-3 / channels**0.5)

    def forward(
        self, graph: Graph, h: Invariant, x: Moved, a: EdgeFeatures, f: Weights
    ) -> tuple[Invariant, Moved]:
        """h and x after the messages; `f` weighs each of them, and ends at 0 at the cutoff."""
        r_ij = torch.where(graph.mask[..., None], graph.r_ij, 0.0)
        d = x[:, None] - graph.at_neighbors(x) - r_ij[..., None]
        h_i = h[:, None].expand(-1, a.shape[1], -1)
        inputs = [h_i, graph.at_neighbors(h), (d**2).sum(dim=2), a]
        m = f[..., None] * silu(self.phi_e(torch.cat(inputs, dim=-1)))
        along = self.phi_x(silu(self.hidden(m)))
        step = f[..., None, None] * d * along[:, :, None]
        x = x + bounded(self.C * graph.over_neighbors(step), self.bound)
        M = graph.over_neighbors(m) / self.neighbors
        return h + self.phi_h(torch.cat([h, M], dim=-1)), x


class EGNN(nn.Module):
    """Energies in eV, read from h.

    Args:
        species: the atomic numbers that may occur; others give NaN.
        cutoff: in Å. A chain of `layers` messages reaches `layers` times as far.
        channels: the size of h.
        vectors: how many positions an atom has. 1 as published; 0 gives the invariant network.
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
        envelope: Callable[[Tensor, float], Tensor] = polynomial_cutoff,
        energies: Sequence[float] | None = None,
    ):
        super().__init__()
        self.cutoff, self.hops = cutoff, layers
        self.channels, self.vectors, self.radial = channels, vectors, radial
        self.envelope = envelope
        self.embedding = Embedding(species, channels)
        options = {"neighbors": neighbors**0.5, "C": 1 / neighbors, "bound": bound}
        self.layers = nn.Sequential(
            *(EquivariantLayer(channels, vectors, radial, **options) for _ in range(layers))
        )
        self.readout = Readout(species, energies, channels)

    def features(self, graph: Graph) -> tuple[Invariant, Moved]:
        """What h and x have become: numbers and vectors for each atom."""
        graph = graph.within(self.cutoff)
        r = graph.lengths()
        a, f = bessel_basis(r, self.cutoff, self.radial), self.envelope(r, self.cutoff)
        h = self.embedding(graph.species)
        x = h.new_zeros(len(h), 3, self.vectors)
        for layer in self.layers:
            h, x = layer(graph, h, x, a, f)
        return h, x

    def forward(self, graph: Graph) -> Float[Tensor, "atoms"]:
        h, _ = self.features(graph)
        return self.readout(h, graph.species)


class Dipole(nn.Module):
    """The dipole moment of neutral molecules in e·Å: μ = Σ_i Σ_c w_c(h_i) x_ic.

    Args:
        network: whose atoms move; its energies are not used.

    Raises:
        ValueError: for a network without vectors.
    """

    def __init__(self, network: EGNN):
        super().__init__()
        if network.vectors < 1:
            raise ValueError(
                "network has vectors = 0, so that it is invariant, and a dipole moment is not: "
                "build it with EGNN(species, vectors=8, …)"
            )
        self.cutoff, self.hops = network.cutoff, network.hops
        self.network = network
        self.w = Linear(network.channels, network.vectors)

    def forward(self, graph: Graph) -> Float[Tensor, "structures 3"]:
        h, x = self.network.features(graph)
        return graph.per_structure((self.w(h)[:, None] * x).sum(dim=2))
