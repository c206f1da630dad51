"""The full graph-network block: edges, atoms and a global state update each other in turn.

    e'_ij = φᵉ(e_ij, v_i, v_j, u)          a new edge, from itself, both of its atoms and the state
    v'_i  = φᵛ(ē_i, v_i, u)                ē_i = ρᵉᵛ({e'_ij}_j), what arrives at atom i
    u'    = φᵘ(ē, v̄, u)                    ē = ρᵉᵘ({e'_ij}_ij),  v̄ = ρᵛᵘ({v'_i}_i)

Algorithm 1 of Battaglia et al., arXiv 1806.01261 (2018), on a Graph: e_ij stands in slot j of the
receiver i, a batch of structures has one state for each. Any φ and ρ may be put in. Message passing
(MPNN), SchNet and MEGNet are choices of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.models.mlp import MLP
from tutor.radial import polynomial_cutoff

Edges = Float[Array, "atoms slots edge"]
Nodes = Float[Array, "atoms node"]
State = Float[Array, "structures state"]


def over_edges(graph: Graph, e: Edges) -> Float[Array, "structures edge"]:
    """Σ_ij e_ij over all edges of each structure."""
    return graph.per_structure(graph.over_neighbors(e))


def unchanged(*arguments: Any) -> Any:
    """The last of its arguments; as φᵘ it keeps the state u."""
    return arguments[-1]


class GraphNetwork(nnx.Module):
    """One block; stack several for several steps.

    Args:
        edge: φᵉ(e, v_i, v_j, u) on arrays that broadcast against (atoms, slots, channels).
        node: φᵛ(ē, v, u) on arrays (atoms, channels).
        state: φᵘ(ē, v̄, u) on arrays (structures, channels). By default u stays as it is.
        edges_to_nodes: ρᵉᵛ(graph, e'), (atoms, channels). A sum over slots by default.
        edges_to_state, nodes_to_state: ρᵉᵘ(graph, e') and ρᵛᵘ(graph, v'), (structures, channels).
            Sums over the edges and atoms of each structure by default.
        send: what of v an atom shows to others, v_j → send(v_j). It could be a part of φᵉ, but
            here it is computed once for an atom and not once for each of its neighbours.
    """

    def __init__(
        self,
        edge: Callable[..., Array],
        node: Callable[..., Array],
        state: Callable[..., Array] = unchanged,
        *,
        edges_to_nodes: Callable[[Graph, Array], Array] = Graph.over_neighbors,
        edges_to_state: Callable[[Graph, Array], Array] = over_edges,
        nodes_to_state: Callable[[Graph, Array], Array] = Graph.per_structure,
        send: Callable[[Array], Array] = unchanged,
    ):
        self.edge, self.node, self.state = edge, node, state
        self.edges_to_nodes = edges_to_nodes
        self.edges_to_state = edges_to_state
        self.nodes_to_state = nodes_to_state
        self.send = send

    def __call__(
        self, graph: Graph, e: Edges, v: Nodes, u: State
    ) -> tuple[
        Float[Array, "atoms slots edge_"],
        Float[Array, "atoms node_"],
        Float[Array, "structures state_"],
    ]:
        """(e', v', u')."""
        at_atoms = u[graph.structure]
        v_j = graph.at_neighbors(self.send(v))
        e = self.edge(e, v[:, None], v_j, at_atoms[:, None])
        v = self.node(self.edges_to_nodes(graph, e), v, at_atoms)
        u = self.state(self.edges_to_state(graph, e), self.nodes_to_state(graph, v), u)
        return e, v, u


class Joined(nnx.Module):
    """φ(x ⊕ y ⊕ …): an MLP of everything that it is given, side by side."""

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        activation: Callable[[Array], Array] = jax.nn.silu,
        rngs: nnx.Rngs,
    ):
        self.net = MLP(sizes, activation=activation, rngs=rngs)

    def __call__(self, *parts: Float[Array, "... _"]) -> Float[Array, "... outputs"]:
        shape = jnp.broadcast_shapes(*(x.shape[:-1] for x in parts))
        full = [jnp.broadcast_to(x, (*shape, x.shape[-1])) for x in parts]
        return self.net(jnp.concatenate(full, axis=-1))


@dataclass(frozen=True)
class SmoothSum:
    """ρᵉᵛ: Σ_j f_C(r_ij) e_ij / √n. Whatever the edges hold, it ends as smoothly as f_C does.

    Args:
        neighbors: n, a typical number of neighbours. Independent terms add up to √n times their
            size, so the sum has the size of one. 1 gives the plain sum.
        envelope: f_C(r, cutoff), one of the cutoffs of `tutor.radial`.
    """

    neighbors: float = 1.0
    envelope: Callable[[Array, float], Array] = polynomial_cutoff

    def __call__(self, graph: Graph, e: Edges) -> Float[Array, "atoms edge"]:
        f = self.envelope(graph.lengths(), graph.cutoff)
        return graph.over_neighbors(f[..., None] * e) / self.neighbors**0.5


def stateless(graph: Graph, dtype: Any) -> Float[Array, "structures 0"]:
    """The global state of a model that has none."""
    return jnp.zeros((len(graph.cell), 0), dtype)


def attention(
    logits: Float[Array, "*#batch elements"], weights: Float[Array, "*#batch elements"]
) -> Float[Array, "*batch elements"]:
    """α_i = w_i exp(l_i) / Σ_k w_k exp(l_k), over the last axis; 0 where w is 0.

    A weight that goes to 0 smoothly takes its element out of the set smoothly.
    """
    there = weights > 0
    top = jax.lax.stop_gradient(
        jnp.where(there, logits, -jnp.inf).max(axis=-1, keepdims=True, initial=-1e30)
    )
    a = jnp.where(there, weights * jnp.exp(jnp.where(there, logits - top, 0.0)), 0.0)
    total = a.sum(axis=-1, keepdims=True)
    return a / jnp.where(total > 0, total, 1.0)
