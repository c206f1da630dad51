"""Cutoffs end as smoothly as they say; bases are what their papers define."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor import radial
from tutor.precision import float64

CUTOFF = 5.0
ENDS = {
    "cosine": (lambda r: radial.cosine_cutoff(r, CUTOFF), 1, CUTOFF),
    "cosine squared": (lambda r: radial.cosine_cutoff(r, CUTOFF) ** 2, 3, CUTOFF),
    "polynomial": (lambda r: radial.polynomial_cutoff(r, CUTOFF), 2, CUTOFF),
    "polynomial, p = 3": (lambda r: radial.polynomial_cutoff(r, CUTOFF, 3), 2, CUTOFF),
    "switch": (lambda r: radial.switch(r, 1.0, CUTOFF), 2, CUTOFF),
    "onset of the switch": (lambda r: radial.switch(r, 1.0, CUTOFF), 2, 1.0),
    "smooth inverse": (lambda r: radial.smooth_inverse(r, 1.0, CUTOFF), 2, CUTOFF),
    "onset of the smooth inverse": (lambda r: radial.smooth_inverse(r, 1.0, CUTOFF), 2, 1.0),
}


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def derivative(f, order):
    return f if order == 0 else derivative(jax.grad(f), order - 1)


def jump(f, order, at):
    near = 1e-9
    before, after = (derivative(f, order)(jnp.float64(at + s * near)) for s in (-1, 1))
    return abs(float(after - before))


@pytest.mark.parametrize("name", ENDS)
def test_smoothness_is_as_claimed_and_no_better(name):
    f, smooth, at = ENDS[name]
    for order in range(smooth + 1):
        assert jump(f, order, at) < 1e-6
    assert jump(f, smooth + 1, at) > 1e-2


@pytest.mark.parametrize("name", ENDS)
def test_beyond_the_cutoff_there_is_nothing(name):
    f, _, _ = ENDS[name]
    r = jnp.linspace(CUTOFF, 3 * CUTOFF, 20)
    assert not f(r).any()
    assert not jax.vmap(jax.grad(f))(r).any()


def test_cutoffs_fall_from_one():
    r = jnp.linspace(0, CUTOFF, 101)
    for f in (radial.cosine_cutoff, radial.polynomial_cutoff, partial(radial.switch, onset=1.0)):
        values = f(r, cutoff=CUTOFF)
        assert values[0] == 1
        assert (jnp.diff(values) <= 0).all()
    assert (radial.switch(r[r < 1], 1.0, CUTOFF) == 1).all()
    np.testing.assert_allclose(radial.switch(jnp.array(3.0), 1.0, CUTOFF), 0.5)


def test_bessel_functions_are_orthonormal():
    basis = partial(radial.bessel_basis, cutoff=CUTOFF, count=5)
    x, weight = np.polynomial.legendre.leggauss(40)
    r = jnp.asarray((x + 1) * CUTOFF / 2)
    products = jnp.einsum("q,qn,qm->nm", weight * CUTOFF / 2 * r**2, basis(r), basis(r))
    np.testing.assert_allclose(products, np.eye(5), atol=1e-13)
    np.testing.assert_allclose(basis(jnp.array([CUTOFF])), 0, atol=1e-15)


def test_gaussians_stand_on_a_grid():
    values = radial.gaussian_basis(jnp.array([1.0, 2.0]), CUTOFF, 9, start=1.0)
    assert values.shape == (2, 9)
    np.testing.assert_allclose(values[1], np.exp(-0.5 * ((2 - np.linspace(1, 5, 9)) / 0.5) ** 2))


@pytest.mark.parametrize("name", ENDS)
def test_single_precision_stays(name):
    f, _, _ = ENDS[name]
    assert f(jnp.ones(3, jnp.float32)).dtype == jnp.float32
    for basis in (radial.gaussian_basis, radial.bessel_basis):
        assert basis(jnp.ones(3, jnp.float32), CUTOFF, 4).dtype == jnp.float32
