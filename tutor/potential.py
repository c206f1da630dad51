"""From atomic energies to energy, forces and stress.

A potential is any callable that takes a Graph and returns an energy for every atom. Everything
else is a derivative with respect to one array, the vectors r_ij between neighbours. With
g_ij = ∂E/∂r_ij, where E is the energy of all atoms,

    F_i = Σ_j g_ij − Σ_j g_ji          forces, −∂E/∂r_i
    W = −Σ_ij r_ij ⊗ g_ij              virial, −∂E/∂strain
    σ = −W / V                         stress, positive under tension

E in eV, F in eV/Å, W in eV, σ in eV/Å³.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.pytree import pytree


@runtime_checkable
class Potential(Protocol):
    """What energies, forces, dynamics and all other tools ask of a model.

    Attributes:
        cutoff: how far an atom looks, in Å.
        hops: over how many steps from neighbour to neighbour the energy of one atom reaches; its
            range is `hops · cutoff`. 1 without message passing.
    """

    cutoff: float
    hops: int

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        """The energy of each atom in eV. What it gives for padding does not matter."""
        ...


class Evaluation(NamedTuple):
    """All that one forward and one reverse pass give."""

    energies: Float[Array, "atoms"]
    energy: Float[Array, "structures"]
    forces: Float[Array, "atoms 3"]
    virial: Float[Array, "structures 3 3"]


def energy(potential: Potential, graph: Graph) -> Float[Array, "structures"]:
    """The energy of each structure in eV.

    Raises:
        ValueError: where the graph does not reach as far as the potential looks, or the potential
            does not give one energy for each atom.
    """
    return graph.per_structure(_energies(potential, graph))


def forces(potential: Potential, graph: Graph) -> Float[Array, "atoms 3"]:
    """The force on each atom in eV/Å, −∂E/∂r_i; errors as for `energy`."""
    return evaluate(potential, graph).forces


def stress(potential: Potential, graph: Graph) -> Float[Array, "structures 3 3"]:
    """∂E/∂strain / V of each structure in eV/Å³: positive under tension. Symmetric.

    Raises:
        ValueError: as for `energy`, and where a structure has no volume. Inside jit, where the
            cell is not known, its stress is not finite instead.
    """
    volumes = jnp.abs(jnp.linalg.det(graph.cell))
    if not isinstance(volumes, jax.core.Tracer) and not np.all(volumes):
        raise ValueError(
            f"graph.cell spans the volumes {volumes} Å³, and stress is an energy per volume: give "
            "every System three cell vectors, or use evaluate(potential, graph).virial"
        )
    return -evaluate(potential, graph).virial / volumes[:, None, None]


def evaluate(potential: Potential, graph: Graph) -> Evaluation:
    """Energies, forces and virial at the price of one derivative; errors as for `energy`."""

    def total(r_ij):
        energies = _energies(potential, replace(graph, r_ij=r_ij))
        return energies.sum(), energies

    g_ij, energies = jax.grad(total, has_aux=True)(graph.r_ij)
    forces = g_ij.sum(axis=1).at[graph.neighbor].add(-g_ij)
    virial = -graph.per_structure(jnp.einsum("ika,ikb->iab", graph.r_ij, g_ij))
    virial = (virial + virial.mT) / 2  # equal already where the energy does not change by rotation
    return Evaluation(energies, graph.per_structure(energies), forces, virial)


def _energies(potential: Potential, graph: Graph) -> Float[Array, "atoms"]:
    """The energy of each atom, 0 for padding."""
    if potential.cutoff > graph.cutoff:
        raise ValueError(
            f"{type(potential).__name__} looks {potential.cutoff} Å far, but the graph holds only "
            f"neighbours up to {graph.cutoff} Å: build it with graph(systems, potential.cutoff)"
        )
    energies = potential(graph)
    if energies.shape != graph.species.shape:
        raise ValueError(
            f"{type(potential).__name__} gives energies of shape {energies.shape} for the "
            f"{len(graph.species)} atoms of the graph: a potential gives one energy for each atom"
        )
    return jnp.where(graph.species > 0, energies, 0.0)


@pytree(static=("cutoff", "hops"))
@dataclass(frozen=True, init=False)
class Sum:
    """The sum of several potentials, such as a network on top of a short-ranged repulsion."""

    parts: tuple[Potential, ...]
    cutoff: float
    hops: int

    def __init__(self, *parts: Potential):
        if not parts:
            raise ValueError("Sum() has no parts: give at least one potential")
        for name, value in {
            "parts": parts,
            "cutoff": max(part.cutoff for part in parts),
            "hops": max(part.hops for part in parts),
        }.items():
            object.__setattr__(self, name, value)

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        return sum(part(graph) for part in self.parts)
