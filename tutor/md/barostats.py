"""Constant pressure: the cell takes part, and atoms follow it."""

from dataclasses import dataclass, replace
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tutor.md.integrators import Integrator, positive
from tutor.md.state import Real, State
from tutor.pytree import pytree
from tutor.units import KB


@pytree(static=("isotropic",))
@dataclass(frozen=True)
class CellRescaling:
    """Stochastic cell rescaling: volume and cell do Brownian motion in the free energy (NPT).

        dε = β / 3τ (P_int − P) dt + √(2 β k_B T / 3Vτ) dW,    h → h e^ε

    with a symmetric strain ε, of which only the trace is kept where the shape is not to change.
    Bernetti and Bussi, J. Chem. Phys. 153, 114107 (2020); for the full cell Del Tatto, Raiteri,
    Bernetti and Bussi, Appl. Sci. 12, 1139 (2022). Here e^ε is taken to all orders, so that the
    terms with k_B T / V of their equations, which correct for first order, are not needed.

        CellRescaling(VelocityRescaling(dt, temperature, relaxation), temperature, pressure, …)

    Args:
        integrator: what moves the atoms, with a thermostat.
        temperature: that of the thermostat, in K.
        pressure: P in eV/Å³; 1 GPa is `tutor.units.GPA`. Positive under compression.
        relaxation: τ in fs; longer than that of the thermostat.
        compressibility: β in Å³/eV, about; a wrong one only changes the effective τ.
        isotropic: keep the shape of the cell.
    """

    integrator: Integrator
    temperature: Real
    pressure: Real
    relaxation: Real
    compressibility: Real
    isotropic: bool = True
    needs_virial: ClassVar[bool] = True

    def __post_init__(self):
        positive(
            temperature=self.temperature,
            relaxation=self.relaxation,
            compressibility=self.compressibility,
        )

    @property
    def dt(self) -> Real:
        return self.integrator.dt

    def start(self, state: State) -> State:
        if not all(state.pbc):
            raise ValueError(
                f"pbc = {state.pbc}: a pressure needs a volume, so make all directions periodic or "
                "leave the cell alone"
            )
        return self.integrator.start(state)

    def begin(self, state: State) -> State:
        return deformed(self.integrator.begin(state), self._strain(state))

    def finish(self, state: State) -> State:
        return self.integrator.finish(state)

    def _strain(self, state: State) -> Float[Array, "3 3"]:
        one = jnp.eye(3, dtype=state.cell.dtype)
        rate = self.compressibility * self.dt / (3 * self.relaxation)
        # Momentum that is zero carries no pressure, but the centre of mass still has its place.
        missing = (state.positions.size - state.freedom) / 3 * KB * self.temperature / state.volume
        drift = rate * (state.pressure + (missing - self.pressure) * one)
        noise = jax.random.normal(state.random(1), (3, 3), state.cell.dtype)
        noise = (noise + noise.T) / 2 * jnp.sqrt(2 * rate * KB * self.temperature / state.volume)
        strain = drift + noise
        return jnp.trace(strain) / 3 * one if self.isotropic else strain


def deformed(state: State, strain: Float[Array, "3 3"]) -> State:
    """Cell and positions times e^ε, velocities times e^(−ε), for a symmetric strain ε."""
    stretch = exponential(strain)
    return replace(
        state,
        cell=state.cell @ stretch,
        positions=state.positions @ stretch,
        velocities=state.velocities @ exponential(-strain),
    )


def exponential(strain: Float[Array, "3 3"]) -> Float[Array, "3 3"]:
    """e^ε of a small matrix, to fourth order."""
    one = jnp.eye(3, dtype=strain.dtype)
    total = one
    for k in (4, 3, 2, 1):
        total = one + strain @ total / k
    return total
