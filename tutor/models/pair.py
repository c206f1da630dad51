"""Pair potentials: E_i = ½ Σ_j u(r_ij).

A pair potential is a curve u(r), a cutoff, and the way in which the curve ends there:

    argon = Pair(LennardJones(epsilon=0.0104, sigma=3.40), cutoff=8.5)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.pytree import pytree
from tutor.radial import switch

Curve = Callable[[Array], Array]


@pytree()
@dataclass(frozen=True)
class LennardJones:
    """u(r) = 4ε [(σ/r)¹² − (σ/r)⁶], with ε in eV and σ in Å."""

    epsilon: float
    sigma: float

    def __call__(self, r: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        x = (self.sigma / r) ** 6
        return 4 * self.epsilon * (x**2 - x)


@pytree()
@dataclass(frozen=True)
class Morse:
    """u(r) = D [e^(−2a(r − r₀)) − 2 e^(−a(r − r₀))], D in eV, a in 1/Å, r₀ in Å.

    Morse, Phys. Rev. 34, 57 (1929).
    """

    depth: float
    a: float
    r0: float

    def __call__(self, r: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        x = jnp.exp(-self.a * (r - self.r0))
        return self.depth * (x**2 - 2 * x)


def truncated(u: Curve, cutoff: float) -> Curve:
    """u up to the cutoff. The energy jumps there: for comparison with other programs only."""
    return lambda r: jnp.where(r < cutoff, u(r), 0.0)


def shifted(u: Curve, cutoff: float) -> Curve:
    """u(r) − u(r_c). The force jumps at the cutoff: for comparison with other programs only."""
    return truncated(lambda r: u(r) - u(jnp.asarray(cutoff, r.dtype)), cutoff)


def switched(u: Curve, cutoff: float, onset: float | None = None) -> Curve:
    """u(r) times a switch from `onset` (default 0.8 r_c) to r_c. C2."""
    onset = 0.8 * cutoff if onset is None else onset
    return lambda r: u(r) * switch(r, onset, cutoff)


@pytree(static=("cutoff", "ending"))
@dataclass(frozen=True)
class Pair:
    """E_i = ½ Σ_j u(r_ij) with one curve for all species, the same for every pair.

    Args:
        curve: u(r) in eV for r in Å.
        cutoff: in Å.
        ending: how the curve ends: `switched`, `shifted` or `truncated`, or another function of a
            curve and a cutoff. `functools.partial(switched, onset=7.0)` sets the onset.
    """

    curve: Curve
    cutoff: float
    ending: Callable[[Curve, float], Curve] = switched
    hops: ClassVar[int] = 1

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        graph = graph.within(self.cutoff)
        u = self.ending(self.curve, self.cutoff)
        return graph.over_neighbors(u(graph.lengths())) / 2


def argon() -> Pair:
    """ε = 119.8 K · k_B, σ = 3.405 Å, r_c = 2.5 σ. Rahman, Phys. Rev. 136, A405 (1964): 120 K."""
    return Pair(LennardJones(epsilon=0.010323, sigma=3.405), cutoff=8.5125)
