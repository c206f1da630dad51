"""Functions of a distance: how interactions end, and how networks are told a length.

Pure functions of r in Å, of any shape. Each cutoff is 1 (or falls from 1) near the atom and exactly
0 from `cutoff` on. Its docstring says how smoothly it gets there: Cn means that derivatives up to
the nth are continuous. Forces are continuous from C1 on, vibrations from C2 on.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


def cosine_cutoff(r: Float[Array, "*shape"], cutoff: float) -> Float[Array, "*shape"]:
    """½ (1 + cos(π r / r_c)). C1 at the cutoff; its square is C3.

    Behler and Parrinello, Phys. Rev. Lett. 98, 146401 (2007).
    """
    return jnp.where(r < cutoff, 0.5 * (1 + jnp.cos(jnp.pi * r / cutoff)), 0.0)


def polynomial_cutoff(
    r: Float[Array, "*shape"], cutoff: float, p: int = 6
) -> Float[Array, "*shape"]:
    """1 − (p+1)(p+2)/2 xᵖ + p(p+2) xᵖ⁺¹ − p(p+1)/2 xᵖ⁺² with x = r / r_c. C2 at the cutoff.

    Gasteiger, Groß and Günnemann, ICLR 2020 (arXiv 2003.03123), eq. 8. C(p−1) at r = 0.
    """
    x = jnp.minimum(r / cutoff, 1.0)
    polynomial = (p + 1) * (p + 2) / 2 - p * (p + 2) * x + p * (p + 1) / 2 * x**2
    return jnp.where(r < cutoff, 1 - x**p * polynomial, 0.0)


def switch(r: Float[Array, "*shape"], onset: float, cutoff: float) -> Float[Array, "*shape"]:
    """1 up to `onset`, then 1 − 10 x³ + 15 x⁴ − 6 x⁵ with x from 0 to 1. C2 at both ends."""
    x = jnp.clip((r - onset) / (cutoff - onset), 0.0, 1.0)
    return jnp.where(r < cutoff, 1 - x**3 * (10 - 15 * x + 6 * x**2), 0.0)


def smooth_inverse(
    r: Float[Array, "*shape"], onset: float, cutoff: float
) -> Float[Array, "*shape"]:
    """The s(r) of DeepPot-SE in 1/Å: 1/r up to `onset`, then 1/r times the switch. C2.

    Zhang et al., NeurIPS 2018 (arXiv 1805.09003).
    """
    return switch(r, onset, cutoff) / r


def gaussian_basis(
    r: Float[Array, "*shape"], cutoff: float, count: int, start: float = 0.0
) -> Float[Array, "*shape {count}"]:
    """exp(−(r − μ_n)² / 2σ²) with `count` centres from `start` to the cutoff, σ apart.

    Smooth, and not zero at the cutoff: multiply with one of the cutoffs.
    Schütt et al., J. Chem. Phys. 148, 241722 (2018).
    """
    centers = jnp.linspace(start, cutoff, count, dtype=r.dtype)
    spacing = (cutoff - start) / (count - 1)
    return jnp.exp(-0.5 * ((r[..., None] - centers) / spacing) ** 2)


def bessel_basis(
    r: Float[Array, "*shape"], cutoff: float, count: int
) -> Float[Array, "*shape {count}"]:
    """√(2/r_c) sin(n π r / r_c) / r for n = 1 … count, in Å^(−3/2), for r > 0.

    Orthonormal with weight r² on (0, r_c). Zero at the cutoff, its slope is not: multiply with
    one of the cutoffs. Gasteiger et al., ICLR 2020 (arXiv 2003.03123), eq. 7.
    """
    n = jnp.arange(1, count + 1, dtype=r.dtype)
    return jnp.sqrt(2 / cutoff) * jnp.sin(n * jnp.pi * r[..., None] / cutoff) / r[..., None]
