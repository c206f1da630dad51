"""The laws of form f(change(x)) = change(f(x)): E(3), permutations, padding, lattices, copies."""

import numpy as np

from tutor.symmetry.groups import Change, about, haar, periodic_axes
from tutor.symmetry.laws import transformation
from tutor.symmetry.noise import size_of

AXES = np.eye(3)


def _translation(rng, spec, inputs):
    return Change(shift=rng.standard_normal(3) * 10 * size_of(inputs[spec.input("points")]))


def _simple_translations(spec, inputs):
    size = float(f"{size_of(inputs[spec.input('points')]):.0e}")
    return [Change(shift=axis * size * far) for far in (1, 10) for axis in AXES]


def _simple_rotations(spec, inputs):
    turns = [(axis, angle) for angle in (90, 180, 45) for axis in map(tuple, AXES[::-1])]
    return [Change(matrix=about(axis, angle)) for axis, angle in turns]


def _simple_reflections(spec, inputs):
    mirrors = [Change(matrix=np.eye(3) - 2 * np.outer(axis, axis)) for axis in AXES]
    return [*mirrors, Change(matrix=-np.eye(3))]


def _alike(spec, inputs):
    """Groups of atoms of one species, of two or more atoms each."""
    name = spec.input("species")
    atoms = spec.atoms(inputs)
    kinds = inputs[name] if name else np.zeros(atoms, int)
    groups = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    return [group for group in groups if len(group) > 1]


def _permutation(rng, spec, inputs):
    order = np.arange(spec.atoms(inputs))
    for group in _alike(spec, inputs):
        order[group] = rng.permutation(group)
    return Change(order=order) if (order != np.arange(len(order))).any() else None


def _simple_permutations(spec, inputs):
    pairs = [(g[i], g[i + 1]) for g in _alike(spec, inputs) for i in range(len(g) - 1)]
    return [_swap(spec.atoms(inputs), *pair) for pair in pairs]


def _relabelling(rng, spec, inputs):
    order = rng.permutation(spec.atoms(inputs))
    return Change(order=order) if (order != np.arange(len(order))).any() else None


def _simple_relabellings(spec, inputs):
    atoms = spec.atoms(inputs)
    return [_swap(atoms, i, i + 1) for i in range(atoms - 1)]


def _swap(atoms, i, j):
    order = np.arange(atoms)
    order[[i, j]] = order[[j, i]]
    return Change(order=order)


def _padding(rng, spec, inputs):
    return Change(pad=int(rng.integers(1, 4)))


def _images(rng, spec, inputs):
    images = rng.integers(-2, 3, (spec.atoms(inputs), 3)) * periodic_axes(spec, inputs)
    return Change(images=images) if images.any() else None


def _simple_images(spec, inputs):
    changes = []
    for axis in np.flatnonzero(periodic_axes(spec, inputs)):
        images = np.zeros((spec.atoms(inputs), 3), int)
        images[0, axis] = 1
        changes.append(Change(images=images))
    return changes


def _basis(rng, spec, inputs):
    changes = _simple_bases(spec, inputs)
    if not changes:
        return None
    picked = rng.permutation(len(changes))[:2]
    basis = np.eye(3, dtype=int)
    for n in picked:
        basis = changes[n].basis @ basis
    return Change(basis=basis) if (basis != np.eye(3)).any() else None


def _simple_bases(spec, inputs):
    axes = np.flatnonzero(periodic_axes(spec, inputs))
    changes = []
    for i in axes:
        for j in axes:
            if i != j:
                basis = np.eye(3, dtype=int)
                basis[i, j] = 1
                changes.append(Change(basis=basis))
    return changes


def _supercell(rng, spec, inputs):
    changes = _simple_supercells(spec, inputs)
    return changes[rng.integers(len(changes))] if changes else None


def _simple_supercells(spec, inputs):
    axes = np.flatnonzero(periodic_axes(spec, inputs))
    return [Change(repeats=tuple(np.where(np.arange(3) == axis, 2, 1).tolist())) for axis in axes]


def _points(spec):
    return "" if spec.input("points") else "no input is points()"


def _periodic(spec):
    return "" if spec.periodic else "no input is lattice()"


def _padded(spec):
    marked = spec.input("mask") or spec.padding is not None
    return "" if marked else "nothing marks padding: say species(padding=0) or mask()"


def _no_mask(spec):
    return "" if spec.input("species") else "no input is species()"


def _adds_up(kind):
    return kind.extensive is not None or kind.per == "atom"


GEOMETRY = (
    transformation(
        "translation",
        "moving the whole structure changes nothing, apart from places that move along",
        "it reads positions, not differences of positions",
        _translation,
        _simple_translations,
        _points,
    ),
    transformation(
        "rotation",
        "turning the structure turns its vectors and tensors, and leaves its scalars alone",
        "single Cartesian components are used: a clamp, a bias, a ReLU, or one axis",
        lambda rng, spec, inputs: Change(matrix=haar(rng, 1)),
        _simple_rotations,
    ),
    transformation(
        "reflection",
        "the mirror image has the mirrored vectors and the same scalars",
        "a cross product or a triple product, or an output declared with the wrong parity",
        lambda rng, spec, inputs: Change(matrix=haar(rng, -1)),
        _simple_reflections,
    ),
)
LABELS = (
    transformation(
        "permutation",
        "atoms of one species are alike: swapping their places in the list changes nothing",
        "an atom is singled out by its index, as a flat list of inputs does",
        _permutation,
        _simple_permutations,
    ),
    transformation(
        "relabelling",
        "listing the atoms, with their species, in another order changes nothing",
        "the order of species is fixed somewhere, or an atom is singled out by its index",
        _relabelling,
        _simple_relabellings,
        _no_mask,
    ),
    transformation(
        "padding",
        "appending atoms that are not there changes nothing",
        "padded atoms enter a sum, a mean or a count: the mask is not applied",
        _padding,
        lambda spec, inputs: [Change(pad=1)],
        _padded,
    ),
)
LATTICE = (
    transformation(
        "images",
        "an atom and its periodic image are the same atom",
        "differences are not taken to the nearest or to all images",
        _images,
        _simple_images,
        _periodic,
    ),
    transformation(
        "cell choice",
        "other vectors of the same lattice describe the same crystal",
        "only cell lengths are used, or too few images are searched in a skew cell",
        _basis,
        _simple_bases,
        _periodic,
    ),
    transformation(
        "supercell",
        "a repeated cell has k times the energy, and each atom has the forces it had",
        "an image is missed: one image per pair, an atom's own images, or a mean over atoms",
        _supercell,
        _simple_supercells,
        _periodic,
        _adds_up,
    ),
)
