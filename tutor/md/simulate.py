"""Molecular dynamics of any potential: atoms, a way to move, and a number of steps.

run = simulate(potential, system, Langevin(dt=1.0, temperature=300, friction=0.01), 10_000,
               temperature=300, key=jax.random.key(0))
run.temperature, run.positions                              # one row every `every` steps
run = simulate(potential, run.state, Verlet(dt=1.0), 10_000)            # and on from there
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from tutor.md.engine import Engine, recorder
from tutor.md.explosion import ExplosionError
from tutor.md.integrators import Integrator, positive
from tutor.md.state import State, stack, state_of
from tutor.md.store import Store
from tutor.potential import Potential
from tutor.system import System

RECORDS = ("positions", "velocities", "forces", "virial")


@dataclass(frozen=True)
class Run:
    """What a simulation leaves behind.

    Attributes:
        state: the last one; `simulate` goes on from it as if it had never stopped.
        frames: NumPy arrays, one row per frame: "time" (fs), "potential_energy",
            "kinetic_energy" and "conserved" (eV), "temperature" (K), "pressure" (eV/Å³), "cell"
            (Å), and what was to be recorded. With replicas, their axis comes after the frames.
            Each is also an attribute: `run.temperature`.
    """

    state: State
    frames: dict[str, np.ndarray]

    def __getattr__(self, name: str) -> np.ndarray:
        frames = self.__dict__.get("frames", {})
        if name in frames:
            return frames[name]
        raise AttributeError(f"this run has no {name!r}; it recorded {', '.join(frames)}")

    @property
    def numbers(self) -> Int[np.ndarray, "atoms"]:
        """Atomic numbers; the same in all replicas."""
        return np.atleast_2d(self.state.species)[0]

    @property
    def pbc(self) -> tuple[bool, bool, bool]:
        """Which cell vectors are periodic."""
        return self.state.pbc

    def __len__(self) -> int:
        return len(self.frames["time"])

    def __repr__(self) -> str:
        return f"Run({len(self)} frames of {', '.join(self.frames)})"


def simulate(
    potential: Potential,
    system: System | Sequence[System] | State,
    integrator: Integrator,
    steps: int,
    *,
    temperature: float | None = None,
    key: Key[Array, ""] | None = None,
    every: int = 100,
    record: Sequence[str] = ("positions", "velocities"),
    skin: float | None = None,
    masses: Float[np.ndarray, "atoms"] | None = None,
    dtype: Any = jnp.float32,
    path: str | Path | None = None,
    progress: bool = False,
) -> Run:
    """Moves atoms by `steps` steps and keeps a frame after every `every` of them.

    Args:
        system: one structure; several of the same elements, which move side by side as replicas;
            or the state of an earlier run, to go on from.
        temperature: in K, of the first velocities. Needed unless a state is given.
        key: decides velocities and noise. Needed unless a state is given.
        record: of "positions" (Å, not wrapped into the cell), "velocities" (Å/fs), "forces" (eV/Å)
            and "virial" (eV).
        skin: how much farther than the cutoff neighbours are searched, in Å; by default a tenth of
            the cutoff. It changes the speed, not the result.
        masses: in amu; by default those of the elements.
        dtype: float64 needs `with tutor.precision.float64():`.
        path: a folder into which frames are written as they come. Where it already holds a part of
            this run, the run goes on from there with the same bits, and only the frames that are
            still missing are made and given back.
        progress: show how far it is, how fast, and how well energy is conserved.

    Raises:
        ValueError: for steps that are not a multiple of `every`, an unknown record, a missing
            temperature or key, replicas that differ in more than places, a skin that is not
            positive, or what `state_of` refuses.
        ExplosionError: a FloatingPointError, where atoms fly apart. It says when, in which replica,
            and what to try, and has what was sampled before as its `run`.
    """
    _check(steps, every, record)
    skin = 0.1 * potential.cutoff if skin is None else skin
    positive(skin=skin)
    engine = Engine.of(potential, integrator, every, skin, recorder(tuple(record)))
    if isinstance(system, State):
        state = engine.resumed(system)
    else:
        state = engine.started(_states(system, temperature, key, masses, dtype))
    begin = int(np.max(state.step))
    settings = {"integrator": repr(integrator), "every": every, "skin": skin}
    store = Store(path, state, settings | {"potential": type(potential).__name__})
    if store.state is not state:
        state = engine.resumed(store.state)
    done = int(np.max(state.step)) - begin
    with _display(steps, integrator, state, done, progress) as show:
        try:
            for now, frames in engine.run(state, (steps - done) // every):
                store.add(frames, now)
                show(int(np.max(now.step)) - begin, float(np.sum(now.conserved)))
        except ExplosionError as error:
            error.run = Run(store.state, store.frames())
            raise
        finally:
            store.flush()
    return Run(store.state, store.frames())


def _display(steps, integrator, state, done, show):
    if not show:
        return nullcontext(lambda step, energy: None)
    from tutor.md.progress import display

    return display(steps, float(integrator.dt), state.positions[..., 0].size, done=done)


def _states(system, temperature, key, masses, dtype) -> State:
    for name, value in {"temperature": temperature, "key": key}.items():
        if value is None:
            raise ValueError(f"{name} is missing: give it, or the state of an earlier run")
    if isinstance(system, System):
        return state_of(system, temperature=temperature, key=key, masses=masses, dtype=dtype)
    kinds = {(tuple(s.numbers.tolist()), tuple(s.pbc.tolist())) for s in system}
    if len(kinds) != 1:
        raise ValueError(
            f"system holds {len(system)} structures of {len(kinds)} kinds: replicas have the same "
            "numbers and pbc; simulate others one after another"
        )
    keys = jax.random.split(key, len(system))
    return stack(
        [
            state_of(one, temperature=temperature, key=k, masses=masses, dtype=dtype)
            for one, k in zip(system, keys, strict=True)
        ]
    )


def _check(steps, every, record):
    if every < 1 or steps < 1 or steps % every:
        raise ValueError(
            f"steps = {steps} and every = {every}: give whole numbers, and steps that are a "
            "multiple of every"
        )
    unknown = sorted(set(record) - set(RECORDS))
    if unknown:
        raise ValueError(f"record = {list(record)}: {unknown[0]!r} is not one of {list(RECORDS)}")
