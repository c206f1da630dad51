"""Structures with labels as tensors, batches of them, and how wrong a twin is on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from tutor.data.dataset import Dataset
from tutor.precision import float64
from tutor.train.errors import Errors, summary
from tutor.train.samples import samples
from tutor.twins.graph import Graph, tensors
from tutor.twins.potential import evaluate

SLOTS = 30_000  # that are evaluated at once: few enough for the memory of a laptop


class Batch(NamedTuple):
    """Several structures as one graph, with their labels in eV and eV/Å."""

    graph: Graph
    energy: Float[Tensor, "structures"]
    forces: Float[Tensor, "atoms 3"]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Structures with labels, one per row of every tensor.

    Attributes:
        arrays: those of a Graph by name, with one axis more, the first.
        cutoff: of the graphs, in Å.
        energy: in eV, without the energies of the atoms.
        forces: in eV/Å, 0 for padding and where there are none.
        known: which of "energy", "forces" and "stress" are labelled.
    """

    arrays: Mapping[str, Shaped[Tensor, "structures ..."]]
    cutoff: float
    energy: Float[Tensor, "structures"]
    forces: Float[Tensor, "structures atoms 3"]
    known: tuple[str, ...]

    @classmethod
    def of(cls, data: Dataset, model: nn.Module, energies: Mapping[int, float]) -> "Labelled":
        """With neighbours as far as `model` looks, on its device and in its precision.

        Args:
            energies: what to subtract per atom, in eV, for each atomic number.

        Raises:
            ValueError: for an element without an energy, and for bad structures.
        """
        with float64():
            made = samples(data, model.cutoff, energies=energies, dtype=np.float64)
        found = tensors(made.graph)
        found |= {
            name: torch.tensor(np.asarray(getattr(made, name))) for name in ("energy", "forces")
        }
        weight = next(model.parameters())
        found = {
            name: t.to(weight.device, weight.dtype if t.is_floating_point() else None)
            for name, t in found.items()
        }
        labels = {name: found.pop(name) for name in ("energy", "forces")}
        return cls(found, made.graph.cutoff, **labels, known=made.known)

    def __len__(self) -> int:
        return len(self.energy)

    def batch(self, chosen: Int[Tensor, "structures"]) -> Batch:
        """The structures with these numbers."""
        chosen = chosen.to(self.energy.device)
        part = {name: array[chosen].flatten(0, 1) for name, array in self.arrays.items()}
        atoms = self.forces.shape[1]
        structure = torch.arange(len(chosen), device=chosen.device).repeat_interleave(atoms)
        part["neighbor"] = part["neighbor"] + atoms * structure[:, None]
        graph = Graph(**part | {"structure": structure}, cutoff=self.cutoff)
        return Batch(graph, self.energy[chosen], self.forces[chosen].flatten(0, 1))


def errors(potential: nn.Module, data: Dataset, *, energies: Mapping[int, float]) -> Errors:
    """The errors of `potential` on the structures of `data`, as `tutor.train.errors` counts them.

    Args:
        energies: what the potential leaves out per atom, in eV, for each atomic number.

    Raises:
        ValueError: for an element without an energy.
    """
    return summary(residuals(potential, Labelled.of(data, potential, energies)))


def residuals(potential: nn.Module, labelled: Labelled) -> dict[str, Float[np.ndarray, "_"]]:
    """Prediction minus label: "energy" (structures,) in eV, "forces" (components,) in eV/Å if they
    are labelled; and "atoms" (structures,), how many there are."""
    slots = labelled.arrays["mask"][0].numel()
    parts = []
    for chosen in torch.arange(len(labelled)).split(max(1, SLOTS // slots)):
        graph, energy, forces = labelled.batch(chosen)
        found = evaluate(potential, graph)
        real = graph.species > 0
        parts.append((found.energy - energy, graph.per_structure(real.to(energy)),
                      (found.forces - forces)[real].flatten()))  # fmt: skip
    whole = [torch.cat(column).double().cpu().numpy() for column in zip(*parts, strict=True)]
    found = dict(zip(("energy", "atoms", "forces"), whole, strict=True))
    return found if "forces" in labelled.known else {k: found[k] for k in ("energy", "atoms")}
