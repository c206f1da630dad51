"""A network for each element: y = MLP_Z(x)."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from tutor.models.mlp import MLP


def checked_species(species: Sequence[int]) -> tuple[int, ...]:
    """Atomic numbers as a tuple.

    Raises:
        ValueError: where there are none, one is twice there, or one is not positive.
    """
    numbers = tuple(int(z) for z in species)
    if not numbers or len(set(numbers)) < len(numbers) or min(numbers) < 1:
        raise ValueError(
            f"species = {numbers}: give each atomic number once, for example species=(1, 6, 8)"
        )
    return numbers


def checked_energies(energies: Sequence[float] | None, species: Sequence[int]) -> tuple[float, ...]:
    """A reference energy in eV for each of the `species`, 0 by default.

    Raises:
        ValueError: where there are more or fewer.
    """
    checked = tuple(float(e) for e in energies or [0.0] * len(species))
    if len(checked) != len(species):
        raise ValueError(
            f"energies = {checked} for species = {tuple(species)}: give one energy in eV for each "
            "species, in the same order"
        )
    return checked


class PerSpecies(nnx.Module):
    """One MLP of the given `sizes` for each of the atomic numbers `species`.

    Inside jit nobody can raise, so an unknown element gives NaN: its energy is not defined.
    Padding, z = 0, gives 0. Every network runs on every row, and one result is kept.
    """

    def __init__(
        self,
        species: Sequence[int],
        sizes: Sequence[int],
        *,
        activation: Callable[[Array], Array] = jax.nn.silu,
        rngs: nnx.Rngs,
    ):
        self.species = checked_species(species)
        nets = (MLP(sizes, activation=activation, rngs=rngs) for _ in self.species)
        self.nets = nnx.Sequential(*nets)

    def __call__(
        self, x: Float[Array, "*batch inputs"], z: Int[Array, "*batch"]
    ) -> Float[Array, "*batch outputs"]:
        y = jnp.where(z > 0, jnp.nan, 0.0).astype(x.dtype)[..., None]
        for number, net in zip(self.species, self.nets.layers, strict=True):
            y = jnp.where((z == number)[..., None], net(x), y)
        return y
