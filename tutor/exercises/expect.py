"""What a check may expect of an answer. Each expectation passes silently or raises `Broken`.

Tolerance. An error counts relative to the output's own scale, its largest expected absolute
value (not element by element: in float32 the small entries of a force array carry the rounding
of the large ones): |got - expected| <= rtol * scale + atol. The default `RTOL` = 1e-4 is about a
thousand float32 roundings, so float32 and float64 answers both pass, and finer than the 4e-4 by
which 27.2 differs from 27.2114. Where the answer is a small difference on a large offset, give
`scale` (eV: 0.1 for an energy of -10000 that must follow a rotation). Integers and booleans must
be met within 1e-3. Where zero is expected everywhere there is no scale, and `atol` is `ATOL`.
"""

from collections.abc import Callable, Iterable, Mapping
from numbers import Real

import numpy as np

from tutor.exercises.diagnose import resemblance
from tutor.exercises.measure import (
    ATOL,
    RTOL,
    array_of,
    largest,
    matches,
    numeric,
    plain,
    size_of_error,
    tolerance_of,
)
from tutor.exercises.values import as_numpy
from tutor.exercises.verdict import Broken


def expect(
    got: object,
    expected: object,
    *,
    law: str,
    example: Mapping | None = None,
    rtol: Real | None = None,
    atol: Real | None = None,
    scale: Real | None = None,
    slips: Mapping | None = None,
) -> None:
    """Expects `got` to equal `expected`: kind, shape, finite values, then the values themselves.

    Args:
        law: the law that fails otherwise, as a sentence.
        example: the inputs by name; without it those of the learner's last call are shown.
        rtol, atol, scale: see the top of this file.
        slips: a fault in words ("you counted the padding") to the value that it produces.
    """
    got, expected = as_numpy(got), as_numpy(expected)
    shown = {"law": law, "example": example, "expected": expected, "got": got}
    if not numeric(expected):
        if type(got) is not type(expected) or got != expected:
            raise Broken(message="", **shown)
        return
    array = array_of(got)
    if array is None:
        kind = "a mixed or ragged sequence" if isinstance(got, list | tuple) else type(got).__name__
        wanted = f"numbers of shape {expected.shape}" if expected.ndim else "one number"
        raise Broken(message=f"expected {wanted}, got {kind}", **shown)
    tolerance = tolerance_of(expected, rtol, atol, scale)
    if matches(array, expected, tolerance):
        return
    error = size_of_error(array, expected, tolerance, scale)
    for words, slip in (slips or {}).items():
        slip = as_numpy(slip)
        if numeric(slip) and matches(array, slip, tolerance_of(slip, rtol, atol, scale)):
            raise Broken(message=words, error=error, **shown)
    if array.shape != expected.shape:
        also = resemblance(plain(array), plain(expected), tolerance)
        message = f"the shape is {array.shape}, expected {expected.shape}"
        raise Broken(message=f"{message}; {also}" if also else message, **shown)
    _require_finite(array, shown, expected)
    message = resemblance(plain(array), plain(expected), tolerance)
    raise Broken(message=message, error=error, **shown)


def agree(
    f: Callable,
    truth: Callable,
    cases: Iterable[Mapping],
    *,
    law: str,
    slips: Mapping[str, Callable] | None = None,
    **tolerance,
) -> None:
    """Expects f and truth to agree on every case; reports the smallest case that fails.

    Args:
        cases: the arguments by name, {"numbers": array, ...}, passed by position.
        slips: a fault in words to a function that has it; it is named if it explains all cases.
        tolerance: rtol, atol, scale as in `expect`.
    """
    size = lambda case: sum(np.size(value) for value in case.values())  # noqa: E731
    runs = [(case, f(*case.values())) for case in sorted(cases, key=size)]
    for case, got in runs:
        try:
            expect(got, truth(*case.values()), law=law, example=case, **tolerance)
        except Broken as broken:
            for words, fault in (slips or {}).items():
                if all(_agrees(got, fault(*case.values()), tolerance) for case, got in runs):
                    broken.message = words
                    break
            raise


