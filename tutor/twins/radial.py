"""Functions of a distance in torch: the same names, formulas and sources as in `tutor.radial`.

r in Å, of any shape.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def cosine_cutoff(r: Float[Tensor, "*shape"], cutoff: float) -> Float[Tensor, "*shape"]:
    """½ (1 + cos(π r / r_c)). C1 at the cutoff."""
    return torch.where(r < cutoff, 0.5 * (1 + torch.cos(math.pi * r / cutoff)), 0.0)


def polynomial_cutoff(
    r: Float[Tensor, "*shape"], cutoff: float, p: int = 6
) -> Float[Tensor, "*shape"]:
    """1 − (p+1)(p+2)/2 xᵖ + p(p+2) xᵖ⁺¹ − p(p+1)/2 xᵖ⁺² with x = r / r_c. C2 at the cutoff."""
    x = (r / cutoff).clamp(max=1.0)
    polynomial = (p + 1) * (p + 2) / 2 - p * (p + 2) * x + p * (p + 1) / 2 * x**2
    return torch.where(r < cutoff, 1 - x**p * polynomial, 0.0)


def switch(r: Float[Tensor, "*shape"], onset: float, cutoff: float) -> Float[Tensor, "*shape"]:
    """1 up to `onset`, then 1 − 10 x³ + 15 x⁴ − 6 x⁵ with x from 0 to 1. C2 at both ends."""
    x = ((r - onset) / (cutoff - onset)).clamp(0.0, 1.0)
    return torch.where(r < cutoff, 1 - x**3 * (10 - 15 * x + 6 * x**2), 0.0)


def smooth_inverse(
    r: Float[Tensor, "*shape"], onset: float, cutoff: float
) -> Float[Tensor, "*shape"]:
    """The s(r) of DeepPot-SE in 1/Å: 1/r up to `onset`, then 1/r times the switch. C2."""
    return switch(r, onset, cutoff) / r


def gaussian_basis(
    r: Float[Tensor, "*shape"], cutoff: float, count: int, start: float = 0.0
) -> Float[Tensor, "*shape {count}"]:
    """exp(−(r − μ_n)² / 2σ²) with `count` centres from `start` to the cutoff, σ apart."""
    centers = torch.linspace(start, cutoff, count, dtype=r.dtype, device=r.device)
    spacing = (cutoff - start) / (count - 1)
    return torch.exp(-0.5 * ((r[..., None] - centers) / spacing) ** 2)


def bessel_basis(
    r: Float[Tensor, "*shape"], cutoff: float, count: int
) -> Float[Tensor, "*shape {count}"]:
    """√(2/r_c) sin(n π r / r_c) / r for n = 1 … count, in Å^(−3/2), for r > 0."""
    n = torch.arange(1, count + 1, dtype=r.dtype, device=r.device)
    return math.sqrt(2 / cutoff) * torch.sin(n * math.pi * r[..., None] / cutoff) / r[..., None]
