"""Functions of sets: f({x_1, …, x_n}) = ρ(pool_i φ(x_i)).

Every function of a set can be written so, with a sum for the pool and a wide enough φ (Zaheer et
al., NeurIPS 2017, arXiv 1703.06114). Example: z₁² + z₂² + z₁z₂ has φ(z) = (z, z²) and
ρ(a, b) = a²/2 + b/2. What a pool forgets, the model cannot know: the sum counts, the mean forgets
how many elements there are, and the maximum also how often each of them is there.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from tutor.graph import Graph
from tutor.models.mlp import MLP
from tutor.models.per_species import PerSpecies
from tutor.radial import bessel_basis, polynomial_cutoff

Pool = Callable[[Array, Array], Array]


def sum_pool(
    h: Float[Array, "*batch elements c"], mask: Bool[Array, "*batch elements"]
) -> Float[Array, "*batch c"]:
    """Σ_i h_i. The only pool that is smooth, adds up and can count."""
    return jnp.where(mask[..., None], h, 0.0).sum(axis=-2)


def mean_pool(
    h: Float[Array, "*batch elements c"], mask: Bool[Array, "*batch elements"]
) -> Float[Array, "*batch c"]:
    """Σ_i h_i / n; 0 for the empty set."""
    return sum_pool(h, mask) / jnp.maximum(mask.sum(axis=-1), 1)[..., None]


def max_pool(
    h: Float[Array, "*batch elements c"], mask: Bool[Array, "*batch elements"]
) -> Float[Array, "*batch c"]:
    """The largest h_i in each channel; 0 for the empty set. It has kinks: not for potentials."""
    largest = jnp.where(mask[..., None], h, -jnp.inf).max(axis=-2)
    return jnp.where(mask.any(axis=-1)[..., None], largest, 0.0)


class DeepSets(nnx.Module):
    """ρ(pool_i φ(x_i)) for any φ and ρ, given as functions or as modules.

    Args:
        phi: acts on the last axis of the elements.
        rho: acts on the last axis of the pooled elements.
        pool: `sum_pool`, `mean_pool` or `max_pool`.
    """

    def __init__(
        self, phi: Callable[[Array], Array], rho: Callable[[Array], Array], pool: Pool = sum_pool
    ):
        self.phi = phi
        self.rho = rho
        self.pool = pool

    @classmethod
    def of_networks(
        cls, sizes: Sequence[int], then: Sequence[int], pool: Pool = sum_pool, *, rngs: nnx.Rngs
    ) -> "DeepSets":
        """φ and ρ as MLPs with the layer `sizes` and `then`."""
        return cls(MLP(sizes, rngs=rngs), MLP(then, rngs=rngs), pool)

    def __call__(
        self,
        x: Float[Array, "*batch elements inputs"],
        mask: Bool[Array, "*batch elements"] | None = None,
    ) -> Float[Array, "*batch outputs"]:
        """One output for each set. `mask` says which elements are there; by default all are."""
        if mask is None:
            mask = jnp.ones(x.shape[:-1], bool)
        x = jnp.where(mask[..., None], x, 0.0)  # φ never sees what fills the padding
        return self.rho(self.pool(self.phi(x), mask))


class SetPotential(nnx.Module):
    """An atom's energy from the set of its neighbours: E_i = ρ_{Z_i}(Σ_j f_C(r_ij) φ_{Z_j}(r_ij)).

    The elements of the set are distances and species, hence invariant; φ is told a distance by
    Bessel functions. It has the form of the embedded atom: blind for all angles.

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
        rngs: nnx.Rngs,
    ):
        self.cutoff = cutoff
        self.neighbors = neighbors
        self.radial = radial
        self.phi = PerSpecies(species, [radial, *hidden, channels], rngs=rngs)
        self.rho = PerSpecies(species, [channels, *hidden, 1], rngs=rngs)

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        graph = graph.within(self.cutoff)
        r, z = graph.lengths(), graph.species
        phi = self.phi(bessel_basis(r, self.cutoff, self.radial), graph.at_neighbors(z))
        weighted = polynomial_cutoff(r, self.cutoff)[..., None] * phi
        return self.rho(graph.over_neighbors(weighted) / self.neighbors, z)[:, 0]
