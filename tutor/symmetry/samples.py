"""Structures to try: random ones, or the user's own, a little rattled."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real

import numpy as np

from tutor.symmetry.groups import Arrays, Change, haar, periodic_axes, transformed
from tutor.symmetry.noise import shortest, size_of
from tutor.symmetry.spec import Spec

Sampler = Callable[[np.random.Generator], Arrays]
VOLUME = 9.0  # Å³ per atom of a random structure
CLOSEST = 1.0  # Å


def random_structures(
    spec: Spec,
    *,
    atoms: Sequence[int] = (4, 8),
    species: Sequence[int] = (1, 6, 8),
    closest: Real = CLOSEST,
) -> Sampler:
    """Random structures: positions uniform in a box, species drawn with repetition.

    Args:
        spec: what the map takes. Vectors and scalars are drawn from a normal distribution.
        atoms: the numbers of atoms to draw from; few, because each shape is compiled.
        species: atomic numbers to draw from.
        closest: no two atoms are closer than this, in Å, images included.

    Raises:
        ValueError: if the atoms do not fit.
    """

    def sample(rng):
        n = int(rng.choice(atoms))
        side = (VOLUME * n) ** (1 / 3) * max(1.0, closest)
        cell = side * (haar(rng, 1) + 0.2 * rng.uniform(-1, 1, (3, 3)))
        axes = cell if spec.periodic else side * np.eye(3)
        positions = _apart(rng, n, axes, closest, spec.periodic)
        return {name: _drawn(rng, kind, n, positions, cell, species)
                for name, kind in spec.inputs.items()}  # fmt: skip

    return sample


def _apart(rng, n, axes, closest, periodic):
    steps = np.array(np.meshgrid(*[[-1, 0, 1] if periodic else [0]] * 3)).reshape(3, -1).T @ axes
    placed = np.empty((0, 3))
    for _ in range(1000 * n):
        one = rng.random(3) @ axes
        images = placed[:, None] + steps
        if len(placed) == 0 or np.linalg.norm(images - one, axis=-1).min() > closest:
            placed = np.vstack([placed, one])
        if len(placed) == n:
            return placed
    raise ValueError(f"{n} atoms no closer than {closest} Å do not fit: use a smaller closest=")


def _drawn(rng, kind, n, positions, cell, species):
    role = kind.role.split(" ")[0]
    if role == "points":
        return positions
    if role == "cell":
        return cell
    if role == "pbc":
        return np.ones(3, bool)
    if role == "mask":
        return np.ones(n, bool)
    if role == "species":
        return rng.permutation(np.resize(np.asarray(species), n))
    head = (n,) if kind.per == "atom" else ()
    return rng.standard_normal(head + (3,) * kind.rank)


def rattled(spec: Spec, structures: Sequence[Arrays], amount: Real = 0.05) -> Sampler:
    """The given structures in turn by chance, displaced by a fraction of the shortest distance."""

    def sample(rng):
        inputs = dict(structures[rng.integers(len(structures))])
        name = spec.input("points")
        if name:
            step = amount * shortest(spec, inputs)
            inputs[name] = inputs[name] + step * rng.uniform(-1, 1, inputs[name].shape)
        return inputs

    return sample


def sampler(spec: Spec, sample: object, **options) -> Sampler:
    """A sampler from what the user gave: nothing, a function, or one or several structures."""
    if sample is None:
        return random_structures(spec, **options)
    if callable(sample):
        return sample
    several = isinstance(sample, Sequence) and not isinstance(sample, Mapping)
    if not several or hasattr(sample, "positions"):  # an ase.Atoms has a length too
        sample = [sample]
    return rattled(spec, [_two(spec, as_inputs(spec, one)) for one in sample])


def _two(spec: Spec, inputs: Arrays) -> Arrays:
    """A cell of one atom twice: alone, no force acts on it, and nothing can be seen."""
    axes = np.flatnonzero(periodic_axes(spec, inputs)) if spec.periodic else ()
    if spec.atoms(inputs) > 1 or not len(axes):
        return inputs
    return transformed(
        spec, inputs, Change(repeats=tuple((1 + (np.arange(3) == axes[0])).tolist()))
    )


def as_inputs(spec: Spec, structure: object) -> Arrays:
    """Inputs of the map from a mapping, an `ase.Atoms` or a `tutor.System`.

    Raises:
        ValueError: if an input of the map is not in it.
    """
    if not isinstance(structure, Mapping):
        known = {"points": "positions", "species": "numbers", "cell": "cell", "pbc": "pbc"}
        found = {
            name: np.array(getattr(structure, known[kind.role.split(" ")[0]]))
            for name, kind in spec.inputs.items() if kind.role.split(" ")[0] in known
        }  # fmt: skip
        if "mask" in (roles := [k.role for k in spec.inputs.values()]):
            found[list(spec.inputs)[roles.index("mask")]] = np.ones(len(structure), bool)
        structure = found
    if missing := [name for name in spec.inputs if name not in structure]:
        raise ValueError(f"the structure has no {', '.join(missing)}, which the map takes")
    return {n: np.asarray(structure[n], float if k.moves else None) for n, k in spec.inputs.items()}


def scaled(spec: Spec, inputs: Arrays, scale: Real) -> Arrays:
    """All lengths times `scale`."""
    if scale == 1:
        return inputs
    lengths = ("points", "cell")
    return {n: v * scale if spec.inputs[n].role in lengths else v for n, v in inputs.items()}


def deformed(spec: Spec, inputs: Arrays, rng: np.random.Generator) -> Arrays:
    """Every real-valued input changed by a tenth: no symmetry relates the two."""
    return {
        n: v + 0.1 * size_of(v) * rng.uniform(-1, 1, v.shape)
        if spec.inputs[n].moves and spec.inputs[n].role != "cell" else v
        for n, v in inputs.items()
    }  # fmt: skip
