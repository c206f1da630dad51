"""An ASE calculator as a map from arrays to arrays."""

from collections.abc import Callable

import numpy as np

from tutor.symmetry.spec import KNOWN, Spec, atomistic, pbc

_ASE = {"energy", "energies", "forces", "stress", "dipole", "charges"}


def is_calculator(thing: object) -> bool:
    """Whether this is an ASE calculator, without importing ASE."""
    return hasattr(thing, "implemented_properties") and hasattr(thing, "get_property")


def from_ase(calculator: object, *, periodic: bool, outputs: tuple[str, ...] | None = None):
    """The map of a calculator, and its spec.

    Args:
        calculator: an ASE calculator, as one attaches it to `Atoms`.
        periodic: whether the map takes a cell and the periodic directions as well.
        outputs: what to ask for; by default all that it implements and `KNOWN` names. The stress
            is asked for only with a cell.

    Returns:
        (function, spec); the function returns a dict, its stress as (3, 3).

    Raises:
        ValueError: if the calculator has none of the outputs.
    """
    has = [n for n in KNOWN if n in _ASE and n in calculator.implemented_properties]
    wanted = [n for n in (outputs or has) if n in has and (periodic or n != "stress")]
    if periodic:  # a dipole per cell has no meaning
        wanted = [n for n in wanted if n != "dipole"]
    if not wanted:
        raise ValueError(f"{type(calculator).__name__} has none of {outputs or list(KNOWN)}")
    spec = atomistic(*wanted, periodic=periodic)
    if periodic:
        spec = Spec({**spec.inputs, "pbc": pbc()}, spec.outputs)
    return _caller(calculator, tuple(wanted)), spec


def _caller(calculator, outputs) -> Callable:
    from ase import Atoms
    from ase.stress import voigt_6_to_full_3x3_stress

    def calculated(positions, species, cell=None, pbc=False):
        atoms = Atoms(species, positions, cell=cell, pbc=pbc, calculator=calculator)
        if hasattr(calculator, "reset"):
            calculator.reset()  # else results for an equal structure come from its memory
        found = {name: np.array(calculator.get_property(name, atoms)) for name in outputs}
        positions[...] = atoms.positions
        if "stress" in found and found["stress"].shape == (6,):
            found["stress"] = voigt_6_to_full_3x3_stress(found["stress"])
        return found

    calculated.__name__ = type(calculator).__name__
    return calculated
