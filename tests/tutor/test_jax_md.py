"""JAX MD both ways, against our own potentials, which are held against ASE and LAMMPS."""

import ast
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase import units
from ase.build import bulk
from ase.md.verlet import VelocityVerlet

import tutor
from tests.potentials.structures import compute, doubled
from tests.potentials.test_references import ARGON, COPPER, SILICON, in_squares
from tutor.ase import PotentialCalculator, from_atoms, to_atoms
from tutor.graph import Graph
from tutor.models.eam import EAM
from tutor.models.pair import LennardJones, Pair
from tutor.models.registry import REGISTRY
from tutor.models.stillinger_weber import StillingerWeber
from tutor.models.tersoff import Tersoff
from tutor.potential import evaluate
from tutor.precision import float64
from tutor.system import System
from tutor.units import AMU, KB

pytest.importorskip("jax_md")

from jax_md import energy, quantity, simulate

from tutor.jax_md import from_jax_md, to_jax_md


@pytest.fixture(autouse=True)
def _float64():
    with float64():
        yield


def crystal(cell: str, element="Ar", a=5.3, repeat=3, rattle=0.15) -> System:
    atoms = bulk(element, a=a, cubic=True) * repeat
    atoms.rattle(rattle, seed=3)
    if cell == "triclinic":
        atoms.set_cell(atoms.cell @ [[1, 0, 0], [0.1, 0.98, 0], [-0.06, 0.05, 1.03]], True)
    if cell == "turned":
        atoms.rotate(40, (1, 2, 3), rotate_cell=True)
    if cell == "cluster":
        atoms.pbc = False
    atoms.positions += [3.0, -7.0, 11.0]  # some leave the cell
    return from_atoms(atoms)


ARGON_5 = Pair(LennardJones(0.0103, 3.4), cutoff=5.5)
ARGON_4 = Pair(LennardJones(0.0103, 3.4), cutoff=4.5)


@pytest.mark.parametrize("cell", ["cubic", "triclinic", "turned", "cluster"])
def test_energy_forces_and_stress_are_ours(cell):
    system = crystal(cell, repeat=4)
    made = to_jax_md(ARGON_4, system, skin=0.5, dtype=jnp.float64)
    neighbors = made.neighbors.allocate(made.positions)
    assert (neighbors.cell_list_fn is not None) == (cell in ("cubic", "triclinic"))
    expected = compute(ARGON_4, system)
    found = jax.jit(made.energy)(made.positions, neighbors)
    assert abs(found - expected.energy[0]) < 1e-10 * abs(expected.energy[0])
    forces = jax.jit(quantity.force(made.energy))(made.positions, neighbor=neighbors)
    scale = np.abs(expected.forces).max()
    np.testing.assert_allclose(forces, expected.forces, rtol=0, atol=1e-10 * scale)
    if cell != "cluster":
        box = jnp.asarray(system.cell.T)
        theirs = quantity.stress(made.energy, made.positions, box, neighbor=neighbors)
        volume = abs(np.linalg.det(system.cell))
        np.testing.assert_allclose(theirs, expected.virial[0] / volume, rtol=0, atol=1e-12)


def trajectory_of_ase(system, potential, velocities, steps):
    atoms = to_atoms(system)
    atoms.calc = PotentialCalculator(potential)
    atoms.set_masses([39.95] * len(atoms))
    atoms.set_velocities(velocities / units.fs)
    VelocityVerlet(atoms, timestep=2 * units.fs).run(steps)
    return atoms.positions


def test_its_integrator_moves_atoms_as_that_of_ase(rng):
    """Masses in AMU and steps in fs mean the same in both. The list is rebuilt on the way."""
    system, steps = crystal("triclinic", repeat=3), 150
    velocities = rng.normal(size=(len(system), 3)) * 4e-3
    made = to_jax_md(ARGON_5, system, skin=0.4, dtype=jnp.float64)
    neighbors = made.neighbors.allocate(made.positions, extra_capacity=8)
    init, step = simulate.nve(made.energy, made.shift, 2.0)
    mass = 39.95 * AMU
    state = init(jax.random.key(0), made.positions, 0.0, mass=mass, neighbor=neighbors)
    state = state.set(momentum=mass * jnp.asarray(velocities))

    @jax.jit
    def run(state, neighbors):
        def body(_, now):
            state, neighbors = now
            neighbors = neighbors.update(state.position)
            return step(state, neighbor=neighbors), neighbors

        return jax.lax.fori_loop(0, steps, body, (state, neighbors))

    state, last = run(state, neighbors)
    assert np.abs(last.reference_position - neighbors.reference_position).max() > 0
    expected = trajectory_of_ase(system, ARGON_5, velocities, steps)
    apart = np.asarray(state.position) - expected @ np.linalg.inv(system.cell)
    apart = (apart - np.round(apart)) @ system.cell
    moved = np.abs(expected - system.positions).max()
    assert moved > 1.0
    assert np.abs(apart).max() < 1e-6 * moved  # the two differ in kg per amu by 3e-8


