import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.precision import float64
from tutor.table import Table


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def curves(x):
    return jnp.stack([jnp.sin(3 * x), jnp.exp(-x) / x], axis=-1)


def slopes(x):
    return np.stack([3 * np.cos(3 * x), -np.exp(-x) * (1 / x + 1 / x**2)], axis=-1)


def curvatures(x):
    return np.stack([-9 * np.sin(3 * x), np.exp(-x) * (1 / x + 2 / x**2 + 2 / x**3)], axis=-1)


def derivative(f):
    return lambda x: jax.jvp(f, (x,), (jnp.ones_like(x),))[1]


def test_value_slope_and_curvature_against_the_closed_form(rng):
    table = Table.of(curves, low=0.5, high=5.0, dtype=jnp.float64)
    x = jnp.asarray(rng.uniform(0.5, 5.0, 1000))
    np.testing.assert_allclose(table(x), curves(x), rtol=1e-12, atol=1e-12)
    slope = derivative(table)
    np.testing.assert_allclose(slope(x), slopes(x), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(derivative(slope)(x), curvatures(x), rtol=1e-6, atol=1e-6)


def test_in_single_precision_it_is_wrong_by_rounding(rng):
    table = Table.of(curves, low=0.5, high=5.0)
    x = rng.uniform(0.5, 5.0, 1000).astype(np.float32)
    assert table(jnp.asarray(x)).dtype == jnp.float32
    np.testing.assert_allclose(table(jnp.asarray(x)), curves(x.astype(float)), atol=2e-6)
    found = derivative(table)(jnp.asarray(x))
    np.testing.assert_allclose(found, slopes(x.astype(float)), atol=1e-5, rtol=1e-5)


def test_the_slope_is_that_of_the_table_itself(rng):
    """Central differences of a coarse table, whose slope is not that of the function."""
    table = Table.of(curves, low=0.5, high=5.0, tolerance=1e-3, dtype=jnp.float64)
    x, h = jnp.asarray(rng.uniform(0.6, 4.9, 100)), 1e-5
    found = derivative(table)(x)
    np.testing.assert_allclose(found, (table(x + h) - table(x - h)) / (2 * h), atol=1e-8)
    assert np.abs(found - slopes(x)).max() > 1e-7


def test_value_slope_and_curvature_are_continuous():
    table = Table.of(curves, low=0.5, high=5.0, tolerance=1e-2, dtype=jnp.float64)
    knots = jnp.linspace(0.5, 5.0, table.value.shape[1] + 1)[1:-1]
    slope = derivative(table)
    for f in (table, slope, derivative(slope)):
        np.testing.assert_allclose(f(knots - 1e-12), f(knots + 1e-12), rtol=1e-9, atol=1e-8)


def test_several_curves_and_any_batch(rng):
    table = Table.of(
        lambda x: jnp.sin(x)[:, None], lambda x: x[:, None], low=0.1, high=2.0, dtype=jnp.float64
    )
    x = jnp.asarray(rng.uniform(0.1, 2.0, (3, 4)))
    curve = jnp.asarray(rng.integers(0, 2, (3, 4)))
    found = jax.jit(lambda table, x, curve: table(x, curve))(table, x, curve)
    np.testing.assert_allclose(found, np.where(curve, x, np.sin(x))[..., None], atol=1e-12)


def test_a_knot_where_only_two_derivatives_are_continuous(rng):
    def kinked(x):
        return jnp.maximum(x - 1.3, 0.0)[:, None] ** 3

    table = Table.of(kinked, low=0.4, high=3.0, knot=1.3, dtype=jnp.float64)
    assert 0.3 < table.low <= 0.4
    x = jnp.asarray(rng.uniform(0.4, 3.0, 1000))
    np.testing.assert_allclose(table(x), kinked(x), atol=1e-12)
    with pytest.raises(ValueError, match="or the `knot` where they are not"):
        Table.of(kinked, low=0.4, high=3.0)


def test_outside_it_knows_nothing():
    table = Table.of(curves, low=0.5, high=5.0, dtype=jnp.float64)
    assert np.isnan(table(jnp.array([0.49, 5.01]))).all()
    assert np.isfinite(table(jnp.array([0.5, 5.0]))).all()


@pytest.mark.parametrize(
    "options", [{"low": 2.0, "high": 1.0}, {"low": 1.0, "high": 2.0, "knot": 3.0}]
)
def test_an_empty_range_is_refused(options):
    with pytest.raises(ValueError, match="give low ≤ knot < high"):
        Table.of(curves, **options)


def test_a_function_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="the error is still nan"):
        Table.of(lambda x: jnp.log(x - 1)[:, None], low=0.5, high=5.0)
