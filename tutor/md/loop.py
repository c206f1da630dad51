"""Many steps in one compiled program: steps, the search for neighbours between them, and frames.

Neighbours are searched after positions moved and before forces are computed, when an atom has moved
half the skin. Where a table turns out too small the program stops, and says what it needed.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int

from tutor.md import interactions
from tutor.md.integrators import Integrator
from tutor.md.layout import Layout
from tutor.md.state import Real, State
from tutor.md.table import Table, build, valid
from tutor.potential import Potential


class Block(NamedTuple):
    """What a block of steps leaves behind.

    Attributes:
        state: after the last frame, or where it stopped.
        frames: what `record` made of the states, in arrays of a fixed length.
        done: how many frames there are.
        needed: the largest `Table.needed`.
    """

    state: State
    frames: dict[str, Array]
    done: Int[Array, "*replicas"]
    needed: Int[Array, "*replicas 5"]


Record = Callable[[State], dict[str, Array]]


@partial(jax.jit, static_argnames=("layout", "record", "room"))
def block(
    potential: Potential,
    integrator: Integrator,
    state: State,
    every: int | Int[Array, ""],
    count: int | Int[Array, ""],
    skin: Real,
    *,
    layout: Layout,
    record: Record,
    room: int,
) -> Block:
    """`count` frames, `every` steps apart, of a state whose forces are known.

    Args:
        room: how many frames the arrays can hold; `count` may be less and does not compile anew.
    """
    if state.positions.ndim == 3:  # replicas
        return jax.vmap(
            lambda one: block(
                potential,
                integrator,
                one,
                every,
                count,
                skin,
                layout=layout,
                record=record,
                room=room,
            )
        )(state)
    table = _blank(state, layout)
    frames = {
        name: jnp.zeros((room, *x.shape), x.dtype)
        for name, x in jax.eval_shape(record, state).items()
    }

    def frame(carry):
        state, table, frames, done, needed = carry
        state, table, needed = advance(
            potential, integrator, state, table, needed, state.step + every, skin
        )
        now = record(state)
        frames = {name: x.at[done].set(now[name]) for name, x in frames.items()}
        return state, table, frames, done + 1, needed

    def going(carry):
        state, _, _, done, needed = carry
        return (done < count) & _healthy(state, integrator, potential) & _enough(needed, layout)

    start = state, table, frames, jnp.int32(0), table.needed
    state, _, frames, done, needed = lax.while_loop(going, frame, start)
    return Block(state, frames, done, needed)


def advance(
    potential: Potential,
    integrator: Integrator,
    state: State,
    table: Table,
    needed: Int[Array, "5"],
    end: Int[Array, ""],
    skin: Real,
) -> tuple[State, Table, Int[Array, "5"]]:
    """Steps up to number `end`, with a table that is renewed where it must be.

    The loops carry a state between `begin` and `finish`, at new positions and with old forces.
    """

    reach = potential.cutoff + skin

    def fresh(state):
        return valid(state.searched, state.positions, state.cell, potential.cutoff, skin)

    def unfinished(carry):
        state, table, needed = carry
        ready = fresh(state) & (table.used >= 0) & (state.step + 1 >= end)
        return ~ready & _healthy(state, integrator, potential) & _enough(needed, table.layout)

    def steps(carry):
        state, table, needed = carry
        keep = fresh(state)
        here = state.positions, state.cell
        searched = jax.tree.map(partial(jnp.where, keep), state.searched, here)
        state = replace(state, searched=searched)
        table = lax.cond(
            keep & (table.used >= 0),
            lambda: table,
            lambda: build(*searched, state.pbc, reach, table.layout),
        )

        def one(state):
            state = interact(potential, integrator, state, table)
            return integrator.begin(integrator.finish(state))

        state = lax.while_loop(lambda state: fresh(state) & (state.step + 1 < end), one, state)
        return state, table, jnp.maximum(needed, table.needed)

    start = integrator.begin(state), table, needed
    state, table, needed = lax.while_loop(unfinished, steps, start)
    return integrator.finish(evaluated(potential, state, table)), table, needed


def interact(potential: Potential, integrator: Integrator, state: State, table: Table) -> State:
    """With the forces at its positions, and with energy and virial where the integrator asks."""
    if integrator.needs_virial:
        return evaluated(potential, state, table)
    forces = interactions.forces(potential, table, state.positions, state.cell, state.species)
    return replace(state, forces=forces)


def evaluated(potential: Potential, state: State, table: Table) -> State:
    """With energy, forces and virial at its positions."""
    found = interactions.evaluate(potential, table, state.positions, state.cell, state.species)
    return replace(state, **found._asdict())


@partial(jax.jit, static_argnames="layout")
def first(
    potential: Potential, state: State, skin: Real, *, layout: Layout
) -> tuple[State, Int[Array, "*replicas 5"]]:
    """The state with energy, forces and virial where it is, and what the table needed."""
    if state.positions.ndim == 3:  # replicas
        return jax.vmap(lambda one: first(potential, one, skin, layout=layout))(state)
    table = build(*state.searched, state.pbc, potential.cutoff + skin, layout)
    return evaluated(potential, state, table), table.needed


def _blank(state, layout):
    """A table in the place of one that is still to be built."""
    shapes = jax.eval_shape(lambda: build(*state.searched, state.pbc, 1.0, layout))
    table = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    return replace(table, used=jnp.int32(-1))


def _healthy(state, integrator, potential):
    """Nobody crosses the cutoff in one step; false also where a velocity is not a number."""
    return (jnp.abs(state.velocities * integrator.dt) < potential.cutoff).all()


def _enough(needed: Int[Array, "5"], layout: Layout):
    return (needed <= jnp.array((layout.occupancy, layout.rows, *layout.layers))).all()
