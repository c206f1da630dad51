"""Values that cross the border between a check and a learner: into NumPy, out of it, and as text.

JAX and torch are recognised by what their arrays can do; neither is imported here unless a check
or a learner's function asks for it.
"""

import copy
import dataclasses
import re
from collections.abc import Callable

import numpy as np

SHOWN = 40  # an array with more elements is abridged


def as_numpy(value: object) -> object:
    """`value` with every NumPy, JAX or torch array, number and list of numbers as a NumPy array.

    Tuples and dicts keep their form. A traced JAX value and anything that is not numeric is
    returned unchanged.
    """
    if isinstance(value, dict):
        return {key: as_numpy(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return tuple(as_numpy(entry) for entry in value)
    if isinstance(value, list):
        return _stacked([as_numpy(entry) for entry in value])
    if isinstance(value, type) or _is_traced(value):
        return value
    if all(hasattr(value, name) for name in ("detach", "cpu", "numpy")):
        return _from_torch(value)
    if isinstance(value, bool | int | float | complex) or hasattr(value, "__array__"):
        array = np.array(value)
        small_float = array.dtype.kind == "V" and array.dtype.names is None  # bfloat16 and kin
        return array.astype(np.float32) if small_float else array
    return value


def _stacked(entries: list) -> object:
    arrays = all(isinstance(entry, np.ndarray) for entry in entries)
    if not arrays or len({entry.shape for entry in entries}) > 1:
        return entries
    return np.array(entries)


def _is_traced(value: object) -> bool:
    return any(kind.__name__ == "Tracer" for kind in type(value).__mro__)


def _from_torch(tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    return np.array(tensor.resolve_conj().resolve_neg().numpy())


def _to_jax(array: np.ndarray):
    import jax.numpy as jnp

    return jnp.array(array)


def _to_torch(array: np.ndarray):
    import torch

    tensor = torch.tensor(array)
    return tensor.to(torch.get_default_dtype()) if tensor.is_floating_point() else tensor


LIBRARIES: dict[str, Callable] = {"numpy": np.copy, "jax": _to_jax, "torch": _to_torch}


def handed(value: object, library: str = "numpy") -> object:
    """A copy of `value` for a learner, its numeric arrays being those of `library`."""
    if isinstance(value, np.ndarray):
        return LIBRARIES[library if value.dtype.kind in "biufc" else "numpy"](value)
    if isinstance(value, dict):
        return {key: handed(entry, library) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return type(value)(handed(entry, library) for entry in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return copy.deepcopy(value)
    return value


def unchanged(before: object, after: object) -> bool:
    """Whether two values hold the same numbers; what cannot be looked into counts as unchanged."""
    if isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
        return np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(unchanged(before[k], after[k]) for k in before)
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(map(unchanged, before, after))
    if dataclasses.is_dataclass(before) and type(before) is type(after):
        return unchanged(vars(before), vars(after))
    return isinstance(before, np.ndarray) == isinstance(after, np.ndarray)


def show(value: object, digits: int = 4) -> str:
    """`value` as text: `digits` significant digits, long arrays abridged, no memory address."""
    value = as_numpy(value)
    if isinstance(value, np.ndarray):
        return _show_array(value, digits)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {show(v, digits)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(show(entry, digits) for entry in value) + ")"
    if callable(value):
        return f"the function {getattr(value, '__name__', type(value).__name__)}"
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return text if len(text) <= 200 else text[:197] + "…"


def show_apart(first: object, second: object) -> tuple[str, str]:
    """Both values as text, with as many digits as it takes to tell one from the other."""
    for digits in (4, 6, 8, 12, 17):
        texts = show(first, digits), show(second, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _show_array(array: np.ndarray, digits: int) -> str:
    def plain(number) -> str:
        return f"{number:.{digits}g}" if array.dtype.kind in "fc" else str(number)

    if array.ndim == 0:
        return plain(array[()])
    width = max(map(len, map(plain, array.ravel()[:1000])), default=0) if array.ndim > 1 else 0
    abridged = array.size > SHOWN or len(array) > 10
    body = np.array2string(
        array,
        threshold=0 if abridged else SHOWN,
        edgeitems=3 if array.ndim < 3 else 1,
        max_line_width=72,
        formatter={"all": lambda number: plain(number).rjust(width)},
    )
    body = re.sub(r"\n\s*\n", "\n", body)
    return f"{body}  shape {array.shape}" if abridged or not array.size else body
