"""What a wrong array has to do with the right one: a factor, a shift, a transposition."""

from numbers import Real

import numpy as np

from tutor.units import BOHR, DEBYE, HARTREE, KCAL_PER_MOL, KJ_PER_MOL, MEV

_FACTORS = {  # got / expected: what that says
    -1.0: "the sign is flipped",
    2.0: "it is twice what it should be: is each pair counted twice?",
    0.5: "it is half of what it should be",
    -2.0: "it is twice what it should be, with the sign flipped",
    -0.5: "it is half of what it should be, with the sign flipped",
}
_UNITS = {
    ("meV", "eV"): MEV,
    ("hartree", "eV"): HARTREE,
    ("kcal/mol", "eV"): KCAL_PER_MOL,
    ("kJ/mol", "eV"): KJ_PER_MOL,
    ("hartree/bohr", "eV/Å"): HARTREE / BOHR,
    ("bohr", "Å"): BOHR,
    ("debye", "e·Å"): DEBYE,
}
for (foreign, ours), unit in _UNITS.items():
    _FACTORS[1 / unit] = f"the factor is that from {ours} to {foreign}: which unit is asked for?"
    _FACTORS[unit] = f"the factor is that from {foreign} to {ours}: which unit is asked for?"


@np.errstate(all="ignore")
def resemblance(got: np.ndarray, expected: np.ndarray, close: Real) -> str:
    """In words, the simplest relation between two numeric arrays; "" where there is none.

    A single number is always some multiple of another, so for it only the familiar factors (a
    sign, a two, a unit) count.

    Args:
        close: the largest difference that still counts as equal.
    """
    if got.ndim == 2 and got.T.shape == expected.shape and _near(got.T, expected, close):
        return "it is transposed: rows and columns are exchanged"
    if got.shape != expected.shape:
        squeezed = got.size == expected.size and _near(got.ravel(), expected.ravel(), close)
        return "the numbers are right, their shape is not" if squeezed else ""
    if not got.size or "c" in got.dtype.kind + expected.dtype.kind:
        return ""
    if not (np.isfinite(got).all() and np.isfinite(expected).all()):
        return ""
    if not got.any():
        return "everything is zero"
    return _factor(got, expected, close) or _shift(got, expected, close)


def _near(got: np.ndarray, expected: np.ndarray | np.generic, close: Real) -> bool:
    return bool(np.all(np.abs(got - expected) <= close))


def _factor(got: np.ndarray, expected: np.ndarray, close: Real) -> str:
    norm = np.sum(expected * expected)
    factor = np.sum(got * expected) / norm if norm else 0.0
    if not factor or not _near(got, factor * expected, close * max(1.0, abs(factor))):
        return ""
    slack = max(1e-3, close / np.max(np.abs(expected)))
    for familiar, words in _FACTORS.items():
        if abs(factor / familiar - 1) < slack:
            return words
    several = np.count_nonzero(expected) >= 3 and np.ptp(expected) > close
    return f"everything is {factor:.4g} times what it should be" if several else ""


def _shift(got: np.ndarray, expected: np.ndarray, close: Real) -> str:
    shift = np.mean(got - expected)
    if got.size < 3 or np.ptp(expected) <= close or not _near(got, expected + shift, close):
        return ""
    return f"everything is shifted by {shift:.4g}"
