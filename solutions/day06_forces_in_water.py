# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
"""Reference answers of Day 6."""

import numpy as np

# %% tutor={"exercise": "6.1"}
# mu = 15.9994 * 1.008 / 17.0074 amu = 0.948 amu, k = 2 * 529.581 kcal/mol/Å²
period = 2 * np.pi * np.sqrt(0.94826 * 103.642697 / (2 * 529.581 * 0.0433641))


# %% tutor={"exercise": "6.2"}
def three_errors(predicted: np.ndarray, true: np.ndarray) -> tuple[float, float, float]:
    """Per component, summed over components, and length, from (structures, atoms, 3)."""
    d = predicted - true
    return np.abs(d).mean(), np.abs(d).sum(axis=-1).mean(), np.linalg.norm(d, axis=-1).mean()


# %% tutor={"exercise": "6.3"}
reported = 4.18 / 3 * 43.3641


# %% tutor={"exercise": "6.4"}
def split_by_time(
    run: np.ndarray, time: np.ndarray, fraction: float, gap: float
) -> tuple[np.ndarray, np.ndarray]:
    """Masks (frames,) of the training and the test frames of several runs; times in ps."""
    train, test = np.zeros(len(run), bool), np.zeros(len(run), bool)
    for k in np.unique(run):
        mine = run == k
        start, end = time[mine].min(), time[mine].max()
        train |= mine & (time <= start + fraction * (end - start))
        test |= mine & (time >= time[mine & train].max() + gap)
    return train, test


# %% tutor={"exercise": "6.5"}
shuffled_split = "b"


# %% tutor={"exercise": "6.6"}
def forces_from_slopes(slope: np.ndarray, r_ij: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Forces (atoms, 3) from φ'(r_ij) (atoms, slots), r_ij (atoms, slots, 3), mask."""
    u = r_ij / np.linalg.norm(r_ij, axis=-1, keepdims=True)
    return np.where(mask[..., None], slope[..., None] * u, 0.0).sum(axis=1)


# %% tutor={"exercise": "6.7"}
where_it_is_lost = "c"


# %% tutor={"exercise": "6.8"}
def work_on_loop(force, path: np.ndarray) -> float:
    """Σ F · Δr around a closed path (points, 3); force maps a point (3,) to a vector (3,)."""
    step = np.roll(path, -1, axis=0) - path
    return sum(force(x + d / 2) @ d for x, d in zip(path, step, strict=True))


# %% tutor={"exercise": "6.9"}
def tiled(positions: np.ndarray, cell: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions (n³ atoms, 3) and cell of n × n × n copies; cell vectors are rows."""
    counts = range(n)
    shifts = np.array([[a, b, c] for a in counts for b in counts for c in counts]) @ cell
    return (positions + shifts[:, None]).reshape(-1, 3), n * cell


# %% tutor={"exercise": "6.10"}
def pair_force(r: np.ndarray, q_i: float, q_j: float, sigma: float, epsilon: float) -> np.ndarray:
    """Force in eV/Å along the line between two atoms at the distances r, positive apart."""
    x = (sigma / r) ** 6
    return 24 * epsilon / r * (2 * x**2 - x) + 14.399645 * q_i * q_j / r**2


# %% tutor={"exercise": "6.11"}
why_argon_fails = "b"

# %% tutor={"exercise": "6.12"}
evidence = """
At equal numbers of frames and steps the equivariant network errs by 0.6 kcal/mol/Å and the one with
plain directions by more than 2, although both read their forces off an energy within one cutoff.
But the second curve is flat in the number of frames: that network is short of steps, not of data,
so the figure compares how fast they learn. The two also differ in products of three bodies, in
tuning, and there is one seed. To isolate equivariance I would train the plain network until it
converges, with and without turned copies of the frames. And no test error shows what the report's
network does on a closed path, in a turned box, or with a bond longer than any in the data.
"""
