"""The simplest model of all: an energy per element, E = Σ_Z n_Z c_Z.

It knows neither bonds nor geometry. It is the baseline of Day 1, and what later models subtract
from their training energies, so that they only learn what chemistry adds.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Composition:
    """Energies per element in eV, `coefficients`, for the atomic numbers `elements`."""

    elements: tuple[int, ...]
    coefficients: tuple[float, ...]

    @classmethod
    def fit(
        cls,
        numbers: Int[np.ndarray, "structures atoms"],
        energy: Float[np.ndarray, "structures"],
    ) -> "Composition":
        """Least squares without an intercept; 0 in `numbers` is padding."""
        elements = tuple(int(z) for z in np.unique(numbers[numbers > 0]))
        counts = count_elements(numbers, elements).astype(np.float64)
        coefficients, *_ = np.linalg.lstsq(counts, np.asarray(energy, np.float64), rcond=None)
        return cls(elements, tuple(float(c) for c in coefficients))

    def __call__(
        self, numbers: Int[np.ndarray, "structures atoms"]
    ) -> Float[np.ndarray, "structures"]:
        """Energies in eV, float64.

        Raises:
            ValueError: for an element that was not in the fit.
        """
        unknown = set(np.unique(numbers[numbers > 0]).tolist()) - set(self.elements)
        if unknown:
            raise ValueError(
                f"numbers holds the atomic numbers {sorted(unknown)}, but the fit saw only "
                f"{list(self.elements)}: fit again with structures that contain them"
            )
        return count_elements(numbers, self.elements) @ np.array(self.coefficients)


def count_elements(
    numbers: Int[np.ndarray, "structures atoms"], elements: tuple[int, ...]
) -> Int[np.ndarray, "structures elements"]:
    """How many atoms of each of the `elements` a structure has."""
    return np.stack([(numbers == z).sum(axis=1) for z in elements], axis=1)
