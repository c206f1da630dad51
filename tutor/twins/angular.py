"""Functions of a direction in torch: the same names and formulas as in `tutor.angular`."""

import torch
from jaxtyping import Float
from torch import Tensor


def harmonics(u: Float[Tensor, "*batch 3"], degree: int) -> Float[Tensor, "*batch components"]:
    """Y_l(u), the 2l + 1 real spherical harmonics of unit vectors, for l = 0, 1, 2.

    Scaled so that Y_l(u) · Y_l(v) = P_l(u · v); m = −l … l, but l = 1 as (x, y, z).

    Raises:
        ValueError: for another degree.
    """
    x, y, z = u.unbind(dim=-1)
    if degree == 0:
        return torch.ones_like(u[..., :1])
    if degree == 1:
        return u
    if degree == 2:
        root = 3**0.5
        last = (root * x * z, root / 2 * (x**2 - y**2))
        return torch.stack([root * x * y, root * y * z, (3 * z**2 - 1) / 2, *last], dim=-1)
    raise ValueError(f"degree = {degree}: harmonics are given for the degrees 0, 1 and 2")
