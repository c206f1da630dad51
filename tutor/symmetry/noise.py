"""The noise floor of a map at a structure: measured, never guessed.

The map is evaluated at equally spaced points on a short line. High differences of a smooth
function vanish there, so what is left is rounding: in the input, inside the map, and in its
output, whatever precision each of them has. (Hamming's difference table; Moré and Wild,
SIAM J. Sci. Comput. 33, 1292 (2011).)
"""

from collections.abc import Sequence
from math import factorial

import numpy as np
from numpy.typing import ArrayLike

from tutor.symmetry.groups import Arrays
from tutor.symmetry.spec import Spec

POINTS = 9
ORDERS = (6, 7, 8)
# Of the shortest distance: wide, so that a map that rounds to float32 inside shows it; narrow, so
# that a sixth difference of 1/r^12 is 1e-17 of it in float64.
STEP = {"float64": 1e-4, "float32": 1e-3}


def eps(dtype: str) -> float:
    """The spacing of numbers near 1."""
    return float(np.finfo(dtype).eps)


def size_of(values: np.ndarray) -> float:
    """The spread of an array about its mean along the first axis; its size if it has none."""
    spread = np.abs(values - values.mean(0)).max(initial=0.0) if values.ndim else 0.0
    return float(spread or np.abs(values).max(initial=0.0) or 1.0)


def shortest(spec: Spec, inputs: Arrays) -> float:
    """The shortest distance between two atoms, in Å: the length over which an energy changes."""
    name = spec.input("points")
    if name is None or len(inputs[name]) < 2:
        return size_of(inputs[name]) if name else 1.0
    gaps = np.linalg.norm(inputs[name][:, None] - inputs[name], axis=-1)
    return float(gaps[np.triu_indices(len(gaps), 1)].min() or 1.0)


def line(
    spec: Spec, inputs: Arrays, dtype: str, rng: np.random.Generator
) -> list[dict[str, np.ndarray]]:
    """Structures at equal steps along a random line through `inputs`, without `inputs` itself."""
    directions = {}
    for name, kind in spec.inputs.items():
        if kind.moves:
            value = inputs[name]
            coarse = 16 * eps(dtype) * np.abs(value).max(initial=0.0)
            length = shortest(spec, inputs) if kind.role in ("points", "cell") else size_of(value)
            step = max(STEP[dtype] * length, coarse)
            directions[name] = step * rng.uniform(-1, 1, value.shape)
    return [
        {n: v + k * directions[n] if n in directions else v for n, v in inputs.items()}
        for k in range(1, POINTS)
    ]


def noise(along: Sequence[ArrayLike], dtype: str) -> float:
    """The largest noise of any component, from values of an output along a line."""
    values = np.stack(along).reshape(len(along), -1)
    size = np.abs(values).max(initial=0.0)
    if not np.isfinite(size):
        return np.inf
    worst = 0.0
    for order in ORDERS:
        weight = factorial(order) ** 2 / factorial(2 * order)
        table = np.diff(values, order, axis=0)
        worst = max(worst, float(np.sqrt(weight * (np.abs(table) ** 2).mean(0)).max(initial=0.0)))
    return worst + eps(dtype) * float(size) + float(np.finfo(dtype).tiny) * 1e8
