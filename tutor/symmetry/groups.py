"""What can be done to a structure, and what that does to every input and output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real

import numpy as np
from jaxtyping import Bool, Float, Int

from tutor.symmetry.spec import Kind, Spec

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True)
class Change:
    """Something done to a structure; what is None is left alone.

    Attributes:
        matrix: an orthogonal matrix, x -> matrix x.
        shift: a translation in Å, the same for all atoms.
        order: the new order of the atoms, x -> x[order].
        images: per atom whole numbers of cell vectors by which it is moved.
        basis: an integer matrix of determinant 1, cell -> basis cell: another choice of cell.
        repeats: how often the cell is repeated along its vectors.
        pad: how many atoms are appended that are not there.
        direction: a displacement of every atom, along which a derivative is taken.
        plane: two displacements that span the plane of a closed loop.
        strain: a symmetric strain, x -> (1 + strain) x.
        others: further structures, put beside this one or into a batch with it.
        pair: two atoms; the second is moved away from the first, through the cutoff.
    """

    matrix: Float[np.ndarray, "3 3"] | None = None
    shift: Float[np.ndarray, "3"] | None = None
    order: Int[np.ndarray, "atoms"] | None = None
    images: Int[np.ndarray, "atoms 3"] | None = None
    basis: Int[np.ndarray, "3 3"] | None = None
    repeats: tuple[int, int, int] | None = None
    pad: int | None = None
    direction: Float[np.ndarray, "atoms 3"] | None = None
    plane: Float[np.ndarray, "2 atoms 3"] | None = None
    strain: Float[np.ndarray, "3 3"] | None = None
    others: tuple[Arrays, ...] | None = None
    pair: tuple[int, int] | None = None

    def given(self) -> dict[str, object]:
        """What is not None."""
        return {f.name: v for f in fields(self) if (v := getattr(self, f.name)) is not None}

    def words(self) -> str:
        """The change in words: `rotation by 90° about (0, 0, 1)`."""
        return ", ".join(_WORDS[name](value) for name, value in self.given().items()) or "nothing"


def offsets(spec: Spec, inputs: Arrays, change: Change) -> Float[np.ndarray, "copies 3"]:
    """Where the copies of the structure sit; one copy at the origin if it is not copied."""
    if change.repeats is None:
        return np.zeros((1, 3))
    steps = np.stack(np.meshgrid(*map(np.arange, change.repeats), indexing="ij"), -1)
    return steps.reshape(-1, 3) @ inputs[spec.input("cell")]


def transformed(spec: Spec, inputs: Arrays, change: Change) -> dict[str, np.ndarray]:
    """The inputs after the change, in float64."""
    copies = offsets(spec, inputs, change)
    cell = inputs.get(spec.input("cell"))
    moved = {}
    for name, kind in spec.inputs.items():
        value = inputs[name]
        if kind.affine and change.images is not None:
            value = value + change.images @ cell
        if kind.role == "cell" and change.basis is not None:
            value = change.basis @ value
        if kind.role == "cell" and change.repeats is not None:
            value = value * np.array(change.repeats)[:, None]
        moved[name] = _pad(spec, kind, _move(kind, value, change, copies), change)
    return moved


def expected(
    kind: Kind, value: np.ndarray, change: Change, copies: Float[np.ndarray, "copies 3"]
) -> np.ndarray:
    """What an output of this kind must become under the change."""
    value = _move(kind, value, change, copies)
    factor = len(copies) if kind.per == "structure" and kind.extensive else 1
    return np.asarray(value * factor)


def _move(kind, value, change, copies):
    if change.matrix is not None:
        for axis in range(-kind.rank, 0):
            value = np.moveaxis(np.moveaxis(value, axis, -1) @ change.matrix.T, -1, axis)
        if kind.pseudo:
            value = value * np.sign(np.linalg.det(change.matrix))
    if kind.affine and change.shift is not None:
        value = value + change.shift
    if kind.per == "atom" and change.order is not None:
        value = value[change.order]
    if kind.per == "atom" and len(copies) > 1:
        value = np.concatenate([value + offset if kind.affine else value for offset in copies])
    return value


def _pad(spec, kind, value, change):
    if kind.per != "atom" or not change.pad:
        return value
    fill = spec.padding or 0 if kind.role.startswith("species") else 0
    extra = np.full((change.pad, *value.shape[1:]), fill, value.dtype)
    return np.concatenate([value, extra])


def beside(spec: Spec, structures: tuple[Arrays, ...], away: np.ndarray) -> dict[str, np.ndarray]:
    """One structure that holds all of these, each moved by one more `away` than the one before."""
    joined = dict(structures[0])
    for name, kind in spec.inputs.items():
        if kind.per == "atom":
            parts = [s[name] + k * away if kind.affine else s[name]
                     for k, s in enumerate(structures)]  # fmt: skip
            joined[name] = np.concatenate(parts)
    return joined


def haar(rng: np.random.Generator, sign: int) -> Float[np.ndarray, "3 3"]:
    """An orthogonal matrix of determinant `sign`, every one equally likely."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q)) * sign


