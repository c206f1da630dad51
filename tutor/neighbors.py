"""From structures to graphs: who is near whom, batches, padding, and edge lists.

All of this runs on the host, in NumPy and float64; only the finished graph is cast.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import vesin
from jaxtyping import Float, Int

from tutor.graph import Graph, System


class Edges(NamedTuple):
    """A graph as a list of directed edges, as PyTorch Geometric, jraph and e3nn want it.

    A message travels from the sender j to the receiver i; r_ij = r_sender − r_receiver + image.
    """

    senders: Int[np.ndarray, "edges"]
    receivers: Int[np.ndarray, "edges"]
    r_ij: Float[np.ndarray, "edges 3"]
    shift: Int[np.ndarray, "edges 3"]


def graph(
    systems: System | Sequence[System],
    cutoff: float,
    *,
    dtype: Any = jnp.float32,
    atoms: int | None = None,
    slots: int | None = None,
    structures: int | None = None,
) -> Graph:
    """The graph of one structure, or one graph of several.

    Args:
        cutoff: in Å; atoms nearer than this are neighbours, in as many images as there are.
        dtype: of lengths; float64 needs `with tutor.precision.float64():` around the call.
        atoms, slots, structures: sizes to pad to, so that graphs of different structures have
            one shape and are compiled once. By default as small as possible.

    Raises:
        ValueError: for a cutoff that is not positive, a structure without atoms, positions that
            are not finite, periodic directions without a cell vector, sizes that do not
            suffice, or float64 where JAX would drop it.
    """
    systems = [systems] if isinstance(systems, System) else list(systems)
    if not systems:
        raise ValueError("systems is empty: give at least one System")
    counts = [len(system) for system in systems]
    return from_edges(
        _concatenate([edges_of(system, cutoff) for system in systems], counts),
        species=np.concatenate([system.numbers for system in systems]),
        structure=np.repeat(np.arange(len(systems)), counts),
        cell=np.stack([system.cell for system in systems]),
        cutoff=cutoff,
        dtype=dtype,
        atoms=atoms,
        slots=slots,
        structures=structures,
    )


def edges_of(system: System, cutoff: float) -> Edges:
    """Every pair nearer than `cutoff`, in both directions, sorted by receiver, sender and image.

    Raises:
        ValueError: for bad input, as `graph`.
    """
    _validate(system, cutoff)
    search = vesin.NeighborList(cutoff=cutoff, full_list=True)
    cell = np.where(system.pbc[:, None], system.cell, 0.0)
    i, j, shift = search.compute(system.positions, cell, system.pbc, quantities="ijS")
    i, j = i.astype(np.int64), j.astype(np.int64)
    low, span = (shift.min(axis=0), np.ptp(shift, axis=0) + 1) if len(shift) else (0, (1, 1, 1))
    order = np.argsort(
        np.ravel_multi_index((i, j, *(shift - low).T), (len(system), len(system), *span))
    )
    i, j, shift = i[order], j[order], shift[order]
    r_ij = system.positions[j] - system.positions[i] + shift.astype(float) @ cell
    return Edges(senders=j, receivers=i, r_ij=r_ij, shift=shift)


def from_edges(
    edges: Edges,
    *,
    species: Int[np.ndarray, "atoms"],
    structure: Int[np.ndarray, "atoms"],
    cell: Float[np.ndarray, "structures 3 3"],
    cutoff: float,
    dtype: Any = jnp.float32,
    atoms: int | None = None,
    slots: int | None = None,
    structures: int | None = None,
) -> Graph:
    """A graph from a list of edges; each pair must be there in both directions.

    Raises:
        ValueError: where `atoms`, `slots` or `structures` do not suffice, or for float64 where
            JAX would drop it.
    """
    order = np.argsort(edges.receivers, kind="stable")
    i, j = edges.receivers[order], edges.senders[order]
    count = np.bincount(i, minlength=len(species))
    k = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)  # the slot within atom i

    n = _size("atoms", atoms, len(species))
    m = _size("slots", slots, max(1, int(count.max(initial=0))))
    s = _size("structures", structures, len(cell))
    arrays = {
        "r_ij": np.zeros((n, m, 3), dtype),
        "shift": np.zeros((n, m, 3), np.int32),
        "neighbor": np.tile(np.arange(n, dtype=np.int32)[:, None], (1, m)),
        "mask": np.zeros((n, m), bool),
        "species": np.zeros(n, np.int32),
        "structure": np.zeros(n, np.int32),
        "cell": np.tile(np.eye(3, dtype=dtype), (s, 1, 1)),
    }
    arrays["r_ij"][i, k] = edges.r_ij[order]
    arrays["shift"][i, k] = edges.shift[order]
    arrays["neighbor"][i, k] = j
    arrays["mask"][i, k] = True
    arrays["species"][: len(species)] = species
    arrays["structure"][: len(species)] = structure
    arrays["cell"][: len(cell)] = cell
    return Graph(**{name: _to_jax(array) for name, array in arrays.items()}, cutoff=float(cutoff))


def to_edges(graph: Graph) -> Edges:
    """The edges of a graph, without padding, sorted by receiver. Inverse of `from_edges`."""
    mask = np.asarray(graph.mask)
    receivers, _ = np.nonzero(mask)
    return Edges(
        senders=np.asarray(graph.neighbor)[mask].astype(np.int64),
        receivers=receivers,
        r_ij=np.asarray(graph.r_ij)[mask],
        shift=np.asarray(graph.shift)[mask],
    )


def batch(
    graphs: Sequence[Graph],
    *,
    atoms: int | None = None,
    slots: int | None = None,
    structures: int | None = None,
) -> Graph:
    """One graph that holds all structures of the given ones; their padding is dropped.

    Args:
        atoms, slots, structures: sizes to pad to, as for `graph`.

    Raises:
        ValueError: where graphs differ in cutoff or dtype, or the sizes do not suffice.
    """
    kinds = {(g.cutoff, g.r_ij.dtype.name) for g in graphs}
    if len(kinds) != 1:
        raise ValueError(
            f"graphs have the cutoffs and dtypes {sorted(kinds)}: build all of them alike"
        )
    ((cutoff, dtype),) = kinds
    species = [np.asarray(g.species)[np.asarray(g.species) > 0] for g in graphs]
    structure = [np.asarray(g.structure)[: len(z)] for g, z in zip(graphs, species, strict=True)]
    cell = [np.asarray(g.cell)[: k.max() + 1] for g, k in zip(graphs, structure, strict=True)]
    return from_edges(
        _concatenate([to_edges(g) for g in graphs], [len(z) for z in species]),
        species=np.concatenate(species),
        structure=_concatenate_indices(structure, [len(c) for c in cell]),
        cell=np.concatenate(cell),
        cutoff=cutoff,
        dtype=dtype,
        atoms=atoms,
        slots=slots,
        structures=structures,
    )


def _concatenate(edges: Sequence[Edges], atoms: Sequence[int]) -> Edges:
    senders, receivers, r_ij, shift = zip(*edges, strict=True)
    return Edges(
        _concatenate_indices(senders, atoms),
        _concatenate_indices(receivers, atoms),
        np.concatenate(r_ij),
        np.concatenate(shift),
    )


def _concatenate_indices(
    indices: Sequence[Int[np.ndarray, "_"]], counts: Sequence[int]
) -> Int[np.ndarray, "_"]:
    """Indices into parts become indices into the parts laid end to end, `counts` long each."""
    offsets = np.cumsum([0, *counts[:-1]])
    return np.concatenate([i + offset for i, offset in zip(indices, offsets, strict=True)])


def _size(name: str, wanted: int | None, needed: int) -> int:
    if wanted is not None and wanted < needed:
        raise ValueError(f"{name} = {wanted}, but {needed} are needed: give at least as many")
    return needed if wanted is None else wanted


def _to_jax(array: np.ndarray) -> jax.Array:
    if array.dtype == np.float64 and jax.dtypes.canonicalize_dtype(np.float64) != np.float64:
        raise ValueError(
            "dtype = float64, but JAX is in single precision and would drop half of the digits: "
            "compute inside `with tutor.precision.float64():`"
        )
    return jnp.asarray(array)


def _validate(system: System, cutoff: float) -> None:
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise ValueError(f"cutoff = {cutoff}: give a positive length in Å")
    if len(system) == 0 or system.numbers.min() < 1:
        raise ValueError(
            f"system.numbers = {system.numbers}: give one atomic number per atom, 1 or more "
            "(0 means padding)"
        )
    for name in ("positions", "cell"):
        if not np.isfinite(getattr(system, name)).all():
            raise ValueError(f"system.{name} holds values that are not finite: mend or remove them")
    periodic = system.cell[system.pbc]
    if len(periodic) and np.linalg.matrix_rank(periodic) < len(periodic):
        raise ValueError(
            f"system.pbc = {system.pbc.tolist()}, but its cell vectors {periodic.tolist()} are "
            "zero or lie in one plane: give a cell vector for every periodic direction"
        )
