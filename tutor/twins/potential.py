"""From atomic energies to energy, forces and virial, by autograd with respect to r_ij.

A potential is a module with `cutoff` and `hops` that takes a Graph and returns an energy for every
atom. With g_ij = ∂E/∂r_ij,

    F_i = Σ_j g_ij − Σ_j g_ji          W = −Σ_ij r_ij ⊗ g_ij
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from tutor import neighbors
from tutor.precision import float64
from tutor.symmetry import Spec, atomistic, pbc
from tutor.system import System
from tutor.twins.graph import Graph


class Evaluation(NamedTuple):
    """All that one forward and one reverse pass give: eV, eV, eV/Å and eV."""

    energies: Float[Tensor, "atoms"]
    energy: Float[Tensor, "structures"]
    forces: Float[Tensor, "atoms 3"]
    virial: Float[Tensor, "structures 3 3"]


def evaluate(
    potential: Callable[[Graph], Tensor], graph: Graph, *, create_graph: bool = False
) -> Evaluation:
    """Energies, forces −∂E/∂r_i and virial −∂E/∂strain. Stress is −virial / volume.

    Args:
        create_graph: keep what is needed to differentiate the result by the weights, as a loss
            does. Without it the result carries no gradient.

    Raises:
        ValueError: where the graph does not reach as far as the potential looks, or the potential
            does not give one energy for each atom.
    """
    name = type(potential).__name__
    if potential.cutoff > graph.cutoff:
        raise ValueError(
            f"{name} looks {potential.cutoff} Å far, but the graph holds only neighbours up to "
            f"{graph.cutoff} Å: build it with graph(systems, {potential.cutoff})"
        )
    with torch.enable_grad():
        r_ij = graph.r_ij.detach().requires_grad_()
        energies = potential(replace(graph, r_ij=r_ij))
        if energies.shape != graph.species.shape:
            raise ValueError(
                f"{name} gives energies of shape {tuple(energies.shape)} for the "
                f"{len(graph.species)} atoms of the graph: a potential gives one for each atom"
            )
        energies = torch.where(graph.species > 0, energies, 0.0)
        (g_ij,) = torch.autograd.grad(energies.sum(), r_ij, create_graph=create_graph)
    if not create_graph:
        energies = energies.detach()
    # the one sum over senders: autograd does the same to every gather of a forward pass
    received = torch.zeros_like(g_ij[:, 0]).index_add(
        0, graph.neighbor.flatten(), g_ij.flatten(0, 1)
    )
    virial = -graph.per_structure(torch.einsum("ika,ikb->iab", graph.r_ij, g_ij))
    virial = (virial + virial.mT) / 2
    return Evaluation(energies, graph.per_structure(energies), g_ij.sum(dim=1) - received, virial)


class Atomistic(nn.Module):
    """A potential as a map from arrays: `tutor.symmetry.check(Atomistic(potential))`.

    Neighbours are searched anew in each call, in float64.

    Args:
        potential: any potential of this package.
        periodic: whether the map also takes cell and pbc, and gives stress.
    """

    def __init__(self, potential: nn.Module, *, periodic: bool = False):
        super().__init__()
        self.potential = potential
        outputs = ("energy", "energies", "forces", *(("stress",) if periodic else ()))
        self.spec = atomistic(*outputs, periodic=periodic)
        if periodic:
            self.spec = Spec({**self.spec.inputs, "pbc": pbc()}, self.spec.outputs)

    def forward(
        self,
        positions: Float[Tensor, "atoms 3"],
        species: Int[Tensor, "atoms"],
        cell: Float[Tensor, "3 3"] | None = None,
        pbc: Shaped[Tensor, "3"] | None = None,
    ) -> dict[str, Tensor]:
        """energy (eV), energies (eV), forces (eV/Å) and with a cell stress (eV/Å³)."""
        box = () if cell is None else (cell.double().numpy(), pbc.bool().numpy())
        system = System(species.numpy(), positions.detach().double().numpy(), *box)
        with float64():
            made = Graph.of(neighbors.graph(system, self.potential.cutoff, dtype=float))
        made = replace(made, r_ij=made.r_ij.to(positions.dtype), cell=made.cell.to(positions.dtype))
        found = evaluate(self.potential, made)
        answer = {"energy": found.energy[0], "energies": found.energies, "forces": found.forces}
        if cell is not None:
            answer["stress"] = -found.virial[0] / cell.det().abs()
        return answer
