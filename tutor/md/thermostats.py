"""Two more ways to a constant temperature: both rescale all velocities, and keep the momentum.

The potential energy of a liquid then fluctuates as in contact with a bath, while its atoms diffuse
almost as they would alone. Of Langevin's thermostat only the first is true.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tutor.md.integrators import Verlet, positive
from tutor.md.state import Real, State
from tutor.pytree import pytree
from tutor.units import KB


@pytree()
@dataclass(frozen=True)
class VelocityRescaling:
    """Stochastic velocity rescaling: the kinetic energy itself follows a Langevin equation (NVT).

    Bussi, Donadio and Parrinello, J. Chem. Phys. 126, 014101 (2007), eq. A7. Exact for the kinetic
    energy at any time step, and a good choice where nothing speaks for another one.

    Args:
        dt: the time step in fs.
        temperature: in K.
        relaxation: in fs, the time in which the kinetic energy forgets; 50 to 500 dt.
    """

    dt: Real
    temperature: Real
    relaxation: Real
    needs_virial: ClassVar[bool] = False

    def __post_init__(self):
        positive(dt=self.dt, temperature=self.temperature, relaxation=self.relaxation)

    def start(self, state: State) -> State:
        return Verlet(self.dt).start(state)

    def begin(self, state: State) -> State:
        return Verlet(self.dt).begin(state)

    def finish(self, state: State) -> State:
        key = state.random()
        state = Verlet(self.dt).finish(state)
        one, others = jax.random.split(key)
        one = jax.random.normal(one, dtype=state.energy.dtype)
        others = jax.random.chisquare(others, state.freedom - 1, dtype=state.energy.dtype)
        keep, share = jnp.exp(-self.dt / self.relaxation), KB * self.temperature / 2
        noise = jnp.sqrt((1 - keep) * share / state.kinetic)
        along = jnp.sqrt(keep) + noise * one
        return _rescaled(state, jnp.sign(along) * jnp.sqrt(along**2 + noise**2 * others))


class Chain(NamedTuple):
    """The variables of a Nosé–Hoover chain: positions, and velocities in 1/fs."""

    positions: Float[Array, "links"]
    velocities: Float[Array, "links"]


@pytree(static=("links",))
@dataclass(frozen=True)
class NoseHoover:
    """A Nosé–Hoover chain: a few further variables that heat and cool; deterministic (NVT).

    Martyna, Klein and Tuckerman, J. Chem. Phys. 97, 2635 (1992), integrated as by Martyna,
    Tuckerman, Tobias and Klein, Mol. Phys. 87, 1117 (1996), with three Suzuki–Yoshida steps.
    `state.conserved` is its conserved energy.

    Args:
        dt: the time step in fs.
        temperature: in K.
        relaxation: in fs, the period in which energy goes to and fro; 50 to 200 dt.
        links: length of the chain. One link alone does not sample what is stiff or small.
    """

    dt: Real
    temperature: Real
    relaxation: Real
    links: int = 3
    needs_virial: ClassVar[bool] = False

    def __post_init__(self):
        positive(dt=self.dt, temperature=self.temperature, relaxation=self.relaxation)
        if self.links < 1:
            raise ValueError(f"links = {self.links}: give 1 or more")

    def start(self, state: State) -> State:
        zero = jnp.zeros(self.links, state.energy.dtype)
        return replace(Verlet(self.dt).start(state), bath=Chain(zero, zero))

    def begin(self, state: State) -> State:
        return Verlet(self.dt).begin(self._couple(state))

    def finish(self, state: State) -> State:
        state = self._couple(Verlet(self.dt).finish(state))
        return replace(state, heat=-self._energy(state))

    def _couple(self, state: State) -> State:
        """Chain and velocities after dt/2, in which positions do not move."""
        share, masses = KB * self.temperature, self._masses(state)
        twice, factor = 2 * state.kinetic, jnp.ones_like(state.energy)
        x, v = state.bath
        v = [v[k] for k in range(self.links)]

        def push(k, time):
            """v_k after a time, under its force and the friction of the next link."""
            if k == 0:
                below = twice * factor**2 - state.freedom * share
            else:
                below = masses[k - 1] * v[k - 1] ** 2 - share
            friction = jnp.exp(-time / 2 * v[k + 1]) if k + 1 < self.links else 1.0
            v[k] = (v[k] * friction + time * below / masses[k]) * friction

        for weight in SUZUKI_YOSHIDA:
            time = weight * self.dt / 2
            for k in reversed(range(self.links)):
                push(k, time / 2)
            factor = factor * jnp.exp(-time * v[0])
            x = x + time * jnp.stack(v)
            for k in range(self.links):
                push(k, time / 2)
        state = replace(state, bath=Chain(x, jnp.stack(v)))
        return replace(state, velocities=factor * state.velocities)

    def _masses(self, state: State) -> list[Real]:
        """Q_k in eV fs²."""
        one = KB * self.temperature * (self.relaxation / (2 * jnp.pi)) ** 2
        return [one * state.freedom] + [one] * (self.links - 1)

    def _energy(self, state: State) -> Float[Array, ""]:
        """Of the chain, in eV."""
        x, v = state.bath
        share = KB * self.temperature
        moving = sum(q * v[k] ** 2 for k, q in enumerate(self._masses(state))) / 2
        return moving + share * (state.freedom * x[0] + x[1:].sum())


_W = 1 / (2 - 2 ** (1 / 3))
SUZUKI_YOSHIDA = (_W, 1 - 2 * _W, _W)


def _rescaled(state: State, factor: Float[Array, ""]) -> State:
    """All velocities times a factor, which counts as heat."""
    heat = state.heat + (factor**2 - 1) * state.kinetic
    return replace(state, velocities=factor * state.velocities, heat=heat)
