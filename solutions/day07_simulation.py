# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
"""Reference answers of Day 7."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from tutor.units import AMU, KB


# %% tutor={"exercise": "7.1"}
def verlet(
    r: np.ndarray, v: np.ndarray, force, masses: np.ndarray, dt: float
) -> tuple[np.ndarray, np.ndarray]:
    """One step: new positions (atoms, 3) in Å and velocities in Å/fs; masses in amu."""
    m = AMU * masses[:, None]
    v = v + dt / 2 * force(r) / m
    r = r + dt * v
    return r, v + dt / 2 * force(r) / m


# %% tutor={"exercise": "7.2"}
def order(solve, dt: float) -> float:
    """p, where the error of solve(dt), the state at one fixed time, is proportional to dtᵖ."""
    first, second, third = solve(dt), solve(dt / 2), solve(dt / 4)
    return np.log2(np.linalg.norm(first - second) / np.linalg.norm(second - third))


# %% tutor={"exercise": "7.3"}
def minimum_image(d: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """The shortest periodic image of each vector d (pairs, 3); cell vectors are rows."""
    d = d - np.round(d @ np.linalg.inv(cell)) @ cell
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ cell
    every = d[:, None] + shifts
    return every[np.arange(len(d)), (every**2).sum(axis=-1).argmin(axis=1)]


# %% tutor={"exercise": "7.4"}
def cell_list(
    positions: np.ndarray, box: float, cutoff: float, distance
) -> tuple[np.ndarray, np.ndarray]:
    """i and j of every pair nearer than the cutoff, once; positions in a cube from 0 to box."""
    n = int(box / cutoff)
    cell = (positions / box * n).astype(int) % n
    atoms = {}
    for i, c in enumerate(cell):
        atoms.setdefault(tuple(c), []).append(i)
    found = []
    for i, c in enumerate(cell):
        around = {tuple((c + s) % n) for s in itertools.product((-1, 0, 1), repeat=3)}
        j = np.array([k for other in around for k in atoms.get(other, ()) if k > i], int)
        found += [(i, k) for k in j[distance(np.full(len(j), i), j) < cutoff]]
    return tuple(np.array(found, int).reshape(-1, 2).T)


# %% tutor={"exercise": "7.5"}
# 0.6 Å for each of the two atoms, 0.024 Å in a step.
safe_steps = 25


# %% tutor={"exercise": "7.6"}
# sqrt(2 / f) with f = 3 · 100 − 3.
spread_in_percent = 100 * np.sqrt(2 / 297)


# %% tutor={"exercise": "7.7"}
def bath(
    v: np.ndarray, masses: np.ndarray, temperature: float, friction: float, dt: float,
    noise: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Velocities (atoms, 3) after dt of friction and kicks; noise is normal with variance 1."""
    c = np.exp(-friction * dt)
    return c * v + np.sqrt((1 - c**2) * KB * temperature / (AMU * masses[:, None])) * noise


# %% tutor={"exercise": "7.8"}
def whirl(force, x: jax.Array) -> float:
    """½ |J − Jᵀ| / |J| at x (atoms, 3), with the derivatives J of the forces, force(x)."""
    J = jax.jacfwd(force)(x).reshape(x.size, x.size)
    return jnp.linalg.norm(J - J.T) / 2 / jnp.linalg.norm(J)


# %% tutor={"exercise": "7.9"}
diagnosis = "b"


# %% tutor={"exercise": "7.10"}
def response(energy, x: jax.Array, theta: float) -> jax.Array:
    """dx/dθ (n,) at the minimum x (n,) of energy(x, θ)."""
    H = jax.hessian(energy)(x, theta)
    mixed = jax.jacfwd(jax.grad(energy), argnums=1)(x, theta)
    return -jnp.linalg.solve(H, mixed)


# %% tutor={"exercise": "7.11"}
verdict = """
Shown: eight runs of 3 ps at 500 K keep all bonds, and the distribution of distances misses about
3 % of that of the reference's test block, hardly more than the reference's own training block
does. Not shown: anything slower than a few picoseconds, such as the turning of the hydroxyl group,
or how distances move together, or in which time; and other seeds. That the error on test frames is
small proves little: at 1200 K the same network has a force error of only 0.2 eV/Å on frames of the
reference, and yet in its own runs bonds break; and the water model, with an error of 6 per cent,
loses hydrogens while its thermometer looks well. Before I publish, I would compare the
distribution of the dihedral angle C-C-O-H over runs of 100 ps, from three networks with different
seeds, with a reference run of that length: the three could agree on bonds and disagree on it.
"""
