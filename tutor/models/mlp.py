"""The multilayer perceptron: x ← activation(W x + b), layer after layer, and a linear end."""

import itertools
from collections.abc import Callable, Sequence

import jax
from flax import nnx
from jaxtyping import Array, Float


class MLP(nnx.Module):
    """A multilayer perceptron with layers of the given `sizes`, input and output included.

    The default activation, silu(x) = x / (1 + e⁻ˣ), has continuous derivatives of every order:
    forces are derivatives of the network, so ReLU with its kink is not for potentials.

    Raises:
        ValueError: where `sizes` has fewer than two entries.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        activation: Callable[[Array], Array] = jax.nn.silu,
        rngs: nnx.Rngs,
    ):
        if len(sizes) < 2:
            raise ValueError(
                f"sizes = {list(sizes)}: an MLP needs at least an input and an output size, "
                "for example sizes=[27, 64, 64, 1]"
            )
        pairs = itertools.pairwise(sizes)
        self.layers = nnx.Sequential(*(nnx.Linear(i, o, rngs=rngs) for i, o in pairs))
        self.activation = activation

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        *hidden, last = self.layers.layers
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)
