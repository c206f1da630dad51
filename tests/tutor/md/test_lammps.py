"""A Lennard-Jones liquid against LAMMPS: pressure, pair distribution, and volume at a pressure.

Both programs move 108 atoms with the same truncated potential, as a liquid at constant volume and
at constant pressure, and as a crystal whose cell may change its shape. Agreement is within the
standard errors of both, from averages over ten blocks.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.potentials.lammps_reference import PRESSURE, _engine
from tests.tutor.md.fluids import EPSILON, MASS, SIGMA, TAU, fluid, kelvin
from tutor.md import CellRescaling, VelocityRescaling, simulate
from tutor.models.pair import LennardJones, Pair, shifted
from tutor.precision import float64
from tutor.units import GPA

DT = 0.004 * TAU
P = EPSILON / SIGMA**3
WARM, STEPS, EVERY = 2_000, 12_000, 20
MODEL = Pair(LennardJones(EPSILON, SIGMA), cutoff=2.5 * SIGMA, ending=shifted)
STARTS = {"nvt": (0.75, kelvin(1.0)), "npt": (0.75, kelvin(1.0)), "solid": (1.0, kelvin(0.4))}


def integrator(name):
    temperature = STARTS[name][1]
    thermostat = VelocityRescaling(DT, temperature, 50 * DT)
    if name == "nvt":
        return thermostat
    soft = 0.05 / P  # about the compressibility of the liquid
    return CellRescaling(thermostat, temperature, P, 200 * DT, soft, isotropic=name == "npt")


def ours(name):
    density, temperature = STARTS[name]
    run = simulate(
        MODEL,
        fluid(density=density),
        integrator(name),
        WARM + STEPS,
        temperature=2 * temperature,
        key=jax.random.key(0),
        every=EVERY,
        record=("positions",),
        dtype=jnp.float64,
    )
    keep = slice(WARM // EVERY, None)
    volume = np.linalg.det(run.cell[keep])
    return run.temperature[keep], run.pressure[keep], volume, run.positions[keep]


def lammps(name):
    """The same with a Nosé–Hoover chain, and a barostat after Martyna, Tobias and Klein."""
    density, temperature = STARTS[name]
    engine, system = _engine(), fluid(density=density)
    side, count = float(system.cell[0, 0]), len(system)
    heat = f"temp {temperature} {temperature} {50 * DT / 1000}"
    press = f"{P * PRESSURE} {P * PRESSURE} {200 * DT / 1000}"
    move = {"nvt": "", "npt": f"iso {press}", "solid": f"aniso {press}"}
    move = f"fix move all {'nvt' if name == 'nvt' else 'npt'} {heat} {move[name]}"
    places = system.positions.ravel().tolist()
    engine.commands_list(
        [
            "units metal",
            "atom_style atomic",
            "atom_modify map array",
            f"region cell block 0 {side!r} 0 {side!r} 0 {side!r} units box",
            "create_box 1 cell",
            f"mass 1 {MASS}",
        ]
    )
    engine.create_atoms(count, list(range(1, count + 1)), [1] * count, places)
    engine.commands_list(
        [
            f"pair_style lj/cut {MODEL.cutoff}",
            f"pair_coeff 1 1 {EPSILON} {SIGMA}",
            "pair_modify shift yes",
            f"velocity all create {2 * temperature} 4928459 mom yes rot no dist gaussian",
            f"timestep {DT / 1000}",
            move,
            "neigh_modify delay 0 every 1 check yes",
            "thermo 1000000",
            f"run {WARM}",
        ]
    )
    rows, positions = [], []
    for _ in range(STEPS // EVERY):
        engine.command(f"run {EVERY} post no")
        rows.append([engine.get_thermo(x) for x in ("temp", "press", "vol")])
        positions.append(np.array(engine.gather_atoms("x", 1, 3)).reshape(-1, 3))
    engine.close()
    temperature, pressure, volume = np.array(rows).T
    return temperature, pressure / PRESSURE, volume, np.array(positions)


@pytest.fixture(scope="module")
def results():
    with float64():
        found = {f"ours {name}": ours(name) for name in STARTS}
    return found | {f"lammps {name}": lammps(name) for name in STARTS}


def estimate(x, blocks=10):
    """The mean over time and its standard error, of a number or of an array."""
    means = np.array([part.mean(axis=0) for part in np.array_split(x, blocks)])
    return means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(blocks)


def agree(one, other, most):
    """Equal within 4 standard errors, which are small enough to mean something."""
    (a, da), (b, db) = estimate(one), estimate(other)
    error = np.hypot(da, db)
    assert np.all(error < most), error
    assert np.all(np.abs(a - b) < 4 * error), (a, b, error)


def pair_distribution(positions, side, bins=30):
    """g(r) of every frame, up to half of the side."""
    edges = np.linspace(0.9 * SIGMA, side / 2, bins + 1)
    upper = np.triu_indices(positions.shape[1], 1)
    counts = []
    for x in positions[::5]:
        d = (x[:, None] - x)[upper]
        r = np.linalg.norm(d - side * np.round(d / side), axis=1)
        counts.append(np.histogram(r, edges)[0])
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    return np.array(counts) / (shells * len(upper[0]) / side**3)


def test_pressure(results):
    agree(results["ours nvt"][1], results["lammps nvt"][1], most=0.05 * EPSILON / SIGMA**3)


def test_pair_distribution(results):
    side = float(fluid(density=0.75).cell[0, 0])
    one, other = (pair_distribution(results[k][3], side) for k in ("ours nvt", "lammps nvt"))
    agree(one, other, most=0.06)
    assert one.mean(axis=0).max() > 2.3


@pytest.mark.parametrize("name", ["npt", "solid"])
def test_volume_at_a_pressure(results, name):
    """Mean, and the fluctuation that tells the compressibility."""
    one, other = results[f"ours {name}"][2], results[f"lammps {name}"][2]
    agree(one, other, most=0.02 * other.mean())
    spread = [(v - v.mean()) ** 2 for v in (one, other)]
    agree(*spread, most=0.6 * spread[1].mean())


@pytest.mark.parametrize("name", ["npt", "solid"])
def test_the_pressure_that_was_asked_for(results, name):
    found, error = estimate(results[f"ours {name}"][1])
    assert abs(found - P) < 4 * error
    assert error < 0.01 * GPA


def test_temperature(results):
    for name, (_, temperature) in STARTS.items():
        found, error = estimate(results[f"ours {name}"][0])
        assert abs(found - temperature) < 4 * error + 0.002 * temperature
