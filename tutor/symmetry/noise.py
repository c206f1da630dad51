"""The noise floor of a map at a structure: measured, never guessed.

The map is evaluated at equally spaced points on a short line. High differences of a smooth
function vanish there, so what is left is rounding: in the input, inside the map, and in its
output, whatever precision each of them has. (Hamming's difference table; Moré and Wild,
SIAM J. Sci. Comput. 33, 1292 (2011).)
"""

from math import factorial

import numpy as np

from tutor.symmetry.groups import Arrays
from tutor.symmetry.spec import Spec

POINTS = 7
ORDERS = (4, 5, 6)
STEP = {"float64": 1e-6, "float32": 1e-4}  # of the size of the structure


def size_of(values: np.ndarray) -> float:
    """The spread of an array about its mean along the first axis; its size if it has none."""
    spread = np.abs(values - values.mean(0)).max(initial=0.0) if values.ndim else 0.0
    return float(spread or np.abs(values).max(initial=0.0) or 1.0)


def line(
    spec: Spec, inputs: Arrays, dtype: str, rng: np.random.Generator
) -> list[dict[str, np.ndarray]]:
    """Structures at equal steps along a random line through `inputs`, without `inputs` itself."""
    directions = {}
    for name, kind in spec.inputs.items():
        if kind.moves:
            value = inputs[name]
            coarse = 16 * np.finfo(dtype).eps * np.abs(value).max(initial=0.0)
            step = max(STEP[dtype] * size_of(value), coarse)
            directions[name] = step * rng.uniform(-1, 1, value.shape)
    return [
        {n: v + k * directions[n] if n in directions else v for n, v in inputs.items()}
        for k in range(1, POINTS)
    ]


def noise(along: list[np.ndarray], dtype: str) -> float:
    """The largest noise of any component, from values of an output along a line."""
    values = np.stack(along).reshape(len(along), -1)
    size = np.abs(values).max(initial=0.0)
    if not np.isfinite(size):
        return np.inf
    finest = np.finfo(dtype)
    worst = 0.0
    for order in ORDERS:
        weight = factorial(order) ** 2 / factorial(2 * order)
        table = np.diff(values, order, axis=0)
        worst = max(worst, float(np.sqrt(weight * (np.abs(table) ** 2).mean(0)).max(initial=0.0)))
    return worst + float(finest.eps * size) + float(finest.tiny) * 1e8
