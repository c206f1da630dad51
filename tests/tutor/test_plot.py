"""Curves, parity plots, learning curves and histograms: what they draw, and refuse."""

from itertools import pairwise

import numpy as np
import pytest

from tutor import plot


@pytest.fixture
def fig():
    return plot.curves([1, 2, 3], {"line": [1, 4, 9]}, "x (Å)", "y (eV)")


def test_lines_differ_in_more_than_colour():
    looks = [plot._look(k) for k in range(20)]
    assert len({tuple(look.values()) for look in looks}) == 20
    for a, b in pairwise(looks[:5]):
        assert all(a[key] != b[key] for key in a)


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