def test_a_network_under_its_thermostat_conserves_what_it_should(rng):
    entry = REGISTRY["schnet"]
    potential = entry.make()
    atoms = bulk("C", "sc", a=2.2) * 4
    atoms.rattle(0.02, seed=0)
    species = rng.choice(entry.species, len(atoms))
    system = System(species, atoms.positions, np.array(atoms.cell), atoms.pbc)
    made = to_jax_md(potential, system, skin=1.0, dtype=jnp.float64)
    neighbors = made.neighbors.allocate(made.positions)
    expected = compute(potential, system).energy[0]
    assert abs(made.energy(made.positions, neighbors) - expected) < 1e-10 * abs(expected)

    kT = 300 * KB

    @jax.jit
    def drift(timestep, steps):
        short = {"chain_length": 2, "chain_steps": 1, "sy_steps": 1, "tau": 100.0}
        init, step = simulate.nvt_nose_hoover(made.energy, made.shift, timestep, kT, **short)
        first = init(jax.random.key(0), made.positions, mass=28 * AMU, neighbor=neighbors)
        last = jax.lax.fori_loop(0, steps, lambda _, s: step(s, neighbor=neighbors), first)
        before, after = (
            simulate.nvt_nose_hoover_invariant(made.energy, state, kT, neighbor=neighbors)
            for state in (first, last)
        )
        return abs(after - before)

    coarse, fine = drift(1.0, 20), drift(0.5, 40)
    assert 3 < coarse / fine < 5.3  # second order in time


def moved(made, system, shift):
    """Positions with the first atom elsewhere, in Å."""
    step = jnp.asarray(shift) if not system.pbc.any() else shift @ np.linalg.inv(system.cell)
    return made.positions.at[0].add(step)


@pytest.mark.parametrize("cell", ["cubic", "cluster"])
def test_a_list_that_was_not_updated_is_an_error(cell):
    system = crystal(cell)
    made = to_jax_md(ARGON_5, system, skin=0.8, dtype=jnp.float64)
    neighbors = made.neighbors.allocate(made.positions)
    near, far = (moved(made, system, np.array([x, 0.0, 0.0])) for x in (0.38, 0.42))
    assert np.isfinite(made.energy(near, neighbors))
    with pytest.raises(ValueError, match=r"more than the skin: update the list.*would be missing"):
        made.energy(far, neighbors)
    assert np.isnan(jax.jit(made.energy)(far, neighbors))
    assert np.isnan(jax.jit(jax.grad(made.energy))(far, neighbors)).all()
    assert np.isfinite(made.energy(far, neighbors.update(far)))


def test_a_list_that_has_overflowed_is_an_error():
    system = crystal("cubic")
    made = to_jax_md(ARGON_5, system, skin=0.8, dtype=jnp.float64)
    neighbors = made.neighbors.allocate(made.positions)
    dense = made.positions * jnp.array([0.6, 0.7, 0.7])
    full = neighbors.update(dense)
    assert full.did_buffer_overflow
    with pytest.raises(ValueError, match="has overflowed: allocate it anew"):
        made.energy(dense, full)
    assert np.isnan(jax.jit(jax.grad(made.energy))(dense, full)).all()
    assert np.isfinite(made.energy(dense, made.neighbors.allocate(dense)))


def test_a_box_may_change_as_far_as_the_skin_allows():
    """Its list does not notice: fractions of the cell stay what they are."""
    system = crystal("triclinic")
    made = to_jax_md(ARGON_5, system, skin=0.8, dtype=jnp.float64)
    neighbors = made.neighbors.allocate(made.positions)
    squeezed = System(system.numbers, system.positions * 0.96, system.cell * 0.96, system.pbc)
    box = jnp.asarray(squeezed.cell.T)
    expected = compute(ARGON_5, squeezed).energy[0]
    found = made.energy(made.positions, neighbors.update(made.positions, box=box), box=box)
    assert abs(found - expected) < 1e-10 * abs(expected)
    box = jnp.asarray(system.cell.T) * 0.9
    with pytest.raises(ValueError, match="box have changed by more than the skin"):
        made.energy(made.positions, neighbors, box=box)


