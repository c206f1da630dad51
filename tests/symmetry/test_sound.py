"""No false alarm on models that break no law, over many seeds, in float32 and float64.

A few seeds in every run; `SEEDS=20 uv run pytest tests/symmetry/test_sound.py` takes minutes.
"""

import os

import pytest
from sound import SOUND

from tutor import symmetry as sy

SEEDS = range(int(os.environ.get("SEEDS", "3")))


def test_there_are_enough_of_them():
    assert len(SOUND) >= 8


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_model_passes(name):
    sound = SOUND[name]
    for seed in SEEDS:
        report = sy.check(
            sound.model, sound.spec, sound.sample,
            trials=10, seed=seed, progress=False, **sound.options,
        )  # fmt: skip
        assert report.ok, f"seed {seed}\n{report}"
        assert report.dtypes == ("float64", "float32")


def test_a_map_with_fewer_digits_inside_is_told_of():
    report = sy.check(SOUND["float32 inside"].model, trials=10, progress=False)
    assert any("energy has a noise of" in note and "float64" in note for note in report.notes)
    assert not sy.check(SOUND["molecule numpy"].model, trials=10, progress=False).notes


def test_a_tail_that_decays_is_no_fault():
    report = sy.check(SOUND["gravity"].model, trials=20, progress=False)
    assert report["size consistency", "energy"].verdict is sy.Verdict.HOLDS
    assert report["size consistency", "energy"].error > 1e-6
