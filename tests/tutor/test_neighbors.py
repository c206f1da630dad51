"""Neighbours against ASE's search; batches, padding and edge lists against their definition."""

import itertools
from types import SimpleNamespace

import ase
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import bulk
from ase.neighborlist import neighbor_list

from tutor.graph import Graph, System
from tutor.neighbors import Edges, batch, edges_of, from_edges, graph, to_edges
from tutor.precision import float64

ALL_PBC = list(itertools.product([False, True], repeat=3))


def random_system(rng, pbc, atoms=7, size=3.0, number=14):
    """Atoms in a random triclinic cell of about size³ Å³, some of them outside of it."""
    cell = size * (np.eye(3) + 0.4 * rng.uniform(-1, 1, (3, 3)))
    positions = rng.uniform(-0.5, 1.5, (atoms, 3)) @ cell
    return System(np.full(atoms, number), positions, cell, np.array(pbc))


def ase_pairs(system, cutoff):
    """What ASE finds: the set of (i, j, shift), and r_ij for each."""
    atoms = ase.Atoms(system.numbers, system.positions, cell=system.cell, pbc=system.pbc)
    i, j, shift, r_ij = neighbor_list("ijSD", atoms, cutoff)
    return {(a, b, *s): d for a, b, s, d in zip(i, j, shift.tolist(), r_ij, strict=True)}


@pytest.mark.parametrize("cutoff", [0.7, 2.9, 7.1])
@pytest.mark.parametrize("pbc", ALL_PBC)
@pytest.mark.parametrize("atoms", [1, 9])
def test_neighbors_are_those_of_ase(rng, pbc, cutoff, atoms):
    for _ in range(3):
        system = random_system(rng, pbc, atoms)
        expected = ase_pairs(system, cutoff)
        found = edges_of(system, cutoff)
        keys = list(zip(found.receivers, found.senders, *found.shift.T, strict=True))
        assert len(set(keys)) == len(keys)
        assert set(keys) == set(expected)
        for key, r_ij in zip(keys, found.r_ij, strict=True):
            np.testing.assert_allclose(r_ij, expected[key], rtol=0, atol=1e-12)


def test_many_atoms_in_a_thin_cell():
    atoms = bulk("Cu", cubic=True) * (1, 2, 12)
    atoms.rattle(0.1, seed=1)
    system = System(atoms.numbers, atoms.positions, np.array(atoms.cell), atoms.pbc)
    assert len(edges_of(system, 6.0).senders) == len(neighbor_list("i", atoms, 6.0))


def test_non_periodic_directions_need_no_cell_vector(rng):
    pbc = np.array([False, True, False])
    cell = np.zeros((3, 3))
    cell[1] = [0.3, 2.0, 0.1]
    system = System(np.array([6, 6]), rng.normal(size=(2, 3)), cell, pbc)
    found = edges_of(system, 5.0)
    assert len(found.senders) == len(ase_pairs(system, 5.0)) > 4


def test_one_atom_and_its_images():
    system = System(np.array([29]), np.zeros((1, 3)), 2.0 * np.eye(3), np.ones(3, bool))
    made = graph(system, 2.1)
    assert made.mask.shape == (1, 6)
    np.testing.assert_array_equal(made.neighbor, np.zeros((1, 6)))
    np.testing.assert_allclose(made.lengths(), 2.0)


def test_an_atom_alone_has_one_empty_slot():
    made = graph(System(np.array([1]), np.zeros((1, 3))), 5.0)
    assert made.mask.shape == (1, 1)
    assert not made.mask.any()


def test_equal_input_gives_equal_bits(rng):
    system = random_system(rng, [True] * 3, 20)
    one, two = edges_of(system, 5.0), edges_of(system, 5.0)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def in_numpy(made: Graph):
    """Its arrays, to be sliced without compiling anything."""
    return SimpleNamespace(**{name: np.asarray(value) for name, value in vars(made).items()})


def test_a_batch_holds_each_structure(rng):
    systems = [random_system(rng, pbc, n) for n, pbc in enumerate(ALL_PBC, start=1)]
    with float64():
        together = in_numpy(graph(systems, 4.0, dtype=jnp.float64))
        first = 0
        for number, system in enumerate(systems):
            alone = in_numpy(graph(system, 4.0, dtype=jnp.float64))
            rows = slice(first, first := first + len(system))
            slots = alone.mask.shape[1]
            assert (together.structure[rows] == number).all()
            assert not together.mask[rows, slots:].any()
            np.testing.assert_array_equal(together.mask[rows, :slots], alone.mask)
            np.testing.assert_array_equal(together.r_ij[rows, :slots], alone.r_ij)
            neighbor = together.neighbor[rows, :slots] - rows.start
            np.testing.assert_array_equal(neighbor[alone.mask], alone.neighbor[alone.mask])
            np.testing.assert_array_equal(together.cell[number], system.cell)


