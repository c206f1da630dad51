"""The table made inside jit against the search of vesin, and how long it stays valid."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from tutor.md.layout import Layout, complete_cell, layout
from tutor.md.table import Table, build, valid
from tutor.neighbors import edges_of, to_edges
from tutor.precision import float64
from tutor.system import System

ALL_PBC = list(itertools.product([False, True], repeat=3))


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def random_system(rng, pbc, atoms, size) -> System:
    """Atoms in a random triclinic cell of about size³ Å³, some of them outside of it."""
    cell = size * (np.eye(3) + 0.4 * rng.uniform(-1, 1, (3, 3)))
    positions = rng.uniform(-0.5, 1.5, (atoms, 3)) @ cell
    return System(np.full(atoms, 14), positions, cell, np.array(pbc))


def complete_table(system: System, reach: float) -> tuple[Table, Array, Array]:
    """The table, grown until all neighbours have a place; the positions and the complete cell."""
    pbc = tuple(system.pbc.tolist())
    cell = complete_cell(system.cell, system.pbc)
    positions, corners = jnp.asarray(system.positions), jnp.asarray(cell)
    sizes = layout(system.positions, cell, pbc, reach)._replace(occupancy=24, rows=32)
    while True:
        table = build(positions, corners, pbc, reach, sizes)
        if table.complete:
            return table, positions, corners
        sizes = sizes.fitted(np.maximum(table.needed, (sizes.occupancy, sizes.rows, 0, 0, 0)))


def pairs(edges) -> list[tuple[int, ...]]:
    return sorted(zip(edges.receivers, edges.senders, *edges.shift.T.tolist(), strict=True))


@pytest.mark.parametrize("pbc", ALL_PBC)
@pytest.mark.parametrize(
    ("atoms", "size", "reach"),
    [(5, 3.0, 5.1), (150, 12.0, 2.9)],  # many images, many cells
)
def test_neighbors_are_those_of_vesin(rng, pbc, atoms, size, reach):
    system = random_system(rng, pbc, atoms, size)
    table, positions, cell = complete_table(system, reach)
    made = table.graph(positions, cell, jnp.asarray(system.numbers), reach)
    expected, found = edges_of(system, reach), to_edges(made)
    assert pairs(found) == pairs(expected)
    order = np.lexsort((*found.shift.T, found.senders, found.receivers))
    other = np.lexsort((*expected.shift.T, expected.senders, expected.receivers))
    np.testing.assert_allclose(found.r_ij[order], expected.r_ij[other], rtol=0, atol=1e-12)


def test_a_graph_at_other_positions_is_that_of_a_new_search(rng):
    system = random_system(rng, (True, True, False), 60, 9.0)
    table, *searched = complete_table(system, 3.0)
    strain = np.eye(3) + rng.uniform(-0.005, 0.005, (3, 3))
    cell = np.array(searched[1]) @ strain
    moved = system.positions @ strain + rng.uniform(-0.05, 0.05, (60, 3))
    assert valid(tuple(searched), jnp.asarray(moved), jnp.asarray(cell), 2.5, 0.5)
    made = table.graph(jnp.asarray(moved), jnp.asarray(cell), jnp.asarray(system.numbers), 2.5)
    expected = edges_of(System(system.numbers, moved, cell, system.pbc), 2.5)
    assert pairs(to_edges(made)) == pairs(expected)


def test_half_the_skin_is_the_limit(rng):
    positions, cell = jnp.asarray(rng.normal(size=(9, 3))), 6 * jnp.eye(3)
    for distance, expected in ((0.249, True), (0.251, False), (jnp.nan, False)):
        moved = positions.at[4, 1].add(distance)
        assert valid((positions, cell), moved, cell, 2.5, 0.5) == expected


def test_a_strained_cell_takes_from_the_skin(rng):
    """Atoms that were cutoff + skin = 3 apart along x meet the cutoff at 3 (1 − 1/6) = 2.5."""
    positions, cell = jnp.asarray(rng.normal(size=(9, 3))), 6 * jnp.eye(3)
    for strain, expected in ((0.16, True), (0.17, False)):
        squeeze = jnp.diag(jnp.array([1 - strain, 1.0, 1.0]))
        assert valid((positions, cell), positions @ squeeze, cell @ squeeze, 2.5, 0.5) == expected


@pytest.mark.parametrize("short", ["rows", "occupancy"])
def test_a_table_that_is_too_small_says_so(rng, short):
    system = random_system(rng, (True, True, True), 60, 9.0)
    table, positions, cell = complete_table(system, 3.0)
    most = {"rows": int(table.needed[1]), "occupancy": int(table.needed[0])}[short]
    small = table.layout._replace(**{short: most - 1})
    pbc = (True, True, True)
    again = build(positions, cell, pbc, 3.0, small)
    assert not again.complete
    assert not small.holds(np.asarray(again.needed))
    if short == "rows":  # what is needed is exact, where cells were large enough
        exact = build(positions, cell, pbc, 3.0, small._replace(rows=most))
        assert exact.complete


def test_a_cell_that_shrank_below_its_cells_says_so(rng):
    system = random_system(rng, (True, True, True), 150, 12.0)
    table, positions, cell = complete_table(system, 3.0)
    squeezed = build(positions * 0.6, cell * 0.6, (True, True, True), 3.0, table.layout)
    assert (squeezed.needed[2:] > jnp.array(table.layout.layers)).any()
    assert not squeezed.complete


def test_the_layout_survives_as_numbers():
    sizes = Layout((1, 2, 3), (1, 0, 1), 16, 40)
    assert Layout.of_array(sizes.array()) == sizes


def test_directions_without_a_cell_get_unit_vectors_at_right_angles():
    cell = np.array([[0.0, 0.0, 0.0], [0.3, 2.0, 0.1], [9.0, 9.0, 9.0]])
    full = complete_cell(cell, np.array([False, True, False]))
    np.testing.assert_array_equal(full[1], cell[1])
    np.testing.assert_allclose(full[[0, 2]] @ full.T, [[1, 0, 0], [0, 0, 1]], atol=1e-15)
    np.testing.assert_array_equal(complete_cell(cell * 0, np.zeros(3, bool)) ** 2, np.eye(3))
