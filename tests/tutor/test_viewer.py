"""The viewer: what it reads, what it draws, and that its page asks nobody for anything."""

import json
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image
from scipy.spatial.transform import Rotation

import tutor
from tests.tutor.test_plot import DARK, contrast
from tutor.graph import System
from tutor.viewer import scene
from tutor.viewer.picture import ARROW, GREY, _Drawing, picture

ETHANOL = molecule("CH3CH2OH")
FORCES = np.random.default_rng(0).normal(size=(9, 3))
NASTY = '</script><script>alert("1")</script>\'"&amp;<!--'


class Page(HTMLParser):
    """Tags with attributes, and the text inside scripts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.scripts = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and data.strip():
            self.scripts.append(data)

    def __getitem__(self, wanted):
        return [attrs for tag, attrs in self.tags if tag == wanted]


def html_of(*structures, **options):
    return tutor.view(*structures, **options)._repr_html_()


def pages(html):
    return [Page(frame["srcdoc"]) for frame in Page(html)["iframe"]]


def scenes(*structures, **options):
    """What the pages of a view draw."""
    found = [
        re.search(r"const scene = (.*);\n", page.scripts[0])[1]
        for page in pages(html_of(*structures, **options))
    ]
    return [json.loads(text) for text in found]


def stills(html):
    return [b64decode(image["src"].partition(",")[2]) for image in Page(html)["img"]]


def pixels(html):
    return np.asarray(Image.open(BytesIO(stills(html)[0])).convert("RGBA"))


def test_a_molecule_is_a_picture_and_a_page_with_words():
    html = html_of(ETHANOL)
    words = "Molecule C2H6O, 9 atoms"
    [image], [frame] = Page(html)["img"], Page(html)["iframe"]
    assert image["alt"] == frame["title"] == repr(tutor.view(ETHANOL)) == words
    [page] = pages(html)
    assert [tag for tag, _ in page.tags if tag in ("canvas", "script")] == ["canvas", "script"]
    [canvas] = page["canvas"]
    assert canvas == {"tabindex": "0", "role": "img"}
    [drawn] = scenes(ETHANOL)
    assert drawn["alt"] == words


def test_the_page_asks_nobody():
    html = html_of(ETHANOL, forces=FORCES)
    assert not re.search(r"https?:|//[a-z]+\.|\bfetch\(|XMLHttp|import\(|@import|url\(", html)
    [page] = pages(html)
    assert not any({"src", "href"} & attrs.keys() for _, attrs in page.tags)
    assert "SCENE" not in html


def test_a_small_molecule_takes_little_room():
    assert len(html_of(ETHANOL, forces=FORCES, labels="elements")) < 40_000


def test_the_same_structure_gives_the_same_bytes():
    assert html_of(ETHANOL, forces=FORCES) == html_of(ETHANOL.copy(), forces=FORCES)
    code = (
        "import tutor, hashlib; from ase.build import molecule\n"
        "html = tutor.view(molecule('CH3CH2OH'))._repr_html_()\n"
        "print(hashlib.sha256(html.encode()).hexdigest())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert not re.search(rb"tEXt|zTXt|iTXt|tIME", stills(html_of(ETHANOL))[0])


def test_hostile_words_stay_words():
    html = html_of(ETHANOL, labels=[NASTY] * 9, caption=NASTY, alt=NASTY)
    outer = Page(html)
    assert [tag for tag, _ in outer.tags] == ["div", "figure", "img", "iframe", "figcaption"]
    assert outer["img"][0]["alt"] == outer["iframe"][0]["title"] == NASTY
    [page] = pages(html)
    assert len(page["script"]) == len(page.scripts) == 1
    [drawn] = scenes(ETHANOL, labels=[NASTY] * 9, alt=NASTY)
    assert drawn["frames"][0]["t"] == [NASTY] * 9
    assert drawn["alt"] == NASTY


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


def test_the_still_picture_shows_the_cell():
    lone = Atoms("Ar", cell=[4, 4, 4], positions=[[2, 2, 2]])
    empty = np.s_[:, :60, 3]  # the left margin, where only an edge of the cell can be
    assert not pixels(html_of(lone))[empty].any()
    lone.pbc = True
    grey = pixels(html_of(lone))
    edges = (grey[..., 3] > 250) & (abs(grey[..., :3].astype(int) - 0x80).max(axis=2) < 6)
    assert edges.sum() > 500


def test_the_still_picture_is_transparent_and_sharp():
    drawn = pixels(html_of(ETHANOL, size=(200, 100)))
    assert drawn.shape == (150, 300, 4)
    assert not drawn[[0, 0, -1, -1], [0, -1, 0, -1], 3].any()
    reds = (drawn[..., 0] > 200) & (drawn[..., 1] < 60) & (drawn[..., 3] > 250)
    assert reds.sum() > 250  # the oxygen


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


def test_arrows_are_on_the_still_picture():
    def orange(html):
        drawn = pixels(html).astype(int)
        return (abs(drawn[..., :3] - [0xD5, 0x5E, 0x00]).max(axis=2) < 8).sum()

    assert orange(html_of(ETHANOL)) == 0
    assert orange(html_of(ETHANOL, forces=FORCES)) > 300


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


def test_lines_stand_out_on_light_and_dark():
    for colour in (GREY, ARROW):
        assert min(contrast(colour, page) for page in ("#ffffff", *DARK)) > 3


def test_the_build_finds_words_for_every_picture():
    figures = pytest.importorskip("tutor.build.figures")
    assert not list(figures.without_alt(html_of(ETHANOL, molecule("H2O"), caption=["a", "b"])))


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


BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
PROBE = """<script>
canvas.style.cssText = `flex: none; width: 420px; height: 300px`;
const oxygen = () => {
  draw();
  const {data} = pen.getImageData(0, 0, 420, 300), red = [];
  for (let i = 0; i < data.length; i += 4)
    if (data[i] - Math.max(data[i + 1], data[i + 2]) > 80) red.push([i / 4 % 420, i / 1680]);
  return [red.length, ...[0, 1].map(k => red.reduce((sum, at) => sum + at[k], 0) / red.length)];
};
const press = key => { canvas.dispatchEvent(new KeyboardEvent(`keydown`, {key})); return oxygen() };
const seen = {start: oxygen(), turned: press(`ArrowRight`), near: press(`+`), home: press(`Home`)};
show(1);
document.documentElement.textContent = JSON.stringify({...seen, second: oxygen()});
</script>"""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome")
def test_a_browser_draws_what_the_still_picture_shows(tmp_path):
    moved = ETHANOL.copy()
    moved.positions[2] += [0.3, 0, 0]
    html = html_of([ETHANOL, moved])
    page = tmp_path / "page.html"
    page.write_text(Page(html)["iframe"][0]["srcdoc"] + PROBE, "utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run"
    command = [BROWSER, *flags.split(), f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=2000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    seen = json.loads(re.search(r"\{.*\}", done.stdout)[0])
    drawn = pixels(html).astype(int)
    red = np.argwhere(drawn[..., 0] - drawn[..., 1:3].max(axis=2) > 80)
    pixels_each = (drawn.shape[1] / 420) ** 2
    assert seen["start"][0] == pytest.approx(len(red) / pixels_each, rel=0.15)
    np.testing.assert_allclose(seen["start"][1:], red.mean(axis=0)[::-1] * 420 / 630, atol=2)
    assert seen["home"] == seen["start"] != seen["turned"]
    assert seen["near"][0] == pytest.approx(1.21 * seen["turned"][0], rel=0.1)
    assert seen["second"][1] - seen["start"][1] > 5
