# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
"""Reference answers of Day 4."""

import jax
import jax.numpy as jnp
import numpy as np


# %% tutor={"exercise": "4.1"}
def edges(positions: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Senders and receivers of all directed edges, from positions (atoms, 3) in Å."""
    distances = np.linalg.norm(positions[:, None] - positions[None, :], axis=-1)
    near = (distances < cutoff) & ~np.eye(len(positions), dtype=bool)
    receivers, senders = np.nonzero(near)
    return senders, receivers


# %% tutor={"exercise": "4.2"}
# Block 1: e' = 1, 1 towards O and 8, 8 towards H; v' = 10 and 9, 9; u' = 28.
# Block 2: e'' = 9, 9 towards O and 80, 80 towards H; v'' = 28 and 89, 89; u'' = 28 + 206.
state_after_two_blocks = 234


# %% tutor={"exercise": "4.3"}
def graph_network(
    e: np.ndarray,
    v: np.ndarray,
    u: np.ndarray,
    senders: np.ndarray,
    receivers: np.ndarray,
    phi_e,
    phi_v,
    phi_u,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(e', v', u') from e (edges, a), v (nodes, b) and u (c,)."""
    new_e = phi_e(e, v[receivers], v[senders], u)
    arriving = np.zeros((len(v), new_e.shape[1]))
    np.add.at(arriving, receivers, new_e)
    new_v = phi_v(arriving, v, u)
    new_u = phi_u(new_e.sum(axis=0), new_v.sum(axis=0), u)
    return new_e, new_v, new_u


# %% tutor={"exercise": "4.4"}
def convolve(h: np.ndarray, W: np.ndarray, neighbor: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """m (atoms, c) from h (atoms, c), W (atoms, slots, c), neighbor and mask (atoms, slots)."""
    return np.where(mask[..., None], W * h[neighbor], 0.0).sum(axis=1)


# %% tutor={"exercise": "4.5"}
about_directions = "b"


# %% tutor={"exercise": "4.6"}
def forward(x: float, y: float, dx: float, dy: float) -> tuple[float, float]:
    """f(x, y) and its change, where x changes by dx and y by dy."""
    a, da = 2 * x, 2 * dx
    b, db = y**2, 2 * y * dy
    c, dc = a + b, da + db
    return c**2, 2 * c * dc


# %% tutor={"exercise": "4.7"}
traversals = 3 * 2500


# %% tutor={"exercise": "4.8"}
def felt(energies, positions: jax.Array, i: int) -> jax.Array:
    """The length of the derivative of E_i with respect to each position, (atoms,), in eV/Å."""
    return jnp.linalg.norm(jax.grad(lambda r: energies(r)[i])(positions), axis=1)


# %% tutor={"exercise": "4.9"}
rounds_needed = 4  # one atom further each round: the next but one is 6 Å away, beyond the cutoff


# %% tutor={"exercise": "4.10"}
def congruent(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two sets of like atoms, (atoms, 3) each, differ only in place and numbering."""
    from itertools import permutations

    if len(a) != len(b):
        return False
    A, B = (np.linalg.norm(x[:, None] - x[None, :], axis=-1) for x in (a, b))
    orders = (list(order) for order in permutations(range(len(a))))
    return any(np.allclose(A, B[np.ix_(order, order)], rtol=0, atol=1e-6) for order in orders)


# %% tutor={"exercise": "4.11"}
who_feels_it = "c"


# %% tutor={"exercise": "4.12"}
def attention(f: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The weights alpha (elements,) from logits f (elements,) and fractions w (elements,)."""
    top = f[w > 0].max()
    a = w * np.exp(np.minimum(f - top, 0.0))
    return a / a.sum()


# %% tutor={"exercise": "4.13"}
evidence = """
The story says that hand-crafted features lead when data are few, and that models with fewer
assumptions overtake them later. Our figure supports half of it: PaiNN, the newest, is best at
every size. It contradicts the other half: with 250 molecules Behler-Parrinello has by far the
largest error of the three networks, although it fits those 250 almost exactly. That it passes
SchNet with more data decides nothing, because SchNet is then as wrong on training molecules: it
was not trained to the end. Before I called the story wrong I would train all models to the end,
tune each on the validation set, repeat with several seeds, add distorted structures and forces,
and go to much larger sets. The flat methane belongs into the test set: with a cutoff of 1.5 Å
neither SchNet nor PaiNN can tell it from the tetrahedron, and molecules at rest never show it.
"""
