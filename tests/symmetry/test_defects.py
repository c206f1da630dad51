"""Every planted defect is named, in every library, and nothing else is."""

import numpy as np
import pytest
from defects import DEFECTS
from pairs import namespace

from tutor import symmetry as sy

CASES = [(name, library) for name, d in DEFECTS.items() for library in d.libraries]


def examined(name, library, **options):
    if library == "torch":
        pytest.importorskip("torch")
    defect, xp = DEFECTS[name], namespace(library)
    if defect.batched:
        options["batched"] = defect.batched(xp)
    options = {"trials": 12, "progress": False, **defect.options, **options}
    return sy.check(defect.make(xp), defect.spec, defect.sample, **options)


def test_there_are_enough_of_them():
    assert len(DEFECTS) >= 20


@pytest.mark.parametrize(("name", "library"), CASES, ids=[f"{n}-{lib}" for n, lib in CASES])
def test_a_planted_defect_is_named(name, library):
    defect = DEFECTS[name]
    report = examined(name, library, examples=False)
    assert report.library == library
    assert not report.ok
    if name == "vanishing_output":
        assert report["dependence"].verdict is sy.Verdict.VACUOUS
        assert not report.broken
        return
    assert defect.breaks <= set(report.broken) <= defect.breaks | defect.may
    assert defect.note in " ".join(f.note for f in report.failures())


def test_the_smallest_chiral_example_is_a_tetrahedron():
    """Three atoms lie in a plane, so that no smaller example exists."""
    witness = examined("chiral_term", "numpy")["reflection"].witness
    assert witness.atoms == 4
    assert "reflection in the plane" in witness.change.words()


@pytest.mark.parametrize(
    ("name", "law", "atoms"),
    [
        ("forces_one_percent_off", "forces", 2),
        ("hard_cutoff", "cutoff", 2),
        ("absolute_positions", "translation", 1),
        ("own_images_left_out", "supercell", 1),
        ("clamped_components", "rotation", 2),
    ],
)
def test_the_smallest_example_has_the_fewest_atoms_possible(name, law, atoms):
    assert examined(name, "numpy", laws=[law])[law].witness.atoms == atoms


def test_a_clamp_is_found_only_where_it_acts():
    report = examined("clamped_components", "numpy", laws=["rotation"])
    assert report["rotation"].note == "holds up to scale 1, broken from scale 10 on"
    natural = examined("clamped_components", "numpy", laws=["rotation"], scales=[1])
    assert natural.ok
    largest = np.abs(report["rotation"].witness.inputs["positions"]).max()
    assert 30 < largest < 300  # the clamp acts at 100


def test_cancellation_shows_in_float32_only():
    alone = examined("cancelling_distances", "numpy", dtypes=["float64"])
    assert alone.ok
    assert alone.untested["precision"] == "needs both precisions"


@pytest.mark.parametrize("name", ["forces_one_percent_off", "chiral_term", "stress_sign"])
def test_examples_replay_and_vanish_with_the_defect(name):
    report = examined(name, "numpy")
    witness = report.failures()[0].witness
    again = witness.replay()
    assert again.ratio > 30
    assert again.relative == pytest.approx(witness.error, rel=1e-6)
    from pairs import crystal, molecule

    sound = crystal(np) if name == "stress_sign" else molecule(np)
    assert witness.replay(sound).ratio < 30
