"""Potentials on graphs go through the same check; what is known of their cutoffs is found."""

import pytest
from ase.build import bulk

from tutor import symmetry as sy

registry = pytest.importorskip("tutor.models.registry")


def checked(name, sample=None, **options):
    entry = registry.REGISTRY[name]
    sample = sample or sy.random_structures(
        sy.atomistic(), species=entry.species, closest=0.85 * entry.bond
    )
    return sy.check(entry.make(), sample=sample, trials=12, progress=False, **options)


def test_a_sound_potential_passes_with_its_cutoff():
    report = checked("stillinger_weber")
    assert report.ok, str(report)
    assert report.dtypes == ("float64", "float32")
    assert report["cutoff", "forces (slope)"].trials > 0


def test_a_crystal_has_stress():
    report = checked("stillinger_weber", bulk("Si", cubic=True))
    assert report.ok, str(report)
    assert {f.law for f in report.findings} >= {"stress", "images", "supercell", "cell choice"}


def test_tersoff_has_forces_with_a_kink_at_the_cutoff():
    """Its cosine switch has one continuous derivative, not two."""
    report = checked("tersoff")
    assert report.broken == ("cutoff",)
    assert report["cutoff", "forces"].verdict is sy.Verdict.HOLDS
    assert report["cutoff", "forces (slope)"].verdict is sy.Verdict.BROKEN
