"""What an atom is to a classical force field: its charge, and its Lennard-Jones σ and ε.

SPC/Fw, flexible water: Wu, Tepper, Voth, J. Chem. Phys. 124, 024503 (2006),
doi 10.1063/1.2136877, table I. Liquid argon: Rahman, Phys. Rev. 136, A405 (1964),
doi 10.1103/PhysRev.136.A405: σ = 3.4 Å, ε = 120 K.
"""

from math import radians
from typing import NamedTuple

from tutor.units import KB, KCAL_PER_MOL


class Site(NamedTuple):
    """An atom of a force field.

    Attributes:
        mass: in amu.
        charge: in e.
        sigma: where its Lennard-Jones potential with its like is zero, in Å.
        epsilon: how deep that is, in eV.
    """

    mass: float
    charge: float
    sigma: float
    epsilon: float


SITES = {
    8: Site(15.9994, -0.82, 3.165492, 0.1554253 * KCAL_PER_MOL),
    1: Site(1.008, 0.41, 0.0, 0.0),
    18: Site(39.948, 0.0, 3.4, 120.0 * KB),
}
"""For each atomic number: oxygen and hydrogen of SPC/Fw water, and argon."""


class Harmonic(NamedTuple):
    """½ k (x − rest)², for a length in Å (k in eV/Å²) or an angle in radians (k in eV)."""

    k: float
    rest: float


BOND = Harmonic(1059.162 * KCAL_PER_MOL, 1.012)
ANGLE = Harmonic(75.90 * KCAL_PER_MOL, radians(113.24))
CUTOFF = 9.0
"""Where the Lennard-Jones terms end, in Å, shifted so that the energy is continuous there."""
