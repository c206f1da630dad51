import itertools

import ase
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.models.symmetry_functions import (
    Angular,
    Radial,
    SymmetryFunctions,
    angles,
    atomic_numbers,
    bend,
    centred,
    one_hot,
    shifted,
)
from tutor.neighbors import graph
from tutor.precision import float64
from tutor.radial import cosine_cutoff
from tutor.system import System

SPECIES = (1, 6, 8)
G2 = ((1.0, 0.0), (2.0, 1.5), (0.0, 0.0))
G4 = ((0.05, 1, 1), (0.05, 1, -1), (0.1, 4, 1), (0.02, 2.5, -1))
G5 = ((0.05, 1, 1), (0.1, 3, -1))


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def atoms(rng, periodic: bool, count: int = 10) -> System:
    cell = np.array([[5, 0.3, 0.1], [0.4, 5.5, 0.2], [-0.3, 0.2, 4.6]])
    positions = rng.uniform(size=(count, 3)) @ cell
    return System(rng.choice(SPECIES, count), positions, cell, np.full(3, periodic))


def values(functions, system) -> np.ndarray:
    return np.asarray(jax.jit(functions)(graph(system, functions.cutoff, dtype=jnp.float64)))


def smooth_end(r, cutoff):
    x = r / cutoff
    return 1 - 28 * x**6 + 48 * x**7 - 21 * x**8


def cosine_end(r, cutoff):
    return (np.cos(np.pi * r / cutoff) + 1) / 2


# DScribe 2.1 has G2, G4 and G5 with the cosine cutoff. Its columns: for each species G1 and the
# G2s, then for each pair of species (0,0), (1,0), (1,1), (2,0), … the G4s and the G5s.


