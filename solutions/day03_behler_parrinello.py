# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
"""Reference answers of Day 3."""

import numpy as np

# %% tutor={"exercise": "3.1"}
range_of_the_force = 2 * 5.0


# %% tutor={"exercise": "3.2"}
def smooth_end(r: np.ndarray, cutoff: float) -> np.ndarray:
    """The cutoff function of Behler and Parrinello, for distances r of any shape (Å)."""
    return np.where(r < cutoff, 0.5 * (1 + np.cos(np.pi * r / cutoff)), 0.0)


# %% tutor={"exercise": "3.3"}
jump = 0.5 * (np.pi / 4.0) ** 2


# %% tutor={"exercise": "3.4"}
def radial(
    positions: np.ndarray,
    numbers: np.ndarray,
    element: int,
    eta: float,
    shift: float,
    cutoff: float,
) -> np.ndarray:
    """G2 of every atom, shape (atoms,), counting its neighbours with atomic number `element`."""
    r = np.linalg.norm(positions[:, None] - positions[None, :], axis=-1)
    counted = (numbers[None, :] == element) & ~np.eye(len(numbers), dtype=bool)
    end = np.where(r < cutoff, 0.5 * (1 + np.cos(np.pi * r / cutoff)), 0.0)
    return np.sum(np.exp(-eta * (r - shift) ** 2) * end * counted, axis=1)


# %% tutor={"exercise": "3.5"}
eta_half = np.log(2) / (0.5 / 2) ** 2


# %% tutor={"exercise": "3.6"}
def angular(
    positions: np.ndarray, eta: float, zeta: float, lambda_: float, cutoff: float
) -> np.ndarray:
    """G4 of every atom, shape (atoms,)."""
    found = np.zeros(len(positions))
    for i in range(len(positions)):
        others = [n for n in range(len(positions)) if n != i]
        for j, k in ((j, k) for j in others for k in others if j < k):
            ij, ik = positions[j] - positions[i], positions[k] - positions[i]
            sides = np.array([np.linalg.norm(v) for v in (ij, ik, ik - ij)])
            cos = ij @ ik / (sides[0] * sides[1])
            end = np.where(sides < cutoff, 0.5 * (1 + np.cos(np.pi * sides / cutoff)), 0.0).prod()
            bend = 2 ** (1 - zeta) * (1 + lambda_ * cos) ** zeta
            found[i] += bend * np.exp(-eta * (sides**2).sum()) * end
    return found


# %% tutor={"exercise": "3.7"}
functions_of_an_atom = 5 * 8 + (5 * 4 // 2 + 5) * 4


# %% tutor={"exercise": "3.8"}
def scale(G_train: np.ndarray, G_new: np.ndarray, floor: float) -> np.ndarray:
    """`G_new` (atoms, functions), scaled by what is known of `G_train` (atoms, functions)."""
    std = np.maximum(G_train.std(axis=0), floor)
    return (G_new - G_train.mean(axis=0)) / std


# %% tutor={"exercise": "3.9"}
why_not_conserved = "b"

# %% tutor={"exercise": "3.10"}
verdict = """
Gained: the laws hold exactly before any training, and the description has nothing to learn. So 200
frames of ethanol gave forces that the distances of Day 1 did not reach with 1000. And since the
functions never change, they and their derivatives are computed once. Cost: we chose shells, widths
and angles, and a width twenty times too large doubled the error; six elements need 132 numbers per
atom instead of 12; a careless floor more than doubled the error of the forces at 1200 K. I would do
it again for ethanol: one molecule, three elements, few frames. For many elements I would look for
something learned, because there the weighted sums, with the fewest numbers, did no worse.
"""
