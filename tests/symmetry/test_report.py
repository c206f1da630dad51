"""What a report says, and what can be done with its examples."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from defects import DEFECTS
from pairs import molecule
from sound import SOUND

from tutor import symmetry as sy


@pytest.fixture(scope="module")
def broken():
    return sy.check(DEFECTS["forces_one_percent_off"].make(np), trials=20, progress=False)


@pytest.fixture(scope="module")
def chiral():
    defect = DEFECTS["chiral_term"]
    return sy.check(defect.make(np), defect.spec, trials=20, progress=False, laws=["reflection"])


def test_text_names_law_size_cause_and_example(broken):
    text = str(broken)
    assert text.startswith("✗ model: breaks forces\n")
    for words in (
        "✗ BROKEN forces, on forces: the forces are minus the gradient of the energy",
        "forces are 1.01 times what they must be",
        "off by       0.0",
        "usual cause  a factor",
        "the smallest found: 2 atoms, float64",
        "forces, expected:",
        "not tested:",
        "supercell: no input is lattice()",
    ):
        assert words in text, words


def test_a_sound_report_is_short_and_says_its_power():
    report = sy.check(molecule(np), trials=20, progress=False)
    assert report.ok
    assert str(report).startswith("✓ model: all ")
    rotation = report["rotation", "energy"]
    n = rotation.informative
    assert rotation.power == f"< {300 / n:.2g} % (0 of {n})"
    assert rotation.informative >= 20


def test_the_power_of_a_failure_is_clopper_and_pearsons(broken):
    """All of n broken: the fraction is at least 0.05^(1/n), at 95 %."""
    finding = broken["forces"]
    assert finding.broken == finding.trials
    percent = float(re.search(r"≥ ([\d.]+) %", finding.power)[1])
    assert percent == pytest.approx(100 * 0.05 ** (1 / finding.trials), rel=0.06)


def test_findings_by_law_and_output(broken):
    assert broken["forces"].output == "forces"
    assert broken["rotation", "energy"].verdict is sy.Verdict.HOLDS
    with pytest.raises(KeyError, match=r"no finding 'stress'.*not tested: no output is stress"):
        broken["stress"]


def test_json_can_be_read_back(broken):
    data = json.loads(broken.to_json())
    assert data["broken"] == ["forces"]
    row = next(f for f in data["findings"] if f["law"] == "forces")
    assert row["verdict"] == "BROKEN"
    assert len(row["witness"]["inputs"]["positions"]) == 2
    infinite = sy.check(DEFECTS["self_edge"].make(np), trials=4, progress=False)
    assert json.loads(infinite.to_json())["broken"] == ["finite"]


def test_the_example_of_extensivity_is_a_copy():
    report = sy.check(
        DEFECTS["mean_for_sum"].make(np), trials=6, progress=False, laws=["extensivity"]
    )
    witness = report["extensivity", "energy"].witness
    [other] = witness.change.others
    np.testing.assert_array_equal(other["positions"], witness.inputs["positions"])
    assert "a second structure is put far away" in witness.text()
    assert "positions 2" not in witness.text()


def test_two_answers_are_told_with_the_digits_that_differ(broken, chiral):
    for report in (broken, chiral):
        witness = report.failures()[0].witness
        expected, got = witness.answers().values()
        assert expected != got
        assert float(expected) == pytest.approx(float(witness.expected), rel=witness.error)


def test_html_has_the_words_and_a_picture_with_words(broken, tmp_path):
    page = broken.html()
    assert re.search(r'<img alt="Two three-dimensional drawings of 2 atoms[^"]*law of forces', page)
    assert "BROKEN" in page
    assert 'scope="col"' in page
    assert "color:inherit" in page
    path = broken.save_html(tmp_path / "report.html")
    assert path.read_text("utf-8").startswith('<!doctype html><html lang="en">')
    assert list(tmp_path.iterdir()) == [path]


def test_html_escapes_what_it_shows():
    def model(x, z):
        return molecule(np)(x, z)

    model.__name__ = "<script>"
    page = sy.check(model, trials=4, progress=False).html()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_plot_shows_before_and_after(chiral):
    figure = chiral.plot()
    assert [axes.get_title().split(":")[0] for axes in figure.axes] == ["before", "after"]
    assert all(axes.name == "3d" for axes in figure.axes)
    assert "4 atoms" in figure.alt
    assert "reflection" in figure.alt
    assert figure._repr_html_().startswith(f'<img alt="{figure.alt}"')
    assert "energy: expected " in figure.get_supxlabel()


def test_plot_draws_what_came_and_what_had_to_come():
    def model(x, z):
        return molecule(np)(x, z)["forces"] * [1, 1, 1.1]

    report = sy.check(model, trials=6, progress=False, laws=["rotation"])
    legend = report.plot().axes[1].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["got", "expected"]


@pytest.mark.parametrize(
    "name", ["mean_for_sum", "hard_cutoff", "forces_of_their_own", "stress_sign", "not_wrapped"]
)
def test_every_kind_of_change_can_be_drawn(name):
    defect = DEFECTS[name]
    report = sy.check(defect.make(np), defect.spec, defect.sample, trials=4, progress=False,
                      examples=False, **defect.options)  # fmt: skip
    for law in report.broken:
        before, after = report.plot(law).axes
        assert before.get_title() == "before"
        assert len(after.get_title()) > len("after: ")
        assert before.collections
        assert after.collections


def test_plot_of_a_sound_model_is_refused():
    with pytest.raises(ValueError, match="no broken law of that name"):
        sy.check(molecule(np), trials=4, progress=False).plot()


@pytest.mark.parametrize(
    "name", ["forces_one_percent_off", "chiral_term", "mean_for_sum", "hard_cutoff", "self_edge",
             "indexed_atoms", "not_wrapped", "own_images_left_out", "euler_step", "padding_counted",
             "stress_sign", "cancelling_distances", "forces_of_their_own"]
)  # fmt: skip
def test_every_example_becomes_a_test_that_fails_on_the_defect(name, tmp_path):
    """And, run in a process of its own, passes on the sound model in its place."""
    defect = DEFECTS[name]
    report = sy.check(defect.make(np), defect.spec, defect.sample, trials=6, progress=False,
                      **defect.options)  # fmt: skip
    law = next(law for law in report.broken if law in defect.breaks)
    source = report[law].witness.to_pytest("from defects import DEFECTS")
    source = source.replace("\n\nfrom tutor", f"\nmodel = DEFECTS[{name!r}].make(np)\n\nfrom tutor")
    scope = {}
    exec(source, scope)
    test = next(value for key, value in scope.items() if key.startswith("test_"))
    with pytest.raises(AssertionError, match="the noise is"):
        test()


def test_a_generated_test_runs_under_pytest(chiral, tmp_path):
    (tmp_path / "my_package.py").write_text(
        "import numpy as np\ndef model(x, z):\n    return ((x[:, None] - x) ** 2).sum() / 100\n"
    )
    (tmp_path / "test_it.py").write_text(chiral["reflection"].witness.to_pytest())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_witness_replays_on_a_mended_model(broken):
    assert broken["forces"].witness.replay().ratio > 30
    assert broken["forces"].witness.replay(SOUND["molecule numpy"].model).ratio < 30


def test_reports_add_up(broken, chiral):
    both = broken + chiral
    assert both.broken == ("forces", "reflection")
    assert len(both.findings) == len(broken.findings) + len(chiral.findings)
