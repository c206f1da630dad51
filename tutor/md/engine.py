"""The host's side of a simulation: sizes of tables, blocks of steps, frames, and errors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tutor.graph import Graph
from tutor.md import loop
from tutor.md.explosion import explosion, intact
from tutor.md.integrators import Integrator
from tutor.md.layout import Layout, layout
from tutor.md.state import State
from tutor.potential import Potential
from tutor.pytree import pytree

NUMBERS = 2**24  # that frames may fill on the device before they are fetched
FEW = 2**18  # numbers that cost no time to speak of
FRAMES = 64
SECONDS = 0.5  # for about how long the device works before it is asked how it is doing


@dataclass(frozen=True)
class Engine:
    """A potential, a way to move, and how often frames are kept. Made by `Engine.of`."""

    potential: Potential
    integrator: Integrator
    every: int
    skin: float
    record: loop.Record

    @classmethod
    def of(cls, potential: Potential, *settings) -> "Engine":
        plain = jax.tree_util.all_leaves([potential])  # a function, with nothing to trace in it
        return cls(Opaque(potential) if plain else potential, *settings)

    def started(self, state: State) -> State:
        """With variables of the integrator, first forces, and sizes that suffice for them."""
        start = self.integrator.start
        state = jax.vmap(start)(state) if state.positions.ndim == 3 else start(state)
        found, needed = self._with_forces(self._cut(state))
        return _resized(found, _sizes(found).fitted(needed))

    def resumed(self, state: State) -> State:
        """The state of another run. Where it goes on as before, it keeps its bits."""
        state = jax.tree.map(jnp.asarray, state)
        start = self.integrator.start
        fresh = jax.vmap(start)(state) if state.positions.ndim == 3 else start(state)
        kind = jax.tree.structure
        bath = state.bath if kind(state.bath) == kind(fresh.bath) else fresh.bath
        state = replace_arrays(state, freedom=fresh.freedom, bath=bath)
        found, _ = self._with_forces(state)
        tolerance = 1e-4 * (1 + jnp.abs(found.forces).max())
        same = jnp.abs(found.forces - state.forces).max() < tolerance
        return replace_arrays(state, layout=found.layout) if same else found

    def run(self, state: State, count: int) -> Iterator[tuple[State, dict[str, np.ndarray]]]:
        """Makes `count` frames: some at a time, with the state after them.

        Raises:
            ExplosionError: after the last frame in which the atoms of all replicas were well.
        """
        size = sum(x.size for x in jax.eval_shape(self.record, state).values())
        few = max(1 << (count - 1).bit_length(), FEW // size)  # so that nothing compiles anew
        room = max(1, min(FRAMES, NUMBERS // size, few))
        done, frames = 0, 1
        while done < count:
            frames, begin = min(frames, room, count - done), monotonic()
            found = self._block(state, frames, room)
            well = self._intact(found, frames)
            if (good := int(well.min())) < frames:
                if good:  # again up to there, because the state after them is not known
                    again = self._block(state, good, room)
                    state = again.state
                    yield state, self._home(again.frames, good)
                lost = np.flatnonzero(well < frames)
                raise explosion(state, found.state, lost, float(self.integrator.dt))
            state = found.state
            yield state, self._home(found.frames, frames)
            done += frames
            frames = max(1, round(frames * min(8.0, SECONDS / (monotonic() - begin))))

    def _intact(self, found: loop.Block, frames: int) -> Int[np.ndarray, "replicas"]:
        return intact(found, frames, self.potential.cutoff / float(self.integrator.dt))

    def _block(self, state: State, frames: int, room: int) -> loop.Block:
        """Some frames. Where the table was too small, they are made again with a larger one."""
        while True:
            sizes = _sizes(state)
            found = loop.block(
                self.potential,
                self.integrator,
                state,
                self.every,
                frames,
                self.skin,
                layout=sizes,
                record=self.record,
                room=room,
            )
            needed = _most(found.needed)
            if sizes.holds(needed):
                return found
            state = self._grown(state, needed)

    def _with_forces(self, state: State) -> tuple[State, Int[np.ndarray, "5"]]:
        """With forces, energy and virial; and what the table needed for them."""
        while True:
            found, needed = loop.first(self.potential, state, self.skin, layout=_sizes(state))
            needed = _most(needed)
            if _sizes(state).holds(needed):
                return found, needed
            state = self._grown(state, needed)

    def _cut(self, state: State) -> State:
        """With cells for its cutoff and skin, and a guess of what tables will need."""
        positions, cell = jax.device_get((state.positions, state.cell))
        positions, cell = positions.reshape(-1, *positions.shape[-2:]), cell.reshape(-1, 3, 3)
        smallest = np.abs(np.linalg.det(cell)).argmin()
        reach = self.potential.cutoff + self.skin
        sizes = layout(positions[smallest], cell[smallest], state.pbc, reach)
        return _resized(state, sizes)

    def _grown(self, state: State, needed: Int[np.ndarray, "5"]) -> State:
        sizes = _sizes(state)
        for a in np.flatnonzero(needed[2:] > sizes.layers):  # the cell has shrunk
            name = "cells" if sizes.cells[a] > 1 else "layers"
            counts = list(getattr(sizes, name))
            counts[a] += 1 if name == "layers" else -1
            sizes = sizes._replace(**{name: tuple(counts)})
        least = np.maximum(needed, (sizes.occupancy, sizes.rows, 0, 0, 0))
        return _resized(state, sizes.fitted(least))

    def _home(self, frames: Mapping[str, Array], count: int) -> dict[str, np.ndarray]:
        frames = jax.device_get(dict(frames))
        if frames["step"].ndim == 2:  # replicas come first on the device
            frames = {name: x.swapaxes(0, 1) for name, x in frames.items()}
            frames["step"] = frames["step"][:, 0]
        frames = {name: x[:count].copy() for name, x in frames.items()}
        return {"time": frames.pop("step") * float(self.integrator.dt), **frames}


@pytree(static=("function",))
@dataclass(frozen=True)
class Opaque:
    """A potential that JAX cannot look into, such as a plain function with attributes."""

    function: Potential
    cutoff: ClassVar[property] = property(lambda self: self.function.cutoff)
    hops: ClassVar[property] = property(lambda self: self.function.hops)

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        return self.function(graph)


@lru_cache
def recorder(names: tuple[str, ...]) -> loop.Record:
    """What is kept of a state: always its energies, and arrays by name."""

    def record(state: State) -> dict[str, Array]:
        always = {
            "step": state.step,
            "potential_energy": state.energy,
            "kinetic_energy": state.kinetic,
            "conserved": state.conserved,
            "temperature": state.temperature,
            "pressure": jnp.trace(state.pressure, axis1=-2, axis2=-1) / 3,
            "cell": state.cell,
        }
        return always | {name: getattr(state, name) for name in names}

    return record


def replace_arrays(state: State, **values: Any) -> State:
    """dataclasses.replace, also where all arrays have an axis of replicas."""
    leaves = {**vars(state), **values}
    made = object.__new__(State)
    for name, value in leaves.items():
        object.__setattr__(made, name, value)
    return made


def _sizes(state: State) -> Layout:
    numbers = np.asarray(state.layout)
    return Layout.of_array(numbers.reshape(-1, 8)[0])


def _resized(state: State, sizes: Layout) -> State:
    numbers = jnp.broadcast_to(jnp.asarray(sizes.array()), state.layout.shape)
    return replace_arrays(state, layout=numbers)


def _most(needed: Int[Array, "*replicas 5"]) -> Int[np.ndarray, "5"]:
    return np.asarray(needed).reshape(-1, 5).max(axis=0)
