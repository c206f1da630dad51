"""Which law of physics does a model break, by how much, and what is the smallest example?

    from tutor import symmetry
    report = symmetry.check(model)             # model(positions, species) -> energy, forces
    print(report)
    report["rotation"].witness.to_pytest()     # the smallest example, as a test

The model is any callable (JAX, torch, NumPy) or an ASE calculator. What goes in and comes out is
said by a `Spec`. An error is held against the noise of the model itself, as measured.
"""

from tutor.symmetry.calculators import from_ase
from tutor.symmetry.catalogue import names
from tutor.symmetry.check import check
from tutor.symmetry.gradients import gradients
from tutor.symmetry.groups import Change, about
from tutor.symmetry.labels import Floor, label_floor
from tutor.symmetry.laws import Comparison
from tutor.symmetry.report import Finding, Report, Verdict
from tutor.symmetry.samples import random_structures
from tutor.symmetry.spec import (
    Kind,
    Spec,
    atomistic,
    energies,
    energy,
    forces,
    lattice,
    mask,
    pbc,
    points,
    pseudoscalar,
    pseudovector,
    scalar,
    species,
    stress,
    tensor,
    vector,
    velocities,
)
from tutor.symmetry.witness import Witness, replay

__all__ = [
    "Change",
    "Comparison",
    "Finding",
    "Floor",
    "Kind",
    "Report",
    "Spec",
    "Verdict",
    "Witness",
    "about",
    "atomistic",
    "check",
    "energies",
    "energy",
    "forces",
    "from_ase",
    "gradients",
    "label_floor",
    "lattice",
    "mask",
    "names",
    "pbc",
    "points",
    "pseudoscalar",
    "pseudovector",
    "random_structures",
    "replay",
    "scalar",
    "species",
    "stress",
    "tensor",
    "vector",
    "velocities",
]
