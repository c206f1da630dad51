"""Functions of a direction: real spherical harmonics, for pairs that are told apart by angles."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def harmonics(u: Float[Array, "*batch 3"], degree: int) -> Float[Array, "*batch components"]:
    """Y_l(u), the 2l + 1 real spherical harmonics of unit vectors, for l = 0, 1, 2.

    Scaled so that Y_l(u) · Y_l(v) = P_l(u · v), the Legendre polynomial (Racah's normalisation), in
    the order m = −l … l, but with l = 1 as (x, y, z). They change by an orthogonal matrix when u
    turns.

    Raises:
        ValueError: for another degree.
    """
    x, y, z = u[..., 0], u[..., 1], u[..., 2]
    if degree == 0:
        return jnp.ones_like(u[..., :1])
    if degree == 1:
        return u
    if degree == 2:
        root = 3**0.5
        last = (root * x * z, root / 2 * (x**2 - y**2))
        return jnp.stack([root * x * y, root * y * z, (3 * z**2 - 1) / 2, *last], axis=-1)
    raise ValueError(f"degree = {degree}: harmonics are given for the degrees 0, 1 and 2")
