"""Stubs, forgotten returns, and exceptions: what is told of a function that gives no result."""

import inspect
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.exercises.engine import code, verify
from tutor.exercises.guard import Guarded
from tutor.exercises.registry import throwaway
from tutor.exercises.verdict import NotAttempted, Status

X = np.arange(6.0).reshape(2, 3)

pytestmark = pytest.mark.usefixtures("double")


def judged(attempt):
    return verify("99.1", attempt)


def stub_docstring(x):
    """Twice the input."""


def stub_ellipsis(x):
    """Twice the input."""
    ...


def stub_raise(x):
    """Twice the input."""
    raise NotImplementedError


def stub_words(x):
    raise NotImplementedError("your lines here")


def stub_given_lines(x):
    n = len(x)
    y = ...
    return n * y


def stub_given_lines_name(x):
    n = len(x)
    # y = your line
    ...
    return n * y


def stub_returns_ellipsis(x):
    y = ...
    return y  # noqa: RET504


def stub_lines_without_return(x):
    x = x + 0
    ...


class StubModule:
    def __call__(self, x): ...


STUBS = [
    stub_docstring,
    stub_ellipsis,
    stub_raise,
    stub_words,
    stub_given_lines,
    stub_given_lines_name,
    stub_returns_ellipsis,
    stub_lines_without_return,
    jax.jit(stub_raise),
    jax.jit(stub_ellipsis),
    partial(stub_ellipsis),
    StubModule(),
    lambda x: ...,
    lambda x: (x, ...),
    ...,
    None,
]


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: getattr(stub, "__name__", repr(stub)[:20]))
def test_a_stub_is_not_attempted(stub):
    verdict = judged(stub)
    assert verdict.status is Status.NOT_ATTEMPTED, verdict.text()
    assert verdict.points == 0


def test_a_leftover_placeholder_is_pointed_out():
    assert "a `...` still stands in `stub_given_lines`" in judged(stub_given_lines).message


def no_return(x):
    """With an example in the docstring.

    >>> for n in range(2):
    ...     no_return(n)
    """
    y = 2 * x  # noqa: F841


def indexes_with_ellipsis(x):
    y = x[..., None]  # noqa: F841


@pytest.mark.parametrize("f", [no_return, indexes_with_ellipsis, lambda x: [].append(x)])
def test_a_forgotten_return_is_not_a_stub(f):
    verdict = judged(f)
    assert verdict.status is Status.WRONG
    assert "is a `return` missing?" in verdict.message


def helper(x):
    return x / None


def raises_in_helper(x):
    return helper(x)


def raises_in_numpy(x):
    y = np.reshape(x, (5, 5))
    return y  # noqa: RET504


def raises_in_jax(x):
    return jnp.linalg.eig(jnp.asarray(x))


@pytest.mark.parametrize(
    ("f", "line", "words"),
    [
        (
            raises_in_helper,
            "return x / None    # line {} in helper",
            "TypeError: unsupported operand",
        ),
        (
            raises_in_numpy,
            "y = np.reshape(x, (5, 5))    # line {} in raises_in_numpy",
            "ValueError",
        ),
        (raises_in_jax, "return jnp.linalg.eig(jnp.asarray(x))", "ValueError"),
    ],
)
def test_an_exception_shows_the_learners_own_line(f, line, words):
    verdict = judged(f)
    assert verdict.status is Status.WRONG
    assert verdict.law == "the function runs without an error"
    assert words in verdict.message
    where = helper if f is raises_in_helper else f
    assert line.format(inspect.getsourcelines(where)[1] + 1) in verdict.where
    assert "tutor" not in verdict.text()
    assert list(verdict.example) == ["x"]


def test_a_fault_in_numpy_code_is_told_as_numpy_tells_it():
    verdict = judged(lambda x: x.no_such_thing)
    assert "'numpy.ndarray' object has no attribute 'no_such_thing'" in verdict.message


def test_not_implemented_inside_a_library_is_an_error_not_a_stub():
    verdict = judged(lambda x: jnp.sum(x, out=x))
    assert verdict.status is Status.WRONG
    assert verdict.message.startswith("NotImplementedError: The 'out' argument")


def test_exit_is_a_verdict_and_an_interrupt_passes():
    def leaves(x):
        raise SystemExit(3)

    def interrupted(x):
        raise KeyboardInterrupt

    assert "SystemExit: 3" in judged(leaves).message
    with pytest.raises(KeyboardInterrupt):
        judged(interrupted)


def test_endless_recursion_is_a_verdict():
    def f(x):
        return f(x)

    assert "RecursionError" in judged(f).message


def test_a_wrong_signature_names_what_is_missing():
    verdict = judged(lambda x, cell: x)
    assert verdict.law == "the signature of the stub is kept"
    assert "missing a required argument: 'cell'" in verdict.message


CHECK_IN_THE_PACKAGE = """
def check(f, rng):
    energy, forces = f(0.0)
"""


def test_what_the_check_trips_over_is_a_verdict_too():
    names = {}
    file = inspect.getfile(Guarded).replace("guard.py", "day99.py")
    exec(compile(CHECK_IN_THE_PACKAGE, file, "exec"), names)
    with throwaway():
        code("99.2", "Two values")(names["check"])
        verdict = verify("99.2", lambda x: 3.0)
    assert verdict.law == "the result can be used"
    assert "TypeError: iteration over a 0-d array" in verdict.message
    assert verdict.example == {"x": 0.0}


def test_a_value_where_the_function_is_asked_for():
    assert 'write `check("99.1", name)`' in judged(3.0).message


class Opaque:
    __signature__ = "none that can be read"

    def __call__(self, *args):
        return sum(args)


def test_a_function_without_a_signature_is_called_all_the_same():
    f = Guarded(Opaque())
    np.testing.assert_array_equal(f(X, X), 2 * X)
    assert list(f.inputs) == ["argument 1", "argument 2"]


def test_not_attempted_passes_the_guard_unchanged():
    with pytest.raises(NotAttempted):
        Guarded(stub_ellipsis)(X)
