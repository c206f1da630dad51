"""Whole runs: neighbours, blocks, replicas, restarts, and what happens when something is wrong."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.potentials.structures import compute
from tests.tutor.md.fluids import ARGON, EPSILON, TAU, fluid, kelvin, moved
from tutor.md import (
    CellRescaling,
    ExplosionError,
    Langevin,
    Run,
    VelocityRescaling,
    Verlet,
    simulate,
    state_of,
)
from tutor.md.engine import replace_arrays
from tutor.md.layout import Layout
from tutor.md.simulate import RECORDS
from tutor.md.trajectory import open_trajectory
from tutor.models.pair import LennardJones, Pair, truncated
from tutor.system import System

DT = 0.004 * TAU
REPLICAS = [fluid(), fluid(density=0.8), fluid(density=0.75)]


def true_forces(potential, positions, cell):
    numbers, pbc = np.full(len(positions), 18), np.ones(3, bool)
    return compute(potential, System(numbers, np.array(positions), np.array(cell), pbc))


def test_forces_along_a_run_are_those_of_a_new_search():
    """Over 2 τ of a hot liquid, with dozens of searches in between: nobody was overlooked."""
    run = moved(Verlet(DT), 500, every=25, skin=0.3)
    for k in range(4, 20, 5):
        found = true_forces(ARGON, run.positions[k], run.cell[k])
        np.testing.assert_allclose(run.forces[k], found.forces, rtol=0, atol=1e-10)
        np.testing.assert_allclose(run.potential_energy[k], found.energy[0], rtol=1e-12)
        np.testing.assert_allclose(run.virial[k], found.virial[0], rtol=0, atol=1e-10)


def test_one_run_or_two_make_the_same_bits():
    langevin = Langevin(DT, kelvin(1.0), 1e-3)
    whole = moved(langevin, 400)
    part = moved(langevin, 200)
    rest = moved(langevin, 200, state=jax.tree.map(np.array, part.state))  # as from a file
    for one, other in zip(jax.tree.leaves(whole.state), jax.tree.leaves(rest.state), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(whole.positions[2:], rest.positions)
    np.testing.assert_allclose(rest.time, DT * np.array([300, 400]))


def test_a_table_that_becomes_too_small_is_made_larger():
    """From a state whose table has no room to spare: same path, and the layout has grown."""
    free = moved(Verlet(DT), 400)
    begin = moved(Verlet(DT), 100)
    tight = Layout.of_array(np.array(begin.state.layout))
    tight = tight._replace(rows=tight.rows // 2, occupancy=8)
    state = replace(begin.state, layout=jnp.asarray(tight.array()))
    run = moved(Verlet(DT), 300, state=state)
    assert run.state.layout[7] > tight.rows
    assert run.state.layout[6] > tight.occupancy
    np.testing.assert_allclose(run.positions, free.positions[1:], rtol=0, atol=1e-7)


def test_a_cell_that_shrinks_gets_fewer_cells():
    """A gas under high pressure becomes a liquid; forces stay those of a new search."""
    pressure = 20 * EPSILON / 3.405**3
    bath = VelocityRescaling(DT, kelvin(1.0), 20 * DT)
    press = CellRescaling(bath, kelvin(1.0), pressure, 100 * DT, 1 / pressure)
    run = moved(press, 600, system=fluid(density=0.5))
    assert run.cell[-1, 0, 0] < 2 * 1.1 * ARGON.cutoff < fluid(density=0.5).cell[0, 0]
    assert run.state.layout[0] == 1
    found = true_forces(ARGON, run.positions[-1], run.cell[-1])
    np.testing.assert_allclose(run.forces[-1], found.forces, rtol=0, atol=1e-10)


def test_replicas_move_as_they_would_alone():
    together = moved(Verlet(DT), 200, system=REPLICAS)
    assert together.positions.shape == (2, 3, 108, 3)
    keys = jax.random.split(jax.random.key(0), 3)
    for k in (0, 2):
        alone = moved(Verlet(DT), 200, system=REPLICAS[k], key=keys[k])
        np.testing.assert_allclose(together.positions[:, k], alone.positions, atol=1e-8)
        np.testing.assert_allclose(together.conserved[:, k], alone.conserved, rtol=1e-10)
        assert np.abs(together.positions[:, k] - together.positions[:, k - 1]).max() > 0.1


def test_a_function_is_a_potential_too():
    """Anything with cutoff, hops and a call goes through the Graph, and gives the same path."""

    class Function:
        cutoff, hops = ARGON.cutoff, 1

        def __call__(self, graph):
            return ARGON(graph)

    options = {"temperature": 100.0, "key": jax.random.key(0)}
    one = simulate(Function(), fluid(), Verlet(DT), 100, dtype=jnp.float64, **options)
    other = moved(Verlet(DT), 100, **options)
    np.testing.assert_allclose(one.positions, other.positions, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one.pressure, other.pressure, rtol=1e-9)


def test_atoms_that_fly_apart_are_reported():
    with pytest.raises(FloatingPointError, match=r"fly apart before step \d+: .* smaller, relax"):
        moved(Verlet(100 * DT), 200)


def test_a_replica_that_flies_apart_is_named_and_costs_no_frame_of_before(tmp_path):
    """In the second of three, one atom is shot at the others."""
    begin = moved(Verlet(DT), 10, every=10, system=REPLICAS).state
    calm = moved(Verlet(DT), 20, every=2, state=begin)
    shot = replace_arrays(begin, velocities=begin.velocities.at[1, 0, :2].set(0.08))
    with pytest.raises(ExplosionError, match=r"apart in replica 1 before step \d+: ") as caught:
        moved(Verlet(DT), 20, every=2, state=shot, path=tmp_path / "run")
    assert caught.value.replicas == (1,)
    run = caught.value.run
    assert 2 < len(run) < 10
    assert np.isfinite(run.potential_energy).all()
    np.testing.assert_array_equal(run.state.positions, run.positions[-1])
    np.testing.assert_array_equal(run.positions[:, [0, 2]], calm.positions[: len(run), [0, 2]])
    with open_trajectory(tmp_path / "run") as stored:
        np.testing.assert_array_equal(stored.positions, run.positions)
    others = jax.tree.map(lambda x: np.delete(x, caught.value.replicas, axis=0), run.state)
    rest = moved(Verlet(DT), 2 * (10 - len(run)), every=2, state=others)
    expected = calm.positions[len(run) :, [0, 2]]
    np.testing.assert_allclose(rest.positions, expected, rtol=0, atol=1e-8)


def test_a_continued_run_with_another_potential_has_its_forces():
    run = moved(Verlet(DT), 100)
    half = Pair(LennardJones(EPSILON / 2, 3.405), cutoff=8.5125)
    found = simulate(half, run.state, Verlet(1e-9), 1, every=1, record=RECORDS)
    expected = true_forces(half, run.positions[-1], run.cell[-1]).forces
    np.testing.assert_allclose(found.forces[0], expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 150}, "steps = 150 and every = 100"),
        ({"steps": 0}, "steps = 0"),
        ({"record": ("positions", "charges")}, "'charges' is not one of"),
        ({"temperature": None}, "temperature is missing"),
        ({"key": None}, "key is missing"),
        ({"temperature": -3.0}, "temperature = -3.0"),
        ({"skin": 0.0}, "skin = 0.0"),
        ({"masses": np.ones(3)}, "give 108 positive masses"),
        ({"masses": np.zeros(108)}, "give 108 positive masses"),
        ({"system": [fluid(2), fluid(3)]}, "2 structures of 2 kinds"),
        ({"system": replace(fluid(), cell=np.zeros((3, 3)))}, "zero or lie in one plane"),
        ({"system": replace(fluid(), positions=np.full((108, 3), np.nan))}, "not finite"),
    ],
)
def test_bad_input_is_refused(change, words):
    settings = {"system": fluid(), "steps": 100, "temperature": 100.0, "key": jax.random.key(0)}
    settings |= change
    system, steps = settings.pop("system"), settings.pop("steps")
    with pytest.raises(ValueError, match=words):
        simulate(ARGON, system, Verlet(DT), steps, dtype=jnp.float64, **settings)


def test_what_was_not_recorded_is_named():
    state = state_of(fluid(), temperature=1.0, key=jax.random.key(0), dtype=jnp.float64)
    run = Run(state, {"time": np.zeros(1)})
    with pytest.raises(AttributeError, match="no 'forces'; it recorded time"):
        _ = run.forces
    assert len(run) == 1
    assert repr(run).startswith("Run(1 frames of time")


def test_a_hard_cutoff_is_allowed_but_does_not_conserve():
    """The check that the drift tests can fail: a truncated potential jumps."""
    jumping = Pair(LennardJones(EPSILON, 3.405), cutoff=8.5125, ending=truncated)
    options = {"temperature": kelvin(1.44), "every": 20, "key": jax.random.key(0)}
    smooth = moved(Verlet(DT), 500, **options)
    rough = simulate(jumping, fluid(), Verlet(DT), 500, dtype=jnp.float64, **options)
    smooth, rough = (np.ptp(run.conserved[5:]) for run in (smooth, rough))
    assert rough > 5 * smooth
