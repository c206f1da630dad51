"""Transformations, held against SciPy and ASE."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from pairs import CRYSTAL, MOLECULE
from scipy.spatial.transform import Rotation

from tutor import symmetry as sy
from tutor.symmetry.groups import beside, expected, haar, offsets, transformed
from tutor.symmetry.samples import _apart, random_structures

STILL = np.zeros((1, 3))


def test_about_is_scipys_rotation():
    axis = np.array([1.0, 2.0, 0.5])
    wanted = Rotation.from_rotvec(np.deg2rad(37) * axis / np.linalg.norm(axis)).as_matrix()
    np.testing.assert_allclose(sy.about(tuple(axis), 37), wanted, atol=1e-15)


@pytest.mark.parametrize("sign", [1, -1])
def test_haar_is_orthogonal_and_uniform(sign, rng):
    drawn = np.array([haar(rng, sign) for _ in range(4000)])
    np.testing.assert_allclose(drawn @ drawn.transpose(0, 2, 1) - np.eye(3), 0, atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(drawn), sign)
    # for Haar measure <Q_ij> = 0 and <Q_ij^2> = 1/3; four standard errors
    assert np.abs(drawn.mean(0)).max() < 4 * np.sqrt(1 / 3 / 4000)
    assert np.abs((drawn**2).mean(0) - 1 / 3).max() < 4 * np.sqrt(4 / 45 / 4000)


@pytest.mark.parametrize(
    ("kind", "factor"),
    [(sy.vector(), -1), (sy.pseudovector(), 1), (sy.scalar(), 1), (sy.pseudoscalar(), -1),
     (sy.tensor(), 1), (sy.tensor(3), -1)],
)  # fmt: skip
def test_parity_under_inversion(kind, factor, rng):
    value = rng.standard_normal((3,) * kind.rank)
    moved = expected(kind, value, sy.Change(matrix=-np.eye(3)), STILL)
    np.testing.assert_allclose(moved, factor * value)


def test_a_tensor_with_channels_turns_on_its_last_axes(rng):
    R, value = haar(rng, 1), rng.standard_normal((5, 3, 3))
    moved = expected(sy.tensor(), value, sy.Change(matrix=R), STILL)
    np.testing.assert_allclose(moved, np.array([R @ one @ R.T for one in value]))


def test_supercell_is_ases(rng):
    inputs = random_structures(CRYSTAL, atoms=(3,))(rng)
    change = sy.Change(repeats=(2, 1, 1))
    moved = transformed(CRYSTAL, inputs, change)
    primitive = Atoms(inputs["species"], inputs["positions"], cell=inputs["cell"], pbc=True)
    wanted = make_supercell(primitive, np.diag([2, 1, 1]), wrap=False)
    np.testing.assert_allclose(moved["cell"], wanted.cell)
    np.testing.assert_allclose(moved["positions"], wanted.positions, atol=1e-12)
    np.testing.assert_array_equal(moved["species"], wanted.numbers)
    copies = offsets(CRYSTAL, inputs, change)
    assert expected(sy.energy(), np.array(1.5), change, copies) == 3


@pytest.mark.parametrize("law", ["images", "cell choice"])
def test_the_crystal_stays_the_same(law, rng):
    """All distances within 4 Å, by ASE, before and after."""
    from tutor.symmetry.catalogue import law as find

    for _ in range(5):
        inputs = random_structures(CRYSTAL, atoms=(3,))(rng)
        change = find(law).draw(rng, CRYSTAL, inputs)
        moved = transformed(CRYSTAL, inputs, change)
        one, two = (_distances(i) for i in (inputs, moved))
        np.testing.assert_allclose(one, two, atol=1e-9)


def _distances(inputs):
    from ase.neighborlist import neighbor_list

    atoms = Atoms(inputs["species"], inputs["positions"], cell=inputs["cell"], pbc=True)
    return np.sort(neighbor_list("d", atoms, 4.0))


def test_beside_keeps_each_molecule_whole(rng):
    one = random_structures(MOLECULE, atoms=(3,))(rng)
    both = beside(MOLECULE, (one, one), np.array([100.0, 0, 0]))
    np.testing.assert_allclose(both["positions"][3:] - both["positions"][:3], [[100, 0, 0]] * 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (sy.Change(matrix=sy.about((0, 0, 1), 90)), "rotation by 90° about (0, 0, 1)"),
        (sy.Change(matrix=np.diag([-1.0, 1, 1])), "perpendicular to (1, 0, 0)"),
        (sy.Change(matrix=-np.eye(3)), "inversion"),
        (sy.Change(order=np.array([1, 0, 2])), "atoms 0 and 1 swap places"),
        (sy.Change(repeats=(1, 2, 1)), "1 x 2 x 1"),
        (sy.Change(), "nothing"),
    ],
)
def test_words(change, words):
    assert words in change.words()


def test_random_structures_keep_their_distance(rng):
    for _ in range(10):
        inputs = random_structures(CRYSTAL, atoms=(4,), closest=1.2)(rng)
        assert _distances(inputs).min() > 1.2
    with pytest.raises(ValueError, match=r"50 atoms no closer than 3 Å do not fit.*closest="):
        _apart(rng, 50, 3 * np.eye(3), 3, False)


def test_kinds_read_as_they_are_written():
    assert repr(MOLECULE.inputs["positions"]) == "points()"
    assert repr(sy.stress()) == "stress()"
    assert eval(repr(sy.tensor(3, per="atom")), {"Kind": sy.Kind}) == sy.tensor(3, per="atom")