def same(
    before: object,
    after: object,
    *,
    law: str,
    example: Mapping | None = None,
    rtol: Real = RTOL,
    scale: Real | None = None,
    labels: tuple[str, str] = ("before", "after"),
    message: str = "",
) -> None:
    """Expects two of the learner's own outputs to be equal: an invariance.

    The error is measured against the larger output, or `scale`, which matters where a constant
    hides a change.
    """
    first, second = _demand_array(before, law, example), _demand_array(after, law, example)
    shown = {"law": law, "example": example, "expected": first, "got": second, "labels": labels}
    if first.shape != second.shape:
        raise Broken(message=f"the shape changes from {first.shape} to {second.shape}", **shown)
    _require_finite(first, {"law": law, "example": example, "got": first})
    _require_finite(second, shown)
    whole = max(largest(first), largest(second)) if scale is None else scale
    tolerance = rtol * whole or ATOL
    if not matches(second, first, tolerance):
        error = size_of_error(second, first, tolerance, scale)
        raise Broken(message=message, error=error, **shown)


def vanishes(
    got: object,
    *,
    scale: Real,
    law: str,
    example: Mapping | None = None,
    rtol: Real = RTOL,
    message: str = "",
) -> None:
    """Expects every element of `got` to be zero, compared with `scale`."""
    array = _demand_array(got, law, example)
    zero = np.zeros_like(array)
    shown = {"law": law, "example": example, "expected": zero, "got": array}
    _require_finite(array, shown)
    tolerance = rtol * scale or ATOL
    if not matches(array, zero, tolerance):
        error = size_of_error(array, zero, tolerance, scale)
        raise Broken(message=message, error=error, **shown)


def shape(got: object, expected: tuple, *, law: str, example: Mapping | None = None) -> None:
    """Expects numbers of this shape; `None` in it stands for any length."""
    array = _demand_array(got, law, example)
    fits = len(expected) == array.ndim and all(
        want in (None, have) for want, have in zip(expected, array.shape, strict=True)
    )
    if not fits:
        wanted = str(tuple("any" if n is None else n for n in expected)).replace("'", "")
        message = f"the shape is {array.shape}, expected {wanted}"
        raise Broken(law, message, example=example, got=array)


def finite(got: object, *, law: str, example: Mapping | None = None) -> None:
    """Expects numbers without NaN and infinities."""
    array = _demand_array(got, law, example)
    _require_finite(array, {"law": law, "example": example, "got": array})


def parts(got: object, *names: str, law: str = "everything asked for is returned") -> tuple:
    """Expects a tuple (or list) of as many values as `names`, and returns it."""
    several = isinstance(got, list | tuple) or (isinstance(got, np.ndarray) and got.ndim > 0)
    if not several or len(got) != len(names):
        what = f"{len(got)} values" if several else "one value"
        message = f"expected {len(names)} values ({', '.join(names)}), got {what}"
        raise Broken(law, message, got=got)
    return tuple(got)


def require(
    condition: object,
    *,
    law: str,
    message: str = "",
    error: str = "",
    example: Mapping | None = None,
    expected: object = None,
    got: object = None,
) -> None:
    """Expects anything else: raises `Broken` with these words unless `condition` is true."""
    if not condition:
        raise Broken(law, message, error=error, example=example, expected=expected, got=got)


def _agrees(got: object, other: object, tolerance: Mapping) -> bool:
    try:
        expect(got, other, law="", **tolerance)
    except Broken:
        return False
    return True


def _demand_array(value: object, law: str, example: Mapping | None) -> np.ndarray:
    array = array_of(as_numpy(value))
    if array is None:
        message = f"expected numbers, got {type(value).__name__}"
        raise Broken(law, message, example=example, got=value)
    return array


def _require_finite(array: np.ndarray, shown: Mapping, expected: np.ndarray | None = None) -> None:
    bad = ~np.isfinite(plain(array))
    if expected is not None:
        bad &= np.isfinite(plain(expected))
    if not bad.any():
        return
    first = np.argwhere(bad)[0].tolist()
    place = f" of {bad.size}, the first at {first}" if bad.ndim else ""
    kind = "NaN" if np.isnan(array[tuple(first)]) else "infinite"
    raise Broken(message=f"{bad.sum()} {kind} value(s){place}", **shown)
