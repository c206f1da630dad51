"""The house style, and figures with words for those who cannot see them."""

import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from tutor import plot

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
    assert contrast(plot.INK, plot.PAPER) > 7  # AAA
    assert min(contrast(colour, plot.PAPER) for colour in plot.COLORS) > 3  # AA, for graphics


def test_lines_differ_in_more_than_colour():
    looks = [plot._look(k) for k in range(20)]
    assert len({tuple(look.values()) for look in looks}) == 20
    for a, b in pairwise(looks[:5]):
        assert all(a[key] != b[key] for key in a)


def test_an_image_has_words_and_shrinks_with_the_page(fig):
    [(tag, image)] = Images(plot.html(fig, 'rises as "x²" & <b>')).found
    assert tag == "img"
    assert image["alt"] == 'rises as "x²" & <b>'
    assert "max-width:100%" in image["style"]
    width, _ = Image.open(BytesIO(png(plot.html(fig, "a")))).size
    assert int(image["width"]) == width // 2
    assert 540 < int(image["width"]) < 600


def test_the_same_figure_gives_the_same_bytes(fig):
    again = plot.curves([1, 2, 3], {"line": [1, 4, 9]}, "x (Å)", "y (eV)")
    assert plot.html(fig, "a") == plot.html(again, "a")
    kinds = re.findall(rb"(tEXt|zTXt|iTXt|tIME)", png(plot.html(fig, "a")))
    assert not kinds


def test_lines_are_stored_small_and_pictures_exactly(rng, fig):
    assert Image.open(BytesIO(png(plot.html(fig, "a")))).mode == "P"
    assert len(png(plot.html(fig, "a"))) < 40_000
    photo, ax = plot.figure()
    ax.imshow(rng.random((150, 150, 3)))
    assert Image.open(BytesIO(png(plot.html(photo, "a")))).mode == "RGB"


def test_paper_is_white_also_where_styles_are_stripped(fig):
    assert Image.open(BytesIO(png(plot.html(fig, "a")))).convert("RGBA").getpixel((1, 1)) == (
        (255,) * 4
    )


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_show_wants_words(fig, alt):
    show = getattr(plot.show, "__wrapped__", plot.show)  # without the check of types
    with pytest.raises(ValueError, match=r"alt is .*: say what the figure shows"):
        show(fig, alt=alt)


def test_show_wants_a_figure(fig):
    show = getattr(plot.show, "__wrapped__", plot.show)
    with pytest.raises(TypeError, match=r"fig is a \w+: give a matplotlib Figure, such as ax.fig"):
        show(fig.axes[0], alt="a line")


def test_show_prints_the_words_where_there_is_no_notebook(fig, capsys):
    assert plot.show(fig, alt="A line\n  that rises.") is None
    assert capsys.readouterr().out == "[figure] A line that rises.\n"


def test_show_in_a_kernel(fig, monkeypatch):
    import IPython
    import IPython.display

    sent = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=1))
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: sent.append((data, raw)))
    assert plot.show(fig, alt="A line.") is None
    html = plot.html(fig, "A line.")
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
    plot.show(fig, alt="empty axes")
    assert not plt.fignum_exists(fig.number)


def test_pyplot_and_its_settings_are_left_alone():
    code = (
        "import sys, matplotlib; before = dict(matplotlib.rcParams)\n"
        "from tutor import plot; fig = plot.curves([1, 2], {'a': [1, 2]}, 'x', 'y')\n"
        "plot.html(fig, 'a'); print('matplotlib.pyplot' in sys.modules)\n"
        "print(dict(matplotlib.rcParams) == before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
    before = dict(matplotlib.rcParams)
    plot.histogram({"a": [1, 2, 3]}, "x")
    assert dict(matplotlib.rcParams) == before


def test_curves_draw_the_data(fig):
    [ax] = fig.axes
    [line] = ax.lines
    np.testing.assert_array_equal(line.get_xydata(), [[1, 1], [2, 4], [3, 9]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (Å)", "y (eV)")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["line"]


def test_curves_take_axes_and_logarithms():
    fig, (left, right) = plot.figure(columns=2)
    assert plot.curves([1, 10], {"a": [1, 100]}, "x", "y", log="x", ax=left) is fig
    assert (left.get_xscale(), left.get_yscale()) == ("log", "linear")
    assert not right.lines
    [ax] = plot.curves([1, 10], {"a": [1, 100]}, "x", "y", log="xy").axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_curves_name_the_line_that_does_not_fit():
    with pytest.raises(ValueError, match=r"lines\['b'\] has shape \(3,\) and x \(2,\): give both"):
        plot.curves([1, 2], {"a": [1, 2], "b": [1, 2, 3]}, "x", "y")


def test_parity_tells_the_errors():
    fig = plot.parity([[1.0, 2.0]], [[1.3, 1.6]], "eV/Å", quantity="force")
    [ax] = fig.axes
    [text] = ax.texts
    assert text.get_text() == "MAE 0.35 eV/Å\nRMSE 0.354 eV/Å"  # 0.7/2, sqrt(0.25/2)
    assert ax.get_xlabel() == "reference force (eV/Å)"
    assert ax.get_aspect() == 1
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), [[1, 1.3], [2, 1.6]])


@pytest.mark.parametrize("predicted", [[1.0], [[1.0, 2.0]]])
def test_parity_wants_equal_shapes(predicted):
    with pytest.raises(ValueError, match=r"reference has shape \(2,\) and predicted"):
        plot.parity([1.0, 2.0], predicted, "eV")


def test_a_learning_curve_finds_the_power():
    n = np.array([10, 100, 1000])
    fig = plot.learning_curve({"a": (n, 7 * n**-0.5), "b": (n[:2], [1, 2])}, "meV")
    [ax] = fig.axes
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [r"a  $\propto n^{-0.50}$", "b"]
    assert ax.get_ylabel() == "test error (meV)"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["10", "100", "1000"]


def test_a_flat_learning_curve_has_power_zero():
    [ax] = plot.learning_curve({"a": ([1, 2, 4], [3, 3.0001, 2.9999])}, "eV").axes
    assert ax.get_legend().get_texts()[0].get_text() == r"a  $\propto n^{0.00}$"


@pytest.mark.parametrize("errors", [[1.0], [1.0, 0.0], [1.0, np.nan]])
def test_a_learning_curve_wants_positive_errors(errors):
    with pytest.raises(ValueError, match=r"curves\['a'\] has sizes .* all above zero"):
        plot.learning_curve({"a": ([10, 20], errors)}, "eV")


def test_histograms_share_bins_and_count_all(rng):
    samples = {"a": rng.normal(size=(100, 3)), "b": 5 + rng.normal(size=50)}
    [ax] = plot.histogram(samples, "x", bins=12).axes
    drawn = [patch.get_data() for patch in ax.patches if patch.get_label() in samples]
    assert [data.values.sum() for data in drawn] == [300, 50]
    np.testing.assert_array_equal(drawn[0].edges, drawn[1].edges)
    counts, _ = np.histogram(samples["b"], drawn[0].edges)
    np.testing.assert_array_equal(drawn[1].values, counts)
