"""GFN2-xTB by tblite, in eV and Å. Source: Bannwarth, Ehlert, Grimme, doi 10.1021/acs.jctc.8b01176.

Its energy is the electronic free energy at 300 K, so forces are exactly its derivative.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from tutor.data.recipes.engines import require
from tutor.units import BOHR, HARTREE


class Labels(NamedTuple):
    """In eV, eV/Å, e·Å and e; gap is HOMO-LUMO; state is the self-consistent solution itself."""

    energy: float
    forces: Float[np.ndarray, "atoms 3"]
    dipole: Float[np.ndarray, "3"]
    charges: Float[np.ndarray, "atoms"]
    gap: float
    state: Any


class GFN2:
    """One molecule's calculator.

    Args:
        numbers: atomic numbers; the molecule is neutral and closed-shell.
        accuracy: of tblite; 0.1 leaves 0.004 meV/Å of noise in the forces, 1 leaves 0.07.
    """

    def __init__(self, numbers: Int[np.ndarray, "atoms"], accuracy: float = 0.1):
        interface = require("tblite.interface")
        apart = np.outer(np.arange(len(numbers)), [9.0, 0.0, 0.0])  # replaced at every call
        self._calculator = interface.Calculator("GFN2-xTB", numbers, apart)
        self._calculator.set("verbosity", 0)
        self._calculator.set("accuracy", accuracy)

    def __call__(self, positions: Float[np.ndarray, "atoms 3"], start: Any = None) -> Labels:
        """Labels at `positions` (Å). Cold, or from the `state` of a nearby structure."""
        self._calculator.update(positions=positions / BOHR)
        result = self._calculator.singlepoint(start)
        levels, filled = result["orbital-energies"], result["orbital-occupations"]
        lumo = round(filled.sum() / 2)
        return Labels(
            energy=float(result["energy"]) * HARTREE,
            forces=-np.asarray(result["gradient"]) * (HARTREE / BOHR),
            dipole=np.asarray(result["dipole"]) * BOHR,
            charges=np.asarray(result["charges"]),
            gap=float(levels[lumo] - levels[lumo - 1]) * HARTREE,
            state=result,
        )
