"""Many-body potentials that need only sums over neighbours: E_i = F(M_i), M_i = Σ_j m(r_ij).

The energy of Stillinger and Weber is one: with g_j the tail of a bond and n_j its direction,

    Σ_{j≠k} g_j g_k (n_j · n_k − c)² = |Σ g n n|² − 2c |Σ g n|² + c² (Σ g)² − (1 − c)² Σ g²

so that triples need not be visited. With A_i = ∂F/∂M_i, forces are one more sum over neighbours,

    F_i = Σ_j ∂/∂r_ij [A_i · m(r_ij) + A_j · m(−r_ij)]

For 512 and for 4096 atoms of silicon that is 5.0 and 4.5 times as fast as the Graph with the same
table, by processor time, in float32.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tutor.md.rows import Interactions, over_rows
from tutor.md.search import take
from tutor.md.table import Table
from tutor.models.stillinger_weber import StillingerWeber

Moments = Any  # a pytree of arrays, the first axis of which is that of the atoms


def by_moments(
    m: Callable[[Array], Moments],
    energy: Callable[[Moments], Array],
    table: Table,
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"],
) -> Interactions:
    """Energy, forces and virial from m(r_ij), which is 0 at r_ij = 0, and F(M_i)."""
    zero = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(m, positions))
    total = over_rows(lambda d, _: m(d), zero, table, positions, cell)
    energies, pull = jax.vjp(energy, total)
    (own,) = pull(jnp.ones_like(energies))
    column = take(table.rank, table.atom)
    others = jax.tree.map(lambda a: take(a, column), own)

    def pair(d, slots):
        mine = jax.vjp(m, d)[1](own)[0]
        theirs = jax.vjp(m, -d)[1](jax.tree.map(lambda a: take(a, slots), others))[0]
        return mine - theirs, jnp.einsum("ia,ib->ab", d, mine)

    start = jnp.zeros_like(positions), jnp.zeros_like(cell)
    forces, virial = over_rows(pair, start, table, positions, cell)
    return Interactions(energies.sum(), take(forces, table.rank), -(virial + virial.T) / 2)


def stillinger_weber(
    sw: StillingerWeber,
) -> tuple[Callable[[Array], Moments], Callable[[Moments], Array]]:
    """Its m and F."""

    def m(d):
        r2 = (d * d).sum(axis=1, keepdims=True)
        near = (r2 > 0) & (r2 < sw.cutoff**2)
        r = jnp.sqrt(jnp.where(near, r2, sw.cutoff**2))
        n, x = d / r, sw.sigma / r
        bond = sw.A * (sw.B * x**sw.p - x**sw.q) * sw._tail(r)
        g = sw._tail(r, sw.gamma)
        return bond, g, g * g, g * n, g[..., None] * n[:, :, None] * n[:, None, :]

    def energy(moments):
        bonds, g, squares, vector, tensor = moments
        c = sw.cos_theta0
        angles = (tensor**2).sum(axis=(1, 2)) - 2 * c * (vector**2).sum(axis=1)
        angles += (c**2 * g**2 - (1 - c) ** 2 * squares)[:, 0]
        return sw.epsilon / 2 * (bonds[:, 0] + sw.lambda_ * angles)

    return m, energy
