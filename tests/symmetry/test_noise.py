"""The noise floor, held against noise of known size."""

import numpy as np
import pytest
from pairs import MOLECULE

from tutor import symmetry as sy
from tutor.symmetry.derivatives import richardson
from tutor.symmetry.frameworks import Model
from tutor.symmetry.laws import Probe
from tutor.symmetry.noise import POINTS, noise, shortest


@pytest.mark.parametrize("sigma", [1e-12, 1e-7, 1e-3])
def test_noise_of_known_size_is_measured(sigma, rng):
    t = np.linspace(0, 1e-3, POINTS)
    found = np.array(
        [noise(list(np.exp(t) + sigma * rng.standard_normal(POINTS)), "float64")
         for _ in range(600)]
    )  # fmt: skip
    assert 0.5 * sigma < np.median(found) < 3 * sigma
    assert np.mean(found > sigma / 10) > 0.97  # one line may be unlucky
    assert np.mean(found.reshape(100, 6).max(1) > sigma / 2) > 0.98  # six are not


def test_a_smooth_function_has_no_noise_but_rounding():
    r = 1 + 1e-4 * np.arange(POINTS)
    assert noise(list(r**-12), "float64") < 1e-14


@pytest.mark.parametrize(("inside", "eps"), [("float64", 2.2e-16), ("float32", 1.2e-7)])
def test_precision_inside_the_map_is_seen(inside, eps, rng):
    def model(x, z):
        return (np.sin(x.astype(inside)) ** 2).sum().astype("float64")

    spec = sy.Spec(MOLECULE.inputs, {"e": sy.scalar()})
    inputs = {"positions": rng.standard_normal((6, 3)), "species": np.ones(6, int)}
    probe = Probe(Model(model, spec, library="numpy"), "float64", rng)
    size = abs(probe(inputs)["e"])
    assert 0.1 * eps < probe.noise(inputs, 6)["e"] / size < 20 * eps


def test_richardson_knows_its_error(rng):
    value, doubt = richardson(lambda h: np.exp(2 * (1 + h)), 0.1, 1e-15)
    assert abs(value - 2 * np.exp(2)) < doubt < 1e-9
    noisy, doubt = richardson(lambda h: np.exp(h) + 1e-6 * rng.standard_normal(), 0.1, 1e-6)
    assert abs(noisy - 1) < doubt < 1e-3


def test_shortest_distance(rng):
    inputs = {"positions": np.array([[0, 0, 0], [0, 0, 2.0], [0, 3.0, 0]])}
    assert shortest(MOLECULE, inputs) == 2
