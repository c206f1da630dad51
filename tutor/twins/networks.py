"""Networks of which the twins are made, named as in `tutor.models`: MLP, PerSpecies, and what
networks on atoms begin and end with."""

import itertools
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import silu

from tutor.models.per_species import checked_energies, checked_species

Activation = Callable[[Tensor], Tensor]


class Linear(nn.Linear):
    """W x + b, at first with W of variance 1 / inputs (or `std`²) and b = 0, as in the JAX models.

    The W that torch would draw is smaller by √3, which training takes long to make up for.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True, std: float | None = None):
        self.std = inputs**-0.5 if std is None else std
        super().__init__(inputs, outputs, bias=bias)

    def reset_parameters(self) -> None:
        """Draws new weights; torch calls this once."""
        with torch.no_grad():
            self.weight.normal_(std=self.std)
            if self.bias is not None:
                self.bias.zero_()


class MLP(nn.Module):
    """A multilayer perceptron with layers of the given `sizes`, input and output included.

    Raises:
        ValueError: where `sizes` has fewer than two entries.
    """

    def __init__(self, sizes: Sequence[int], *, activation: Activation = silu):
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(
                f"sizes = {list(sizes)}: an MLP needs at least an input and an output size, "
                "for example sizes=[27, 64, 64, 1]"
            )
        self.layers = nn.Sequential(*(Linear(i, o) for i, o in itertools.pairwise(sizes)))
        self.activation = activation

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)


class PerSpecies(nn.Module):
    """One MLP of the given `sizes` for each of the atomic numbers `species`.

    An unknown element gives NaN: its energy is not defined. Padding, z = 0, gives 0.
    """

    def __init__(
        self, species: Sequence[int], sizes: Sequence[int], *, activation: Activation = silu
    ):
        super().__init__()
        self.species = checked_species(species)
        self.nets = nn.Sequential(*(MLP(sizes, activation=activation) for _ in self.species))

    def forward(
        self, x: Float[Tensor, "*batch inputs"], z: Int[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch outputs"]:
        y = x.new_zeros(()).where(z == 0, torch.nan)[..., None]
        for number, net in zip(self.species, self.nets, strict=True):
            y = torch.where((z == number)[..., None], net(x), y)
        return y


def one_hot(
    z: Int[Tensor, "*batch"], species: Sequence[int], dtype: torch.dtype
) -> Float[Tensor, "*batch species"]:
    """1 in the column of the atom's element. Zeros for padding, NaN for what is unknown."""
    match = z[..., None] == torch.tensor(species, device=z.device)
    known = match.any(dim=-1) | (z == 0)
    return match.to(dtype).where(known[..., None], torch.nan)


class Embedding(nn.Module):
    """h_i = a_{Z_i}: learned numbers for each of the atomic numbers `species`."""

    def __init__(self, species: Sequence[int], channels: int):
        super().__init__()
        self.species = checked_species(species)
        self.table = nn.Parameter(torch.randn(len(self.species), channels))

    def forward(self, z: Int[Tensor, "atoms"]) -> Float[Tensor, "atoms channels"]:
        return one_hot(z, self.species, self.table.dtype) @ self.table


class Readout(nn.Module):
    """E_i = e_{Z_i} + w · σ(W h_i + b) + c, in eV, with the activation σ. w starts small.

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
        activation: Activation = silu,
    ):
        super().__init__()
        hidden = hidden or channels
        self.species = checked_species(species)
        self.energies = checked_energies(energies, self.species)
        self.activation = activation
        self.hidden = Linear(channels, hidden)
        self.last = Linear(hidden, 1, std=0.1 / channels**0.5)

    def forward(
        self, h: Float[Tensor, "atoms channels"], z: Int[Tensor, "atoms"]
    ) -> Float[Tensor, "atoms"]:
        reference = one_hot(z, self.species, h.dtype) @ h.new_tensor(self.energies)
        return reference + self.last(self.activation(self.hidden(h)))[:, 0]
