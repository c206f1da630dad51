"""From a data set to arrays that training can index: padded graphs of one shape, and their labels.

All structures get the same number of atoms and slots, so that a batch is `array[indices]` inside
the compiled loop and one shape is compiled. What the network need not learn, the energy
of the atoms, is subtracted in float64 before anything is rounded to the precision of training.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from tutor.data.dataset import Dataset
from tutor.graph import Graph
from tutor.models.composition import Composition
from tutor.neighbors import Edges, edges_of, from_edges
from tutor.pytree import pytree


@pytree(static=("known",))
@dataclasses.dataclass(frozen=True, eq=False)
class Samples:
    """Structures with labels, one per row of every array.

    Attributes:
        graph: its arrays have one axis more than those of a Graph, the first: `jax.vmap` over it.
        energy: in eV, without the energies of the atoms.
        forces: in eV/Å, 0 for padding and where there are none.
        virial: −V σ in eV, 0 where there is no stress.
        known: which of "energy", "forces" and "stress" are labelled.
    """

    graph: Graph
    energy: Float[Array, "structures"]
    forces: Float[Array, "structures atoms 3"]
    virial: Float[Array, "structures 3 3"]
    known: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.energy)

    def real(self) -> Bool[Array, "structures atoms"]:
        """Which atoms are no padding."""
        return self.graph.species > 0


def samples(
    data: Dataset, cutoff: float, *, energies: Mapping[int, float], dtype: Any = jnp.float32
) -> Samples:
    """The structures of `data` as graphs with neighbours up to `cutoff`, in Å.

    Args:
        energies: what to subtract per atom, in eV, for each atomic number; see `atomic_energies`.
        dtype: of lengths and labels; float64 needs `with tutor.precision.float64():`.

    Raises:
        ValueError: for an element without an energy, a stress without a volume, and for bad
            structures as in `tutor.neighbors.graph`.
    """
    reference = Composition(tuple(energies), tuple(energies.values()))(data.numbers)
    graph = _stack(data, cutoff, dtype)
    shape = data.positions.shape
    virial = np.zeros((len(data), 3, 3))
    if data.stress is not None:
        virial = -_volumes(data)[:, None, None] * data.stress
    forces = np.zeros(shape) if data.forces is None else data.forces
    known = [name for name in ("energy", "forces", "stress") if getattr(data, name) is not None]
    return Samples(
        graph,
        jnp.asarray(data.energy - reference, dtype),
        jnp.asarray(np.where(data.numbers[..., None] > 0, forces, 0.0), dtype),
        jnp.asarray(virial, dtype),
        tuple(known),
    )


def atomic_energies(data: Dataset) -> dict[int, float]:
    """The energies of the atoms, in eV, that fit those of `data` best: least squares, float64.

    Where all structures have one formula only their sum is known; the smallest numbers with that
    sum are taken.
    """
    fit = Composition.fit(data.numbers, data.energy)
    return dict(zip(fit.elements, fit.coefficients, strict=True))


def _volumes(data: Dataset) -> Float[np.ndarray, "structures"]:
    volumes = np.zeros(len(data)) if data.cell is None else np.abs(np.linalg.det(data.cell))
    if not volumes.all():
        raise ValueError(
            f"{data.name} has a stress for structures without volume: stress is an energy per "
            "volume, so give every structure three cell vectors, or leave the stress out"
        )
    return volumes


def _stack(data: Dataset, cutoff: float, dtype: Any) -> Graph:
    """One big graph in which every structure has the same number of rows, cut into its parts."""
    count, atoms = data.numbers.shape
    edges = []
    for s in range(count):
        rows = s * atoms + np.flatnonzero(data.numbers[s])
        own = edges_of(data[s], cutoff)
        edges.append(own._replace(senders=rows[own.senders], receivers=rows[own.receivers]))
    cell = np.zeros((count, 3, 3)) if data.cell is None else data.cell
    graph = from_edges(
        Edges(*map(np.concatenate, zip(*edges, strict=True))),
        species=data.numbers.reshape(-1),
        structure=np.zeros(count * atoms, np.int32),
        cell=cell,
        cutoff=cutoff,
        dtype=dtype,
    )
    graph = dataclasses.replace(graph, neighbor=graph.neighbor % atoms)  # counted from its first
    return jax.tree.map(lambda a: a.reshape(count, -1, *a.shape[1:]), graph)