def dscribe_values(system, cutoff) -> np.ndarray:
    peer = pytest.importorskip("dscribe.descriptors").ACSF(
        r_cut=cutoff, g2_params=G2, g4_params=G4, g5_params=G5, species=SPECIES,
        periodic=bool(system.pbc.all()),
    )  # fmt: skip
    found = peer.create(
        ase.Atoms(system.numbers, system.positions, cell=system.cell, pbc=system.pbc)
    )
    radial, angular = np.split(found, [len(SPECIES) * (1 + len(G2))], axis=1)
    radial = radial.reshape(len(system), len(SPECIES), -1)[:, :, 1:]
    order = [b * (b + 1) // 2 + a for a in range(3) for b in range(a, 3)]
    angular = angular.reshape(len(system), 6, -1)[:, order]
    by_function = [x.swapaxes(1, 2).reshape(len(system), -1) for x in (radial, angular)]
    return np.concatenate(by_function, axis=1)


@pytest.mark.filterwarnings("ignore:.*invalid escape sequence")  # in docstrings of DScribe
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("cutoff", [4.0, 6.5])
def test_against_dscribe(periodic, cutoff, rng):
    functions = SymmetryFunctions(SPECIES, cutoff, G2, G4, G5, envelope=cosine_cutoff)
    system = atoms(rng, periodic)
    expected = dscribe_values(system, cutoff)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(values(functions, system), expected, rtol=0, atol=1e-10)


# The formulas, written as loops over atoms.


def neighbors(system, i, cutoff):
    """Vectors and atomic numbers of all images within the cutoff of atom i."""
    images = itertools.product(range(-2, 3), repeat=3) if system.pbc.any() else [(0, 0, 0)]
    for image in images:
        for j, z in enumerate(system.numbers):
            v = system.positions[j] + image @ system.cell - system.positions[i]
            if 0 < np.linalg.norm(v) < cutoff:
                yield v, z


def loop_radial(system, i, cutoff, end, eta, shift, weight):
    total = 0.0
    for v, z in neighbors(system, i, cutoff):
        r = np.linalg.norm(v)
        total += weight(z) * np.exp(-eta * (r - shift) ** 2) * end(r, cutoff)
    return total


def loop_angular(system, i, cutoff, end, function, weight, closed=True):
    """The sum over all j and all k ≠ j, as printed: twice the sum over pairs."""
    eta, zeta, sign, shift = function
    total = 0.0
    around = list(neighbors(system, i, cutoff))
    for (j, (a, za)), (k, (b, zb)) in itertools.product(enumerate(around), repeat=2):
        sides = [np.linalg.norm(a), np.linalg.norm(b)] + [np.linalg.norm(b - a)] * closed
        if j == k or max(sides) >= cutoff:
            continue
        cos = a @ b / sides[0] / sides[1]
        term = weight(za, zb) * 2 ** (1 - zeta) * (1 + sign * cos) ** zeta
        for side in sides:
            term *= np.exp(-eta * (side - shift) ** 2) * end(side, cutoff)
        total += term
    return total


def test_the_formulas_of_2007(rng):
    """With one species: the printed sums over j, and over j and k ≠ j, of which G4 is half."""
    system = atoms(rng, False, 6)
    system = System(np.full(6, 8), system.positions)
    functions = SymmetryFunctions((8,), 5.0, ((0.7, 0),), ((0.03, 2, -1),), envelope=cosine_cutoff)
    for i, (radial, angular) in enumerate(values(functions, system)):
        expected = loop_radial(system, i, 5.0, cosine_end, 0.7, 0.0, lambda z: 1)
        assert radial == pytest.approx(expected, abs=1e-12)
        printed = loop_angular(system, i, 5.0, cosine_end, (0.03, 2, -1, 0), lambda a, b: 1)
        assert 2 * angular == pytest.approx(printed, abs=1e-12)


@pytest.mark.parametrize("periodic", [False, True])
def test_weighted_functions_against_loops(periodic, rng):
    """wACSF: g = Z_j and h = Z_j Z_k, with shifts, and each pair of neighbours once."""
    system = atoms(rng, periodic, 5)
    radial, closed, wide = (2.0, 1.2), (0.3, 1.5, 1, 0.9), (0.2, 2, -1, 0.4)
    functions = SymmetryFunctions(
        SPECIES, 4.0, (radial,), (closed,), (wide,), weights=atomic_numbers
    )
    expected = [
        [
            loop_radial(system, i, 4.0, smooth_end, *radial, lambda z: z),
            loop_angular(system, i, 4.0, smooth_end, closed, lambda a, b: a * b) / 2,
            loop_angular(system, i, 4.0, smooth_end, wide, lambda a, b: a * b, closed=False) / 2,
        ]
        for i in range(5)
    ]
    np.testing.assert_allclose(values(functions, system), expected, rtol=1e-12, atol=1e-12)


def test_columns_of_species_and_pairs(rng):
    """Each column against a loop that sees one species or one pair of species only."""
    system = atoms(rng, False, 7)
    functions = SymmetryFunctions((6, 8), 4.0, ((1, 1), (2, 1)), g5=((0.1, 2, 1), (0.1, 1, -1)))
    found = values(functions, system)
    for i in range(7):
        expected = [
            loop_radial(system, i, 4.0, smooth_end, *f, lambda z, s=s: z == s)
            for f in functions.g2
            for s in (6, 8)
        ] + [
            loop_angular(
                system, i, 4.0, smooth_end, f,
                lambda a, b, pair=pair: sorted((a, b)) == pair, closed=False,
            ) / 2
            for f in functions.g5
            for pair in ([6, 6], [6, 8], [8, 8])
        ]  # fmt: skip
        np.testing.assert_allclose(found[i], expected, atol=1e-13)


@pytest.mark.parametrize("species", [(1,), (1, 6), (1, 6, 7, 8), (1, 6, 7, 8, 9, 16)])
def test_how_many_functions_there_are(species):
    """M radial sets and M (M + 1) / 2 angular ones; with weights one of each."""
    M = len(species)
    counts = {"g2": ((1, 1),) * 3, "g4": ((1, 1, 1),) * 4, "g5": ((1, 1, 1),) * 5}
    system = System(np.array(species), np.arange(3.0 * M).reshape(M, 3) / 2)
    for weights, expected in ((one_hot, 3 * M + 9 * M * (M + 1) // 2), (atomic_numbers, 12)):
        functions = SymmetryFunctions(species, 4.0, **counts, weights=weights)
        assert len(functions) == expected
        made = graph(system, 4.0, dtype=jnp.float64)
        assert jax.eval_shape(functions, made).shape == (M, expected)


def test_atoms_in_a_line_have_finite_slopes():
    """cos θ = ±1, where acos has an infinite slope, and (1 + λ cos θ)^ζ starts from 0."""
    line = np.array([[0, 0, 0], [0, 0, 1.1], [0, 0, -1.3], [0, 0, 2.0]])
    bends = tuple((0.1, zeta, sign) for zeta in (1, 2, 1.5) for sign in (1, -1))
    functions = SymmetryFunctions((6,), 4.0, g4=bends, g5=bends)
    made = graph(System(np.full(4, 6), line), 4.0, dtype=jnp.float64)

    def value(x):
        return functions(made.at(x))

    slope = jax.jit(jax.jacfwd(value))(jnp.asarray(line))
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(slope[..., :2], 0, atol=1e-12)  # a line has no sideways slope
    back = jax.jit(jax.jacrev(value))(jnp.asarray(line))
    np.testing.assert_allclose(back, slope, atol=1e-12)


def test_bend():
    cos = jnp.array([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(bend(cos, 1.0, 1.0), [0, 1, 2])
    np.testing.assert_allclose(bend(cos, 4.0, -1.0), [2, 2**-3, 0])
    np.testing.assert_allclose(bend(cos, 2.5, 1.0), [0, 2**-1.5, 2])
    assert jax.grad(lambda c: bend(c, 1.5, 1.0))(jnp.array(-1 - 1e-16)) == 0


def test_an_atom_is_not_its_own_neighbor():
    functions = SymmetryFunctions((8,), 4.0, ((1, 0),), ((0, 1, 1),), ((0, 1, 1),))
    np.testing.assert_array_equal(values(functions, System(np.array([8]), np.zeros((1, 3)))), 0)
    pair = values(functions, System(np.array([8, 8]), np.array([[0, 0, 0], [0, 0, 1.0]])))
    assert (pair[:, 0] > 0.1).all()
    np.testing.assert_array_equal(pair[:, 1:], 0)  # one neighbour makes no angle with itself


def test_grids():
    shells = shifted(4, 1.0, 4.0, width=0.5)
    assert shells == tuple(Radial(2.0, r) for r in (1.0, 2.0, 3.0, 4.0))
    assert centred(3, 1.0, 2.0) == (Radial(0.5), Radial(1 / 4.5), Radial(0.125))
    assert angles(shells[:1], zetas=(2.0,)) == (Angular(2.0, 2.0, 1, 1.0), Angular(2, 2, -1, 1.0))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "g2, g4 and g5 are empty"),
        ({"g2": ((-1.0, 0.0),)}, "g2 holds Radial.*eta=-1.0.*must not be negative"),
        ({"g4": ((0.1, 0.5, 1),)}, "g4 holds Angular.*zeta=0.5.*give zeta ≥ 1"),
        ({"g5": ((0.1, 1, 2),)}, "g5 holds Angular.*lambda_ = 1 or −1"),
        ({"g2": ((1, 1),), "species": (1, 1)}, r"species = \(1, 1\)"),
    ],
)
def test_bad_parameters_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        SymmetryFunctions(**{"species": (1, 8), "cutoff": 4.0, **options})
