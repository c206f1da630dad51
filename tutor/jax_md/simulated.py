"""A potential as an energy function of JAX MD, with its space and its neighbour list."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tutor.graph import Graph, System
from tutor.potential import Potential
from tutor.potential import energy as energy_of

try:
    from jax_md import partition, space
except ImportError as error:
    raise ImportError("tutor.jax_md needs JAX MD: pip install jax-md") from error


class Simulated(NamedTuple):
    """What `jax_md.simulate` and `jax_md.minimize` ask for.

    Attributes:
        displacement, shift: the space; positions are fractions of a periodic cell, as JAX MD has
            it, and Å without a cell. Forces are in eV/Å in both.
        neighbors: `allocate(positions)` and `update(positions, neighbors)`.
        energy: of (positions, neighbor=…) in eV.
        positions: those of the system, in the coordinates of this space.
    """

    displacement: Callable
    shift: Callable
    neighbors: Any
    energy: Callable
    positions: Float[Array, "atoms 3"]


def to_jax_md(
    potential: Potential, system: System, *, skin: float = 0.5, dtype: Any = jnp.float32
) -> Simulated:
    """A potential as an energy function of JAX MD, with its space and its neighbour list.

    Args:
        system: the atoms, and the cell to begin with; periodic in all directions or in none.
        skin: in Å. The list reaches that much further than the potential.
        dtype: of positions and energy; float64 only inside `tutor.precision.float64()`.

    Where the list does not hold all neighbours, the energy raises ValueError, and is NaN (with its
    forces) inside jit: when a buffer has overflowed (allocate anew), when atoms have moved further
    than the skin allows (update before each step), and when a `box` has shrunk or sheared so far
    that pairs are missing (begin anew with that cell, or with a larger skin).

    Raises:
        ValueError: for other periodicity, where the cell is too small for nearest images, and for
            a skin that is not positive.
    """
    if not skin > 0:
        raise ValueError(f"skin = {skin}: give a positive length in Å, to leave room for motion")
    reach, periodic = potential.cutoff + skin, bool(system.pbc.all())
    if system.pbc.any() and not periodic:
        raise ValueError(
            f"system.pbc = {system.pbc.tolist()}: JAX MD has spaces that are periodic in all "
            "directions or in none. Put vacuum of more than the cutoff into a periodic cell"
        )
    positions, cell = np.asarray(system.positions), np.asarray(system.cell)
    if periodic:
        _check_images(cell, reach)
        box = jnp.asarray(cell.T, dtype)
        displacement, shift = space.periodic_general(box, fractional_coordinates=True)
        positions = positions @ np.linalg.inv(cell) % 1.0
    else:
        box = jnp.zeros((3, 3), dtype)
        displacement, shift = space.free()
    neighbors = partition.neighbor_list(
        displacement,
        box,
        potential.cutoff + skin / 4,  # atoms go on moving after an update
        0.75 * skin,
        fractional_coordinates=periodic,
        disable_cell_list=not periodic or not np.array_equal(cell, np.tril(cell)),
        custom_mask_function=lambda j: j.astype(jnp.int32),  # int64 without cells: jax warns
        format=partition.Dense,
    )
    numbers = jnp.asarray(system.numbers, jnp.int32)

    def energy(positions, neighbor, **kwargs):
        now = kwargs.get("box", box)
        if kwargs.get("perturbation") is not None:
            now = kwargs["perturbation"] @ now
        apart = partial(displacement, **kwargs)
        atoms = jnp.arange(len(positions), dtype=jnp.int32)[:, None]
        mask = neighbor.idx < len(positions)
        j = jnp.where(mask, neighbor.idx, atoms)
        r_ij = jnp.where(mask[..., None], space.map_neighbor(apart)(positions, positions[j]), 0.0)
        shift = -jnp.round(positions[j] - positions[:, None]) if periodic else jnp.zeros_like(r_ij)
        graph = Graph(
            r_ij=r_ij,
            shift=jax.lax.stop_gradient(shift).astype(jnp.int32),
            neighbor=j,
            mask=mask,
            species=numbers,
            structure=jnp.zeros(len(positions), jnp.int32),
            cell=now.T[None],
            cutoff=reach,
        )
        moved = jax.vmap(apart)(positions, neighbor.reference_position)
        valid = _holds_all(moved, now, box, potential.cutoff, skin, periodic)
        valid = _certain(valid, "atoms or box have changed by more than the skin: update the list")
        sound = (neighbor.did_buffer_overflow | neighbor.cell_size_too_small) == 0
        sound = _certain(sound, "the neighbour list has overflowed: allocate it anew")
        return energy_of(potential, graph.within(potential.cutoff))[0] * valid * sound

    return Simulated(displacement, shift, neighbors, energy, jnp.asarray(positions, dtype))


def _check_images(cell: np.ndarray, reach: float) -> None:
    width = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0).max()
    if width < 2 * reach:
        raise ValueError(
            f"the cell is {width:.4g} Å wide, but with cutoff and skin atoms look {reach:.4g} Å "
            "far, and JAX MD sees nearest images only: repeat the cell until it is twice as wide"
        )


def _holds_all(moved, box, first, cutoff, skin, periodic):
    """Whether no pair can have come within the cutoff that is not in the list.

    A box that has changed by a factor of s (and back) since the list was built brings in pairs
    from s² times as far, because fractional coordinates do not notice it.
    """
    far = jnp.sqrt((moved**2).sum(axis=-1).max())
    if not periodic:
        return 2 * far <= skin
    box = jax.lax.stop_gradient(box)
    stretches = jnp.linalg.svd(box @ jnp.linalg.inv(first), compute_uv=False)
    s = jnp.maximum(stretches.max(), 1 / stretches.min())
    width = 1 / jnp.linalg.norm(jnp.linalg.inv(box), axis=1).max()
    s = jnp.where(s < 1 + 1e-5, 1.0, s)  # rounding
    return (s**2 * (cutoff + 2 * far) <= cutoff + skin) & (width >= 2 * cutoff)


def _certain(holds: Array, message: str) -> Array:
    """1 where `holds`; else an error, or NaN where the value is not known yet."""
    holds = jax.lax.stop_gradient(holds)
    if not isinstance(holds, jax.core.Tracer) and not holds:
        raise ValueError(f"{message}. Otherwise pairs of atoms would be missing")
    return jnp.where(holds, 1.0, jnp.nan)
