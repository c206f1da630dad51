"""Everything that a simulation is at one moment. Its leaves determine how it goes on, bit for bit.

Units: eV, Å, fs, amu, K. A mass in amu times AMU is in eV fs²/Å².
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt32

from tutor.md.layout import complete_cell
from tutor.pytree import pytree
from tutor.system import System
from tutor.units import AMU, KB

Real = float | int | Float[Array, ""]  # a number, inside jit or outside


@pytree(static=("pbc",))
@dataclass(frozen=True, eq=False)
class State:
    """Atoms in motion. Made by `state_of`; with replicas all arrays have one more axis in front.

    Attributes:
        positions: in Å. They are not wrapped into the cell, so that paths have no jumps.
        velocities: in Å/fs.
        masses: in amu.
        species: atomic numbers.
        cell: three vectors as rows, in Å: unit vectors where not periodic.
        forces: in eV/Å, at these positions.
        energy: the potential energy in eV.
        virial: −∂E/∂strain in eV.
        freedom: how many degrees of freedom share the kinetic energy.
        heat: the energy in eV that came from a heat bath since the start.
        bath: variables of a thermostat, a barostat or a minimiser.
        key: of all randomness, as `jax.random.key_data`.
        step: how many steps were made.
        searched: positions and cell when neighbours were last searched.
        layout: the sizes of the neighbour table.
        pbc: which cell vectors are periodic. Static.
    """

    positions: Float[Array, "atoms 3"]
    velocities: Float[Array, "atoms 3"]
    masses: Float[Array, "atoms"]
    species: Int[Array, "atoms"]
    cell: Float[Array, "3 3"]
    forces: Float[Array, "atoms 3"]
    energy: Float[Array, ""]
    virial: Float[Array, "3 3"]
    freedom: Int[Array, ""]
    heat: Float[Array, ""]
    bath: Any
    key: UInt32[Array, "_"]
    step: Int[Array, ""]
    searched: tuple[Float[Array, "atoms 3"], Float[Array, "3 3"]]
    layout: Int[Array, "8"]
    pbc: tuple[bool, bool, bool]

    @property
    def inertia(self) -> Float[Array, "*replicas atoms 1"]:
        """Masses in eV fs²/Å²."""
        return AMU * self.masses[..., None]

    @property
    def kinetic(self) -> Float[Array, "*replicas"]:
        """The kinetic energy in eV."""
        return (self.inertia * self.velocities**2).sum(axis=(-1, -2)) / 2

    @property
    def temperature(self) -> Float[Array, "*replicas"]:
        """In K, from the kinetic energy."""
        return 2 * self.kinetic / (KB * self.freedom)

    @property
    def conserved(self) -> Float[Array, "*replicas"]:
        """Energy without what came from a heat bath, in eV: constant at constant volume."""
        return self.energy + self.kinetic - self.heat

    @property
    def volume(self) -> Float[Array, "*replicas"]:
        """In Å³; without meaning unless all directions are periodic."""
        return jnp.abs(jnp.linalg.det(self.cell))

    @property
    def pressure(self) -> Float[Array, "*replicas 3 3"]:
        """The pressure tensor in eV/Å³: momentum that atoms and forces carry."""
        momenta = self.inertia * self.velocities
        carried = jnp.einsum("...ia,...ib->...ab", momenta, self.velocities)
        return (carried + self.virial) / self.volume[..., None, None]

    def random(self, number: int = 0) -> Key[Array, ""]:
        """A key that belongs to this step; another one for each number."""
        key = jax.random.fold_in(jax.random.wrap_key_data(self.key), self.step)
        return jax.random.fold_in(key, number)


def state_of(
    system: System,
    *,
    temperature: float,
    key: Key[Array, ""],
    masses: Float[np.ndarray, "atoms"] | None = None,
    dtype: Any = jnp.float32,
) -> State:
    """Atoms with random velocities, before their forces are known.

    Args:
        temperature: in K, of the Maxwell–Boltzmann distribution. The momentum is then removed.
        masses: in amu; by default those of the elements.

    Raises:
        ValueError: for masses that are not positive or of another number than the atoms, a
            negative temperature, positions that are not finite, or float64 where JAX drops it.
    """
    masses = _masses(system, masses)
    pbc = tuple(bool(p) for p in system.pbc)
    _check(system, masses, temperature, dtype)
    cell = jnp.asarray(complete_cell(system.cell, system.pbc), dtype)
    positions = jnp.asarray(system.positions, dtype)
    draw, keep = jax.random.split(key)
    zero = jnp.zeros((), dtype)
    count = len(system)
    state = State(
        positions=positions,
        velocities=jax.random.normal(draw, (count, 3), dtype),
        masses=jnp.asarray(masses, dtype),
        species=jnp.asarray(system.numbers, jnp.int32),
        cell=cell,
        forces=jnp.zeros((count, 3), dtype),
        energy=zero,
        virial=jnp.zeros((3, 3), dtype),
        freedom=jnp.int32(max(3 * count - 3, 1)),
        heat=zero,
        bath=(),
        key=jax.random.key_data(keep),
        step=jnp.int32(0),
        searched=(positions, cell),
        layout=jnp.zeros(8, jnp.int32),
        pbc=pbc,
    )
    velocities = state.velocities * jnp.sqrt(KB * temperature / state.inertia)
    return at_rest(replace(state, velocities=velocities)) if count > 1 else state


def at_rest(state: State) -> State:
    """The same without motion of the centre of mass."""
    momentum = (state.inertia * state.velocities).sum(axis=0)
    return replace(state, velocities=state.velocities - momentum / state.inertia.sum())


def stack(states: Sequence[State]) -> State:
    """Replicas as one state: one more axis in front of every array."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def _masses(system, masses):
    if masses is not None:
        return np.asarray(masses, float)
    from ase.data import atomic_masses

    return atomic_masses[system.numbers]


def _check(system, masses, temperature, dtype):
    if masses.shape != (len(system),) or not (np.isfinite(masses) & (masses > 0)).all():
        raise ValueError(
            f"masses = {masses}: give {len(system)} positive masses in amu, one for each atom"
        )
    if not (np.isfinite(temperature) and temperature >= 0):
        raise ValueError(f"temperature = {temperature}: give a temperature in K, 0 or more")
    if len(system) == 0 or not np.isfinite(system.positions).all():
        raise ValueError("system.positions is empty or not finite: give every atom a place")
    periodic = system.cell[system.pbc]
    if len(periodic) and np.linalg.matrix_rank(periodic) < len(periodic):
        raise ValueError(
            f"system.pbc = {system.pbc.tolist()}, but its cell vectors {periodic.tolist()} are "
            "zero or lie in one plane: give a cell vector for every periodic direction"
        )
    if jnp.zeros(0, dtype).dtype != jnp.dtype(dtype):
        raise ValueError(
            f"dtype = {jnp.dtype(dtype)}, but JAX is in single precision: simulate inside "
            "`with tutor.precision.float64():`"
        )
