"""Guess the spec of an atomistic map from what it returns."""

import inspect
from collections.abc import Mapping, Sequence

import numpy as np

from tutor.symmetry.frameworks import Model, label, shape_of
from tutor.symmetry.samples import sampler
from tutor.symmetry.spec import KNOWN, Spec, atomistic, energy, scalar, vector


def infer(
    function: object, sample: object, species: Sequence[int], library: str | None = None
) -> Spec:
    """The spec of f(positions, species[, cell]), from one call.

    Outputs with a known name (energy, forces, stress, ...) are what the name says; a bare number
    is an energy, a bare (atoms, 3) array are forces.

    Raises:
        ValueError: if an output cannot be guessed; the message says to give a spec.
    """
    own = getattr(function, "spec", None)
    if isinstance(own, Spec):
        return own
    spec = atomistic("energy", periodic=_takes_cell(function))
    options = {"species": species} if sample is None else {}
    inputs = sampler(spec, sample, **options)(np.random.default_rng(0))
    model = Model(function, spec, library=library, example=inputs)
    answer, atoms = model.returned(inputs), spec.atoms(inputs)
    if not isinstance(answer, Mapping):
        answer = {_name_of(shape_of(answer), atoms): answer}
    kinds = {name: _kind(name, shape_of(value), atoms) for name, value in answer.items()}
    if unknown := [name for name, kind in kinds.items() if kind is None]:
        raise ValueError(
            f"{label(function)} returns {', '.join(unknown)}, whose kind cannot be guessed: "
            "give spec=symmetry.Spec(inputs={...}, outputs={...})"
        )
    return Spec(spec.inputs, kinds)


def _takes_cell(function) -> bool:
    target = function if inspect.isroutine(function) else getattr(function, "forward", function)
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind < p.VAR_POSITIONAL]
    return len(needed) >= 3


def _name_of(shape, atoms) -> str:
    return "forces" if shape == (atoms, 3) else "energies" if shape == (atoms,) else "energy"


def _kind(name, shape, atoms):
    if name in KNOWN:
        return KNOWN[name]
    if shape in ((), (1,)):
        return energy() if "energy" in name else scalar()
    if shape[0] == atoms:
        return vector(per="atom") if shape[1:] == (3,) else scalar(per="atom")
    return None
