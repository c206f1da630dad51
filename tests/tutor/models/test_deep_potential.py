from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.special import eval_legendre

from tutor.models.deep_potential import DeepPotential
from tutor.neighbors import graph
from tutor.potential import energy, evaluate
from tutor.precision import float64
from tutor.radial import smooth_inverse
from tutor.system import System


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def made(**options) -> DeepPotential:
    small = {
        "cutoff": 4.0,
        "neighbors": 5.0,
        "embedding": (6, 8),
        "axis": 3,
        "fitting": (9,),
        "bessel": 0,
    }
    return DeepPotential((6, 8), **{**small, "rngs": nnx.Rngs(0), **options})


def star(directions, radius=1.5, species=6) -> System:
    """An atom in the middle and neighbours of one species at one distance."""
    directions = np.asarray(directions, float)
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return System(np.full(len(unit) + 1, species), np.vstack([np.zeros(3), radius * unit]))


def middle(potential, system) -> np.ndarray:
    """D of the first atom."""
    return np.asarray(potential.descriptor(graph(system, potential.cutoff, dtype=jnp.float64))[0])


def dense(net, x):
    """A network, layer by layer in NumPy."""
    layers = net.layers.layers
    for k, layer in enumerate(layers):
        x = x @ np.asarray(layer.kernel[...], float) + np.asarray(layer.bias[...], float)
        x = np.tanh(x) if k < len(layers) - 1 else x
    return x


@pytest.mark.parametrize("bessel", [0, 3])
def test_against_loops_over_atoms_and_neighbors(bessel, rng):
    """Energies from positions alone: s, Bessel functions, networks and products written out."""
    potential = made(bessel=bessel, onset=1.0, length=1.7, energies=(-3.0, 2.0))
    numbers, x = np.array([6, 8, 8, 6, 8, 6]), rng.uniform(0, 4, (6, 3))
    expected = 0.0
    for i in range(6):
        T = np.zeros((8, 4))
        for j in range(6):
            r = np.linalg.norm(x[j] - x[i])
            if i == j or r >= 4.0:
                continue
            u = min(max((r - 1) / 3, 0), 1)
            s = 1.7 * (u**3 * (-6 * u**2 + 15 * u - 10) + 1) / r
            waves = [np.sqrt(2) * np.sin(n * np.pi * r / 4) / r for n in range(1, bessel + 1)]
            inputs = [s, *(1.7 * wave for wave in waves)]
            net = potential.embedding.nets.nets.layers[(6, 8).index(numbers[j])]
            T += np.outer(dense(net, np.array(inputs)), [s, *(s * (x[j] - x[i]) / r)]) / 5.0**0.5
        k = (6, 8).index(numbers[i])
        D = T @ T[:3].T
        expected += (-3.0, 2.0)[k] + dense(potential.fitting.nets.layers[k], D.ravel())[0]
    system = System(numbers, x)
    found = energy(potential, graph(system, 4.0, dtype=jnp.float64))[0]
    assert float(found) == pytest.approx(expected, abs=1e-12)


def test_antipodal_pairs_at_any_angle_look_the_same():
    """D knows the sum of directions only, which is 0 for all of these, and for a tetrahedron."""
    potential = made()
    tetrahedron = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    expected = middle(potential, star(tetrahedron))
    assert np.abs(expected).max() > 1e-3
    for degrees in (20, 45, 70, 90):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        pairs = [[1, 0, 0], [-1, 0, 0], [c, s, 0], [-c, -s, 0]]
        np.testing.assert_allclose(middle(potential, star(pairs)), expected, atol=1e-15)
    bent = [[1, 0, 0], [-1, 0.3, 0], [0, 1, 0], [0, -1, 0]]
    assert np.abs(middle(potential, star(bent)) - expected).max() > 1e-5


def test_each_group_of_degrees_is_a_sum_of_legendre_polynomials(rng):
    """D = Σ_jk G_j G_k s_j s_k P_l(cos θ_jk) / N_c, with the degrees of a group added."""
    groups = ((0,), (2, 1))
    potential = made(degrees=groups)
    system = star(rng.normal(size=(4, 3)), radius=1.5)
    x = system.positions[1:] / 1.5
    r = jnp.full(4, 1.5, jnp.float64)
    G = np.asarray(potential.embedding(r, jnp.full(4, 6)))
    s = 2.0 * np.asarray(smooth_inverse(r, 0.5, 4.0))
    for k, group in enumerate(groups):
        P = sum(eval_legendre(degree, x @ x.T) for degree in group)
        expected = np.einsum("jm,kn,j,k,jk->mn", G, G[:, :3], s, s, P) / 5.0
        found = middle(potential, system)[:, 3 * k : 3 * k + 3]
        np.testing.assert_allclose(found, expected, atol=1e-13)


