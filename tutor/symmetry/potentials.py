"""A Potential (graph -> energies of atoms) as a map from arrays to arrays."""

from collections.abc import Callable

import numpy as np

from tutor.symmetry.spec import Spec, atomistic, pbc


def is_potential(thing: object) -> bool:
    """Whether this is a `tutor.potential.Potential`, without importing JAX."""
    return callable(thing) and hasattr(thing, "cutoff") and hasattr(thing, "hops")


def from_potential(potential: object, *, periodic: bool) -> tuple[Callable, Spec]:
    """The map of a potential, and its spec: energy, energies, forces and, with a cell, stress.

    Neighbours are searched anew in every call, on the host; what follows is compiled.
    """
    import jax

    from tutor.neighbors import edges_of, from_edges
    from tutor.potential import evaluate
    from tutor.precision import float64
    from tutor.system import System

    traced = not jax.tree_util.all_leaves([potential])
    compiled = jax.jit(evaluate if traced else lambda graph: evaluate(potential, graph))

    def evaluated(positions, species, cell=None, periodic=(False, False, False)):
        box = np.zeros((3, 3)) if cell is None else np.asarray(cell, float)
        system = System(species, positions.astype(float), box, np.asarray(periodic, bool))
        edges = edges_of(system, potential.cutoff)
        slots = _slots(int(np.bincount(edges.receivers, minlength=1).max()))
        slots = slots if np.any(periodic) else max(1, min(slots, len(species) - 1))
        with float64():
            graph = from_edges(
                edges, species=species, structure=np.zeros(len(species), int), cell=box[None],
                cutoff=potential.cutoff, dtype=positions.dtype, slots=slots,
            )  # fmt: skip
            found = jax.device_get(compiled(potential, graph) if traced else compiled(graph))
        answer = {
            "energy": found.energy[0],
            "energies": found.energies,
            "forces": found.forces,
        }
        if cell is not None:
            answer["stress"] = -found.virial[0] / abs(np.linalg.det(cell))
        return answer

    evaluated.__name__ = type(potential).__name__
    outputs = ("energy", "energies", "forces", *(("stress",) if periodic else ()))
    spec = atomistic(*outputs, periodic=periodic)
    if periodic:
        spec = Spec({**spec.inputs, "pbc": pbc()}, spec.outputs)
    return evaluated, spec


def _slots(most: int) -> int:
    """Few different numbers of slots, so that little is compiled: powers of two from 32 on."""
    return max(32, 1 << (most - 1).bit_length())
