"""Copper as an embedded atom: each atom pays for the electron density of its neighbours.

    E_i = ½ Σ_j φ(r_ij) + F(ρ_i),     ρ_i = Σ_j ρ(r_ij)

The functions and their parameters are those of Mishin, Mehl, Papaconstantopoulos, Voter and
Kress, Phys. Rev. B 63, 224106 (2001), potential "EAM1": C3 at the cutoff. The second term of
their density is below 10^(−60000) at every distance and left out.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.pytree import pytree


@pytree(static=("cutoff",))
@dataclass(frozen=True)
class EAM:
    """One species; the defaults are copper. Energies in eV, lengths in Å, density without unit."""

    cutoff: float = 5.50679
    h: float = 0.50037  # width of the end
    # pair energy: two Morse wells, an offset, and a core
    E: tuple[float, ...] = (2.01458e2, 6.59288e-3)
    r0: tuple[float, ...] = (0.83591, 4.46867)
    alpha: tuple[float, ...] = (2.97758, 1.54927)
    delta: float = 0.86225e-2
    S: tuple[float, ...] = (4.0, 40.0, 1150.0)
    r_s: tuple[float, ...] = (2.24, 1.80, 1.20)
    # density: a Gaussian
    a: float = 3.80362
    r_a: float = -2.19885
    beta_a: float = 0.17394
    # embedding energy: polynomial below the density of the crystal, rational above
    F0: float = -2.28235
    F2: float = 1.35535
    q: tuple[float, ...] = (-1.27775, -0.86074, 1.78804, 2.97571)
    Q: tuple[float, ...] = (0.4, 0.3)
    hops: ClassVar[int] = 1

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        graph = graph.within(self.cutoff)
        r = graph.lengths()
        rho = graph.over_neighbors(self.density(r))
        return graph.over_neighbors(self.pair(r)) / 2 + self.embedding(rho)

    def pair(self, r: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """φ(r) in eV."""
        wells = self.delta
        for E, r0, alpha in zip(self.E, self.r0, self.alpha, strict=True):
            x = jnp.exp(-alpha * (r - r0))
            wells += E * (x**2 - 2 * x)
        core = sum(
            S * jnp.maximum(r_s - r, 0.0) ** 4 for S, r_s in zip(self.S, self.r_s, strict=True)
        )
        return wells * self._end(r) - core

    def density(self, r: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """ρ(r), in units in which the perfect crystal has the density 1."""
        return self.a * jnp.exp(-self.beta_a * (r - self.r_a) ** 2) * self._end(r)

    def embedding(self, rho: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """F(ρ) in eV."""
        x = rho - 1
        base = self.F0 + self.F2 / 2 * x**2
        below = base + sum(q * x ** (n + 3) for n, q in enumerate(self.q))
        Q1, Q2 = self.Q
        x = jnp.maximum(x, 0.0)  # the rational function has a pole below
        above = (base + self.q[0] * x**3 + Q1 * x**4) / (1 + Q2 * x**3)
        return jnp.where(rho < 1, below, above)

    def _end(self, r: Array) -> Array:
        """x⁴ / (1 + x⁴) with x = (r − r_c) / h, and zero beyond the cutoff."""
        x = jnp.minimum((r - self.cutoff) / self.h, 0.0) ** 4
        return x / (1 + x)
