"""What one moment of a simulation says: kinetic energy, temperature, pressure; and averages of it.

Pure functions of arrays, for use inside jit as well as afterwards. Velocities in Å/fs, masses in
amu, energies in eV, pressure in eV/Å³ (divide by `tutor.units.GPA` for GPa). Leading axes of
velocities are frames, replicas, or both. An atom of mass 0 is padding.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tutor.units import AMU, KB

Real = float | Float[Array, ""] | Float[np.ndarray, ""]


def kinetic_energy(
    velocities: Float[Array, "*frames atoms 3"], masses: Float[Array, "atoms"]
) -> Float[Array, "*frames"]:
    """K = ½ Σ_i m_i v_i² in eV."""
    return AMU / 2 * (masses * (velocities**2).sum(axis=-1)).sum(axis=-1)


def temperature(
    velocities: Float[Array, "*frames atoms 3"],
    masses: Float[Array, "atoms"],
    *,
    conserved: int = 3,
) -> Float[Array, "*frames"]:
    """T = 2 K / (f k_B) in K with f = 3 N − `conserved` degrees of freedom.

    Args:
        conserved: how many components of momentum never change and are zero: 3 for dynamics that
            conserve momentum, 0 for Langevin dynamics, whose noise moves the centre of mass too.
    """
    degrees = 3 * (masses > 0).sum() - conserved
    return 2 * kinetic_energy(velocities, masses) / (degrees * KB)


def pressure(
    velocities: Float[Array, "*frames atoms 3"],
    masses: Float[Array, "atoms"],
    virial: Float[Array, "*frames 3 3"],
    volume: Float[Array, "*#frames"] | float,
) -> Float[Array, "*frames"]:
    """P = (2 K + tr W) / 3 V in eV/Å³, positive under compression.

    Args:
        virial: W = −∂E/∂strain in eV, from `tutor.potential.evaluate`.
        volume: in Å³.
    """
    trace = jnp.trace(virial, axis1=-2, axis2=-1)
    return (2 * kinetic_energy(velocities, masses) + trace) / (3 * volume)


class Estimate(NamedTuple):
    """A mean with its standard error."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.6g} ± {self.error:.2g}"


def block_average(x: Float[np.ndarray, "frames"]) -> Estimate:
    """The mean of a correlated series and its standard error, from averages over blocks.

    Blocks of 1, 2, 4, … values are tried, and the first is taken whose length B satisfies
    B³ > 2 n (s_B / s_1)⁴, where s_B is the standard error from blocks of that length: they are
    independent then. Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989); the choice of B is
    that of Lee et al., Phys. Rev. E 83, 066706 (2011).

    Raises:
        ValueError: where fewer than 8 independent blocks are left: the run is too short.
    """
    x = np.asarray(x, np.float64)
    length, first = 1, None
    while (count := len(x) // length) >= 8:
        means = x[: count * length].reshape(count, length).mean(axis=1)
        error = means.std(ddof=1) / np.sqrt(count)
        first = error if first is None else first
        if error == 0 or length**3 > 2 * len(x) * (error / first) ** 4:
            return Estimate(float(x.mean()), float(error))
        length *= 2
    raise ValueError(
        f"x has {len(x)} values, of which fewer than 8 blocks are independent: its error cannot be "
        "told. Run longer"
    )
