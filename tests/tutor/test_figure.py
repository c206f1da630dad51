"""The house style, and figures with words for those who cannot see them."""

import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from tutor import figure, plot

DARK = "#111111", "#212121"  # JupyterLab's page and cell in the dark theme


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot((0.2126, 0.7152, 0.0722), linear)


def contrast(one, other):
    """As WCAG 2.2 defines it."""
    low, high = sorted(luminance(c) + 0.05 for c in (one, other))
    return high / low


class Images(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def png(html):
    return b64decode(re.search(r"data:image/png;base64,([^\"]+)", html)[1])


@pytest.fixture
def fig():
    return plot.curves([1, 2, 3], {"line": [1, 4, 9]}, "x (Å)", "y (eV)")


def test_text_and_lines_stand_out_from_the_paper():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # known to just miss 4.5
    assert contrast(figure.INK, figure.PAPER) > 7  # AAA
    assert min(contrast(colour, figure.PAPER) for colour in figure.COLORS) > 3  # AA, for graphics


def test_an_image_has_words_and_shrinks_with_the_page(fig):
    [(tag, image)] = Images(figure.html(fig, 'rises as "x²" & <b>')).found
    assert tag == "img"
    assert image["alt"] == 'rises as "x²" & <b>'
    assert "max-width:100%" in image["style"]
    width, _ = Image.open(BytesIO(png(figure.html(fig, "a")))).size
    assert int(image["width"]) == width // 2
    assert 540 < int(image["width"]) < 600


def test_the_same_figure_gives_the_same_bytes(fig):
    again = plot.curves([1, 2, 3], {"line": [1, 4, 9]}, "x (Å)", "y (eV)")
    assert figure.html(fig, "a") == figure.html(again, "a")
    kinds = re.findall(rb"(tEXt|zTXt|iTXt|tIME)", png(figure.html(fig, "a")))
    assert not kinds


def test_lines_are_stored_small_and_pictures_exactly(rng, fig):
    assert Image.open(BytesIO(png(figure.html(fig, "a")))).mode == "P"
    assert len(png(figure.html(fig, "a"))) < 40_000
    photo, ax = figure.figure()
    ax.imshow(rng.random((150, 150, 3)))
    assert Image.open(BytesIO(png(figure.html(photo, "a")))).mode == "RGB"


def test_paper_is_white_also_where_styles_are_stripped(fig):
    assert Image.open(BytesIO(png(figure.html(fig, "a")))).convert("RGBA").getpixel((1, 1)) == (
        (255,) * 4
    )


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_show_wants_words(fig, alt):
    show = getattr(figure.show, "__wrapped__", figure.show)  # without the check of types
    with pytest.raises(ValueError, match=r"alt is .*: say what the figure shows"):
        show(fig, alt=alt)


def test_show_wants_a_figure(fig):
    show = getattr(figure.show, "__wrapped__", figure.show)
    with pytest.raises(TypeError, match=r"fig is a \w+: give a matplotlib Figure, such as ax.fig"):
        show(fig.axes[0], alt="a line")


def test_show_prints_the_words_where_there_is_no_notebook(fig, capsys):
    assert figure.show(fig, alt="A line\n  that rises.") is None
    assert capsys.readouterr().out == "[figure] A line that rises.\n"


def test_show_in_a_kernel(fig, monkeypatch):
    import IPython
    import IPython.display

    sent = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=1))
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: sent.append((data, raw)))
    assert figure.show(fig, alt="A line.") is None
    html = figure.html(fig, "A line.")
    assert sent == [({"text/html": html, "text/plain": "[figure] A line."}, True)]


def test_a_notebook_shows_a_figure_once(tmp_path):
    source = (
        "import matplotlib.pyplot as plt\nimport tutor\nfig, ax = plt.subplots()\n"
        "ax.plot([1, 2])\ntutor.show(fig, alt='A line.')"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    [output] = notebook.cells[0].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    assert output.data["text/plain"] == "[figure] A line."


def test_a_figure_of_pyplot_is_closed():
    fig, _ = plt.subplots()
    figure.show(fig, alt="empty axes")
    assert not plt.fignum_exists(fig.number)


def test_pyplot_and_its_settings_are_left_alone():
    code = (
        "import sys, matplotlib; before = dict(matplotlib.rcParams)\n"
        "from tutor import figure, plot; fig = plot.curves([1, 2], {'a': [1, 2]}, 'x', 'y')\n"
        "figure.html(fig, 'a'); print('matplotlib.pyplot' in sys.modules)\n"
        "print(dict(matplotlib.rcParams) == before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
    before = dict(matplotlib.rcParams)
    plot.histogram({"a": [1, 2, 3]}, "x")
    assert dict(matplotlib.rcParams) == before
