"""Roost: an energy from a chemical formula, without a single position.

The graph of a formula has its elements for nodes, each joined to all of them and to itself. With
w_i for the fraction of element i in the formula,

    h_i ← h_i + Σ_j α_ij g(h_i ⊕ h_j),     α_ij = w_j exp f(h_i ⊕ h_j) / Σ_k w_k exp f(h_i ⊕ h_k)

several times, with several pairs of networks f and g (heads), of which the mean is taken. Then

    E / atoms = net(Σ_i α_i g(h_i)),       α_i = w_i exp f(h_i) / Σ_k w_k exp f(h_k)

Goodall and Lee, Nat. Commun. 11, 6280 (2020), arXiv 1910.00617. Isomers have one formula and hence
one energy: what is left of the error is what geometry decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from tutor.graph import Graph
from tutor.models.composition import count_elements
from tutor.models.graph_network import (
    GraphNetwork,
    Joined,
    attention,
    stateless,
)
from tutor.models.mlp import MLP
from tutor.models.per_species import checked_energies, checked_species


def formula_graph(counts: Float[Array, "structures elements"]) -> Graph:
    """Nodes are elements, padding where there is none of it; each structure is fully connected."""
    structures, elements = counts.shape
    structure = jnp.repeat(jnp.arange(structures), elements)
    neighbor = structure[:, None] * elements + jnp.arange(elements)
    there = counts.reshape(-1) > 0
    nothing = jnp.zeros((*neighbor.shape, 3), counts.dtype)
    return Graph(
        r_ij=nothing,
        shift=nothing.astype(jnp.int32),
        neighbor=neighbor,
        mask=there[:, None] & there[neighbor],
        species=there.astype(jnp.int32),
        structure=structure,
        cell=jnp.tile(jnp.eye(3, dtype=counts.dtype), (structures, 1, 1)),
        cutoff=1.0,  # it has no geometry
    )


def attended(
    weights: Float[Array, "*batch elements"], y: Float[Array, "*batch elements outputs"], heads: int
) -> Float[Array, "*batch channels"]:
    """The mean over heads of Σ_j α_j g_j, from y = (f, g) of each head, side by side."""
    y = y.reshape(*y.shape[:-1], heads, -1)
    f, g = jnp.swapaxes(y[..., 0], -1, -2), y[..., 1:]
    return jnp.einsum("...hj,...jhc->...c", attention(f, weights[..., None, :]), g) / heads


class Speak(nnx.Module):
    """φᵉ: the weight of the sender, then f and g of all heads."""

    def __init__(self, sizes: Sequence[int], *, rngs: nnx.Rngs):
        self.net = Joined(sizes, rngs=rngs)

    def __call__(self, w_j: Array, h_i: Array, h_j: Array, u: Array) -> Array:
        return jnp.concatenate([w_j, self.net(h_i, h_j)], axis=-1)


@dataclass(frozen=True)
class Listen:
    """ρᵉᵛ: soft attention to what the others say, weighted by how much there is of them."""

    heads: int

    def __call__(
        self, graph: Graph, e: Float[Array, "atoms slots outputs"]
    ) -> Float[Array, "atoms channels"]:
        return attended(jnp.where(graph.mask, e[..., 0], 0.0), e[..., 1:], self.heads)


def added(m: Array, h: Array, u: Array) -> Array:
    """φᵛ: h + m."""
    return h + m


class Roost(nnx.Module):
    """Energies in eV of structures from how many atoms of each element they have.

    Args:
        species: the atomic numbers that may occur, in the order of the columns of `counts`.
        channels: the size of h, which begins as a learned vector of the element beside w.
        layers: how many rounds of messages.
        heads: how many pairs of f and g.
        hidden: the size of the hidden layers of all networks.
        energies: a reference energy e_Z in eV for each species, 0 by default, for every atom of it.

    Raises:
        ValueError: where `energies` does not fit `species`.
    """

    def __init__(
        self,
        species: Sequence[int],
        *,
        channels: int = 32,
        layers: int = 3,
        heads: int = 3,
        hidden: int = 64,
        energies: Sequence[float] | None = None,
        rngs: nnx.Rngs,
    ):
        self.species = checked_species(species)
        self.energies = checked_energies(energies, self.species)
        self.heads = heads
        outputs = heads * (1 + channels)
        table = jax.random.normal(rngs.params(), (len(self.species), channels - 1), "f4")
        self.table = nnx.Param(table)
        self.blocks = nnx.Sequential(
            *(
                GraphNetwork(
                    Speak([2 * channels, hidden, outputs], rngs=rngs),
                    added,
                    edges_to_nodes=Listen(heads),
                )
                for _ in range(layers)
            )
        )
        self.pool = MLP([channels, hidden, outputs], rngs=rngs)
        self.net = MLP([channels, hidden, 1], rngs=rngs)

    def __call__(self, counts: Float[Array, "structures elements"]) -> Float[Array, "structures"]:
        graph, atoms = formula_graph(counts), counts.sum(axis=1)
        w = counts / atoms[:, None]
        nodes = w.reshape(-1, 1)
        table = jnp.tile(self.table[...].astype(w.dtype), (len(w), 1))
        h, u = jnp.concatenate([table, nodes], axis=1), stateless(graph, w.dtype)
        for block in self.blocks.layers:
            _, h, _ = block(graph, graph.at_neighbors(nodes), h, u)
        whole = attended(w, self.pool(h).reshape(*w.shape, -1), self.heads)
        return counts @ jnp.array(self.energies, w.dtype) + atoms * self.net(whole)[:, 0]

    def counts(
        self, numbers: Int[np.ndarray, "structures atoms"]
    ) -> Float[np.ndarray, "structures elements"]:
        """How many atoms of each of the `species`; 0 in `numbers` is padding.

        Raises:
            ValueError: for an element that is not among the `species`.
        """
        unknown = set(np.unique(numbers[numbers > 0]).tolist()) - set(self.species)
        if unknown:
            raise ValueError(
                f"numbers holds the atomic numbers {sorted(unknown)}, but this model knows only "
                f"{list(self.species)}: build it with species that contain them"
            )
        return count_elements(numbers, self.species).astype(np.float32)
