"""What `tutor.view` takes, and what it says to what it cannot draw."""

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

import tutor
from tests.tutor.seen import ETHANOL, FORCES, Page, html_of, scenes
from tutor.system import System


def test_every_way_to_name_a_structure_shows_the_same():
    numbers, positions = ETHANOL.numbers, ETHANOL.positions
    expected = html_of(ETHANOL)
    assert html_of(System(numbers, positions)) == expected
    assert html_of((numbers, positions)) == expected
    assert html_of((list(numbers), positions.tolist())) == expected
    assert html_of([ETHANOL]) == expected
    jnp = pytest.importorskip("jax.numpy")
    assert [f["p"] for f in scenes((jnp.array(numbers), jnp.array(positions)))[0]["frames"]] == [
        f["p"] for f in scenes(ETHANOL)[0]["frames"]
    ]


def test_view_stays_a_function_when_its_room_is_imported():
    import tutor.viewer

    assert repr(tutor.view(ETHANOL)) == repr(tutor.view(ETHANOL)) == "Molecule C2H6O, 9 atoms"


def test_a_data_set_is_frames():
    ethanol = tutor.data.load("ethanol")
    [drawn] = scenes(ethanol[:3], forces=ethanol.forces[:3])
    assert len(drawn["frames"]) == 3


def test_structures_stand_side_by_side():
    html = html_of(ETHANOL, molecule("H2O"), caption=["ethanol", "water"])
    assert [image["alt"] for image in Page(html)["img"]] == [
        "ethanol: Molecule C2H6O, 9 atoms",
        "water: Molecule H2O, 3 atoms",
    ]
    assert len(Page(html)["figcaption"]) == 2


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (3, "cannot view a int: give a tutor.System"),
        ("CCO", "cannot view a str: give a tutor.System"),
        (np.zeros((4, 3)), r"cannot view a ndarray of shape \(4, 3\): give a tutor.System"),
        ([ETHANOL, 7], "cannot view a int"),
        ([], "empty sequence: it has no frames"),
        (Atoms(), "0 atoms; 1 to 2000 are drawn: it is empty"),
        (bulk("Cu") * (13, 13, 13), "2197 atoms; 1 to 2000 are drawn: view a part of it, or use b"),
        (([6, 0], np.zeros((2, 3))), "atomic number 0 is no element; .* leave padding out"),
        (([6.0], np.zeros((1, 3))), r"numbers has shape \(1,\) and type float64: .* an integer"),
        (([6, 1], np.zeros((3, 3))), r"positions has shape \(3, 3\) for 2 atomic numbers: give"),
        (([6, 1], np.full((2, 3), np.nan)), r"positions\[0\] is \[nan nan nan\].* make it finite"),
    ],
)
def test_what_cannot_be_drawn_is_named(structure, message):
    with pytest.raises((TypeError, ValueError), match=message):
        tutor.view(structure)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"forces": FORCES[:8]}, r"forces has shape \(8, 3\); the structure needs \(9, 3\)"),
        ({"forces": FORCES[:, :2]}, r"forces has shape \(9, 2\)"),
        ({"forces": FORCES * np.nan}, "forces: atom 0 has .* cannot be drawn"),
        ({"color": FORCES}, r"color has shape \(9, 3\); the structure needs \(9,\)"),
        ({"labels": ["a"]}, "labels has 1 entries for 9 atoms: give one text per atom"),
        ({"labels": "names"}, 'labels is \'names\': give "elements", "indices" or one text'),
        ({"alt": " "}, "alt is ' ': give a text, or leave it out"),
        ({"size": (420, 0)}, r"size is \(420, 0\): give width and height in pixels"),
        ({"backend": "vmd"}, 'backend is \'vmd\': choose "html" or "nglview"'),
        ({"backend": "nglview", "forces": FORCES}, "does not draw forces="),
    ],
)
def test_options_that_do_not_fit_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        tutor.view(ETHANOL, **options)


def test_options_of_frames_and_of_several_structures():
    with pytest.raises(ValueError, match="forces has 9 rows for 2 frames: give one per frame"):
        tutor.view([ETHANOL, ETHANOL], forces=FORCES)
    with pytest.raises(ValueError, match=r"forces\[1\] has shape \(8, 3\)"):
        tutor.view([ETHANOL, ETHANOL], forces=[FORCES, FORCES[:8]])
    with pytest.raises(ValueError, match="caption is 'both' for 2 structures: give a list, one"):
        tutor.view(ETHANOL, ETHANOL, caption="both")
    with pytest.raises(TypeError, match="view needs a structure"):
        tutor.view()


def test_nglview_that_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nglview", None)
    with pytest.raises(ImportError, match=r"pip install 'nnp-tutor\[lab\]'"):
        tutor.view(ETHANOL, backend="nglview")


@pytest.mark.filterwarnings("ignore")  # nglview's own
def test_nglview_shows_the_atoms():
    nglview = pytest.importorskip("nglview")
    widget = tutor.view(ETHANOL, backend="nglview")
    assert isinstance(widget, nglview.NGLWidget)
    assert tutor.view([ETHANOL] * 3, backend="nglview").max_frame == 2
    with pytest.raises(ValueError, match="does not draw 2 structures side by side"):
        tutor.view(ETHANOL, ETHANOL, backend="nglview")
