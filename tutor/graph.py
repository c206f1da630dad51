"""Atoms and their neighbours as arrays, and the verbs in which models are written.

Each atom has the same number of neighbour *slots*; what is not needed is padding. So a sum over
neighbours is a sum over an axis, and a sum over pairs of neighbours is a sum over two:

    r = graph.lengths()                                        # (atoms, slots)
    h = graph.over_neighbors(w(r) * graph.at_neighbors(h))     # h_i = Σ_j w(r_ij) h_j

Letters: i, j atoms; k slots, or a third atom; a, b Cartesian axes; c channels. Lengths in Å.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

from tutor.pytree import pytree
from tutor.system import System

__all__ = ["Graph", "System", "masked"]


@pytree(static=("cutoff",))
@dataclass(frozen=True, eq=False)
class Graph:
    """One structure or a batch of them. Made by `tutor.neighbors.graph`.

    Attributes:
        r_ij: from atom i to its neighbour in each slot, r_j + shift · cell − r_i, in Å.
        shift: how many cell vectors lie between atom j and the image that is meant.
        neighbor: the index j; atom i itself in an empty slot.
        mask: which slots hold a neighbour.
        species: atomic numbers; 0 for padding.
        structure: which structure an atom belongs to.
        cell: the cell vectors of each structure, as rows, in Å; the unit matrix for padding.
        cutoff: every neighbour nearer than this is there. Static.
    """

    r_ij: Float[Array, "atoms slots 3"]
    shift: Int[Array, "atoms slots 3"]
    neighbor: Int[Array, "atoms slots"]
    mask: Bool[Array, "atoms slots"]
    species: Int[Array, "atoms"]
    structure: Int[Array, "atoms"]
    cell: Float[Array, "structures 3 3"]
    cutoff: float

    def lengths(self) -> Float[Array, "atoms slots"]:
        """Distances |r_ij| in Å; the cutoff in an empty slot, where they have no gradient."""
        r_ij = jnp.where(self.mask[..., None], self.r_ij, 1.0)
        return jnp.where(self.mask, jnp.sqrt((r_ij**2).sum(axis=-1)), self.cutoff)

    def directions(self) -> Float[Array, "atoms slots 3"]:
        """Unit vectors r_ij / |r_ij|; zero in an empty slot."""
        return jnp.where(self.mask[..., None], self.r_ij / self.lengths()[..., None], 0.0)

    def at_neighbors(self, h: Shaped[Array, "atoms *c"]) -> Shaped[Array, "atoms slots *c"]:
        """h_j: what each atom knows, as seen from the atoms around it.

        The only way by which a model may look at other atoms: range and heat flux rely on it.
        """
        return h[self.neighbor]

    def over_neighbors(self, m: Float[Array, "atoms slots *c"]) -> Float[Array, "atoms *c"]:
        """Σ_j m_ij."""
        return jnp.where(_like(self.mask, m), m, 0.0).sum(axis=1)

    def over_others(self, t: Float[Array, "atoms slots slots"]) -> Float[Array, "atoms slots"]:
        """Σ_{k≠j} t_ijk, a sum over the other neighbours of atom i."""
        other = ~jnp.eye(self.mask.shape[1], dtype=bool)
        return jnp.where(self.mask[:, None, :] & other, t, 0.0).sum(axis=2)

    def per_structure(self, e: Shaped[Array, "atoms *c"]) -> Shaped[Array, "structures *c"]:
        """The sum over the atoms of each structure. Atoms that are padding do not count."""
        structures = jnp.arange(len(self.cell))[:, None]
        belongs = (self.structure == structures) & (self.species > 0)
        # One masked sum instead of a scatter: the order of summation is fixed on every device.
        return jnp.where(_like(belongs, e[None]), e, 0).sum(axis=1)

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

    def at(self, positions: Float[Array, "atoms 3"]) -> "Graph":
        """The same neighbours with the atoms at other positions, in Å. Differentiable.

        Right as long as nobody new has come within the cutoff: build with a larger one, and let
        the model choose, to have room for motion.
        """
        shift = self.shift.astype(positions.dtype)
        images = jnp.einsum("ika,iab->ikb", shift, self.cell[self.structure])
        r_ij = positions[self.neighbor] + images - positions[:, None]
        return replace(self, r_ij=jnp.where(self.mask[..., None], r_ij, 0.0))


def masked(
    f: Callable[[Array], Array],
    x: Float[Array, "*shape"],
    mask: Bool[Array, "*shape"],
    safe: float = 1.0,
) -> Float[Array, "*shape"]:
    """f(x) where `mask`, else 0: f never sees what is masked, so its gradient is 0 and not NaN.

    Args:
        safe: any value at which f and its derivatives are finite.
    """
    return jnp.where(mask, f(jnp.where(mask, x, safe)), 0.0)


def _like(mask: Array, x: Array) -> Array:
    """The mask with axes of length one appended until it broadcasts against x."""
    return mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim))
