"""To the next minimum of the energy: atoms, or atoms and cell.

found = relax(potential, system, force=1e-3, cell=True)
found.system, found.energy, found.steps
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tutor.md.barostats import deformed
from tutor.md.engine import Engine, recorder
from tutor.md.integrators import positive
from tutor.md.state import Real, State, state_of
from tutor.potential import Potential
from tutor.pytree import pytree
from tutor.system import System
from tutor.units import AMU

EVERY = 20  # steps between two looks at how far it is
LONGEST = 0.2  # Å, of the way of any atom in one step


@dataclass(frozen=True)
class Relaxed:
    """Where a relaxation ended.

    Attributes:
        system: the structure.
        energy: in eV.
        force: the largest force on an atom, in eV/Å.
        stress: in eV/Å³, positive under tension; None unless all directions are periodic.
        steps: how many were made, a multiple of 20.
    """

    system: System
    energy: float
    force: float
    stress: Float[np.ndarray, "3 3"] | None
    steps: int


class Descent(NamedTuple):
    """The variables of FIRE."""

    dt: Float[Array, ""]
    mixing: Float[Array, ""]
    downhill: Int[Array, ""]
    strain: Float[Array, "3 3"]  # the velocity of the cell, in Å/fs


@pytree(static=("cell",))
@dataclass(frozen=True)
class Fire:
    """The fast inertial relaxation engine: dynamics that stops whenever it goes uphill.

    Bitzek, Koskinen, Gähler, Moseler and Gumbsch, Phys. Rev. Lett. 97, 170201 (2006). All atoms
    weigh 1 amu. The cell moves by a strain ε with the coordinate s ε, s = N^½ (V/N)^⅓, in which it
    is about as stiff as an atom between its neighbours.

    Args:
        dt: the longest time step in fs.
        cell: whether the cell relaxes too, to a `pressure` in eV/Å³.
        force: in eV/Å; once all forces are smaller, nothing moves any more.
    """

    dt: Real = 10.0
    cell: bool = False
    pressure: Real = 0.0
    force: Real = 0.0
    needs_virial: ClassVar[bool] = True

    def start(self, state: State) -> State:
        real = state.energy.dtype
        begin = jnp.asarray(self.dt / 10, real), jnp.asarray(0.1, real), jnp.int32(0)
        still = jnp.zeros_like(state.velocities)
        return replace(state, velocities=still, bath=Descent(*begin, jnp.zeros((3, 3), real)))

    def begin(self, state: State) -> State:
        forces, velocities = self._forces(state), (state.velocities, state.bath.strain)
        downhill = _dot(forces, velocities) > 0
        count = jnp.where(downhill, state.bath.downhill + 1, 0)
        faster = jnp.where(count > 5, jnp.minimum(1.1 * state.bath.dt, self.dt), state.bath.dt)
        dt = jnp.where(downhill, faster, state.bath.dt / 2)
        mixing = jnp.where(count > 5, 0.99 * state.bath.mixing, state.bath.mixing)
        mixing = jnp.where(downhill, mixing, 0.1)

        speed = jnp.sqrt(_dot(velocities, velocities))
        size = jnp.maximum(jnp.sqrt(_dot(forces, forces)), 1e-30)
        velocities = [
            jnp.where(downhill, (1 - mixing) * v + mixing * speed / size * f, 0) + dt * f / AMU
            for v, f in zip(velocities, forces, strict=True)
        ]
        atoms, strain = velocities
        way = jnp.maximum(jnp.abs(atoms).max(), jnp.abs(strain).max()) * dt
        time = jnp.where(self.converged(state), 0, dt * jnp.minimum(1, LONGEST / (way + 1e-30)))
        state = replace(state, positions=state.positions + time * atoms)
        if self.cell:
            state = deformed(state, time * strain / _scale(state))
        return replace(state, velocities=atoms, bath=Descent(dt, mixing, count, strain))

    def finish(self, state: State) -> State:
        return replace(state, step=state.step + 1)

    def converged(self, state: State):
        """Whether all forces on atoms and cell are small."""
        return jnp.stack([jnp.abs(f).max() for f in self._forces(state)]).max() < self.force

    def _forces(self, state: State) -> tuple[Array, Array]:
        if not self.cell:
            return state.forces, jnp.zeros_like(state.virial)
        one = jnp.eye(3, dtype=state.virial.dtype)
        return state.forces, (state.virial - self.pressure * state.volume * one) / _scale(state)


def relax(
    potential: Potential,
    system: System,
    *,
    force: float = 1e-3,
    cell: bool = False,
    pressure: float = 0.0,
    steps: int = 10_000,
    dt: float = 10.0,
    dtype: Any = jnp.float32,
) -> Relaxed:
    """Moves atoms downhill until no component of a force is larger than `force`, in eV/Å.

    Args:
        cell: relax the cell too, to the `pressure` in eV/Å³. Its force is the virial divided by
            N^½ (V/N)^⅓.
        steps: how many may be made at most.
        dt: the longest time step in fs; shorter ones are found by themselves.
        dtype: float32 reaches some 1e-4 eV/Å; float64 needs `with tutor.precision.float64():`.

    Raises:
        ValueError: for a force or time step that is not positive, a cell that is to relax but is
            not periodic in all directions, or what `state_of` refuses.
        RuntimeError: where the forces are still larger after so many steps.
    """
    positive(force=force, steps=steps, dt=dt)
    if cell and not all(system.pbc):
        raise ValueError(
            f"cell = True, but pbc = {system.pbc.tolist()}: only a cell that is periodic in all "
            "directions has a stress to relax"
        )
    fire = Fire(dt=dt, cell=cell, pressure=pressure, force=force)
    engine = Engine.of(potential, fire, EVERY, 0.1 * potential.cutoff, recorder(()))
    state = engine.started(state_of(system, temperature=0.0, key=jax.random.key(0), dtype=dtype))
    while not fire.converged(state):
        if state.step >= steps:
            raise RuntimeError(
                f"after {int(state.step)} steps the largest force is "
                f"{float(jnp.abs(state.forces).max()):.3g} eV/Å, and force = {force:g} is wanted: "
                "give more steps, a larger force, or float64"
            )
        ((state, _),) = engine.run(state, 1)
    return _relaxed(system, state)


def _relaxed(system: System, state: State) -> Relaxed:
    positions, cell, virial = (
        np.asarray(x, np.float64) for x in (state.positions, state.cell, state.virial)
    )
    pbc = system.pbc
    cell = np.where(pbc[:, None], cell, system.cell)
    return Relaxed(
        system=System(system.numbers, positions, cell, pbc),
        energy=float(state.energy),
        force=float(jnp.abs(state.forces).max()),
        stress=-virial / abs(np.linalg.det(cell)) if all(pbc) else None,
        steps=int(state.step),
    )


def _dot(one, other) -> Float[Array, ""]:
    return sum((a * b).sum() for a, b in zip(one, other, strict=True))


def _scale(state: State) -> Float[Array, ""]:
    """s in Å."""
    count = len(state.positions)
    return count**0.5 * (state.volume / count) ** (1 / 3)