def test_the_second_degree_sees_the_angle_of_antipodal_pairs():
    potential = made(degrees=((0,), (1,), (2,)))
    seen = []
    for angle in (20, 45, 70, 90):
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        seen.append(middle(potential, star([[1, 0, 0], [-1, 0, 0], [c, s, 0], [-c, -s, 0]])))
    assert min(np.abs(a - b).max() for a, b in pairwise(seen)) > 1e-4


def test_all_atoms_together_do_see_the_angle():
    """The outer atoms see each other: rectangles differ by their energy."""
    potential = made()
    energies = []
    for degrees in (50, 70, 90):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        system = star([[1, 0, 0], [-1, 0, 0], [c, s, 0], [-c, -s, 0]])
        energies.append(float(energy(potential, graph(system, 4.0, dtype=jnp.float64))[0]))
    assert min(abs(a - b) for a, b in pairwise(energies)) > 1e-6


def test_mirror_images_look_the_same(rng):
    potential = made()
    x = rng.normal(size=(4, 3))
    np.testing.assert_allclose(
        middle(potential, star(x)), middle(potential, star(x * [1, 1, -1])), atol=1e-15
    )


def test_species_are_told_apart():
    potential = made()
    x = [[1, 0, 0], [0, 1, 0]]
    change = middle(potential, star(x)) - middle(potential, star(x, species=8))
    assert np.abs(change).max() > 1e-3


def test_an_atom_alone_has_its_reference_energy_and_a_constant():
    system = System(np.array([8]), np.zeros((1, 3)))
    alone = graph(system, 4.0, dtype=jnp.float64)
    difference = made(energies=(1.0, -432.1))(alone) - made()(alone)
    assert float(difference[0]) == pytest.approx(-432.1, abs=1e-12)


def test_an_unknown_element_has_no_energy():
    system = System(np.array([6, 7]), np.array([[0, 0, 0], [0, 0, 1.2]]))
    assert np.isnan(made()(graph(system, 4.0))).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"axis": 9}, "axis = 9: it is a part of the 8 channels"),
        ({"onset": 4.0}, "onset = 4.0 Å and cutoff = 4.0 Å"),
        (
            {"degrees": ((0, 1), (3,))},
            r"degrees = \(\(0, 1\), \(3,\)\): give groups of the degrees",
        ),
        ({"degrees": ()}, r"degrees = \(\): give groups"),
        ({"energies": (1.0,)}, "one energy in eV for each species"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        made(**options)


def test_it_trains_on_forces_and_keeps_its_constants(rng):
    """A step against the gradient lowers a loss of forces, and only weights have gradients."""
    potential = made(bessel=2, energies=(-3.0, 2.0))
    system = System(np.array([6, 8, 8, 6]), rng.uniform(0, 3, (4, 3)))
    g = graph(system, 4.0, dtype=jnp.float64)

    def loss(potential):
        return ((evaluate(potential, g).forces - 0.1) ** 2).mean()

    before, gradient = jax.jit(jax.value_and_grad(loss))(potential)
    stepped = jax.tree.map(lambda w, d: w - 1e-3 * d, potential, gradient)
    assert loss(stepped) < before
    assert stepped.cutoff == 4.0
    assert stepped.energies == (-3.0, 2.0)


@pytest.mark.parametrize("bessel", [0, 4])
def test_the_table_replaces_the_network(bessel, rng):
    """Energies and forces in both precisions, with the onset inside of the table."""
    potential = made(bessel=bessel, onset=1.5, energies=(-3.0, 2.0))
    system = System(np.array([6, 8, 8, 6, 8]), rng.uniform(0, 3, (5, 3)))
    for dtype, tolerance in ((jnp.float64, 1e-10), (jnp.float32, 1e-6)):
        g = graph(system, 4.0, dtype=dtype)
        exact = evaluate(potential, graph(system, 4.0, dtype=jnp.float64))
        found = evaluate(potential.tabulated(0.3, dtype=dtype), g)
        size = np.abs(exact.forces).max()
        np.testing.assert_allclose(found.energies, exact.energies, atol=tolerance)
        np.testing.assert_allclose(found.forces, exact.forces, atol=tolerance * max(size, 1))


def test_the_table_has_the_answers_of_the_network_where_there_is_none():
    table = made().tabulated()
    padded = System(np.array([6, 8]), np.array([[0, 0, 0], [0, 0, 1.2]]))
    g = graph(padded, 4.0, atoms=4, slots=5)
    found = evaluate(table, g)
    assert np.isfinite(found.forces).all()
    assert not found.forces[2:].any()
    unknown = System(np.array([6, 7]), np.array([[0, 0, 0], [0, 0, 1.2]]))
    assert np.isnan(table(graph(unknown, 4.0))).all()
    near = System(np.array([6, 8]), np.array([[0, 0, 0], [0, 0, 0.4]]))
    assert np.isnan(table(graph(near, 4.0))).all()


def test_a_table_that_begins_nowhere_is_refused():
    with pytest.raises(ValueError, match=r"low = 5\.0 Å: choose it between 0 and cutoff = 4\.0 Å"):
        made().tabulated(5.0)
