"""The page and its still picture: words for both, nobody asked, the same bytes, the same look."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

import tutor
from tests.tutor.seen import ETHANOL, FORCES, Page, html_of, pages, pixels, scenes, stills
from tests.tutor.test_figure import DARK, contrast
from tutor.viewer.picture import ARROW, GREY

NASTY = '</script><script>alert("1")</script>\'"&amp;<!--'


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


def test_arrows_are_on_the_still_picture():
    def orange(html):
        drawn = pixels(html).astype(int)
        return (abs(drawn[..., :3] - [0xD5, 0x5E, 0x00]).max(axis=2) < 8).sum()

    assert orange(html_of(ETHANOL)) == 0
    assert orange(html_of(ETHANOL, forces=FORCES)) > 300


def test_lines_stand_out_on_light_and_dark():
    for colour in (GREY, ARROW):
        assert min(contrast(colour, page) for page in ("#ffffff", *DARK)) > 3


def test_the_build_finds_words_for_every_picture():
    figures = pytest.importorskip("tutor.build.figures")
    assert not list(figures.without_alt(html_of(ETHANOL, molecule("H2O"), caption=["a", "b"])))


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
