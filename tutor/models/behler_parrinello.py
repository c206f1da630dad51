"""Behler and Parrinello: an energy for each atom, from a network for each element.

    E = Σ_i e_{Z_i} + net_{Z_i}((G_i − mean_{Z_i}) / std_{Z_i})

with symmetry functions G of what lies within the cutoff. Phys. Rev. Lett. 98, 146401 (2007).

The functions do not change in training. So they and their derivatives are computed once, and a
step of training is small networks and a contraction,

    F_ja = − Σ_i Σ_n ∂E_i/∂G_in ∂G_in/∂r_ja
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from tutor.data.dataset import Dataset
from tutor.graph import Graph
from tutor.models.per_species import PerSpecies, checked_energies
from tutor.models.symmetry_functions import SymmetryFunctions, Table
from tutor.neighbors import batch, graph
from tutor.system import System


class Scaling(NamedTuple):
    """Mean and standard deviation of each function (columns), for each species (rows)."""

    mean: Table
    std: Table

    @classmethod
    def of(
        cls, functions: SymmetryFunctions, systems: Iterable[System], *, floor: float = 0.05
    ) -> "Scaling":
        """As measured on training structures.

        Args:
            floor: the smallest standard deviation that counts. A function that hardly varied in
                training would otherwise be blown up where it varies: the model would extrapolate
                wildly away from the training data.

        Raises:
            ValueError: where a species does not occur, or the floor is not positive.
        """
        systems = list(systems)
        made = graph(systems, functions.cutoff)
        G = np.asarray(jax.jit(functions)(made), np.float64)
        z = np.asarray(made.species)
        missing = set(functions.species) - set(z.tolist())
        if missing or floor <= 0:
            raise ValueError(
                f"floor = {floor}, and no structure has the atomic numbers {sorted(missing)}: give "
                "a positive floor, and structures in which every species occurs"
            )
        rows = [G[z == number] for number in functions.species]
        return cls(
            tuple(tuple(row.mean(axis=0).tolist()) for row in rows),
            tuple(tuple(np.maximum(row.std(axis=0), floor).tolist()) for row in rows),
        )


class BehlerParrinello(nnx.Module):
    """Energies in eV from symmetry functions.

    Args:
        functions: which describe the surroundings; they hold the species and the cutoff.
        hidden: the sizes of the hidden layers.
        scaling: `Scaling.of(functions, training structures)`; without it G is taken as it is.
        energies: a reference energy e_Z in eV for each species, 0 by default.

    Raises:
        ValueError: where `scaling` or `energies` do not fit `functions`.
    """

    hops: ClassVar[int] = 1

    def __init__(
        self,
        functions: SymmetryFunctions,
        *,
        hidden: Sequence[int] = (24, 24),
        scaling: Scaling | None = None,
        energies: Sequence[float] | None = None,
        rngs: nnx.Rngs,
    ):
        shape = (len(functions.species), len(functions))
        scaling = scaling or Scaling(*(((x,) * shape[1],) * shape[0] for x in (0.0, 1.0)))
        found = np.shape(scaling.mean), np.shape(scaling.std)
        if found != (shape, shape):
            raise ValueError(
                f"scaling.mean and scaling.std have the shapes {found} for {shape[0]} species and "
                f"{shape[1]} functions: make them with Scaling.of(functions, systems)"
            )
        self.functions = functions
        self.cutoff = functions.cutoff
        self.scaling = scaling
        self.energies = checked_energies(energies, functions.species)
        self.nets = PerSpecies(functions.species, [len(functions), *hidden, 1], rngs=rngs)

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        z = graph.species
        return self.reference(z) + self.learned(self.functions(graph), z)

    def reference(self, z: Int[Array, "*batch"]) -> Float[Array, "*batch"]:
        """e_Z."""
        return sum(e * (z == s) for s, e in zip(self.functions.species, self.energies, strict=True))

    def learned(
        self, G: Float[Array, "*batch functions"], z: Int[Array, "*batch"]
    ) -> Float[Array, "*batch"]:
        """What the networks add to it."""
        own = (z[..., None] == jnp.array(self.functions.species)).astype(G.dtype)
        mean = own @ jnp.array(self.scaling.mean, G.dtype)
        scale = own @ (1 / jnp.array(self.scaling.std, G.dtype))
        return self.nets((G - mean) * scale, z)[..., 0]


class Precomputed(NamedTuple):
    """What training needs of each structure; padding is 0.

    Attributes:
        species: atomic numbers.
        G: symmetry functions.
        J: ∂G_in/∂r_ja in 1/Å.
        energy: the label in eV minus the reference energies of the model.
        forces: the label in eV/Å.
    """

    species: Int[Array, "structures atoms"]
    G: Float[Array, "structures atoms functions"]
    J: Float[Array, "structures atoms functions atoms 3"]
    energy: Float[Array, "structures"]
    forces: Float[Array, "structures atoms 3"]


def precompute(
    model: BehlerParrinello, data: Dataset, *, dtype=jnp.float32, chunk: int = 8
) -> Precomputed:
    """For `tutor.train.fit(model, loss, precompute(model, data), …)`.

    Args:
        dtype: of the arrays; float64 needs `with tutor.precision.float64():` around the call.
        chunk: how many structures are differentiated at a time.

    Raises:
        ValueError: where the data have no forces.
    """
    if data.forces is None:
        raise ValueError(f"{data.name} has no forces: give data with energies and forces")
    graphs = [graph(system, model.cutoff, dtype=dtype) for system in data]
    sizes = {"atoms": data.numbers.shape[1], "slots": max(g.mask.shape[1] for g in graphs)}
    graphs = [batch([g], **sizes) for g in graphs]
    graphs = jax.tree.map(lambda *leaves: np.stack(leaves), *graphs)

    positions = jnp.asarray(data.positions, dtype)
    G, J = _values_and_derivatives(model.functions, positions, graphs, chunk)
    counts, _ = data.counts(model.functions.species)
    energy = np.asarray(data.energy, np.float64) - counts @ np.array(model.energies)
    numbers = jnp.asarray(data.numbers, jnp.int32)
    return Precomputed(numbers, G, J, jnp.asarray(energy, dtype), jnp.asarray(data.forces, dtype))


@partial(jax.jit, static_argnums=(0, 3))
def _values_and_derivatives(functions, positions, graphs, chunk):
    def one(structure):
        positions, graph = structure

        def values(positions):
            G = functions(graph.at(positions))
            return G, G

        J, G = jax.jacfwd(values, has_aux=True)(positions)
        return G, J

    return jax.lax.map(one, (positions, graphs), batch_size=chunk)


def predict(
    model: BehlerParrinello, data: Precomputed
) -> tuple[Float[Array, "structures"], Float[Array, "structures atoms 3"]]:
    """Energies without the reference in eV and forces in eV/Å."""

    def energies(G):
        E = jnp.where(data.species > 0, model.learned(G, data.species), 0.0).sum(axis=1)
        return E.sum(), E

    slope, E = jax.grad(energies, has_aux=True)(data.G)
    return E, -jnp.einsum("sin,sinja->sja", slope, data.J)


def loss(model: BehlerParrinello, data: Precomputed, energy: float = 0.01) -> Float[Array, ""]:
    """Mean square error of force components, plus `energy` times that of energies (eV and Å)."""
    E, F = predict(model, data)
    real = (data.species > 0)[..., None]
    error = jnp.where(real, F - data.forces, 0.0)
    return (error**2).sum() / (3 * real.sum()) + energy * ((E - data.energy) ** 2).mean()
