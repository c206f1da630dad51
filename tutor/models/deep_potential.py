"""DeepPot-SE, the smooth descriptor of Deep Potential.

    R_ij = ℓ s(r_ij) (1, x/r, y/r, z/r)                       slots × 4
    G_ij = net_{Z_j}(ℓ s(r_ij))                               slots × M
    T_i  = N_c^(−1/2) Σ_j G_ij ⊗ R_ij                         M × 4
    D_i  = T_i T_iᵀ, of which the first M_< columns           M × M_<
    E_i  = e_{Z_i} + net_{Z_i}(D_i)

s = 1/r near the atom and ends as a C2 function at the cutoff, so D is C2. Zhang et al., NeurIPS
2018 (arXiv 1805.09003). There T is divided by N_c and ℓ is 1 Å; a typical distance for ℓ and the
square root, for a sum of terms of both signs, make the entries of D of order one, so that the
fitting network starts where it can learn. For neighbours of one species at one distance D knows
only the sum of their directions: a square and a tetrahedron are the same to it.

The four columns of R are the spherical harmonics of degree 0 and 1, and T Tᵀ adds up what the two
degrees find. `degrees` sets other groups: ((0,), (1,), (2,)) gives a D for each degree, three times
as many numbers, in which angles are told from distances and a square from a tetrahedron.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from tutor.angular import harmonics
from tutor.graph import Graph
from tutor.models.per_species import PerSpecies, checked_energies
from tutor.pytree import pytree
from tutor.radial import bessel_basis, smooth_inverse
from tutor.table import Table


class Embedding(nnx.Module):
    """G: what a neighbour of species Z at the distance r tells, a curve for each Z and channel.

    Args:
        sizes: of the layers after the input; the last is M. A single one makes G linear in the
            inputs.
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
        rngs: nnx.Rngs,
    ):
        self.cutoff = cutoff
        self.onset = onset
        self.length = length
        self.bessel = bessel
        self.nets = PerSpecies(species, [1 + bessel, *sizes], activation=jnp.tanh, rngs=rngs)

    def __call__(
        self, r: Float[Array, "*batch"], z: Int[Array, "*batch"]
    ) -> Float[Array, "*batch channels"]:
        x = smooth_inverse(r, self.onset, self.cutoff)[..., None]
        if self.bessel:
            waves = self.cutoff**0.5 * bessel_basis(r, self.cutoff, self.bessel)
            x = jnp.concatenate([x, waves], axis=-1)
        return self.nets(self.length * x, z)


@pytree(static=("species",))
@dataclass(frozen=True, eq=False)
class TabulatedEmbedding:
    """The same curves looked up in a table: the price does not grow with species or weights."""

    species: tuple[int, ...]
    table: Table

    @classmethod
    def of(cls, embedding: Embedding, low: float, tolerance: float, dtype) -> "TabulatedEmbedding":
        def curve(number):
            return lambda r: embedding(r, jnp.full(r.shape, number))

        table = Table.of(
            *map(curve, embedding.nets.species),
            low=low,
            high=embedding.cutoff,
            knot=max(low, embedding.onset),
            tolerance=tolerance,
            dtype=dtype,
        )
        return cls(embedding.nets.species, table)

    def __call__(
        self, r: Float[Array, "*batch"], z: Int[Array, "*batch"]
    ) -> Float[Array, "*batch channels"]:
        curve = sum(k * (z == number) for k, number in enumerate(self.species))
        known = sum(z == number for number in (0, *self.species)) > 0
        return self.table(jnp.where(known, r, jnp.nan), curve)


class DeepPotential(nnx.Module):
    """Energies in eV from the descriptors D.

    Args:
        species: the atomic numbers that may occur; others give NaN.
        cutoff: in Å.
        onset: where s(r) departs from 1/r, in Å.
        neighbors: N_c, about the mean number of neighbours. A constant and not a count: neither
            padding nor the number of neighbours may change the unit of D.
        length: ℓ, a typical distance to near neighbours in Å.
        embedding: the layer sizes of the embedding network; the last is M.
        axis: M_<, how many columns of D the fitting network sees.
        fitting: the sizes of its hidden layers.
        bessel: how many Bessel functions the embedding network is given beside s(r).
        degrees: the degrees of the spherical harmonics in R, 0 to 2, in groups: a D for each group,
            in which its degrees are added. As published: one group of 0 and 1.
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
        rngs: nnx.Rngs,
    ):
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
            species, embedding, cutoff=cutoff, onset=onset, length=length, bessel=bessel, rngs=rngs
        )
        sizes = [channels * axis * len(self.degrees), *fitting, 1]
        self.fitting = PerSpecies(species, sizes, activation=jnp.tanh, rngs=rngs)

    def tabulated(
        self, low: float = 0.5, *, tolerance: float | None = None, dtype: type = jnp.float32
    ) -> "DeepPotential":
        """The same potential, several times faster: its embedding network becomes a table.

        Args:
            low: the shortest distance in the table, in Å. Atoms that come nearer have the
                energy NaN.
            tolerance: of the table; by default 1e-10 in float64 and 1e-7 in float32.
            dtype: in which energies are going to be computed.

        Raises:
            ValueError: for a `low` that is not between 0 and the cutoff.
        """
        if not 0 < low < self.cutoff:
            raise ValueError(f"low = {low} Å: choose it between 0 and cutoff = {self.cutoff} Å")
        if tolerance is None:
            tolerance = 1e-10 if dtype == jnp.float64 else 1e-7
        copy = jax.tree.map(lambda leaf: leaf, self)
        copy.embedding = TabulatedEmbedding.of(self.embedding, low, tolerance, dtype)
        return copy

    def descriptor(self, graph: Graph) -> Float[Array, "atoms channels columns"]:
        """D_i of each atom, for one group of degrees after the other."""
        graph = graph.within(self.cutoff)
        r, u = graph.lengths(), graph.directions()
        s = self.length * smooth_inverse(r, self.onset, self.cutoff)  # 0 in empty slots, so is R
        G = self.embedding(r, graph.at_neighbors(graph.species))

        def product(group: tuple[int, ...]) -> Array:
            R = s[..., None] * jnp.concatenate([harmonics(u, degree) for degree in group], axis=-1)
            T = jnp.einsum("ikm,ika->ima", G, R) / self.neighbors**0.5
            return jnp.einsum("ima,ina->imn", T, T[:, : self.axis])

        return jnp.concatenate([product(group) for group in self.degrees], axis=-1)

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        z, D = graph.species, self.descriptor(graph)
        reference = sum(
            e * (z == number) for number, e in zip(self.fitting.species, self.energies, strict=True)
        )
        return reference + self.fitting(D.reshape(len(D), -1), z)[:, 0]