def test_spaces_it_does_not_have_are_refused():
    system = crystal("cubic", repeat=2)
    with pytest.raises(ValueError, match=r"10\.6 Å wide.*look 6 Å far.*repeat the cell"):
        to_jax_md(ARGON_5, system, skin=0.5)
    slab = System(system.numbers, system.positions, system.cell, np.array([True, True, False]))
    with pytest.raises(ValueError, match=r"\[True, True, False\].*in all directions or in none"):
        to_jax_md(ARGON_5, slab)
    with pytest.raises(ValueError, match=r"skin = 0\.0: give a positive length"):
        to_jax_md(ARGON_5, crystal("cubic"), skin=0.0)


def agree(ours, theirs, systems, case, tolerance=1e-10):
    one, other = (compute(potential, systems[case]) for potential in (ours, theirs))
    scale = np.abs(one.forces).max()
    for x, y in zip(one, other, strict=True):
        np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * max(scale, np.abs(x).max()))


@pytest.mark.parametrize("case", ["primitive", "cluster"])
def test_lennard_jones(case):
    ours = Pair(LennardJones(0.0103, 3.4), 8.5, partial(in_squares, onset=6.0))
    theirs = from_jax_md(
        energy.lennard_jones_neighbor_list,
        sigma=3.4,
        epsilon=0.0103,
        r_onset=6.0 / 3.4,
        r_cutoff=8.5 / 3.4,
    )
    assert theirs.cutoff == pytest.approx(8.5, rel=1e-15)
    agree(ours, theirs, ARGON, case)


@pytest.mark.parametrize("case", ["primitive", "cluster"])
def test_embedded_atoms(case):
    copper = EAM()
    theirs = from_jax_md(
        energy.eam_neighbor_list,
        charge_fn=copper.density,
        embedding_fn=copper.embedding,
        pairwise_fn=copper.pair,
        cutoff=copper.cutoff,
    )
    agree(copper, theirs, COPPER, case)


SW = StillingerWeber()
T = Tersoff()
TERSOFF = {"A": T.A, "B": T.B, "lam1": T.lambda1, "lam2": T.lambda2, "lam3": T.lambda3}
TERSOFF |= {"beta": T.beta, "nTf": T.n, "cTf": T.c, "dTf": T.d, "hTf": T.h, "R": T.R, "D": T.D}
BONDS = {
    "stillinger_weber": (
        SW,
        from_jax_md(
            energy.stillinger_weber_neighbor_list,
            sigma=SW.sigma,
            epsilon=SW.epsilon,
            cutoff=SW.cutoff,
        ),
    ),
    "tersoff": (T, from_jax_md(energy.tersoff_neighbor_list, params=[TERSOFF | {"mTf": 3.0}])),
}


@pytest.mark.parametrize("name", sorted(BONDS))
def test_silicon(name, monkeypatch):
    """JAX MD adds 1e-7 Å to lengths in its cosines: it is that far away from the equation."""
    ours, theirs = BONDS[name]
    agree(ours, theirs, SILICON, "primitive", tolerance=1e-6)

    def longer(graph):
        n = graph.r_ij / (graph.lengths() + 1e-7)[..., None]
        return jnp.where(graph.mask[..., None], n, 0.0)

    system = SILICON["primitive"]
    expected = compute(theirs, system)
    monkeypatch.setattr(Graph, "directions", longer)
    found = jax.jit(lambda made: evaluate(ours, made))(doubled(ours, system))
    scale, count = np.abs(expected.forces).max(), len(system)
    np.testing.assert_allclose(found.forces[:count], expected.forces, rtol=0, atol=1e-10 * scale)
    np.testing.assert_allclose(found.energies[:count], expected.energies, atol=1e-10 * scale)