def about(axis: Sequence[Real], degrees: Real) -> Float[np.ndarray, "3 3"]:
    """The rotation by an angle about an axis (Rodrigues)."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    whole = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return np.where(np.abs(whole - np.round(whole)) < 1e-15, np.round(whole), whole)


def periodic_axes(spec: Spec, inputs: Arrays) -> Bool[np.ndarray, "3"]:
    """Which cell vectors are periodic."""
    name = spec.input("pbc")
    return np.ones(3, bool) if name is None else np.asarray(inputs[name], bool)


def images(spec: Spec, inputs: Arrays, reach: Real) -> Float[np.ndarray, "images 3"]:
    """Every lattice vector up to `reach` and one cell beyond; the zero vector without a cell."""
    if not spec.periodic:
        return np.zeros((1, 3))
    cell = inputs[spec.input("cell")]
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    most = (np.ceil(reach / heights).astype(int) + 1) * periodic_axes(spec, inputs)
    steps = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij"), -1)
    return steps.reshape(-1, 3) @ cell


def _triple(values) -> str:
    return "(" + ", ".join(f"{v + 0.0:.3g}" for v in values) + ")"


def _matrix_words(matrix) -> str:
    proper = matrix * np.sign(np.linalg.det(matrix))
    angle = np.degrees(np.arccos(np.clip((np.trace(proper) - 1) / 2, -1, 1)))
    axis = np.linalg.eigh(proper + proper.T)[1][:, -1]
    skew = np.array([proper[2, 1] - proper[1, 2], proper[0, 2] - proper[2, 0],
                     proper[1, 0] - proper[0, 1]])  # fmt: skip
    axis = axis * (np.sign(axis @ skew) or np.sign(axis[np.abs(axis).argmax()]))
    if np.linalg.det(matrix) > 0:
        return f"rotation by {angle:.4g}° about {_triple(axis)}"
    if angle < 1e-6:
        return "inversion through the origin"
    if angle > 180 - 1e-6:
        return f"reflection in the plane perpendicular to {_triple(axis)}"
    return f"rotation by {angle:.4g}° about {_triple(axis)} and inversion"


def _order_words(order) -> str:
    moved = np.flatnonzero(order != np.arange(len(order)))
    if len(moved) == 2:
        return f"atoms {moved[0]} and {moved[1]} swap places"
    return f"the atoms in the order {[int(n) for n in order]}"


def _images_words(images) -> str:
    moved = [f"atom {i} by {_triple(images[i])}" for i in np.flatnonzero(images.any(1))]
    return f"moved by whole cell vectors: {', '.join(moved[:4])}" + " ..." * (len(moved) > 4)


def _basis_words(basis) -> str:
    rows = (" ".join(f"{int(n):+d}{'abc'[k]}" for k, n in enumerate(row) if n) for row in basis)
    return "other cell vectors: " + "; ".join(rows)


def _direction_words(direction) -> str:
    atom = int(np.abs(direction).sum(1).argmax())
    return f"a displacement along a line, {_triple(direction[atom])} for atom {atom}"


_WORDS = {
    "matrix": _matrix_words,
    "shift": lambda v: f"translation by {_triple(v)} Å",
    "order": _order_words,
    "images": _images_words,
    "basis": _basis_words,
    "repeats": lambda v: "the cell repeated {} x {} x {}".format(*v),
    "pad": lambda v: f"{v} padding atom{'s' * (v > 1)} appended",
    "direction": _direction_words,
    "plane": lambda v: "a closed loop of displacements",
    "strain": lambda v: "strain " + _triple(v[np.triu_indices(3)]) + " (xx, xy, xz, yy, yz, zz)",
    "pair": lambda v: "atom {1} is drawn away from atom {0}, through the cutoff".format(*v),
    "others": lambda v: "a second structure is put far away",
}
