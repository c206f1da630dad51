"""DeepPot-SE in torch, the twin of `tutor.models.deep_potential`.

    R_ij = ℓ s(r_ij) (1, x/r, y/r, z/r)                       slots × 4
    G_ij = net_{Z_j}(ℓ s(r_ij))                               slots × M
    T_i  = N_c^(−1/2) Σ_j G_ij ⊗ R_ij                         M × 4
    D_i  = T_i T_iᵀ, of which the first M_< columns           M × M_<
    E_i  = e_{Z_i} + net_{Z_i}(D_i)

with a D for each group of degrees of the spherical harmonics in R, as published one of 0 and 1.
Zhang et al., NeurIPS 2018 (arXiv 1805.09003).
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tutor.models.per_species import checked_energies
from tutor.twins.angular import harmonics
from tutor.twins.graph import Graph
from tutor.twins.networks import PerSpecies, one_hot
from tutor.twins.radial import bessel_basis, smooth_inverse


class Embedding(nn.Module):
    """G: what a neighbour of species Z at the distance r tells, a curve for each Z and channel.

    Args:
        sizes: of the layers after the input; the last is M.
        length: ℓ, the unit of s and of the Bessel functions, in Å.
        bessel: how many Bessel functions of r are given to the network beside s(r).
    """

    def __init__(
        self,
        species: Sequence[int],
        sizes: Sequence[int],
        *,
        cutoff: float,
        onset: float,
        length: float,
        bessel: int,
    ):
        super().__init__()
        self.cutoff = cutoff
        self.onset = onset
        self.length = length
        self.bessel = bessel
        self.nets = PerSpecies(species, [1 + bessel, *sizes], activation=torch.tanh)

    def forward(
        self, r: Float[Tensor, "*batch"], z: Int[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch channels"]:
        x = smooth_inverse(r, self.onset, self.cutoff)[..., None]
        if self.bessel:
            waves = self.cutoff**0.5 * bessel_basis(r, self.cutoff, self.bessel)
            x = torch.cat([x, waves], dim=-1)
        return self.nets(self.length * x, z)


class DeepPotential(nn.Module):
    """Energies in eV from the descriptors D.

    Args:
        species: the atomic numbers that may occur; others give NaN.
        cutoff: in Å.
        onset: where s(r) departs from 1/r, in Å.
        neighbors: N_c, about the mean number of neighbours.
        length: ℓ, a typical distance to near neighbours in Å.
        embedding: the layer sizes of the embedding network; the last is M.
        axis: M_<, how many columns of D the fitting network sees.
        fitting: the sizes of its hidden layers.
        bessel: how many Bessel functions the embedding network is given beside s(r).
        degrees: the degrees of the spherical harmonics in R, 0 to 2, in groups: a D for each group.
        energies: a reference energy e_Z in eV for each species, 0 by default.

    Raises:
        ValueError: where `axis` is larger than M, the onset is not below the cutoff, `degrees`
            holds others than 0 to 2 or none, or `energies` does not fit `species`.
    """

    hops: ClassVar[int] = 1

    def __init__(
        self,
        species: Sequence[int],
        *,
        cutoff: float = 6.0,
        onset: float = 0.5,
        neighbors: float = 30.0,
        length: float = 2.0,
        embedding: Sequence[int] = (16, 32, 32),
        axis: int = 8,
        fitting: Sequence[int] = (80, 80),
        bessel: int = 8,
        degrees: Sequence[Sequence[int]] = ((0, 1),),
        energies: Sequence[float] | None = None,
    ):
        super().__init__()
        channels = embedding[-1]
        if not 1 <= axis <= channels:
            raise ValueError(
                f"axis = {axis}: it is a part of the {channels} channels of the embedding, so "
                f"choose it from 1 to {channels}"
            )
        if not degrees or not all(group and set(group) <= {0, 1, 2} for group in degrees):
            raise ValueError(
                f"degrees = {degrees}: give groups of the degrees 0, 1 and 2, as ((0, 1),) of the "
                "paper or ((0,), (1,), (2,))"
            )
        if not 0 < onset < cutoff:
            raise ValueError(
                f"onset = {onset} Å and cutoff = {cutoff} Å: the onset must lie between 0 and the "
                "cutoff, for example at 0.5 Å"
            )
        self.energies = checked_energies(energies, species)
        self.cutoff = cutoff
        self.onset = onset
        self.neighbors = neighbors
        self.length = length
        self.axis = axis
        self.degrees = tuple(tuple(group) for group in degrees)
        self.embedding = Embedding(
            species, embedding, cutoff=cutoff, onset=onset, length=length, bessel=bessel
        )
        sizes = [channels * axis * len(self.degrees), *fitting, 1]
        self.fitting = PerSpecies(species, sizes, activation=torch.tanh)

    def descriptor(self, graph: Graph) -> Float[Tensor, "atoms channels columns"]:
        """D_i of each atom, for one group of degrees after the other."""
        graph = graph.within(self.cutoff)
        r, u = graph.lengths(), graph.directions()
        s = self.length * smooth_inverse(r, self.onset, self.cutoff)
        G = self.embedding(r, graph.at_neighbors(graph.species))

        def product(group: tuple[int, ...]) -> Tensor:
            R = s[..., None] * torch.cat([harmonics(u, degree) for degree in group], dim=-1)
            T = torch.einsum("ikm,ika->ima", G, R) / self.neighbors**0.5
            return torch.einsum("ima,ina->imn", T, T[:, : self.axis])

        return torch.cat([product(group) for group in self.degrees], dim=-1)

    def forward(self, graph: Graph) -> Float[Tensor, "atoms"]:
        z, D = graph.species, self.descriptor(graph)
        reference = one_hot(z, self.fitting.species, D.dtype) @ D.new_tensor(self.energies)
        return reference + self.fitting(D.flatten(1), z)[:, 0]
