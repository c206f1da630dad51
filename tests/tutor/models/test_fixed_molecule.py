"""The table in the docstring of the module, measured; and features against SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from tutor.models.fixed_molecule import (
    FixedMolecule,
    centred_coordinates,
    inverse_distances,
    raw_coordinates,
)
from tutor.precision import float64

TABLE = [  # features, translation, rotation, exchange of like atoms
    (raw_coordinates, False, False, False),
    (centred_coordinates, True, False, False),
    (inverse_distances, True, True, False),
]
ROTATION = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
MOVES = [
    lambda r: r + np.array([1.0, -2.0, 0.5]),
    lambda r: r @ ROTATION.T,
    lambda r: r[[1, 0, 2, 3]],
]


@pytest.fixture
def frames(rng):
    return rng.normal(size=(20, 4, 3)) * 2, rng.normal(size=20) - 310.0


@pytest.mark.parametrize(("features", "translation", "rotation", "exchange"), TABLE)
def test_which_laws_the_features_keep(frames, features, translation, rotation, exchange):
    positions, energy = frames
    model = FixedMolecule(features, positions=positions, energy=energy, rngs=nnx.Rngs(0))
    for move, keeps in zip(MOVES, (translation, rotation, exchange), strict=True):
        with float64():
            change = abs(float(model(jnp.array(move(positions[0])))) -
                         float(model(jnp.array(positions[0]))))  # fmt: skip
        assert (change < 1e-10) if keeps else (change > 1e-3), (features.__name__, change)


def test_inverse_distances_against_scipy(rng):
    r = rng.normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(inverse_distances(jnp.array(r)), 1 / pdist(r), rtol=1e-5)


def test_energies_start_near_the_data(frames):
    positions, energy = frames
    model = FixedMolecule(raw_coordinates, positions=positions, energy=energy, rngs=nnx.Rngs(0))
    predicted = np.asarray(jax.vmap(model)(positions.astype(np.float32)))
    assert np.abs(predicted - energy.mean()).max() < 10 * energy.std()


def test_only_weights_are_trainable(frames):
    positions, energy = frames
    model = FixedMolecule(raw_coordinates, (7,), positions=positions, energy=energy,
                          rngs=nnx.Rngs(0))  # fmt: skip
    assert sum(p.size for p in jax.tree.leaves(model)) == 12 * 7 + 7 + 7 + 1


def test_constant_features_do_not_explode(frames):
    positions, energy = frames
    positions = positions.copy()
    positions[:, 0] = 0.0
    model = FixedMolecule(raw_coordinates, positions=positions, energy=energy, rngs=nnx.Rngs(0))
    assert np.isfinite(float(model(jnp.array(positions[0], jnp.float32))))
