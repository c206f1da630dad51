"""Networks for one molecule with its atoms in a fixed order: the baselines of Days 1 and 2.

    E(r) = shift + scale · MLP((features(r) − mean) / std)

What the model knows of physics, it knows through its features:

| features             | translation | rotation | exchange of like atoms |
|----------------------|-------------|----------|------------------------|
| raw_coordinates      | no          | no       | no                     |
| centred_coordinates  | yes         | no       | no                     |
| inverse_distances    | yes         | yes      | no                     |
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from tutor.models.mlp import MLP


def raw_coordinates(positions: Float[Array, "atoms 3"]) -> Float[Array, "3*atoms"]:
    """All Cartesian coordinates in Å, one after the other."""
    return positions.reshape(-1)


def centred_coordinates(positions: Float[Array, "atoms 3"]) -> Float[Array, "3*atoms"]:
    """Coordinates in Å relative to the mean position."""
    return (positions - positions.mean(axis=0)).reshape(-1)


def inverse_distances(positions: Float[Array, "atoms 3"]) -> Float[Array, "pairs"]:
    """1/|r_j − r_i| in 1/Å for every pair i < j."""
    i, j = np.triu_indices(len(positions), k=1)
    return 1 / jnp.linalg.norm(positions[j] - positions[i], axis=1)


class FixedMolecule(nnx.Module):
    """Energy in eV of one molecule from features of its positions.

    Args:
        features: a function from positions (atoms, 3) to a vector.
        hidden: sizes of the hidden layers.
        positions, energy: training data, of which only means and standard deviations are used.
            A feature that varies by less than `floor` is divided by `floor`.
    """

    def __init__(
        self,
        features: Callable[[Array], Array],
        hidden: Sequence[int] = (64, 64),
        *,
        positions: Float[np.ndarray, "structures atoms 3"],
        energy: Float[np.ndarray, "structures"],
        floor: float = 1e-3,
        rngs: nnx.Rngs,
    ):
        x = np.asarray(jax.vmap(features)(jnp.asarray(positions)), np.float64)
        self.features = features
        self.mean = tuple(x.mean(axis=0).tolist())
        self.std = tuple(np.maximum(x.std(axis=0), floor).tolist())
        self.shift = float(np.mean(energy, dtype=np.float64))
        self.scale = float(np.std(energy, dtype=np.float64))
        self.net = MLP([x.shape[1], *hidden, 1], rngs=rngs)

    def __call__(self, positions: Float[Array, "atoms 3"]) -> Float[Array, ""]:
        x = (self.features(positions) - jnp.array(self.mean)) / jnp.array(self.std)
        return self.shift + self.scale * self.net(x.astype(positions.dtype))[0]
