"""Energies of JAX MD as potentials.

Its energies ask a displacement function where neighbours are. Ours answers with the vectors of the
graph, so that whatever cell and images the graph has, the energy has them too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax_md import energy, partition, smap
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.precision import float64
from tutor.pytree import pytree

_PAIRS: dict[Callable, dict[str, Any]] = {
    energy.soft_sphere_neighbor_list: {"per_particle": True},
    energy.lennard_jones_neighbor_list: {"per_particle": True},
    energy.morse_neighbor_list: {"per_particle": True},
    energy.bks_neighbor_list: {
        "pair_neighbor_list_fn": partial(smap.pair_neighbor_list, reduce_axis=(1,))
    },
}
# Sums over atoms of something that only the neighbours of that atom decide.
_LOCAL = (
    energy.stillinger_weber_neighbor_list,
    energy.tersoff_neighbor_list,
    energy.eam_neighbor_list,
)


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class FromJaxMD:
    """An energy of JAX MD as a Potential. Made by `from_jax_md`."""

    factory: Callable
    parameters: Mapping[str, Any]
    elements: Mapping[int, int]
    unit: float
    cutoff: float
    hops: ClassVar[int] = 1

    def __call__(self, graph: Graph) -> Float[Array, "atoms"]:
        graph = graph.within(self.cutoff)
        outside = jnp.array([1.1 * self.cutoff, 0.0, 0.0], graph.r_ij.dtype)
        r_ij = jnp.where(graph.mask[..., None], graph.r_ij, outside)
        if self.factory in _PAIRS:
            known = dict(self.elements)
            table = jnp.array([known.get(z, -1) for z in range(119)])
            species = table[graph.species]
            energies = self._function(r_ij, graph.neighbor, species=species if known else None)
            unknown = (species < 0) & (graph.species > 0) & bool(known)
            return jnp.where(unknown, jnp.nan, energies) * self.unit
        nobody = jnp.full(r_ij.shape[1], -1)  # a neighbour that is not the atom itself
        alone = jax.vmap(lambda r: self._function(r[None], nobody[None]))
        return alone(r_ij) * self.unit

    def _function(self, r_ij, idx, species=None):
        """The energies of all atoms of a pair energy, or the energy of one atom."""
        options = dict(_PAIRS.get(self.factory, {}))
        if species is not None:
            options["species"] = species
        parameters = {name: _exact(x, r_ij.dtype) for name, x in self.parameters.items()}
        _, function = _made(self.factory, parameters | options, [])
        seen = _Seen(r_ij)
        return function(
            seen, SimpleNamespace(idx=idx, format=partition.Dense, reference_position=seen)
        )


def from_jax_md(
    factory: Callable,
    *,
    elements: Mapping[int, int] | None = None,
    unit: float = 1.0,
    **parameters: Any,
) -> FromJaxMD:
    """An energy of JAX MD as a Potential, with energies of atoms, any cell and any image.

    Args:
        factory: `jax_md.energy.…_neighbor_list` of soft_sphere, lennard_jones, morse, bks,
            stillinger_weber, tersoff or eam.
        elements: which species of JAX MD an atomic number is, for a pair energy with tables of
            parameters (species, species): {14: 0, 8: 1}.
        unit: of its energy, in eV: `units.KCAL_PER_MOL` for bks. Lengths are in Å.
        **parameters: as the factory takes them. They are used in the precision of the graph, while
            JAX MD alone rounds Python numbers to single precision.

    The energies of atoms of an element that is not in `elements` are NaN. Forces of Tersoff's
    energy are NaN for an atom with one neighbour only, as in JAX MD.

    Raises:
        ValueError: for a factory that has no energy of one atom or sees more than its neighbours,
            and for parameters that belong to single atoms.
    """
    if factory not in _PAIRS and factory not in _LOCAL:
        names = ", ".join(f.__name__ for f in (*_PAIRS, *_LOCAL))
        raise ValueError(
            f"factory = {getattr(factory, '__name__', factory)!r} has no energy of one atom that "
            f"its neighbours alone decide: give one of {names}"
        )
    for name, x in parameters.items():
        if (np.ndim(x) == 1 and factory in _PAIRS) or (np.ndim(x) == 2 and not elements):
            raise ValueError(
                f"{name} has shape {np.shape(x)}: give one number, or with `elements` a table "
                "(species, species)"
            )
    reach: list[float] = []
    with float64():
        exact = {name: _exact(x, jnp.float64) for name, x in parameters.items()}
        _made(factory, exact | ({"species": jnp.zeros(1, int)} if elements else {}), reach)
    return FromJaxMD(factory, parameters, elements or {}, unit, reach[0])


def _made(factory: Callable, parameters: Mapping[str, Any], reach: list[float]):
    """The factory's two functions, where no list is built: `reach` gets the cutoff instead."""

    def neighbor_list(displacement, box, cutoff, *_, **__):
        if not isinstance(cutoff, jax.core.Tracer):
            reach.append(float(cutoff))

    needed = {"species": None} if factory is energy.bks_neighbor_list else {}
    return factory(
        lambda r_ij, _, **__: r_ij,
        1.0,
        **needed | dict(parameters),
        format=partition.Dense,
        neighbor_list_fn=neighbor_list,
    )


@pytree()
@dataclass(frozen=True, eq=False)
class _Seen:
    """Positions as each atom sees them: whatever index is asked for, its neighbours at r_ij."""

    r_ij: Array

    def __getitem__(self, _):
        return self.r_ij

    def __len__(self):
        return len(self.r_ij)

    @property
    def shape(self):
        return self.r_ij.shape[::2]


def _exact(x: Any, dtype: Any) -> Any:
    """Numbers as arrays of the precision that is asked for; everything else as it is."""
    if isinstance(x, Mapping):
        return {name: _exact(value, dtype) for name, value in x.items()}
    if isinstance(x, list) and x and isinstance(x[0], Mapping):
        return [_exact(value, dtype) for value in x]
    if callable(x) or x is None or isinstance(x, bool | str):
        return x
    return jnp.asarray(x, dtype)
