"""Silicon after Tersoff: a bond is the weaker, the more neighbours compete for its electrons.

    E_i = ½ Σ_j f_C(r_ij) [A e^(−λ₁ r_ij) − b_ij B e^(−λ₂ r_ij)]
    b_ij = (1 + (β ζ_ij)ⁿ)^(−1/2n)
    ζ_ij = Σ_{k≠j} f_C(r_ik) g(θ_ijk) e^((λ₃ (r_ij − r_ik))³)
    g(θ) = 1 + c²/d² − c²/(d² + (h − cos θ)²)

f_C falls from 1 to 0 between R − D and R + D as half a sine wave: it is C1, so forces are
continuous and their slope is not, as published.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from tutor.graph import Graph, masked
from tutor.pytree import pytree


@pytree(static=("R", "D"))
@dataclass(frozen=True)
class Tersoff:
    """One species. A, B in eV; λ in 1/Å; R, D in Å; the rest without unit.

    The defaults are the silicon of Phys. Rev. B 38, 9902 (1988), often called T3 or Si(C).
    """

    A: float = 1830.8
    B: float = 471.18
    lambda1: float = 2.4799
    lambda2: float = 1.7322
    lambda3: float = 1.7322
    beta: float = 1.0999e-6
    n: float = 0.78734
    c: float = 1.0039e5
    d: float = 16.218
    h: float = -0.59826
    R: float = 2.85
    D: float = 0.15
    hops: ClassVar[int] = 1

    @property
    def cutoff(self) -> float:
        return self.R + self.D

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        graph = graph.within(self.cutoff)
        r, n = graph.lengths(), graph.directions()
        f = self._cutoff(r)

        cos = jnp.einsum("ija,ika->ijk", n, n)
        g = 1 + (self.c / self.d) ** 2 - self.c**2 / (self.d**2 + (self.h - cos) ** 2)
        stretch = jnp.exp((self.lambda3 * (r[:, :, None] - r[:, None, :])) ** 3)
        zeta = graph.over_others(f[:, None, :] * g * stretch)

        # ζⁿ has no slope at ζ = 0 where n < 1; a bond without competitors has b = 1.
        crowd = masked(lambda z: (self.beta * z) ** self.n, zeta, zeta > 0)
        b = (1 + crowd) ** (-1 / (2 * self.n))
        bonds = self.A * jnp.exp(-self.lambda1 * r) - b * self.B * jnp.exp(-self.lambda2 * r)
        return graph.over_neighbors(f * bonds) / 2

    def _cutoff(self, r: Array) -> Array:
        x = jnp.clip((r - self.R) / self.D, -1.0, 1.0)
        return 0.5 - 0.5 * jnp.sin(jnp.pi / 2 * x)


def silicon_1988() -> Tersoff:
    """The first parametrisation, often called T2 or Si(B). Phys. Rev. B 37, 6991 (1988)."""
    return Tersoff(
        A=3264.7,
        B=95.373,
        lambda1=3.2394,
        lambda2=1.3258,
        lambda3=1.3258,
        beta=0.33675,
        n=22.956,
        c=4.8381,
        d=2.0417,
        h=0.0,
        R=3.0,
        D=0.2,
    )
