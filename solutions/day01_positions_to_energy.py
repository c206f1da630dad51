# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
"""Reference answers of Day 1."""

import jax
import numpy as np

import tutor

h2 = tutor.data.load("h2")
levels = {"RHF": h2.properties["energy_rhf"], "FCI": h2.energy}


# %% tutor={"exercise": "1.1"}
def well(distance: np.ndarray, energy: np.ndarray) -> tuple[float, float]:
    """Bond length (Å) and well depth (eV) of a curve sampled at `distance` (Å)."""
    k = np.argmin(energy)
    a, b, c = np.polyfit(distance[k - 1 : k + 2], energy[k - 1 : k + 2], 2)
    return -b / (2 * a), energy[-1] - (c - b**2 / (4 * a))


# %% tutor={"exercise": "1.2"}
rhf_error = levels["RHF"][-1] - levels["FCI"][-1]


# %% tutor={"exercise": "1.3"}
def fit_elements(counts: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Energies per element in eV, shape (elements,), from counts (molecules, elements)."""
    coefficients, *_ = np.linalg.lstsq(counts, energy, rcond=None)
    return coefficients


# %% tutor={"exercise": "1.4"}
water_energy = -0.6 * 2 - 75.2 * 1

# %% tutor={"exercise": "1.5"}
broken_by_intercept = "b"


# %% tutor={"exercise": "1.6"}
def largest_change(model, positions: np.ndarray, transform) -> float:
    """The largest |E(transform(r)) - E(r)| over all frames, in the unit of the model."""
    return np.abs(model(transform(positions)) - model(positions)).max()


# %% tutor={"exercise": "1.7"}
def pair_distances(positions: np.ndarray) -> np.ndarray:
    """Distances (frames, pairs) in Å from positions (frames, atoms, 3)."""
    i, j = np.triu_indices(positions.shape[1], k=1)
    return np.linalg.norm(positions[:, j] - positions[:, i], axis=-1)


# %% tutor={"exercise": "1.8"}
dense_layer_weights = (28 * 28) * (26 * 26)


# %% tutor={"exercise": "1.9"}
def forces(energy, positions: jax.Array) -> jax.Array:
    """Forces (atoms, 3) in eV/Å of one frame."""
    return -jax.grad(energy)(positions)


# %% tutor={"exercise": "1.10"}
def honest_split(
    n_frames: int, n_train: int, n_test: int, gap: int
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the training frames and of the test frames, from 0 to n_frames - 1."""
    return np.arange(n_train), n_train + gap + np.arange(n_test)


# %% tutor={"exercise": "1.11"}
advice = """
Forces first. With distances as input, forces as labels lowered the energy error about fivefold at
the same 1000 frames, and the engine computes them along with the energy. Ten times more frames,
from 100 to 1000, lowered it two- to threefold without forces. A network two hundred times larger
halved the error with distances, and made it worse with raw coordinates, which it memorised. The
best model still breaks the exchange of like atoms: it would have to see every order of the atoms,
and n like atoms have n! of them, so the law belongs into the model, not into the data.
"""
