"""Order against MDAnalysis, the ideal gas, crystals, and sums over pairs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import bulk

from tutor.ase import from_atoms
from tutor.md.structure import normalised, pair_counts, rdf, structure_factor
from tutor.neighbors import graph
from tutor.system import System

TRICLINIC = np.array([[12.0, 0, 0], [3.0, 11.0, 0], [-2.0, 1.5, 10.0]])
PERIODIC = np.ones(3, bool)


def gas(rng, cell, count=200, numbers=(18,)):
    positions = rng.uniform(-1, 2, (count, 3)) @ cell  # in and out of the cell
    return System(np.resize(numbers, count), positions, cell, PERIODIC)


def test_rdf_as_mdanalysis(rng):
    MDAnalysis = pytest.importorskip("MDAnalysis")
    from MDAnalysis.analysis.rdf import InterRDF

    frames = [gas(rng, TRICLINIC, 60, (8, 1, 1)) for _ in range(4)]
    universe = MDAnalysis.Universe.empty(60, trajectory=True)
    positions = np.stack([f.positions for f in frames]).astype(np.float32)
    positions -= np.floor(positions @ np.linalg.inv(TRICLINIC)) @ TRICLINIC  # it asks for this
    box = MDAnalysis.lib.mdamath.triclinic_box(*TRICLINIC)
    universe.load_new(positions.astype(np.float32), order="fac", dimensions=np.tile(box, (4, 1)))
    oxygen = universe.atoms[frames[0].numbers == 8]
    hydrogen = universe.atoms[frames[0].numbers == 1]
    cutoff, bins = 4.4, 40  # it knows nearest images only
    for one, other, numbers in [(oxygen, hydrogen, (8, 1)), (hydrogen, hydrogen, (1, 1))]:
        theirs = InterRDF(one, other, nbins=bins, range=(1e-9, cutoff)).run().results
        found = rdf(frames, cutoff=cutoff, bins=bins, first=numbers[0], second=numbers[1])
        np.testing.assert_allclose(theirs.bins, found.r, atol=1e-8)
        assert found.g.max() > 0.5
        np.testing.assert_allclose(theirs.rdf, found.g, rtol=1e-6)


def test_an_ideal_gas_is_uniform_beyond_the_cell(rng):
    """It meets 49 others at random, and its own images on the lattice."""
    frames = [gas(rng, TRICLINIC, 50) for _ in range(40)]
    found = rdf(frames, cutoff=16.0, bins=16)
    images = rdf([gas(rng, TRICLINIC, 1)], cutoff=16.0, bins=16)
    assert images.g.max() > 1
    np.testing.assert_allclose(found.g[4:], (49 + images.g[4:]) / 50, atol=0.05)
    assert abs((found.g - images.g / 50)[8:].mean() - 49 / 50) < 0.01


def test_a_primitive_cell_has_the_shells_of_its_crystal():
    copper = from_atoms(bulk("Cu", a=3.6))
    shells = rdf([copper], cutoff=6.0, bins=600)
    expected = {2.6: 12, 3.7: 18, 4.5: 42, 5.2: 54, 5.8: 78}  # fcc: 12, 6, 24, 12, 24
    for r, count in expected.items():
        assert shells.coordination[np.searchsorted(shells.r, r)] == pytest.approx(count)


def test_counted_on_the_fly_it_is_the_same(rng):
    system = gas(rng, TRICLINIC, 90, (8, 1, 1))
    edges = np.linspace(0.0, 6.0, 61)
    made = graph(system, 6.5)
    count = jax.jit(pair_counts, static_argnames=("first", "second"))
    for first, second in [(8, 1), (1, 8), (1, 1), (0, 0)]:
        found = count(made, jnp.asarray(edges, jnp.float32), first=first, second=second)
        i, j = ((system.numbers == z).sum() if z else 90 for z in (first, second))
        volume = abs(np.linalg.det(TRICLINIC))
        expected = rdf([system], cutoff=6.0, bins=60, first=first or None, second=second or None)
        on_the_fly = normalised(found, edges, int(i), int(j), volume)
        difference = np.abs(on_the_fly.coordination - expected.coordination)
        assert difference.max() <= 2.5 / i  # single precision moves a pair across an edge
        assert expected.coordination[-1] > 10


def test_padding_counts_no_pairs(rng):
    system = gas(rng, TRICLINIC, 30)
    edges = jnp.linspace(0.0, 5.0, 11)
    padded = graph(system, 5.0, atoms=40, slots=60)
    counts = pair_counts(graph(system, 5.0), edges)
    np.testing.assert_array_equal(pair_counts(padded, edges), counts)
    assert counts.sum() > 100


def test_what_cannot_be_counted_is_refused(rng):
    cluster = System(np.array([18, 18]), np.eye(3)[:2])
    with pytest.raises(ValueError, match="compares with a uniform density"):
        rdf([cluster], cutoff=3.0)
    with pytest.raises(ValueError, match="no atom has the atomic number 6"):
        rdf([gas(rng, TRICLINIC)], cutoff=3.0, first=6)
    with pytest.raises(ValueError, match="frames is empty"):
        rdf([], cutoff=3.0)


def test_structure_factor_is_the_sum_over_pairs(rng):
    positions = gas(rng, TRICLINIC, 20).positions[None]
    reciprocal = 2 * np.pi * np.linalg.inv(TRICLINIC).T
    found = structure_factor(positions, TRICLINIC, k_max=1.2, width=1e-6)
    grid = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), -1).reshape(-1, 3)
    vectors = grid @ reciprocal
    k = np.linalg.norm(vectors, axis=1)
    order = np.argsort(k[(k > 1e-9) & (k <= 1.2)])
    vectors = vectors[(k > 1e-9) & (k <= 1.2)][order]
    d = positions[0][:, None] - positions[0][None]
    slow = np.array([np.cos(d @ v).sum() / 20 for v in vectors])
    np.testing.assert_allclose(found.k, np.linalg.norm(vectors, axis=1)[::2], atol=1e-12)
    np.testing.assert_allclose(found.S, slow[::2], atol=1e-10)
    np.testing.assert_allclose(slow[::2], slow[1::2], atol=1e-10)  # k and −k


def test_a_crystal_scatters_where_bragg_says():
    atoms = bulk("Cu", a=3.6, cubic=True) * 3
    found = structure_factor(atoms.positions[None], atoms.cell[:], k_max=3.6, width=1e-6)
    peaks = found.S > 1e-9
    g = 2 * np.pi / 3.6
    np.testing.assert_allclose(found.k[peaks], g * np.sqrt([3, 4]))  # (111) and (200)
    # Of each k and −k one: (111) lies in one shell with 12 dark vectors like (511)/3.
    np.testing.assert_allclose(found.S[peaks] * found.vectors[peaks], len(atoms) * np.array([4, 3]))
    assert found.vectors[peaks].tolist() == [16, 15]


def test_an_ideal_gas_scatters_evenly(rng):
    positions = rng.uniform(0, 1, (200, 50, 3)) @ TRICLINIC
    found = structure_factor(positions, TRICLINIC, k_max=3.0)
    errors = 1 / np.sqrt(200 * found.vectors)
    assert (np.abs(found.S - 1) < 4 * errors).all()
