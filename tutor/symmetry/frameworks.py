"""Hand a map the arrays it wants (NumPy, JAX, torch, ASE), and get float64 NumPy arrays back."""

import sys
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy

import numpy as np

from tutor.symmetry.detect import is_torch_module, library_of, uses
from tutor.symmetry.groups import Arrays
from tutor.symmetry.spec import Spec

LIBRARIES = ("numpy", "jax", "torch")


class Model:
    """A map behind one face: `model(inputs, dtype)` takes and gives NumPy arrays.

    Every call gets fresh copies, so a map that writes into its input harms nobody; the names of
    the inputs that it wrote into are collected in `mutated`.

    Args:
        function: the map, called with the inputs in the order of the spec.
        spec: what goes in and what comes out.
        library: "numpy", "jax" or "torch"; None tries them on `example`.
        example: inputs to find the library with.
        compile: whether a JAX function is put through `jax.jit` (if it can be).

    Raises:
        ValueError: if the map takes the arrays of no library; the message says what each said.
    """

    def __init__(
        self,
        function: Callable,
        spec: Spec,
        *,
        library: str | None = None,
        example: Arrays | None = None,
        compile: bool = True,  # noqa: A002
    ):
        if library not in (None, *LIBRARIES):
            raise ValueError(f"library={library!r}: say {', '.join(map(repr, LIBRARIES))} or None")
        self.spec, self.mutated, self.calls = spec, set(), 0
        self._plain, self._compile = function, compile
        self._by_dtype: dict[str, Callable] = {}
        self.library = library or self._find_library(example)

    def __call__(self, inputs: Arrays, dtype: str) -> dict[str, np.ndarray]:
        """The outputs as float64 arrays of fitting shapes."""
        return conform(self.spec, self.answer(inputs, dtype), self.spec.atoms(inputs))

    def returned(self, inputs: Arrays) -> object:
        """What the map returns, before it is held against the spec; shapes only if JAX traces."""
        if self.library == "jax" and self._traces(inputs):
            return self.shapes(inputs)
        dtype = "float32"
        given = [self._array(inputs[n], k.moves, dtype) for n, k in self.spec.inputs.items()]
        return self._function(dtype)(*given)

    def answer(self, inputs: Arrays, dtype: str) -> dict[str, object]:
        """The outputs by name, as the map returned them."""
        self.calls += 1
        if self.library == "jax":
            from tutor.precision import float64

            if dtype == "float64":
                with float64():
                    return self._call(inputs, dtype)
        return self._call(inputs, dtype)

    def _call(self, inputs, dtype):
        given = {n: self._array(inputs[n], k.moves, dtype) for n, k in self.spec.inputs.items()}
        before = {} if self.library == "jax" else {n: as_numpy(v).copy() for n, v in given.items()}
        answer = self._function(dtype)(*given.values())
        for name, value in before.items():
            if not np.array_equal(value, as_numpy(given[name]), equal_nan=value.dtype.kind == "f"):
                self.mutated.add(name)
        return named(self.spec, answer)

    def _array(self, value, real, dtype):
        value = np.array(value, dtype if real else None)
        if self.library == "jax":
            import jax.numpy as jnp

            return jnp.asarray(value)
        return sys.modules["torch"].from_numpy(value) if self.library == "torch" else value

    def _function(self, dtype):
        if dtype not in self._by_dtype:
            self._by_dtype[dtype] = self._prepared(dtype)
        return self._by_dtype[dtype]

    def _prepared(self, dtype):
        if self.library == "torch" and isinstance(self._plain, sys.modules["torch"].nn.Module):
            return deepcopy(self._plain).to(getattr(sys.modules["torch"], dtype))
        if self.library == "jax" and self._compile:
            return _jitted(self._plain)
        return self._plain

    def _find_library(self, example):
        if is_torch_module(self._plain):
            return "torch"
        present = [name for name in LIBRARIES if name in sys.modules]
        named = [name for name in present[1:] if uses(self._plain, name)]
        if "jax" in named and self._traces(example):
            return "jax"
        said = []
        for name in [*named, *(n for n in present if n not in named)]:
            self.library = name
            given = [self._array(example[n], k.moves, "float32")
                     for n, k in self.spec.inputs.items()]  # fmt: skip
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of arrays in the wrong hands
                    answer = self._plain(*given)
            except Exception as error:
                said.append(f"with {name} arrays: {type(error).__name__}: {error}".split("\n")[0])
                continue
            return library_of(answer) if name == "numpy" else name
        raise ValueError(
            f"{label(self._plain)} raised on every kind of array; it is called with "
            f"({', '.join(self.spec.inputs)}).\n  " + "\n  ".join(said)
        )

    def _traces(self, example):
        """Whether JAX can trace the map: far cheaper than to run it operation by operation."""
        try:
            self.shapes(example)
        except Exception:
            return False
        return True

    def shapes(self, example: Arrays) -> object:
        """What the map returns, its arrays replaced by their shapes where JAX can tell them."""
        given = [np.array(example[n], "float32" if k.moves else None)
                 for n, k in self.spec.inputs.items()]  # fmt: skip
        return sys.modules["jax"].eval_shape(self._plain, *given)


