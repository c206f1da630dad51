"""What a trajectory says about order: pair distances and the structure factor."""

from collections.abc import Iterable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tutor.graph import Graph
from tutor.neighbors import edges_of
from tutor.system import System


def pair_counts(
    graph: Graph, edges: Float[Array, "edges"], *, first: int = 0, second: int = 0
) -> Int[Array, "bins"]:
    """How many pairs i → j lie between two edges each. Inside jit too; sum it over frames.

    Args:
        edges: of equal bins, in Å, ascending; the last at most the cutoff of the graph.
        first, second: atomic numbers of i and j; 0 for any.
    """
    r, bins = graph.lengths(), len(edges) - 1
    chosen = graph.mask & (r >= edges[0]) & (r < edges[-1])
    if first:
        chosen &= (graph.species == first)[:, None]
    if second:
        chosen &= graph.at_neighbors(graph.species) == second
    k = jnp.clip(jnp.searchsorted(edges, r, side="right") - 1, 0, bins - 1)
    return jnp.zeros(bins, jnp.int32).at[k].add(chosen.astype(jnp.int32))


class RDF(NamedTuple):
    """The middles of bins in Å, g(r), and how many atoms lie nearer than each bin's outer edge."""

    r: Float[np.ndarray, "bins"]
    g: Float[np.ndarray, "bins"]
    coordination: Float[np.ndarray, "bins"]


def normalised(counts, edges, first: int, second: int, volume: float) -> RDF:
    """g(r) = n(r) / (N_i ρ_j V_shell), with ρ_j = N_j / V. For any periodic cell.

    Args:
        counts: pairs i → j for each bin (bins,), the mean over frames.
        edges: of the bins (bins + 1,), in Å.
        first, second: how many atoms i and j there are, N_i and N_j.
        volume: in Å³, the mean over frames.

    By this ρ_j the coordination is exact. LAMMPS divides by N_j − 1 for one species, so its g is
    larger by N / (N − 1).
    """
    counts, edges = np.asarray(counts, np.float64), np.asarray(edges, np.float64)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    g = counts * volume / (first * second * shells)
    return RDF((edges[1:] + edges[:-1]) / 2, g, np.cumsum(counts) / first)


def rdf(
    frames: Iterable[System],
    *,
    cutoff: float,
    bins: int = 200,
    first: int | None = None,
    second: int | None = None,
) -> RDF:
    """The radial distribution function, with as many periodic images as the cutoff reaches.

    Args:
        frames: the same atoms at different times; positions wrapped or not.
        cutoff: in Å; it may exceed the cell.
        first, second: atomic numbers; None for all atoms.

    Raises:
        ValueError: without frames, for a frame that is not periodic in three directions, or for
            species that are not there.
    """
    edges = np.linspace(0.0, cutoff, bins + 1)
    total, volume, count = np.zeros(bins), 0.0, 0
    for system in frames:
        if not system.pbc.all():
            raise ValueError(
                f"pbc = {system.pbc.tolist()}: g(r) compares with a uniform density, so give "
                "frames that are periodic in all directions"
            )
        i, j = (_chosen(system, z) for z in (first, second))
        found = edges_of(system, cutoff)
        pairs = i[found.receivers] & j[found.senders]
        total += np.histogram(np.linalg.norm(found.r_ij[pairs], axis=1), edges)[0]
        volume += abs(np.linalg.det(system.cell))
        count += 1
    if not count:
        raise ValueError("frames is empty: give at least one System")
    return normalised(total / count, edges, int(i.sum()), int(j.sum()), volume / count)


def _chosen(system: System, number: int | None) -> np.ndarray:
    chosen = np.ones(len(system), bool) if number is None else system.numbers == number
    if not chosen.any():
        raise ValueError(
            f"no atom has the atomic number {number}; there are {np.unique(system.numbers)}"
        )
    return chosen


class StructureFactor(NamedTuple):
    """Wave numbers k in 1/Å, S(k), and how many wave vectors ±k were averaged for each."""

    k: Float[np.ndarray, "shells"]
    S: Float[np.ndarray, "shells"]
    vectors: Int[np.ndarray, "shells"]


def structure_factor(
    positions: Float[np.ndarray, "frames atoms 3"],
    cell: Float[np.ndarray, "3 3"],
    *,
    k_max: float,
    width: float | None = None,
) -> StructureFactor:
    """S(k) = ⟨|Σ_j e^(i k·r_j)|²⟩ / N on the wave vectors that fit into the periodic cell.

    Args:
        positions: in Å, wrapped or not.
        k_max: the largest wave number in 1/Å; k = 0 is left out.
        width: vectors within so much in k are averaged; by default 2π / V^(1/3).
    """
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T  # rows
    most = np.floor(k_max * np.linalg.norm(cell, axis=1) / (2 * np.pi)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in most), indexing="ij"), -1)
    grid = grid.reshape(-1, 3)
    grid = grid[len(grid) // 2 + 1 :]  # of k and −k one, and not 0
    vectors = grid @ reciprocal
    k = np.linalg.norm(vectors, axis=1)
    vectors, k = vectors[k <= k_max], k[k <= k_max]

    S = np.zeros(len(k))
    for r in np.asarray(positions, np.float64):
        for part in np.array_split(np.arange(len(k)), max(1, len(k) * len(r) // 2**21)):
            S[part] += np.abs(np.exp(1j * vectors[part] @ r.T).sum(axis=1)) ** 2
    S /= positions.shape[0] * positions.shape[1]

    width = 2 * np.pi / abs(np.linalg.det(cell)) ** (1 / 3) if width is None else width
    shell = np.round(k / width).astype(int)
    count = np.bincount(shell)
    there = count > 0
    mean_k, mean_S = (np.bincount(shell, x)[there] / count[there] for x in (k, S))
    return StructureFactor(mean_k, mean_S, count[there])
