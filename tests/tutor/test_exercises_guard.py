"""The guard: copies in, NumPy out, the learner's own line when their function raises."""

import inspect
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from tutor.exercises.engine import code, verify
from tutor.exercises.expect import expect
from tutor.exercises.guard import Guarded
from tutor.exercises.registry import throwaway
from tutor.exercises.verdict import Broken, NotAttempted, Status

X = np.arange(6.0).reshape(2, 3)


@pytest.fixture(autouse=True)
def double():
    """Exercise 99.1: twice its input."""
    with throwaway():

        @code("99.1", "Double it")
        def check(f, rng):
            x = rng.normal(size=(2, 3))
            expect(f(x), 2 * x, law="twice the input")

        yield


def judged(attempt):
    return verify("99.1", attempt)


RIGHT = {
    "numpy": lambda x: 2 * x,
    "float32": lambda x: (2 * x).astype(np.float32),
    "jnp": lambda x: 2 * jnp.asarray(x),
    "jitted": jax.jit(lambda x: x + x),
    "jax, needing its own array": lambda x: x.at[...].multiply(2),
    "bfloat16-free list": lambda x: [[2 * float(v) for v in row] for row in x],
    "list of arrays": lambda x: [2 * row for row in x],
    "tuple of arrays": lambda x: tuple(2 * row for row in x),
    "torch.as_tensor": lambda x: 2 * torch.as_tensor(x),
    "torch, needing its own tensor": lambda x: torch.add(x, x),
    "torch method": lambda x: x.unsqueeze(0).repeat(2, 1, 1).sum(dim=0),
    "torch with gradient": lambda x: 2 * x.clone().requires_grad_(),
    "list of torch scalars": lambda x: [
        [torch.mul(v, 2) for v in row] for row in torch.as_tensor(x)
    ],
    "a partial": partial(np.multiply, 2),
}


@pytest.mark.parametrize("name", RIGHT)
def test_answers_of_every_library_are_accepted(name):
    assert judged(RIGHT[name]).status is Status.RIGHT, judged(RIGHT[name]).text()


def test_a_torch_module_with_single_precision_weights_is_accepted():
    layer = torch.nn.Linear(3, 3, bias=False)
    with torch.no_grad():
        layer.weight.copy_(2 * torch.eye(3))
    assert judged(layer).status is Status.RIGHT


def test_bfloat16_of_jax_and_torch_become_numbers():
    for value in (jnp.ones(2, jnp.bfloat16), torch.ones(2, dtype=torch.bfloat16)):
        np.testing.assert_array_equal(Guarded(lambda x, v=value: v)(X), [1.0, 1.0])


@pytest.mark.parametrize(("library", "kind"), [("jax", jax.Array), ("torch", torch.Tensor)])
def test_a_check_may_ask_for_the_arrays_of_a_library(library, kind):
    seen = []
    f = Guarded(lambda x: seen.append(x) or x, library)
    assert isinstance(f(X), np.ndarray)
    assert isinstance(seen[0], kind)


def test_traced_values_pass_through_so_that_a_check_may_differentiate():
    gradient = jax.grad(Guarded(lambda x: jnp.sum(x**2)))(jnp.asarray(X))
    np.testing.assert_allclose(gradient, 2 * X)


def test_the_check_keeps_its_own_arrays():
    x = X.copy()

    def spoils(x):
        x += 1
        return x

    with pytest.raises(Broken, match="changed its input `x`"):
        Guarded(spoils)(x)
    np.testing.assert_array_equal(x, X)


def _changes_second(a, b):
    b[0] = -1
    return a


def _changes_list(a, b):
    b.append(3)
    return a


def _changes_torch(a, b):
    torch.add(a, a)
    b.add_(1)
    return a


@pytest.mark.parametrize("b", [np.ones(2), {"z": np.ones(2), 0: 1}])
def test_a_changed_second_input_is_named(b):
    with pytest.raises(Broken, match=r"`b = b.copy\(\)`"):
        Guarded(_changes_second)(X, b)


def test_a_changed_list_and_a_changed_tensor_are_found():
    with pytest.raises(Broken, match="changed its input `b`"):
        Guarded(_changes_list)(X, [1, 2])
    with pytest.raises(Broken, match="changed its input `b`"):
        Guarded(_changes_torch)(X, np.ones(2))


@dataclass(frozen=True)
class Molecule:
    positions: np.ndarray


def test_arrays_inside_a_dataclass_are_guarded():
    molecule = Molecule(X.copy())

    def spoils(m):
        m.positions[:] = 0
        return 1.0

    with pytest.raises(Broken, match="changed its input `m`"):
        Guarded(spoils)(molecule)
    np.testing.assert_array_equal(molecule.positions, X)


def test_nan_in_an_input_is_not_a_change():
    assert np.isnan(Guarded(lambda x: x)(np.array([np.nan]))).all()


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


def test_a_fault_in_torch_code_is_told_as_torch_tells_it():
    verdict = judged(lambda x: torch.exp(x).no_such_thing)
    assert "'Tensor' object has no attribute 'no_such_thing'" in verdict.message


def test_a_fault_in_numpy_code_is_told_as_numpy_tells_it():
    verdict = judged(lambda x: x.no_such_thing)
    assert "'numpy.ndarray' object has no attribute 'no_such_thing'" in verdict.message


def test_not_implemented_inside_a_library_is_an_error_not_a_stub():
    def f(x):
        return jax.grad(lambda t: jnp.sum(jax.pure_callback(lambda v: v, t, t)))(jnp.asarray(x))

    verdict = judged(f)
    assert verdict.status is Status.WRONG
    assert "Pure callbacks do not support" in verdict.message


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


def test_a_function_without_a_signature_is_called_all_the_same():
    f = Guarded(np.add)
    np.testing.assert_array_equal(f(X, X), 2 * X)
    assert list(f.inputs) == ["argument 1", "argument 2"]


def test_not_attempted_passes_the_guard_unchanged():
    with pytest.raises(NotAttempted):
        Guarded(stub_ellipsis)(X)
