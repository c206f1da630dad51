"""The guard: copies in, NumPy out, the learner's own line when their function raises."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.exercises.engine import verify
from tutor.exercises.guard import Guarded
from tutor.exercises.verdict import Broken, Status

X = np.arange(6.0).reshape(2, 3)

pytestmark = pytest.mark.usefixtures("double")


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
    "a partial": partial(np.multiply, 2),
}


@pytest.mark.parametrize("name", RIGHT)
def test_answers_of_every_library_are_accepted(name):
    assert judged(RIGHT[name]).status is Status.RIGHT, judged(RIGHT[name]).text()


def test_bfloat16_becomes_single_precision():
    value = Guarded(lambda x: jnp.ones(2, jnp.bfloat16))(X)
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, [1.0, 1.0])


def test_a_check_may_ask_for_jax_arrays():
    seen = []
    f = Guarded(lambda x: seen.append(x) or x, "jax")
    assert isinstance(f(X), np.ndarray)
    assert isinstance(seen[0], jax.Array)


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


@pytest.mark.parametrize("b", [np.ones(2), {"z": np.ones(2), 0: 1}])
def test_a_changed_second_input_is_named(b):
    with pytest.raises(Broken, match=r"`b = b.copy\(\)`"):
        Guarded(_changes_second)(X, b)


def test_a_changed_list_is_found():
    with pytest.raises(Broken, match="changed its input `b`"):
        Guarded(_changes_list)(X, [1, 2])


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
