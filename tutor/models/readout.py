"""What networks on atoms begin and end with: a vector for each element, an energy for each atom."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from tutor.models.per_species import checked_energies, checked_species


def one_hot(
    z: Int[Array, "atoms"], species: Sequence[int], dtype: Any = jnp.float32
) -> Float[Array, "atoms species"]:
    """1 in the column of the atom's element. Zeros for padding, z = 0, and NaN for what is unknown.

    Inside jit nobody can raise, so an element that the model does not know has no energy.
    """
    match = z[:, None] == jnp.array(species)
    known = match.any(axis=1) | (z == 0)
    return jnp.where(known[:, None], match, jnp.nan).astype(dtype)


class Embedding(nnx.Module):
    """h_i = a_{Z_i}: learned numbers for each of the atomic numbers `species`."""

    def __init__(self, species: Sequence[int], channels: int, *, rngs: nnx.Rngs):
        self.species = checked_species(species)
        self.table = nnx.Param(jax.random.normal(rngs.params(), (len(species), channels), "f4"))

    def __call__(self, z: Int[Array, "atoms"], dtype: Any) -> Float[Array, "atoms channels"]:
        return one_hot(z, self.species, dtype) @ self.table[...]


class Readout(nnx.Module):
    """E_i = e_{Z_i} + w · σ(W h_i + b) + c, in eV, with the activation σ.

    The last layer starts small, with weights of the order 0.1 / √channels: an untrained network
    then hardly moves an atom, and training does not begin by unlearning large random forces.

    Args:
        energies: a reference energy e_Z in eV for each of the `species`; None means 0.
        hidden: how many units are between; as many as `channels` by default.

    Raises:
        ValueError: where `energies` does not fit `species`.
    """

    def __init__(
        self,
        species: Sequence[int],
        energies: Sequence[float] | None,
        channels: int,
        *,
        hidden: int | None = None,
        activation: Callable[[Array], Array] = jax.nn.silu,
        rngs: nnx.Rngs,
    ):
        hidden = hidden or channels
        self.species = checked_species(species)
        self.energies = checked_energies(energies, self.species)
        self.activation = activation
        small = nnx.initializers.normal(0.1 / channels**0.5)
        self.hidden = nnx.Linear(channels, hidden, rngs=rngs)
        self.last = nnx.Linear(hidden, 1, kernel_init=small, rngs=rngs)

    def __call__(
        self, h: Float[Array, "atoms channels"], z: Int[Array, "atoms"]
    ) -> Float[Array, "atoms"]:
        reference = one_hot(z, self.species, h.dtype) @ jnp.array(self.energies, h.dtype)
        return reference + self.last(self.activation(self.hidden(h)))[:, 0]
