"""Silicon after Stillinger and Weber: bonds that like the tetrahedral angle.

    E_i = ½ Σ_j φ₂(r_ij) + Σ_{j<k} φ₃(r_ij, r_ik, θ_jik)
    φ₂ = A ε [B (σ/r)^p − (σ/r)^q] e^(σ/(r − r_c))
    φ₃ = λ ε (cos θ − cos θ₀)² e^(γσ/(r_ij − r_c)) e^(γσ/(r_ik − r_c)),     r_c = a σ

Every derivative vanishes at the cutoff. Phys. Rev. B 31, 5262 (1985); the energy scale of
2.1683 eV reproduces the cohesive energy of 4.3366 eV per atom.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from tutor.graph import Graph, masked
from tutor.pytree import pytree


@pytree(static=("sigma", "a", "p", "q"))
@dataclass(frozen=True)
class StillingerWeber:
    """One species; the defaults are silicon. ε in eV, σ in Å, the rest without unit."""

    epsilon: float = 2.1683
    sigma: float = 2.0951
    a: float = 1.80
    lambda_: float = 21.0
    gamma: float = 1.20
    cos_theta0: float = -1 / 3
    A: float = 7.049556277
    B: float = 0.6022245584
    p: int = 4
    q: int = 0
    hops: ClassVar[int] = 1

    @property
    def cutoff(self) -> float:
        return self.a * self.sigma

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        graph = graph.within(self.cutoff)
        r, n = graph.lengths(), graph.directions()
        cos = jnp.einsum("ija,ika->ijk", n, n)

        x = self.sigma / r
        bonds = self.A * (self.B * x**self.p - x**self.q) * self._tail(r)
        near = self._tail(r, self.gamma)
        angles = (cos - self.cos_theta0) ** 2 * near[:, :, None] * near[:, None, :]
        angles = self.lambda_ * graph.over_others(angles)  # sees each pair of neighbours twice
        return self.epsilon * graph.over_neighbors(bonds + angles) / 2

    def _tail(self, r: Array, gamma: float | Array = 1.0) -> Array:
        """e^(γσ/(r − r_c)), which ends with all its derivatives at zero."""

        def tail(r):
            return jnp.exp(gamma * self.sigma / (r - self.cutoff))

        return masked(tail, r, r < self.cutoff, safe=0.0)
