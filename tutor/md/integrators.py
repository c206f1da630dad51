"""How atoms move from one step to the next. An integrator is a small frozen object:

    begin(state)    all that comes before the new forces: positions move
    finish(state)   all that comes after them

so that one step is `finish(forces(begin(state)))`. Between the two, and nowhere else, somebody else
may look for neighbours. `start(state)` adds the integrator's own variables to a state.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from tutor.md.state import Real, State
from tutor.pytree import pytree
from tutor.units import KB


@runtime_checkable
class Integrator(Protocol):
    """What a simulation asks of a way to move.

    Attributes:
        dt: the time step in fs.
        needs_virial: whether `begin` reads `state.virial`.
    """

    dt: Real
    needs_virial: bool

    def start(self, state: State) -> State: ...
    def begin(self, state: State) -> State: ...
    def finish(self, state: State) -> State: ...


def step(integrator: Integrator, state: State, forces: Callable[[State], State]) -> State:
    """One step. `forces` gives back the state with the forces at its positions."""
    return integrator.finish(forces(integrator.begin(state)))


def positive(**values: Real) -> None:
    """Raises ValueError for a value that is not a positive number."""
    for name, value in values.items():
        if isinstance(value, (int, float)) and not 0 < value < float("inf"):
            raise ValueError(f"{name} = {value}: give a positive number")


@pytree()
@dataclass(frozen=True)
class Verlet:
    """Newton's equations: v += ½ dt a, x += dt v, v += ½ dt a. Constant energy (NVE).

    Swope, Andersen, Berens and Wilson, J. Chem. Phys. 76, 637 (1982).

    Args:
        dt: the time step in fs.
    """

    dt: Real
    needs_virial: ClassVar[bool] = False

    def __post_init__(self):
        positive(dt=self.dt)

    def start(self, state: State) -> State:
        return state

    def begin(self, state: State) -> State:
        state = kick(state, self.dt / 2)
        return replace(state, positions=state.positions + self.dt * state.velocities)

    def finish(self, state: State) -> State:
        return replace(kick(state, self.dt / 2), step=state.step + 1)


@pytree()
@dataclass(frozen=True)
class Langevin:
    """Friction and random kicks at constant temperature (NVT), split as B A O A B.

    dv = a dt − γ v dt + √(2 γ k_B T / m) dW. Leimkuhler and Matthews, J. Chem. Phys. 138, 174102
    (2013): positions sample the canonical distribution with an error of order dt², dt⁴ at high
    friction. The centre of mass takes part.

    Args:
        dt: the time step in fs.
        temperature: in K.
        friction: γ in 1/fs.
    """

    dt: Real
    temperature: Real
    friction: Real
    needs_virial: ClassVar[bool] = False

    def __post_init__(self):
        positive(dt=self.dt, temperature=self.temperature, friction=self.friction)

    def start(self, state: State) -> State:
        return replace(state, freedom=jnp.int32(state.positions.size))

    def begin(self, state: State) -> State:
        state = kick(state, self.dt / 2)
        half = state.positions + self.dt / 2 * state.velocities
        before = state.kinetic
        keep = jnp.exp(-self.friction * self.dt)
        noise = jax.random.normal(state.random(), half.shape, half.dtype)
        noise *= jnp.sqrt((1 - keep**2) * KB * self.temperature / state.inertia)
        state = replace(state, velocities=keep * state.velocities + noise)
        return replace(
            state,
            positions=half + self.dt / 2 * state.velocities,
            heat=state.heat + state.kinetic - before,
        )

    def finish(self, state: State) -> State:
        return replace(kick(state, self.dt / 2), step=state.step + 1)


def kick(state: State, time: Real) -> State:
    """Velocities after a time in which only the forces act."""
    return replace(state, velocities=state.velocities + time * state.forces / state.inertia)