def _jitted(function):
    """`function` compiled, or as it is where it uses values that a trace does not have."""
    import jax

    compiled, plain = jax.jit(function), []

    def call(*args):
        if not plain:
            try:
                return compiled(*args)
            except (jax.errors.JAXTypeError, jax.errors.JAXIndexError, TypeError):
                plain.append(function)
        return function(*args)

    return call


def as_numpy(value: object) -> np.ndarray:
    """A NumPy array of any library's array; a torch tensor is detached first."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)


def shape_of(value: object) -> tuple[int, ...]:
    """The shape of any library's array, or of a number."""
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)


def label(function: object) -> str:
    """A name for a map, to call it by in a message."""
    return getattr(function, "__name__", None) or type(function).__name__


def named(spec: Spec, answer: object) -> dict[str, object]:
    """The outputs by name, from a dict, a tuple or a bare array."""
    names = list(spec.outputs)
    if isinstance(answer, Mapping):
        if missing := [name for name in names if name not in answer]:
            raise ValueError(
                f"the map returned no {', '.join(missing)}: it returned {', '.join(answer)}. "
                "Name the outputs in the spec as the map does."
            )
        return {name: answer[name] for name in names}
    if isinstance(answer, tuple | list) and len(answer) == len(names):
        return dict(zip(names, answer, strict=True))
    if len(names) == 1:
        return {names[0]: answer}
    raise ValueError(
        f"the map returned {type(answer).__name__}, but the spec has the outputs "
        f"{', '.join(names)}: return a dict with these names or a tuple in this order"
    )


def conform(spec: Spec, answer: Mapping[str, object], atoms: int) -> dict[str, np.ndarray]:
    """The outputs as float64 arrays whose shapes fit their kinds.

    Raises:
        ValueError: if a shape does not; the message names the output and the shape it must have.
    """
    outputs = {}
    for name, value in answer.items():
        kind, value = spec.outputs[name], as_numpy(value)
        if value.dtype == object or value.dtype.kind not in "biufc":
            raise ValueError(f"output {name!r} is not an array of numbers but {value.dtype}")
        head = (atoms,) if kind.per == "atom" else ()
        tail = (3,) * kind.rank
        fits = value.ndim >= len(head) + kind.rank and value.shape[: len(head)] == head
        if not fits or value.shape[value.ndim - kind.rank :] != tail:
            shape = ", ".join(map(str, (*head, "...", *tail)))
            raise ValueError(
                f"output {name!r} has shape {value.shape}; a {kind.words()} of {atoms} atoms has "
                f"({shape}). Declare another kind, or mend the map."
            )
        outputs[name] = value.astype(complex if value.dtype.kind == "c" else np.float64)
    return outputs
