"""MEGNet: bonds, then atoms, then a state of the whole structure.

    e_ij ← e_ij + φᵉ(e_ij, v_i, v_j, u)        1. update bonds
    v_i  ← v_i + φᵛ(ē_i, v_i, u)               2. update atoms
    u    ← u + φᵘ(ē, v̄, u)                     3. update the state

A graph network with all of its parts; each of e, v and u first passes through a network of its own.
Chen, Ye, Zuo, Zheng and Ong, Chem. Mater. 31, 3564 (2019), arXiv 1812.05055. Their means over bonds
are sums that end smoothly here, so that a bond can break; v̄ and ē are means over atoms.

With a state this is no interatomic potential. Through u each atom feels every other, at any
distance, and two molecules far apart do not have the sum of their energies. It is made for what
does not grow with a structure, such as an energy per atom or a band gap: `property` gives that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from tutor.graph import Graph
from tutor.models.graph_network import GraphNetwork, Joined, SmoothSum, attention
from tutor.models.mlp import MLP
from tutor.models.readout import Embedding, Readout
from tutor.models.schnet import shifted_softplus
from tutor.radial import gaussian_basis, polynomial_cutoff


class Features(NamedTuple):
    """What the blocks know of bonds, atoms and structures."""

    bonds: Float[Array, "atoms slots channels"]
    atoms: Float[Array, "atoms channels"]
    state: Float[Array, "structures channels"]


def mean_over_atoms(graph: Graph, v: Float[Array, "atoms c"]) -> Float[Array, "structures c"]:
    """v̄; 0 for a structure that is padding."""
    count = graph.per_structure(jnp.ones((len(v), 1), v.dtype))
    return graph.per_structure(v) / jnp.maximum(count, 1)


@dataclass(frozen=True)
class MeanOfSums:
    """ρᵉᵘ: ē, the mean over atoms of what arrives at them."""

    sums: SmoothSum

    def __call__(
        self, graph: Graph, e: Float[Array, "atoms slots c"]
    ) -> Float[Array, "structures c"]:
        return mean_over_atoms(graph, self.sums(graph, e))


def dense(sizes: Sequence[int], rngs: nnx.Rngs) -> MLP:
    """Two layers with the shifted softplus between them."""
    return MLP(sizes, activation=shifted_softplus, rngs=rngs)


class Block(nnx.Module):
    """Three networks, the graph network, and the old features added to the new."""

    def __init__(self, channels: int, neighbors: float, *, rngs: nnx.Rngs):
        c, sums = channels, SmoothSum(neighbors)
        self.before = nnx.Sequential(*(dense([c, c, c], rngs) for _ in Features._fields))
        phi = [
            Joined([parts * c, c, c], activation=shifted_softplus, rngs=rngs) for parts in (4, 3, 3)
        ]
        self.network = GraphNetwork(
            *phi,
            edges_to_nodes=sums,
            edges_to_state=MeanOfSums(sums),
            nodes_to_state=mean_over_atoms,
        )

    def __call__(self, graph: Graph, old: Features) -> Features:
        inputs = (net(x) for net, x in zip(self.before.layers, old, strict=True))
        new = self.network(graph, *inputs)
        return Features(*(x + y for x, y in zip(old, new, strict=True)))


class Set2Set(nnx.Module):
    """A vector for a set: an LSTM asks it a few questions, attention answers.

    Vinyals, Bengio and Kudlur, ICLR 2016 (arXiv 1511.06391).
    """

    def __init__(self, channels: int, steps: int = 3, *, rngs: nnx.Rngs):
        self.steps = steps
        self.gates = nnx.Linear(2 * channels, 4 * channels, rngs=rngs)

    def __call__(
        self,
        x: Float[Array, "elements channels"],
        weights: Float[Array, "structures elements"],
    ) -> Float[Array, "structures 2*channels"]:
        """The last question and its answer.

        Args:
            weights: how much of an element is in the set of a structure, from 0 to 1.
        """
        memory = jnp.zeros((len(weights), x.shape[1]), x.dtype)
        asked = jnp.concatenate([memory, memory], axis=1)
        for _ in range(self.steps):
            i, f, o, new = jnp.split(self.gates(asked), 4, axis=1)
            memory = jax.nn.sigmoid(f) * memory + jax.nn.sigmoid(i) * jnp.tanh(new)
            question = jax.nn.sigmoid(o) * jnp.tanh(memory)
            answer = attention(question @ x.T, weights) @ x
            asked = jnp.concatenate([question, answer], axis=1)
        return asked


class StructureReadout(nnx.Module):
    """One number for each structure, from the sets of its bonds and atoms and from its state."""

    per: ClassVar[str] = "structure"

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        self.bonds = Set2Set(channels, rngs=rngs)
        self.atoms = Set2Set(channels, rngs=rngs)
        self.net = dense([5 * channels, channels, 1], rngs)

    def __call__(self, graph: Graph, features: Features) -> Float[Array, "structures"]:
        e, v, u = features
        mine: Bool[Array, "structures atoms"]
        mine = (graph.structure == jnp.arange(len(u))[:, None]) & (graph.species > 0)
        f = jnp.where(graph.mask, polynomial_cutoff(graph.lengths(), graph.cutoff), 0.0)
        bonds = jnp.where(mine[:, :, None], f, 0.0).reshape(len(u), -1)
        parts = [
            self.bonds(e.reshape(-1, e.shape[-1]), bonds),
            self.atoms(v, mine.astype(v.dtype)),
            u,
        ]
        return self.net(jnp.concatenate(parts, axis=1))[:, 0]


class AtomReadout(nnx.Module):
    """One energy for each atom, read from v. It still depends on the whole structure, by way of u.

    Args: as for `tutor.models.readout.Readout`.
    """

    per: ClassVar[str] = "atom"

    def __init__(self, species: Sequence[int], channels: int, *, rngs: nnx.Rngs):
        self.readout = Readout(species, None, channels, rngs=rngs)

    def __call__(self, graph: Graph, features: Features) -> Float[Array, "atoms"]:
        return self.readout(features.atoms, graph.species)


class MEGNet(nnx.Module):
    """A property of a structure, or energies of its atoms.

    Args:
        species: the atomic numbers that may occur.
        cutoff: in Å, of bonds.
        channels: the size of e, v and u.
        blocks: how many updates.
        radial: how many Gaussians of the distance a bond begins with.
        neighbors: a typical number of neighbours; sums over them are divided by its root.
        readout: a `StructureReadout`, as in the paper and by default, or an `AtomReadout`.
    """

    hops: ClassVar[float] = math.inf  # the state joins all atoms

    def __init__(
        self,
        species: Sequence[int],
        *,
        cutoff: float = 5.0,
        channels: int = 32,
        blocks: int = 3,
        radial: int = 20,
        neighbors: float = 10.0,
        readout: StructureReadout | AtomReadout | None = None,
        rngs: nnx.Rngs,
    ):
        self.cutoff = cutoff
        self.radial = radial
        self.embedding = Embedding(species, channels, rngs=rngs)
        self.bonds = dense([radial, channels, channels], rngs)
        self.state = nnx.Param(jnp.zeros(channels))
        self.blocks = nnx.Sequential(
            *(Block(channels, neighbors, rngs=rngs) for _ in range(blocks))
        )
        self.readout = readout or StructureReadout(channels, rngs=rngs)

    def features(self, graph: Graph) -> Features:
        """Bonds, atoms and state after the last block, for a graph within the cutoff."""
        r = graph.lengths()
        features = Features(
            bonds=self.bonds(gaussian_basis(r, self.cutoff, self.radial)),
            atoms=self.embedding(graph.species, r.dtype),
            state=jnp.tile(self.state[...].astype(r.dtype), (len(graph.cell), 1)),
        )
        for block in self.blocks.layers:
            features = block(graph, features)
        return features

    def property(self, graph: Graph) -> Float[Array, "rows"]:
        """What the read-out says: one number for each structure, or for each atom."""
        graph = graph.within(self.cutoff)
        return self.readout(graph, self.features(graph))

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        """Energies of atoms in eV, as a potential gives them.

        Raises:
            TypeError: where the read-out is one of whole structures.
        """
        if self.readout.per != "atom":
            raise TypeError(
                f"{type(self.readout).__name__} reads one number from a whole {self.readout.per}, "
                "but an energy of each atom is needed here: ask MEGNet.property(graph) for that "
                "number, or build MEGNet(…, readout=AtomReadout(species, channels, rngs=rngs))"
            )
        return self.property(graph)
