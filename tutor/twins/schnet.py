"""SchNet in torch, the twin of `tutor.models.schnet`.

    v_i ← v_i + φ(Σ_j f_C(r_ij) W(r_ij) ∘ A v_j),        W(r) = net(exp(−(r − μ_n)² / 2σ²))

Schütt et al., NeurIPS 2017 (arXiv 1706.08566) and J. Chem. Phys. 148, 241722 (2018).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from tutor.twins.graph import Graph
from tutor.twins.networks import MLP, Embedding, Linear, Readout
from tutor.twins.radial import gaussian_basis, polynomial_cutoff

Envelope = Callable[[Tensor, float], Tensor]


def shifted_softplus(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """ln(½ eˣ + ½): smooth, and 0 at 0."""
    # torch cuts the softplus to x where x is above 20, by default: a step of 2e-9
    return softplus(x, threshold=40.0) - math.log(2.0)


class Filters(nn.Module):
    """W(r) of every layer: networks of Gaussians of the distance, a curve for each channel."""

    def __init__(self, cutoff: float, radial: int, channels: int, layers: int):
        super().__init__()
        self.cutoff = cutoff
        self.radial = radial
        sizes = [radial, channels, channels]
        self.nets = nn.Sequential(*(MLP(sizes, activation=shifted_softplus) for _ in range(layers)))

    def forward(self, r: Float[Tensor, "*batch"]) -> list[Float[Tensor, "*batch channels"]]:
        basis = gaussian_basis(r, self.cutoff, self.radial)
        return [net(basis) for net in self.nets]


@dataclass(frozen=True)
class SmoothSum:
    """Σ_j f_C(r_ij) m_ij / √n with n a typical number of neighbours."""

    neighbors: float
    envelope: Envelope

    def __call__(self, graph: Graph, m: Float[Tensor, "atoms slots c"]) -> Float[Tensor, "atoms c"]:
        f = self.envelope(graph.lengths(), graph.cutoff)
        return graph.over_neighbors(f[..., None] * m) / self.neighbors**0.5


class Residual(nn.Module):
    """v + net(m)."""

    def __init__(self, channels: int):
        super().__init__()
        self.net = MLP([channels] * 3, activation=shifted_softplus)

    def forward(self, m: Tensor, v: Tensor) -> Tensor:
        return v + self.net(m)


class Interaction(nn.Module):
    """One round of messages; `send` is A."""

    def __init__(self, channels: int, neighbors: float, envelope: Envelope):
        super().__init__()
        self.send = Linear(channels, channels, bias=False)
        self.edges_to_nodes = SmoothSum(neighbors, envelope)
        self.node = Residual(channels)

    def forward(
        self, graph: Graph, W: Float[Tensor, "atoms slots c"], v: Float[Tensor, "atoms c"]
    ) -> Float[Tensor, "atoms c"]:
        m = self.edges_to_nodes(graph, W * graph.at_neighbors(self.send(v)))
        return self.node(m, v)


class SchNet(nn.Module):
    """Energies in eV from continuous-filter convolutions.

    Args:
        species: the atomic numbers that may occur; others give NaN.
        cutoff: in Å. A chain of `layers` messages reaches `layers` times as far.
        channels: the size of v.
        radial: how many Gaussians.
        neighbors: a typical number of neighbours; sums over them are divided by its root.
        envelope: f_C, C2 by default.
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
        layers: int = 3,
        radial: int = 50,
        neighbors: float = 10.0,
        envelope: Envelope = polynomial_cutoff,
        energies: Sequence[float] | None = None,
    ):
        super().__init__()
        self.cutoff = cutoff
        self.hops = layers
        self.embedding = Embedding(species, channels)
        self.filters = Filters(cutoff, radial, channels, layers)
        self.blocks = nn.Sequential(
            *(Interaction(channels, neighbors, envelope) for _ in range(layers))
        )
        self.readout = Readout(
            species, energies, channels, hidden=channels // 2, activation=shifted_softplus
        )

    def forward(self, graph: Graph) -> Float[Tensor, "atoms"]:
        graph = graph.within(self.cutoff)
        v = self.embedding(graph.species)
        for W, block in zip(self.filters(graph.lengths()), self.blocks, strict=True):
            v = block(graph, W, v)
        return self.readout(v, graph.species)
