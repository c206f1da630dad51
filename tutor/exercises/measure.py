"""How far an array is from another: tolerance, match, and the size of the error in words."""

from numbers import Real

import numpy as np

from tutor.exercises.values import SHOWN, as_numpy, show, show_apart

RTOL = 1e-4
ATOL = 1e-6


def numeric(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biufc"


def array_of(value: object) -> np.ndarray | None:
    if isinstance(value, tuple):
        value = as_numpy(list(value))
    return value if numeric(value) else None


def plain(array: np.ndarray) -> np.ndarray:
    return array.astype(complex if array.dtype.kind == "c" else float)


def largest(array: np.ndarray) -> float:
    values = np.abs(plain(array))
    return float(values[np.isfinite(values)].max(initial=0.0))


def tolerance_of(
    expected: np.ndarray, rtol: Real | None, atol: Real | None, scale: Real | None
) -> float:
    if expected.dtype.kind in "biu" and rtol is None and atol is None:
        return 1e-3
    scale = largest(expected) if scale is None else scale
    return (RTOL if rtol is None else rtol) * scale + (atol or (0.0 if scale else ATOL))


@np.errstate(all="ignore")
def matches(got: np.ndarray, expected: np.ndarray, tolerance: Real) -> bool:
    if got.shape != expected.shape:
        return False
    got, expected = plain(got), plain(expected)
    inside = np.isfinite(expected)
    outside = np.array_equal(got[~inside], expected[~inside], equal_nan=True)
    return outside and bool(np.all(np.abs(got[inside] - expected[inside]) <= tolerance))


@np.errstate(all="ignore")
def size_of_error(
    got: np.ndarray, expected: np.ndarray, tolerance: Real, scale: Real | None = None
) -> str:
    if got.shape != expected.shape:
        return f"shape {got.shape} instead of {expected.shape}"
    difference = np.nan_to_num(np.abs(plain(got) - plain(expected)), nan=np.inf)
    worst = np.unravel_index(difference.argmax(), difference.shape)
    if expected.dtype.kind in "biu" and expected.ndim:
        count = int((difference > tolerance).sum())
        return f"{count} of {difference.size} values differ, the worst by {show(difference[worst])}"
    whole = "the largest value" if expected.ndim else "the value"
    whole = whole if scale is None else f"the scale {scale:.3g}"
    scale = largest(expected) if scale is None else scale
    text = f"off by {difference[worst]:.3g}"
    if scale:
        ratio = difference[worst] / scale
        text += (
            f", {100 * ratio:.3g} % of {whole}" if ratio < 10 else f", {ratio:.3g} times {whole}"
        )
    if expected.ndim:
        text += f", at {[int(n) for n in worst]}"
    if expected.size > SHOWN:  # that place may be left out where the arrays are shown
        text += ": {} against {}".format(*show_apart(got[worst], expected[worst]))
    return text
