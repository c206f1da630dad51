"""What crosses the border between the grader and a submission, in both directions.

Towards the submission: pickles, in which the functions of a check travel by value, because the
sandbox cannot import the checks. From the submission: JSON of plain values only, read strictly,
because whatever comes from there may be forged. Verdicts never cross.
"""

import base64
import io
import json
import marshal
import pickle
import sys
import sysconfig
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType

import numpy as np

from tutor.exercises.values import as_numpy

LARGEST = 8 << 20  # bytes of one answer
LONGEST = 50_000  # characters of one text
DTYPES = {"bool", "float16", "float32", "float64", "complex64", "complex128"}
DTYPES |= {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
_LIBRARIES = (
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
    str(Path(__file__).parents[1]),
)


class ForgedError(ValueError):
    """What came out of a sandbox is no answer."""


class UnsendableError(BaseException):
    """A check hands over what cannot travel: a fault of the check, so no verdict may hide it."""


class Other:
    """A value of the submission that is not looked at more closely than by the name of its type."""

    def __init__(self, kind: str):
        self.kind = kind

    def __repr__(self) -> str:
        return f"an object of type {self.kind}"


# -- out of the sandbox -------------------------------------------------------------------------


def encode(value: object, keep: Callable[[Callable], list]) -> list:
    """`value` as JSON-able lists; `keep` turns a function into [number, name, parameters]."""
    value = as_numpy(value)
    if value is None or value is ...:
        return ["none" if value is None else "ellipsis"]
    if isinstance(value, str):
        return ["text", str(value)[:LONGEST]]
    if isinstance(value, np.ndarray) and value.dtype.name in (*DTYPES, "longdouble", "float128"):
        array = value if value.dtype.name in DTYPES else value.astype(float)
        data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
        return ["array", array.dtype.name, list(array.shape), data]
    if type(value) in (list, tuple, set, frozenset):
        kind = type(value).__name__.removeprefix("frozen")
        return [kind, [encode(entry, keep) for entry in value]]
    if type(value) is dict:
        return ["dict", [[encode(key, keep), encode(v, keep)] for key, v in value.items()]]
    if callable(value):
        return ["function", *keep(value)]
    return ["other", type(value).__name__]


def decode(code: object, function: Callable) -> object:
    """The value behind `encode`; `function(number, name, parameters)` makes its callables.

    Raises:
        ForgedError: this is nothing that `encode` makes.
    """
    try:
        return _decoded(code, function, depth=0)
    except (TypeError, ValueError, KeyError, RecursionError, OverflowError) as error:
        raise ForgedError(f"the answer cannot be read: {type(error).__name__}") from None


def _decoded(code: list, function: Callable, depth: int) -> object:
    if depth > 20:
        raise ValueError("nested too deeply")
    kind, *rest = code
    inner = lambda entry: _decoded(entry, function, depth + 1)  # noqa: E731
    match kind, rest:
        case "none", []:
            return None
        case "ellipsis", []:
            return ...
        case "text", [str(text)]:
            return text[:LONGEST].encode("utf-8", "replace").decode()
        case "array", [str(dtype), list(shape), str(data)] if dtype in DTYPES:
            return np.frombuffer(base64.b64decode(data), dtype).reshape(shape).copy()
        case (("list" | "tuple" | "set"), [list(entries)]):
            return {"list": list, "tuple": tuple, "set": set}[kind](map(inner, entries))
        case "dict", [list(pairs)]:
            return {_key(inner(key)): inner(value) for key, value in pairs}
        case "function", [int(number), str(name), list(parameters)]:
            return function(number, name[:80], parameters)
        case "other", [str(name)]:
            return Other(name[:80])
    raise ValueError(f"unknown kind {kind!r:.40}")


def _key(key: object) -> object:
    return key.item() if isinstance(key, np.ndarray) else key


def read_reply(frame: bytes) -> dict:
    """One reply of the sandbox.

    Raises:
        ForgedError: it is no JSON object.
    """
    try:
        reply = json.loads(frame)
    except (ValueError, RecursionError):
        raise ForgedError("the answer cannot be read: it is not JSON") from None
    if not isinstance(reply, dict):
        raise ForgedError("the answer cannot be read: it is not an object")
    return reply


# -- into the sandbox ---------------------------------------------------------------------------


class Pickler(pickle.Pickler):
    """Sends functions by value, and the submission's own functions back as their number."""

    def persistent_id(self, value: object) -> int | None:
        return getattr(value, "remote_number", None) if not isinstance(value, type) else None

    def reducer_override(self, value: object):
        if isinstance(value, ModuleType):
            return import_module, (value.__name__,)
        if isinstance(value, CodeType):
            return marshal.loads, (marshal.dumps(value),)
        if not isinstance(value, FunctionType) or _importable(value):
            return NotImplemented
        code, names = value.__code__, _global_names(value.__code__)
        state = {
            "globals": {k: v for k, v in value.__globals__.items() if k in names},
            "cells": [c.cell_contents for c in value.__closure__ or ()],
            "defaults": (value.__defaults__, value.__kwdefaults__),
        }
        return _empty_function, (code, value.__name__), state, None, None, _complete


def dumps(value: object) -> bytes:
    """`value` for the sandbox.

    Raises:
        UnsendableError: it holds something that cannot be pickled.
    """
    stream = io.BytesIO()
    try:
        Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(value)
    except (TypeError, AttributeError, ValueError, pickle.PicklingError) as error:
        raise UnsendableError(f"a check hands over what cannot travel: {error}") from None
    return stream.getvalue()


def loads(data: bytes, own: Callable[[int], object]) -> object:
    """The value behind `dumps`; `own` finds the submission's function of a number."""
    unpickler = pickle.Unpickler(io.BytesIO(data))
    unpickler.persistent_load = own
    return unpickler.load()


def _importable(function: FunctionType) -> bool:
    """Whether the sandbox can import it: it is at the top of a library, and not in a check."""
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None) or ""
    local = "<" in function.__qualname__
    return not local and file.startswith(_LIBRARIES) and ".exercises.day" not in module.__name__


def _global_names(code: CodeType) -> set[str]:
    inner = [_global_names(const) for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*inner)


def _empty_function(code: CodeType, name: str) -> FunctionType:
    cells = tuple(CellType() for _ in code.co_freevars)
    return FunctionType(code, {"__builtins__": __builtins__}, name, None, cells)


def _complete(function: FunctionType, state: dict) -> None:
    function.__globals__.update(state["globals"])
    for cell, content in zip(function.__closure__ or (), state["cells"], strict=True):
        cell.cell_contents = content
    function.__defaults__, function.__kwdefaults__ = state["defaults"]
