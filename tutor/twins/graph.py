"""The Graph of `tutor.graph` in torch: the same fields, the same verbs, the same padding."""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

import tutor.graph


@dataclass(frozen=True, eq=False)
class Graph:
    """One structure or a batch of them.

    Attributes:
        r_ij: from atom i to its neighbour in each slot, r_j + shift · cell − r_i, in Å.
        shift: how many cell vectors lie between atom j and the image that is meant.
        neighbor: the index j; atom i itself in an empty slot.
        mask: which slots hold a neighbour.
        species: atomic numbers; 0 for padding.
        structure: which structure an atom belongs to.
        cell: the cell vectors of each structure, as rows, in Å; the unit matrix for padding.
        cutoff: every neighbour nearer than this is there.
    """

    r_ij: Float[Tensor, "atoms slots 3"]
    shift: Int[Tensor, "atoms slots 3"]
    neighbor: Int[Tensor, "atoms slots"]
    mask: Bool[Tensor, "atoms slots"]
    species: Int[Tensor, "atoms"]
    structure: Int[Tensor, "atoms"]
    cell: Float[Tensor, "structures 3 3"]
    cutoff: float

    @classmethod
    def of(cls, graph: tutor.graph.Graph, *, device: torch.device | str | None = None) -> "Graph":
        """A copy of a graph that `tutor.neighbors.graph` has made, in the same precision."""
        return cls(**tensors(graph, device), cutoff=graph.cutoff)

    def lengths(self) -> Float[Tensor, "atoms slots"]:
        """Distances |r_ij| in Å; the cutoff in an empty slot, where they have no gradient."""
        r_ij = torch.where(self.mask[..., None], self.r_ij, 1.0)
        return torch.where(self.mask, (r_ij**2).sum(dim=-1).sqrt(), self.cutoff)

    def directions(self) -> Float[Tensor, "atoms slots 3"]:
        """Unit vectors r_ij / |r_ij|; zero in an empty slot."""
        return torch.where(self.mask[..., None], self.r_ij / self.lengths()[..., None], 0.0)

    def at_neighbors(self, h: Shaped[Tensor, "atoms *c"]) -> Shaped[Tensor, "atoms slots *c"]:
        """h_j: what each atom knows, as seen from the atoms around it."""
        found = h.index_select(0, self.neighbor.flatten())
        return found.reshape(*self.neighbor.shape, *h.shape[1:])

    def over_neighbors(self, m: Float[Tensor, "atoms slots *c"]) -> Float[Tensor, "atoms *c"]:
        """Σ_j m_ij."""
        return torch.where(_like(self.mask, m), m, 0.0).sum(dim=1)

    def over_others(self, t: Float[Tensor, "atoms slots slots"]) -> Float[Tensor, "atoms slots"]:
        """Σ_{k≠j} t_ijk, a sum over the other neighbours of atom i."""
        other = ~torch.eye(self.mask.shape[1], dtype=torch.bool, device=t.device)
        return torch.where(self.mask[:, None, :] & other, t, 0.0).sum(dim=2)

    def per_structure(self, e: Shaped[Tensor, "atoms *c"]) -> Shaped[Tensor, "structures *c"]:
        """The sum over the atoms of each structure. Atoms that are padding do not count."""
        structures = torch.arange(len(self.cell), device=e.device)[:, None]
        belongs = (self.structure == structures) & (self.species > 0)
        return torch.where(_like(belongs, e[None]), e, 0).sum(dim=1)

    def within(self, cutoff: float) -> "Graph":
        """The same atoms with only those neighbours that are nearer than `cutoff`.

        Raises:
            ValueError: where the graph does not reach that far.
        """
        if cutoff > self.cutoff:
            raise ValueError(
                f"the graph holds neighbours up to {self.cutoff} Å, but {cutoff} Å are needed: "
                f"build it with graph(systems, cutoff={cutoff})"
            )
        return replace(self, mask=self.mask & (self.lengths() < cutoff), cutoff=cutoff)

    def at(self, positions: Float[Tensor, "atoms 3"]) -> "Graph":
        """The same neighbours with the atoms at other positions, in Å. Differentiable."""
        shift = self.shift.to(positions.dtype)
        images = torch.einsum("ika,iab->ikb", shift, self.cell[self.structure])
        r_ij = self.at_neighbors(positions) + images - positions[:, None]
        return replace(self, r_ij=torch.where(self.mask[..., None], r_ij, 0.0))


def tensors(
    graph: tutor.graph.Graph, device: torch.device | str | None = None
) -> dict[str, Tensor]:
    """The arrays of a graph by name; integers become int64, with which torch counts."""
    names = [field.name for field in fields(Graph) if field.name != "cutoff"]
    found = {n: torch.tensor(np.asarray(getattr(graph, n)), device=device) for n in names}
    return {n: t.long() if t.dtype == torch.int32 else t for n, t in found.items()}


def _like(mask: Tensor, x: Tensor) -> Tensor:
    """The mask with axes of length one appended until it broadcasts against x."""
    return mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim))
