"""What is drawn: bonds, cells, turns, frames, arrows, colours, labels."""

from io import BytesIO

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image
from scipy.spatial.transform import Rotation

from tests.tutor.seen import ETHANOL, FORCES, html_of, scenes
from tutor.system import System
from tutor.viewer import scene
from tutor.viewer.picture import _Drawing, picture


def bonded(structure):
    """How many bonds inside the cell, and how many across its border."""
    [drawn] = scenes(structure)
    frame = drawn["frames"][0]
    return len(frame["b"]) // 2, len(frame["w"]) // 5


@pytest.mark.parametrize(
    ("name", "count"),
    [("H2", 1), ("H2O", 2), ("CH4", 4), ("CH3CH2OH", 8), ("C6H6", 12), ("C60", 90), ("SiH4", 4)],
)
def test_bonds_are_those_of_the_textbook(name, count):
    assert bonded(molecule(name)) == (count, 0)


def test_a_hydrogen_bond_is_none():
    water = molecule("H2O")
    other = water.copy()
    other.translate((0, 0, 2.9))
    assert bonded(water + other) == (4, 0)


@pytest.mark.parametrize(
    ("crystal", "count", "length"),
    [
        (bulk("Si", cubic=True), 16, 5.43 * np.sqrt(3) / 4),
        (bulk("NaCl", "rocksalt", a=5.64, cubic=True), 24, 2.82),
        (bulk("C"), 4, 3.57 * np.sqrt(3) / 4),
        (Atoms("C", cell=[1.5, 1.5, 1.5], pbc=True), 3, 1.5),  # bonded to its own images
    ],
)
def test_bonds_cross_the_border_of_a_cell(crystal, count, length):
    assert sum(bonded(crystal)) == count
    [drawn] = scenes(crystal)
    frame = drawn["frames"][0]
    positions = np.reshape(frame["p"], (-1, 3))
    for i, j, *shift in np.reshape(frame["w"], (-1, 5)):
        assert np.linalg.norm(positions[j] + shift - positions[i]) == pytest.approx(
            1000 * length, abs=3
        )


def test_metals_are_drawn_without_bonds():
    assert bonded(bulk("Cu", cubic=True)) == (0, 0)


def test_a_cell_is_drawn_where_it_is_periodic():
    box = ETHANOL.copy()
    box.center(vacuum=3)
    box.pbc = True
    [drawn] = scenes(box)
    np.testing.assert_array_equal(
        np.reshape(drawn["frames"][0]["cell"], (3, 3)), np.rint(1000 * box.cell.array)
    )
    corner = np.array(drawn["frames"][0]["corner"])
    np.testing.assert_allclose(
        drawn["frames"][0]["p"][:3], 1000 * box.positions[0] + corner, atol=1
    )
    assert drawn["alt"] == "Periodic cell C2H6O, 9 atoms"
    box.pbc = False
    assert scenes(box)[0]["frames"][0]["cell"] == []


def test_turns_are_rotations():
    turns = ((1, 40), (0, -30), (2, 75), (0, 11))
    expected = Rotation.identity()
    for axis, degrees in turns:
        expected = Rotation.from_euler("xyz"[axis], degrees, degrees=True) * expected
    np.testing.assert_allclose(scene.rotation(turns), expected.as_matrix(), atol=1e-12)


def test_a_crystal_stands_upright():
    x, y, z = scene.rotation(scene.CRYSTAL_VIEW).T  # where the axes go: right, up, towards you
    assert z[1] > 0.9
    assert x[0] > 0.8
    assert y[2] < -0.7


@pytest.mark.parametrize("name", ["CH3CH2OH", "CH4", "H2O", "C6H6", "CH3OCH3", "CO2"])
def test_few_atoms_hide_at_first(name):
    atoms = molecule(name)
    for turned in (0, 50, 130):
        atoms.rotate(turned, (1, 2, 3))
        flat = (atoms.positions @ scene.rotation(scene.facing(atoms.positions)).T)[:, :2]
        apart = np.linalg.norm(flat[:, None] - flat, axis=2)
        assert apart[np.triu_indices(len(atoms), 1)].min() > 0.5
        assert np.ptp(flat[:, 0]) > 0.85 * np.ptp(flat[:, 1])