def slow_bks(system, elements, cutoff):
    """The sum over pairs in kcal/mol, by SciPy, in a cell twice as wide as the cutoff."""
    from scipy.special import erfc

    tables = {name: np.array(x) for name, x in energy.BKS_SILICA_DICT.items()}
    alpha, species = tables.pop("coulomb_alpha"), [elements[z] for z in system.numbers]
    shift = erfc(alpha * cutoff) / cutoff**2
    shift += 2 / np.sqrt(np.pi) * alpha * np.exp(-((alpha * cutoff) ** 2)) / cutoff
    offset = erfc(alpha * cutoff) / cutoff + shift * cutoff
    energies = np.zeros(len(system))
    for i, a in enumerate(species):
        for j, b in enumerate(species):
            d = (system.positions[j] - system.positions[i]) @ np.linalg.inv(system.cell)
            r = np.linalg.norm((d - np.round(d)) @ system.cell)
            if i != j and r < cutoff:
                p = {name: x[a, b] for name, x in tables.items()}
                coulomb = erfc(alpha * r) / r - offset + r * shift
                u = 332.06371 * p["Q_sq"] * coulomb + p["exp_coeff"] * np.exp(-r / p["exp_decay"])
                u += p["attractive_coeff"] / r**6 + p["repulsive_coeff"] / r**24
                energies[i] += u / 2
    return energies


def test_silica_has_two_species_and_units(rng):
    cell, elements = np.diag([11.0, 12.0, 13.0]), {14: 0, 8: 1}
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3), -1).reshape(-1, 3) / 3
    positions = (grid + rng.uniform(-0.04, 0.04, grid.shape)) @ cell
    system = System(np.resize([14, 8, 8], 27), positions, cell, np.ones(3, bool))
    silica = from_jax_md(
        energy.bks_neighbor_list, elements=elements, cutoff=5.4, unit=0.5, **energy.BKS_SILICA_DICT
    )
    found = compute(silica, system)
    expected = slow_bks(system, elements, 5.4) / 2
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.energies, expected, rtol=0, atol=1e-10 * scale)
    argon = System(np.resize([14, 18], 27), positions, cell, np.ones(3, bool))
    assert np.isnan(compute(silica, argon).energies[1])


def test_it_runs_where_any_potential_runs():
    """In ASE, and back in JAX MD."""
    atoms = bulk("Si", a=5.431, cubic=True)
    atoms.rattle(0.05, seed=0)
    atoms.calc = PotentialCalculator(BONDS["stillinger_weber"][1])
    expected = compute(SW, from_atoms(atoms))
    assert np.isclose(atoms.get_potential_energy(), expected.energy[0], rtol=1e-6)
    system = crystal("cubic", "Si", 5.431, repeat=2, rattle=0.05)
    made = to_jax_md(BONDS["stillinger_weber"][1], system, dtype=jnp.float64)
    alone = energy.stillinger_weber(
        made.displacement, sigma=SW.sigma, epsilon=SW.epsilon, cutoff=SW.cutoff
    )
    neighbors = made.neighbors.allocate(made.positions)
    assert np.isclose(made.energy(made.positions, neighbors), alone(made.positions), rtol=1e-12)


def test_padding_changes_nothing():
    ours, theirs = BONDS["tersoff"]
    for potential in (ours, theirs):
        both = compute(potential, [SILICON["crystal"], SILICON["primitive"]])
        assert np.isfinite(both.forces).all()
        single = compute(potential, SILICON["primitive"])
        np.testing.assert_allclose(both.forces[216:], single.forces, atol=1e-12)


@pytest.mark.parametrize(
    ("factory", "parameters", "message"),
    [
        (energy.edip_neighbor_list, {}, "edip_neighbor_list' has no energy of one atom"),
        (energy.bks_silica_neighbor_list, {}, r"give one of .*bks_neighbor_list"),
        (energy.graph_network_neighbor_list, {}, "no energy of one atom"),
        (energy.lennard_jones_neighbor_list, {"sigma": np.ones(5)}, r"sigma has shape \(5,\)"),
        (energy.lennard_jones_neighbor_list, {"sigma": np.ones((2, 2))}, "with `elements`"),
    ],
)
def test_what_has_no_energy_of_atoms_is_refused(factory, parameters, message):
    with pytest.raises(ValueError, match=message):
        from_jax_md(factory, **parameters)


def test_only_the_bridge_imports_it():
    root = Path(tutor.__file__).parent
    for path in sorted(root.rglob("*.py")):
        imports = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0)
            for name in [getattr(node, "module", None) or node.names[0].name]
        }
        assert ("jax_md" in imports) <= (path.parent.name == "jax_md"), path
