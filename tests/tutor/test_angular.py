"""Spherical harmonics are those of SciPy, and their products are Legendre polynomials."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import eval_legendre, sph_harm_y

from tutor.angular import harmonics
from tutor.precision import float64


def directions(count, seed):
    x = np.random.default_rng(seed).normal(size=(count, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_addition_theorem(degree):
    u, v = directions(20, 0), directions(20, 1)
    with float64():
        product = (harmonics(jnp.asarray(u), degree) * harmonics(jnp.asarray(v), degree)).sum(-1)
    np.testing.assert_allclose(product, eval_legendre(degree, (u * v).sum(1)), atol=1e-14)


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_they_are_those_of_scipy(degree):
    u = directions(20, 2)
    polar, azimuth = np.arccos(u[:, 2]), np.arctan2(u[:, 1], u[:, 0])
    columns = []
    for m in range(-degree, degree + 1):
        value = sph_harm_y(degree, abs(m), polar, azimuth) * np.sqrt(4 * np.pi / (2 * degree + 1))
        part = value.imag if m < 0 else value.real
        columns.append((-1) ** m * part * (np.sqrt(2) if m else 1))
    expected = np.stack(columns, axis=1)
    if degree == 1:
        expected = expected[:, [2, 0, 1]]
    with float64():
        found = harmonics(jnp.asarray(u), degree)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_other_degrees_are_refused():
    with pytest.raises(ValueError, match=r"degree = 3: harmonics are given for the degrees 0, 1"):
        harmonics(jnp.zeros(3), 3)
