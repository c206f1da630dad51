"""Smooth functions of one variable, looked up in a table instead of computed.

In every interval of a uniform grid lies a polynomial of degree 5 that has the value, the slope and
the curvature of the function at both ends, so that the whole is C2:

    f(x) ≈ Σ_p c_kp tᵖ,    t = (x − x_k) / h from 0 to 1

The error falls as h⁶, that of the slope as h⁵. A network of one distance costs as much as its
table has channels, and no longer as much as it has weights.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tutor.precision import float64
from tutor.pytree import pytree

Curve = Callable[[Array], Array]


@pytree(static=("low", "high"))
@dataclass(frozen=True, eq=False)
class Table:
    """One or several functions from `low` to `high`. Made by `Table.of`; NaN outside.

    Attributes:
        value: coefficients of tᵖ, p = 0 … 5.
        slope: those of its derivative by t. They are stored, because one lookup for both would
            write all coefficients of all points to memory instead of using them on the spot.
    """

    value: Float[Array, "curves intervals 6 channels"]
    slope: Float[Array, "curves intervals 5 channels"]
    low: float
    high: float

    @classmethod
    def of(
        cls,
        *functions: Curve,
        low: float,
        high: float,
        knot: float | None = None,
        tolerance: float = 1e-10,
        dtype: type = jnp.float32,
    ) -> "Table":
        """A table of functions from points (points,) to values (points, channels).

        The grid is the coarsest of 32, 64, … intervals that reaches the `tolerance`: between the
        knots value and slope, y, are wrong by at most tolerance · (1 + |y|).

        Args:
            low, high: where the table begins and ends; it may begin a little lower.
            knot: a place where only two derivatives are continuous, such as the onset of a
                cutoff. The grid is laid through it.
            dtype: in which the table is kept. The functions are sampled in float64.

        Raises:
            ValueError: for an empty range, a knot outside of it, or functions that 8192
                intervals do not describe.
        """
        knot = low if knot is None else knot
        if not low <= knot < high:
            raise ValueError(f"low = {low}, knot = {knot}, high = {high}: give low ≤ knot < high")
        sample = _sampler(functions)
        for intervals in 2 ** np.arange(5, 14):
            step = (high - knot) / intervals
            knots = knot + step * np.arange(-np.ceil((knot - low) / step - 1e-9), intervals + 1)
            value, slope, error = _fitted(sample, knots)
            if error <= tolerance:
                break
        else:
            raise ValueError(
                f"with {intervals} intervals from {low} to {high} the error is still {error:.1e}, "
                f"above tolerance = {tolerance}: give functions whose derivatives are continuous, "
                "or the `knot` where they are not, a smaller range, or a larger tolerance"
            )
        value, slope = (jnp.asarray(np.moveaxis(c, 2, 0), dtype) for c in (value, slope))
        return cls(value, slope, float(knots[0]), float(high))

    def __call__(
        self, x: Float[Array, "*batch"], curve: int | Int[Array, "*batch"] = 0
    ) -> Float[Array, "*batch channels"]:
        """Function number `curve` at x, where a batch may be anything."""
        intervals = self.value.shape[1]
        t = (x - self.low) * (intervals / (self.high - self.low))
        k = jnp.clip(t.astype(jnp.int32), 0, intervals - 1)
        t = jnp.where((x >= self.low) & (x <= self.high), t - k, jnp.nan)
        value, slope = (c.reshape(-1, *c.shape[2:]) for c in (self.value, self.slope))
        return _lookup(value, slope, curve * intervals + k, t)


@jax.custom_jvp
def _lookup(value, slope, row, t):
    return _polynomial(value, row, t)


@_lookup.defjvp
def _(primals, tangents):
    """The slope is a second lookup. Coefficients are data and have no gradient."""
    value, slope, row, t = primals
    return _polynomial(value, row, t), _polynomial(slope, row, t) * tangents[3][..., None]


def _polynomial(coefficients, row, t):
    """Σ_p c_p tᵖ after Horner; each c_p is gathered where it is used."""
    y = 0.0
    for p in reversed(range(coefficients.shape[1])):
        y = y * t[..., None] + coefficients[:, p][row]
    return y.astype(t.dtype)


def _fitted(sample: Callable, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients (intervals, 6, curves, channels), those of the slope, and the largest error."""
    h = knots[1] - knots[0]
    f, df, ddf = (y * h**p for p, y in enumerate(sample(knots)))
    c = [f[:-1], df[:-1], ddf[:-1] / 2]
    a = f[1:] - sum(c)
    b = df[1:] - c[1] - 2 * c[2]
    e = ddf[1:] - 2 * c[2]
    c += [10 * a - 4 * b + e / 2, -15 * a + 7 * b - e, 6 * a - 3 * b + e / 2]
    value = np.stack(c, axis=1)
    slope = value[:, 1:] * np.arange(1, 6)[:, None, None]

    error = 0.0
    for t in (0.276, 0.5, 0.724):  # where t³ (1 − t)³ and its slope peak
        exact = sample(knots[:-1] + t * h)
        for y, c, unit in zip(exact, (value, slope), (1, h), strict=False):
            found = np.einsum("kp...,p->k...", c, t ** np.arange(c.shape[1])) / unit
            error = np.maximum(error, np.max(np.abs(found - y) / (1 + np.abs(y))))
    return value, slope, float(error)


def _sampler(functions: tuple[Curve, ...], chunk: int = 64) -> Callable:
    """x ↦ f, f', f'' in float64, each (points, curves, channels). Compiled once, for all grids."""

    def slope(f):
        return lambda x: jax.jvp(f, (x,), (jnp.ones_like(x),))[1]

    def f(x):
        return jnp.stack([function(x) for function in functions], axis=1)

    compiled = jax.jit(lambda x: (f(x), slope(f)(x), slope(slope(f))(x)))

    def sample(x):
        with float64():
            chunks = np.pad(x, (0, -len(x) % chunk), mode="edge").reshape(-1, chunk)
            parts = [jax.device_get(compiled(jnp.asarray(c, jnp.float64))) for c in chunks]
        return [np.concatenate(y)[: len(x)] for y in zip(*parts, strict=True)]

    return sample
