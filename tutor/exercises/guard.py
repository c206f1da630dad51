"""The guard around a learner's function: copies in, NumPy out, and their line when it raises."""

import ast
import dis
import inspect
import os
import sys
import sysconfig
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tutor.exercises.values import as_numpy, handed, unchanged
from tutor.exercises.verdict import Broken, NotAttempted

_LIBRARIES = tuple(
    str(folder) + os.sep
    for folder in (Path(__file__).parents[1], *map(sysconfig.get_path, ("stdlib", "purelib")))
)


class Guarded:
    """A learner's function as a check sees it.

    Calling it hands over copies of the arguments, so that nothing the learner does reaches the
    check, and returns NumPy arrays (tuples and dicts keep their form). NumPy arrays are given,
    unless `library` says "jax" or "torch", or the function turns out to speak one of these.

    Attributes:
        raw: the learner's own object, for `jax.grad` and its like.
        inputs: the arguments of the last call, by the names in the learner's signature.

    Raises:
        Broken: the signature does not fit, an input was changed, or nothing was returned.
        NotAttempted: the function is a stub.
    """

    def __init__(self, function: Callable, library: str = "numpy"):
        self.raw, self.library, self.inputs = function, library, {}
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __call__(self, *args, **kwargs):
        self.inputs = self._named(args, kwargs)
        try:
            return self._call(args, kwargs)
        except (TypeError, AttributeError) as error:
            library = _spoken(error)
            if library is None or library == self.library:
                raise
        self.library = library
        return self._call(args, kwargs)

    def _call(self, args: tuple, kwargs: dict):
        given = handed(args, self.library), handed(kwargs, self.library)
        result = self.raw(*given[0], **given[1])
        self._require_inputs_unchanged((args, kwargs), given)
        if result is ... or (isinstance(result, tuple) and any(part is ... for part in result)):
            raise NotAttempted
        if result is None:
            _require_finished(self.raw)
            raise Broken(
                "the function returns its result", "it returned None: is a `return` missing?"
            )
        return as_numpy(result)

    def _named(self, args: tuple, kwargs: dict) -> dict:
        try:
            signature = inspect.signature(self.raw)
        except (TypeError, ValueError):  # some compiled functions have none
            return {**{f"argument {n}": arg for n, arg in enumerate(args, 1)}, **kwargs}
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            count = len(args) + len(kwargs)
            raise Broken(
                "the signature of the stub is kept",
                f"`{self.__name__}{signature}` is called with {count} argument(s), as in the stub,"
                f" and cannot take them: {error}",
            ) from None
        return dict(bound.arguments)

    def _require_inputs_unchanged(self, before: tuple, after: tuple) -> None:
        before = handed(before[0], self.library), handed(before[1], self.library)
        entries = zip(
            [*before[0], *before[1].values()], [*after[0], *after[1].values()], strict=True
        )
        changed = [not unchanged(as_numpy(old), as_numpy(new)) for old, new in entries]
        if any(changed):
            name = list(self.inputs)[min(changed.index(True), len(self.inputs) - 1)]
            raise Broken(
                "the inputs are left as they were",
                f"your function changed its input `{name}`; work on a copy:"
                f" `{name} = {name}.copy()`",
            )


def _spoken(error: Exception) -> str | None:
    """The loaded array library whose arrays, by the words of `error`, were missed."""
    if "torch" in sys.modules:
        words = ("Tensor", "keyword argument 'dim'", "keyword argument 'keepdim'")
        if isinstance(error, TypeError) and any(word in str(error) for word in words):
            return "torch"
    if isinstance(error, AttributeError) and isinstance(error.obj, np.ndarray | np.generic):
        for library, name in (("jax", "Array"), ("torch", "Tensor")):
            if hasattr(getattr(sys.modules.get(library), name, None), error.name):
                return library
    return None


def _require_finished(function: Callable) -> None:
    """Raises `NotAttempted` where no statement of `function` does anything or a `...` is left."""
    function = inspect.unwrap(getattr(function, "func", function))
    if not hasattr(function, "__code__"):
        function = type(function).__call__
    code = getattr(function, "__code__", None)
    if code is not None and _operations(code) == _EMPTY:
        raise NotAttempted
    if _placeholder_left(function):
        raise NotAttempted(f"a `...` still stands in `{function.__name__}`: write your lines there")


def _operations(code) -> list[str]:
    bookkeeping = {"RESUME", "NOP", "COPY_FREE_VARS", "MAKE_CELL", "CACHE"}
    return [step.opname for step in dis.get_instructions(code) if step.opname not in bookkeeping]


_EMPTY = _operations((lambda: None).__code__)


def _placeholder_left(function: Callable) -> bool:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # no source, or a lambda within a longer line
        return False
    statements = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)
    values = [node.value for node in ast.walk(tree) if isinstance(node, statements)]
    return any(isinstance(value, ast.Constant) and value.value is ... for value in values)


def interpreted(error: BaseException, function: Callable) -> Exception:
    """The `Broken` or `NotAttempted` that an exception out of a check amounts to."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _in_a_library(frame.filename)]
    if isinstance(error, NotImplementedError) and theirs and frames[-1] is theirs[-1]:
        return NotAttempted()
    if isinstance(error, NameError) or "ellipsis" in str(error):
        try:
            _require_finished(function)
        except NotAttempted as nothing:
            return nothing
    words = f"{type(error).__name__}: {_first_lines(str(error))}".rstrip(": ")
    if not theirs:
        return Broken(
            "the result can be used",
            f"the check could not work with what your function returned ({words});"
            " compare it with what the stub asks for",
        )
    last = theirs[-1]
    inside = "" if last.name in ("<module>", "<lambda>") else f" in {last.name}"
    where = f"{(last.line or '').strip()}    # line {last.lineno}{inside}"
    return Broken("the function runs without an error", words, where=where)


def _in_a_library(filename: str) -> bool:
    generated = filename.startswith(("<@beartype", "<frozen", "<__array_function__"))
    installed = "site-packages" in filename or "dist-packages" in filename
    return generated or installed or filename.startswith(_LIBRARIES)


def _first_lines(text: str, lines: int = 4, characters: int = 400) -> str:
    short = "\n".join(text.strip().splitlines()[:lines])
    return short if len(short) <= characters else short[: characters - 1] + "…"
