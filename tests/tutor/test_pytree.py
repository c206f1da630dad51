"""Dataclasses as pytrees."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import pytest

from tutor.precision import float64
from tutor.pytree import pytree


@pytree(static=("power",))
@dataclass(frozen=True)
class Monomial:
    factor: float
    power: int

    def __call__(self, x):
        return self.factor * x**self.power


def test_numbers_are_leaves_and_the_rest_is_static():
    f = Monomial(3.0, 2)
    assert jax.tree.leaves(f) == [3.0]
    assert jax.tree.map(lambda x: x + 1, f) == Monomial(4.0, 2)
    assert jax.grad(lambda f: f(5.0))(f).factor == 25.0


def test_numbers_follow_the_precision_of_arrays():
    compiled = jax.jit(lambda f, x: f(x))
    assert compiled(Monomial(3.0, 2), jnp.ones(2)).dtype == jnp.float32
    with float64():
        value = compiled(Monomial(1 / 3, 2), jnp.ones((), jnp.float64))
        assert float(value) == 1 / 3


def test_a_static_name_must_be_a_field():
    with pytest.raises(ValueError, match="has only the fields"):
        pytree(static=("cutof",))(Monomial)
