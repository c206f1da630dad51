import numpy as np
import pytest

from tutor.models.composition import Composition

H2O, CH4, CO2, H2 = [8, 1, 1, 0, 0], [6, 1, 1, 1, 1], [6, 8, 8, 0, 0], [1, 1, 0, 0, 0]


def test_exact_energies_are_found_exactly():
    numbers = np.array([H2O, CH4, CO2, H2])
    energy = np.array([-75.2 - 1.2, -38.1 - 2.4, -38.1 - 150.4, -1.2])
    model = Composition.fit(numbers, energy)
    assert model.elements == (1, 6, 8)
    np.testing.assert_allclose(model.coefficients, [-0.6, -38.1, -75.2], rtol=1e-12)
    np.testing.assert_allclose(model(np.array([[8, 8, 1, 1]])), [-151.6], rtol=1e-12)


def test_it_is_the_least_squares_solution(rng):
    """No other coefficients have a smaller squared error: the residual is orthogonal to counts."""
    numbers = rng.choice([0, 1, 6, 8], size=(40, 7))
    energy = rng.normal(size=40)
    residual = energy - Composition.fit(numbers, energy)(numbers)
    for z in (1, 6, 8):
        assert abs(residual @ (numbers == z).sum(axis=1)) < 1e-10


def test_size_consistency():
    numbers = np.array([H2O, CH4, CO2, H2])
    model = Composition.fit(numbers, np.array([-5.0, -3.0, -9.0, -1.0]))
    pair = np.concatenate([numbers[:1], numbers[1:2]], axis=1)
    np.testing.assert_allclose(model(pair), model(numbers[:2]).sum(), rtol=1e-12)


def test_unknown_element():
    model = Composition.fit(np.array([H2]), np.array([-1.2]))
    with pytest.raises(ValueError, match=r"atomic numbers \[8\], but the fit saw only \[1\]"):
        model(np.array([H2O]))
