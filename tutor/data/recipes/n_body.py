"""Five charges that attract and repel: the N-body task of the EGNN paper, made anew in seconds.

Charges of ±1 and mass 1 start at normally distributed places with a speed of 1/2, in reduced units,
and move by ẍ_i = Σ_j q_i q_j x_ij / |x_ij|³ with x_ij = x_i − x_j. Given positions and velocities
at time 3.1, a network predicts the positions at time 4.1: frames 30 and 40 of the public data.
Satorras, Hoogeboom and Welling, ICML 2021 (arXiv 2102.09844), appendix C.1.

Opposite charges fall into each other, and a fixed step cannot follow, so forces are limited to 100.
The public generator limits each component, which tells the axes apart: its labels do not turn with
the system. Here the length is limited.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tutor.precision import float64

STEP = 1e-3
MOST = 100.0
BEFORE, BETWEEN = 3.1, 1.0

Vectors = Float[np.ndarray, "systems particles 3"]
Charges = Float[np.ndarray, "systems particles"]
Columns = Float[Array, "3 particles systems"]  # systems last: one instruction moves several
Limit = Callable[[Columns, float], Columns]


class Systems(NamedTuple):
    """What a network is given, x, v and q, and what it must predict, `later`: positions."""

    x: Vectors
    v: Vectors
    q: Charges
    later: Vectors


def by_length(F: Columns, most: float) -> Columns:
    """Forces no longer than `most`, in their own directions."""
    length = jnp.sqrt((F**2).sum(axis=0))
    return F * jnp.minimum(1.0, most / length)


def by_component(F: Columns, most: float) -> Columns:
    """Forces no component of which exceeds `most`: as in the public generator, and wrong."""
    return jnp.clip(F, -most, most)


def charged_particles(
    systems: int, *, particles: int = 5, seed: int = 0, limit: Limit = by_length
) -> Systems:
    """Systems at time 3.1, and their positions at time 4.1.

    Args:
        systems: how many; 7000 take seconds.
        particles: how many charges each has.
        seed: of where they start, how fast, and with which charges.
        limit: what is done to forces that are too long, `by_length` or `by_component`.
    """
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, systems, particles, 3))
    v *= 0.5 / np.linalg.norm(v, axis=-1, keepdims=True)
    q = rng.choice([-1.0, 1.0], (systems, particles))
    x, v = evolve(x, v, q, BEFORE, limit=limit)
    return Systems(x, v, q, evolve(x, v, q, BETWEEN, limit=limit)[0])


def evolve(
    x: Vectors, v: Vectors, q: Charges, time: float, *, limit: Limit = by_length
) -> tuple[Vectors, Vectors]:
    """Positions and velocities after `time`, by symplectic Euler steps of 0.001 in float64."""
    with float64():
        columns = (jnp.asarray(a, jnp.float64) for a in (_columns(x), _columns(v), q.T))
        moved = _evolve(*columns, round(time / STEP), limit)
        return tuple(np.asarray(a).transpose(2, 1, 0) for a in moved)


def _columns(a):
    return a.transpose(2, 1, 0)


@partial(jax.jit, static_argnums=(3, 4))
def _evolve(x, v, q, steps, limit):
    def step(_, state):
        x, v = state
        x = x + STEP * v
        return x, v + STEP * limit(forces(x, q), MOST)

    return jax.lax.fori_loop(0, steps, step, (x, v))


def forces(x: Columns, q: Float[Array, "particles systems"]) -> Columns:
    """Σ_j q_i q_j x_ij / |x_ij|³ for every particle."""
    d = x[:, :, None] - x[:, None]
    own = jnp.eye(len(q), dtype=bool)[..., None]
    r = jnp.sqrt(jnp.where(own, 1.0, (d**2).sum(axis=0)))
    return (q[:, None] * q / r**3 * d).sum(axis=2)
