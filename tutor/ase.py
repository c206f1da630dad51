"""ASE both ways: structures in and out, and any potential as an ASE calculator."""

from typing import Any, ClassVar

import ase
import jax
import jax.numpy as jnp
import numpy as np
from ase.calculators.calculator import (
    Calculator,
    PropertyNotImplementedError,
    all_changes,
)
from ase.stress import full_3x3_to_voigt_6_stress

from tutor.graph import Graph, System
from tutor.neighbors import edges_of, from_edges
from tutor.potential import Potential, evaluate
from tutor.precision import float64


def from_atoms(atoms: ase.Atoms) -> System:
    """A copy of an ASE structure's numbers, positions, cell and periodicity."""
    return System(
        atoms.numbers.copy(), atoms.positions.copy(), np.array(atoms.cell), atoms.pbc.copy()
    )


def to_atoms(system: System) -> ase.Atoms:
    """A copy of a structure for ASE."""
    return ase.Atoms(system.numbers, system.positions, cell=system.cell, pbc=system.pbc)


class PotentialCalculator(Calculator):
    """A potential as an ASE calculator of energy, energies, forces and stress.

        atoms.calc = PotentialCalculator(potential)

    Args:
        potential: any Potential.
        dtype: the precision in which it computes.

    Neighbours are searched anew for each calculation. Graphs are padded with some room, so that
    the motion of atoms does not change their shape, and nothing is compiled twice.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "energies", "forces", "stress"]

    def __init__(self, potential: Potential, *, dtype: Any = jnp.float64):
        super().__init__()
        self.potential = potential
        self.dtype = jnp.dtype(dtype)
        self._slots = 1
        if jax.tree_util.all_leaves([potential]):  # a plain callable, with nothing to trace in it
            compiled = jax.jit(lambda made: evaluate(potential, made))
            self._evaluate = lambda _, made: compiled(made)
        else:
            self._evaluate = jax.jit(evaluate)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Fills `self.results`. Called by ASE.

        Raises:
            PropertyNotImplementedError: where stress is asked for without three cell vectors.
        """
        super().calculate(atoms, properties, system_changes)
        has_volume = self.atoms.cell.rank == 3
        if "stress" in properties and not has_volume:
            raise PropertyNotImplementedError(
                f"stress of atoms with cell {self.atoms.cell[:].tolist()}: stress is an energy per "
                "volume, so give three cell vectors"
            )
        with float64():
            found = jax.device_get(self._evaluate(self.potential, self._graph()))
        self.results = {
            "energy": float(found.energy[0]),
            "energies": found.energies.astype(np.float64),
            "forces": found.forces.astype(np.float64),
        }
        if has_volume:
            stress = -found.virial[0].astype(np.float64) / self.atoms.get_volume()
            self.results["stress"] = full_3x3_to_voigt_6_stress(stress)

    def _graph(self) -> Graph:
        system, cutoff = from_atoms(self.atoms), self.potential.cutoff
        edges = edges_of(system, cutoff)
        most = int(np.bincount(edges.receivers, minlength=1).max())
        if most > self._slots:
            self._slots = most + most // 8 + 1
        return from_edges(
            edges,
            species=system.numbers,
            structure=np.zeros(len(system), int),
            cell=system.cell[None],
            cutoff=cutoff,
            dtype=self.dtype,
            slots=self._slots,
        )
