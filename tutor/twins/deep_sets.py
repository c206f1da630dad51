"""Functions of sets in torch, the twin of `tutor.models.deep_sets`: ρ(pool_i φ(x_i)).

Zaheer et al., NeurIPS 2017, arXiv 1703.06114.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from tutor.twins.graph import Graph
from tutor.twins.networks import MLP, PerSpecies
from tutor.twins.radial import bessel_basis, polynomial_cutoff

Pool = Callable[[Tensor, Tensor], Tensor]


def sum_pool(
    h: Float[Tensor, "*batch elements c"], mask: Bool[Tensor, "*batch elements"]
) -> Float[Tensor, "*batch c"]:
    """Σ_i h_i. The only pool that is smooth, adds up and can count."""
    return torch.where(mask[..., None], h, 0.0).sum(dim=-2)


def mean_pool(
    h: Float[Tensor, "*batch elements c"], mask: Bool[Tensor, "*batch elements"]
) -> Float[Tensor, "*batch c"]:
    """Σ_i h_i / n; 0 for the empty set."""
    return sum_pool(h, mask) / mask.sum(dim=-1).clamp(min=1)[..., None]


def max_pool(
    h: Float[Tensor, "*batch elements c"], mask: Bool[Tensor, "*batch elements"]
) -> Float[Tensor, "*batch c"]:
    """The largest h_i in each channel; 0 for the empty set. It has kinks: not for potentials."""
    largest = torch.where(mask[..., None], h, -torch.inf).amax(dim=-2)
    return torch.where(mask.any(dim=-1)[..., None], largest, 0.0)


class DeepSets(nn.Module):
    """ρ(pool_i φ(x_i)) for any φ and ρ, given as functions or as modules.

    Args:
        phi: acts on the last axis of the elements.
        rho: acts on the last axis of the pooled elements.
        pool: `sum_pool`, `mean_pool` or `max_pool`.
    """

    def __init__(
        self,
        phi: Callable[[Tensor], Tensor],
        rho: Callable[[Tensor], Tensor],
        pool: Pool = sum_pool,
    ):
        super().__init__()
        self.phi = phi
        self.rho = rho
        self.pool = pool

    @classmethod
    def of_networks(
        cls, sizes: Sequence[int], then: Sequence[int], pool: Pool = sum_pool
    ) -> "DeepSets":
        """φ and ρ as MLPs with the layer `sizes` and `then`."""
        return cls(MLP(sizes), MLP(then), pool)

    def forward(
        self,
        x: Float[Tensor, "*batch elements inputs"],
        mask: Bool[Tensor, "*batch elements"] | None = None,
    ) -> Float[Tensor, "*batch outputs"]:
        """One output for each set. `mask` says which elements are there; by default all are."""
        if mask is None:
            mask = torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device)
        x = torch.where(mask[..., None], x, 0.0)
        return self.rho(self.pool(self.phi(x), mask))


class SetPotential(nn.Module):
    """An atom's energy from the set of its neighbours: E_i = ρ_{Z_i}(Σ_j f_C(r_ij) φ_{Z_j}(r_ij)).

    Args:
        species: the atomic numbers that may occur.
        cutoff: in Å.
        neighbors: a typical number of neighbours, by which the sum is divided.
        channels: the size of φ's output.
        hidden: the sizes of the hidden layers of both networks.
        radial: how many Bessel functions.
    """

    hops: ClassVar[int] = 1

    def __init__(
        self,
        species: Sequence[int],
        *,
        cutoff: float = 6.0,
        neighbors: float = 30.0,
        channels: int = 32,
        hidden: Sequence[int] = (32,),
        radial: int = 8,
    ):
        super().__init__()
        self.cutoff = cutoff
        self.neighbors = neighbors
        self.radial = radial
        self.phi = PerSpecies(species, [radial, *hidden, channels])
        self.rho = PerSpecies(species, [channels, *hidden, 1])

    def forward(self, graph: Graph) -> Float[Tensor, "atoms"]:
        graph = graph.within(self.cutoff)
        r, z = graph.lengths(), graph.species
        phi = self.phi(bessel_basis(r, self.cutoff, self.radial), graph.at_neighbors(z))
        weighted = polynomial_cutoff(r, self.cutoff)[..., None] * phi
        return self.rho(graph.over_neighbors(weighted) / self.neighbors, z)[:, 0]
