# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
"""Reference answers of Day 2."""

import numpy as np


# %% tutor={"exercise": "2.1"}
def rotation_error(f, x: np.ndarray, R: np.ndarray) -> float:
    """The largest |f(R x) - R f(x)| of a component, relative to the largest |f(x)|."""
    y = f(x)
    size = np.abs(y).max()
    return np.abs(f(x @ R.T) - y @ R.T).max() / size if size > 0 else np.nan


# %% tutor={"exercise": "2.2"}
finds_the_clamp = "c"


# %% tutor={"exercise": "2.3"}
def all_pairs() -> tuple:
    """φ and ρ, two functions, with ρ(Σ_i φ(z_i)) = Σ_{i<j} z_i z_j."""

    def phi(z: np.ndarray) -> np.ndarray:
        return np.stack([z, z**2], axis=1)

    def rho(pooled: np.ndarray) -> float:
        return (pooled[0] ** 2 - pooled[1]) / 2

    return phi, rho


# %% tutor={"exercise": "2.4"}
def twins() -> tuple[list, list]:
    """Two sets of numbers, repetitions allowed, that mean and max pooling cannot tell apart."""
    return [1, 2], [1, 1, 2, 2]


# %% tutor={"exercise": "2.5"}
def scalar_products(x: np.ndarray) -> np.ndarray:
    """D'_ij = x'_i · x'_j, shape (n, n), from points x of shape (n, 3)."""
    X = x - x.mean(axis=0)
    return X @ X.T


# %% tutor={"exercise": "2.6"}
def descriptor(x: np.ndarray, phi) -> np.ndarray:
    """D = L Lᵀ, shape (m, m); phi maps lengths (n,) to G of shape (n, m)."""
    X = x - x.mean(axis=0)
    G = phi(np.linalg.norm(X, axis=1))
    L = G.T @ X / len(x)
    return L @ L.T


# %% tutor={"exercise": "2.7"}
def blind_pair() -> tuple[np.ndarray, np.ndarray]:
    """Two clouds (4, 3) of different shape, every point at distance 1 from its cloud's mean."""

    def cross(degrees):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return np.array([[1, 0, 0], [-1, 0, 0], [c, s, 0], [-c, -s, 0]])

    return cross(90), cross(60)


# %% tutor={"exercise": "2.8"}
def second_moments(x: np.ndarray, phi) -> np.ndarray:
    """B_kl = tr(M_k M_l), shape (m, m), from points (n, 3); phi as in 2.6."""
    X = x - x.mean(axis=0)
    G = phi(np.linalg.norm(X, axis=1))
    M = np.einsum("ik,ia,ib->kab", G, X, X) / len(x)
    return np.einsum("kab,lba->kl", M, M)


# %% tutor={"exercise": "2.9"}
in_the_mirror = "b"


# %% tutor={"exercise": "2.10"}
def tensor_from(L: np.ndarray, A, b) -> np.ndarray:
    """A symmetric tensor (3, 3) from L (m, 3); A(D) has shape (m, m), b(D) is a number."""
    D = L @ L.T
    M = A(D)
    return L.T @ (M + M.T) @ L / 2 + b(D) * np.eye(3)


# %% tutor={"exercise": "2.11"}
orders_of_ethanol = 2 * 720 * 1

# %% tutor={"exercise": "2.12"}
verdict = """
Symmetry bought data efficiency. With 100 frames and equal time DeepPot-SE had about a third of the
force error of the MLP of distances (80 against 225 meV/Å), which has to learn that like atoms may
be exchanged. It bought laws that hold to rounding, where augmentation with 50 orientations left
errors of hundreds of meV. It did not buy sight: the Deep Set keeps every law and improved only from
150 to 128 meV/Å between 32 and 1000 frames, because angles are not among its inputs, and the MLP,
which breaks a law but sees everything, overtook it. It did not buy accuracy as such either: with
1000 frames and equal time the MLP drew level (62 against 66 meV/Å) and was better at 1200 K. So a
model can fail for two reasons that need different remedies: a broken law is mended by structure, or
paid for in data; blindness only by better features.
"""