def same(one: Graph, two: Graph):
    assert jax.tree.structure(one) == jax.tree.structure(two)
    assert all(map(np.array_equal, jax.tree.leaves(one), jax.tree.leaves(two)))


def test_batch_of_graphs_is_graph_of_systems(rng):
    systems = [random_system(rng, pbc, 3) for pbc in ALL_PBC]
    padded = [graph(s, 4.0, atoms=11, slots=200, structures=3) for s in systems[2:]]
    made = batch([graph(systems[:2], 4.0), *padded], slots=150, atoms=40)
    same(made, graph(systems, 4.0, slots=150, atoms=40))


def test_padding():
    dimer = System(np.array([8, 1]), np.array([[0, 0, 0], [0, 0, 1.0]]))
    made = graph([dimer, dimer], 2.0, atoms=6, slots=3, structures=4)
    assert made.r_ij.shape == (6, 3, 3)
    assert made.species.tolist() == [8, 1, 8, 1, 0, 0]
    assert made.structure.tolist() == [0, 0, 1, 1, 0, 0]
    assert made.mask.sum() == 4
    np.testing.assert_array_equal(made.cell[2:], [np.eye(3)] * 2)
    empty = ~np.asarray(made.mask)
    own = np.tile(np.arange(6)[:, None], (1, 3))
    np.testing.assert_array_equal(np.asarray(made.neighbor)[empty], own[empty])
    assert not np.asarray(made.r_ij)[empty].any()


def test_edges_and_back(rng):
    system = random_system(rng, [True, True, False], 9)
    made = graph(system, 4.0, atoms=12)
    edges = to_edges(made)
    assert len(edges.senders) == made.mask.sum()
    moved = system.positions[edges.senders] + edges.shift @ system.cell
    np.testing.assert_allclose(
        edges.r_ij, moved - system.positions[edges.receivers], rtol=0, atol=1e-5
    )
    shuffle = rng.permutation(len(edges.senders))
    back = from_edges(
        Edges(*(array[shuffle] for array in edges)),
        species=system.numbers,
        structure=np.zeros(9, int),
        cell=system.cell[None],
        cutoff=4.0,
        atoms=12,
    )
    np.testing.assert_allclose(
        np.sort(back.lengths(), axis=1), np.sort(made.lengths(), axis=1), rtol=1e-6
    )


def test_float64_is_refused_where_it_would_be_dropped():
    dimer = System(np.array([8, 1]), np.array([[0, 0, 0], [0, 0, 1.0]]))
    with pytest.raises(ValueError, match=r"with tutor\.precision\.float64"):
        graph(dimer, 2.0, dtype=jnp.float64)
    with float64():
        assert graph(dimer, 2.0, dtype=jnp.float64).r_ij.dtype == jnp.float64
        assert graph(dimer, 2.0).r_ij.dtype == jnp.float32


DIMER = np.array([[0, 0, 0], [0, 0, 1.0]])


@pytest.mark.parametrize(
    ("systems", "arguments", "words"),
    [
        ([], {}, "systems is empty"),
        (System(np.array([1, 1]), DIMER), {"cutoff": -1.0}, "cutoff = -1.0: give a positive"),
        (System(np.array([1, 1]), DIMER), {"cutoff": np.nan}, "give a positive length"),
        (System(np.array([1, 0]), DIMER), {}, r"numbers = \[1 0\]: give one atomic n"),
        (System(np.array([1, 1]), DIMER * np.nan), {}, r"positions holds values that are not fin"),
        (System(np.array([1, 1]), DIMER, pbc=np.ones(3, bool)), {}, "give a cell vector for every"),
        (System(np.array([1, 1]), DIMER), {"atoms": 1}, "atoms = 1, but 2 are needed"),
        (System(np.array([1, 1]), DIMER), {"slots": 0}, "slots = 0, but 1 are needed"),
        (System(np.array([1, 1]), DIMER), {"structures": 0}, "structures = 0, but 1 are"),
    ],
)
def test_bad_input_is_refused(systems, arguments, words):
    with pytest.raises(ValueError, match=words):
        graph(systems, **{"cutoff": 3.0} | arguments)


def test_graphs_of_different_kinds_do_not_mix():
    dimer = System(np.array([8, 1]), DIMER)
    with pytest.raises(ValueError, match="build all of them alike"):
        batch([graph(dimer, 2.0), graph(dimer, 3.0)])
