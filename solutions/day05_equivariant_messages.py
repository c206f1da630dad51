# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
"""Reference answers of Day 5."""

import numpy as np


# %% tutor={"exercise": "5.1"}
def unchanged() -> dict:
    """For "energy" and for "dipole", a string with the letters of all changes that do nothing."""
    return {"energy": "abcd", "dipole": "ad"}


# %% tutor={"exercise": "5.2"}
def deviation(
    f, kind: str, x: np.ndarray, R: np.ndarray, t: np.ndarray, order: np.ndarray
) -> float:
    """How far f is from equivariance under g, for a quantity of this kind (see the table)."""
    y = np.asarray(f(x))
    must = y if kind == "energy" else y @ R.T
    if kind == "angular momentum":
        must = np.linalg.det(R) * must
    if kind == "positions":
        must = must + t
    if kind in ("forces", "positions"):
        must = must[order]
    return np.abs(f((x @ R.T + t)[order]) - must).max() / np.abs(y).max()


# %% tutor={"exercise": "5.3"}
why_it_passes = "b"

# %% tutor={"exercise": "5.4"}
difference = 0.6


# %% tutor={"exercise": "5.5"}
def dipole(q: np.ndarray, p: np.ndarray, r: np.ndarray) -> np.ndarray:
    """The dipole (3,) in e·Å of a neutral molecule from q (atoms,), p and r (atoms, 3)."""
    return (q - q.mean()) @ r + p.sum(axis=0)


# %% tutor={"exercise": "5.6"}
def egnn_layer(h: np.ndarray, x: np.ndarray, phi_e, phi_x, phi_h) -> tuple[np.ndarray, np.ndarray]:
    """The new h (n, channels) and the new x (n, 3)."""
    n = len(h)
    d = x[:, None] - x[None]
    h_i = np.broadcast_to(h[:, None], (n, n, h.shape[1]))
    m = phi_e(h_i, h_i.swapaxes(0, 1), (d**2).sum(axis=-1, keepdims=True))
    m = m * ~np.eye(n, dtype=bool)[..., None]
    return h + phi_h(h, m.sum(axis=1)), x + (d * phi_x(m)).sum(axis=1) / (n - 1)


# %% tutor={"exercise": "5.7"}
least_error = 0.554 / 3**0.5


# %% tutor={"exercise": "5.8"}
def limit(F: np.ndarray, most: float) -> np.ndarray:
    """The vectors F (..., 3), none longer than `most`, each in its own direction."""
    length = np.linalg.norm(F, axis=-1, keepdims=True)
    return F * most / np.maximum(length, most)


# %% tutor={"exercise": "5.9"}
def floor_of(labels: np.ndarray) -> float:
    """The least mean squared error from labels (systems, frames, particles, 3), turned back."""
    return labels.var(axis=1, ddof=1).mean()


# %% tutor={"exercise": "5.10"}
what_it_shows = "c"

# %% tutor={"exercise": "5.11"}
what_would_settle_it = """
With vectors the error of the energy was smaller for both seeds, and nothing else was changed: same
data, steps, channels and rounds. So at this size, on these molecules, moving the atoms helped. But
the vectors also bring weights and time of their own, the two networks without vectors differ from
each other by more than the smaller of the two gaps, and none of them was trained to the end. Two
seeds are a lead and not a law. I would be convinced by five seeds of each at equal cost, tuned on
the validation set, at several sizes of the training set, and with the same test on an invariant
network that also knows angles, because the vectors may only be a way of learning about angles. Of a
row in a published table I want to know whether the code behind it is the model of its name, for
this property, how many parameters it has, how long it was trained, and how far its seeds scatter.
"""

# %% tutor={"exercise": "5.12"}
degree = 5