def test_the_picture_has_the_right_hand():
    """An atom ahead hides one behind; x goes right and y up."""
    drawing = _Drawing({"turns": (), "eye": 50_000}, scale=1.0)
    right, up, towards = drawing.flat(np.array([[1e3, 0, 0], [0, 1e3, 0], [0, 0, 1e3]]))
    np.testing.assert_allclose([right, up, towards], [[1e3, 0], [0, 1e3], [0, 0]])
    pair = Atoms("OC", positions=[[0, 0, 0], [0, 0, 3.0]])
    built = scene.build([System(pair.numbers, pair.positions)]) | {"turns": (), "legend": []}
    middle = np.asarray(Image.open(BytesIO(picture(built, (100, 100)))).convert("RGBA"))[75, 75]
    np.testing.assert_allclose(middle[:3], 0x90, atol=8)  # the carbon, in front


def test_frames_store_what_changes():
    moved = [ETHANOL.positions + 0.01 * n for n in range(5)]
    [drawn] = scenes((ETHANOL.numbers, np.array(moved)))
    assert [set(frame) for frame in drawn["frames"][1:]] == [{"p"}] * 4
    assert drawn["alt"] == "Molecule C2H6O, 9 atoms, 5 frames"
    assert drawn["frames"][4]["p"][0] - drawn["frames"][0]["p"][0] == 40
    assert html_of([(ETHANOL.numbers, p) for p in moved]) == html_of(
        (ETHANOL.numbers, np.array(moved))
    )


def test_frames_may_be_different_molecules():
    [drawn] = scenes([ETHANOL, molecule("H2O"), molecule("NH3")])
    assert [element[0] for element in drawn["elements"]] == ["H", "C", "N", "O"]
    assert [len(frame["p"]) for frame in drawn["frames"]] == [27, 9, 12]
    assert drawn["alt"] == "3 structures, the first C2H6O"


def test_arrows_are_the_forces():
    [one] = scenes(ETHANOL, forces=FORCES)
    longest = np.linalg.norm(FORCES, axis=1).max()
    arrows = np.reshape(one["frames"][0]["f"], (9, 3))
    np.testing.assert_allclose(arrows, FORCES * 1500 / longest, atol=0.5)
    assert one["legend"] == [f"longest arrow: {longest:.3g} eV/Å"]
    first, second = scenes(ETHANOL, ETHANOL, forces=[FORCES, 3 * FORCES])
    np.testing.assert_allclose(
        3 * np.array(first["frames"][0]["f"]), second["frames"][0]["f"], atol=2
    )
    [still] = scenes(ETHANOL, forces=0 * FORCES)
    assert not any(still["frames"][0]["f"])


def test_numbers_become_colours_of_one_scale():
    low, high = scenes(ETHANOL, ETHANOL, color=[np.arange(9.0), np.arange(9.0) + 8])
    hexed = [to_hex(colormaps["viridis"](v)) for v in (0.0, 0.5, 1.0)]
    assert [low["frames"][0]["c"][0], low["frames"][0]["c"][8]] == hexed[:2]
    assert [high["frames"][0]["c"][0], high["frames"][0]["c"][8]] == hexed[1:]
    assert low["map"][:2] == high["map"][:2] == ["0", "16"]
    assert scenes(ETHANOL, color=np.ones(9))[0]["map"][:2] == ["1", "1"]


def test_labels():
    assert scenes(ETHANOL, labels="elements")[0]["frames"][0]["t"] == ETHANOL.get_chemical_symbols()
    assert scenes(ETHANOL, labels="indices")[0]["frames"][0]["t"] == list("012345678")
    both = scenes(ETHANOL, molecule("H2"), labels="indices")
    assert [len(drawn["frames"][0]["t"]) for drawn in both] == [9, 2]
    html_of(
        molecule("H2"), labels=["日", "本"]
    )  # letters that the picture's font lacks: no warning
