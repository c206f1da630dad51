"""What goes into a map and what comes out: how each array moves when the structure is moved."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Kind:
    """How one array transforms. Use the functions below, which have the field's names.

    Attributes:
        rank: number of Cartesian axes; they are the last ones. Axes between these and the atom
            axis are channels.
        per: "atom" (the first axis counts atoms) or "structure".
        pseudo: changes sign under reflections beyond what the rank implies.
        affine: moves along with a translation, as positions do.
        extensive: True adds up over parts, False does not, None is not known and is not tested.
        time: -1 if it changes sign when time runs backwards.
        role: "" or what the laws need to know: "species", "cell", "pbc", "mask", "energy", ...
    """

    rank: int = 0
    per: str = "structure"
    pseudo: bool = False
    affine: bool = False
    extensive: bool | None = None
    time: int = 1
    role: str = ""

    def __post_init__(self):
        if self.per not in ("atom", "structure"):
            raise ValueError(f'per={self.per!r}: say per="atom" or per="structure"')
        if self.rank < 0 or self.time not in (1, -1):
            raise ValueError(f"rank={self.rank}, time={self.time}: rank >= 0 and time 1 or -1")

    @property
    def moves(self) -> bool:
        """Whether the array holds real numbers that may be displaced a little."""
        return self.role.split(" ")[0] not in ("species", "pbc", "mask")

    def __repr__(self) -> str:
        if self in _NAMES:
            return f"{_NAMES[self]}()"
        given = [f for f in fields(self) if getattr(self, f.name) != f.default]
        return f"Kind({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in given)})"

    def words(self) -> str:
        """`vector per atom`, `pseudoscalar`, ..."""
        name = {0: "scalar", 1: "vector"}.get(self.rank, f"tensor of rank {self.rank}")
        name = "point" if self.affine else f"pseudo{name}" if self.pseudo else name
        return f"{name} per atom" if self.per == "atom" else name


def points() -> Kind:
    """Positions, shape (atoms, 3): they turn, and they move with a translation."""
    return Kind(rank=1, per="atom", affine=True, role="points")


def velocities() -> Kind:
    """Velocities, shape (atoms, 3): vectors that change sign with time."""
    return Kind(rank=1, per="atom", time=-1)


def species(*, padding: int | None = None) -> Kind:
    """Atomic numbers or types, shape (atoms,). With `padding=0`, zero marks an atom not there."""
    return Kind(per="atom", role="species" if padding is None else f"species padded by {padding}")


def lattice() -> Kind:
    """Cell vectors as rows, shape (3, 3), all of them periodic unless a `pbc()` says otherwise."""
    return Kind(rank=1, role="cell")


def pbc() -> Kind:
    """Which cell vectors are periodic, shape (3,), bool."""
    return Kind(role="pbc")


def mask() -> Kind:
    """Which atoms are real, shape (atoms,), bool; the others are padding."""
    return Kind(per="atom", role="mask")


def scalar(*, per: str = "structure", extensive: bool | None = None, time: int = 1) -> Kind:
    """A number, the same in every frame, with any channels: shape (...) or (atoms, ...)."""
    return Kind(per=per, extensive=extensive, time=time)


def pseudoscalar(*, per: str = "structure", extensive: bool | None = None) -> Kind:
    """A number that changes sign in a mirror, as the handedness of a molecule does."""
    return Kind(per=per, pseudo=True, extensive=extensive)


def vector(*, per: str = "structure", extensive: bool | None = None, time: int = 1) -> Kind:
    """A vector that turns with the structure, shape (..., 3): a dipole, a force, a field."""
    return Kind(rank=1, per=per, extensive=extensive, time=time)


def pseudovector(*, per: str = "structure", extensive: bool | None = None) -> Kind:
    """An axial vector, shape (..., 3): it keeps its sign under inversion, as torques do."""
    return Kind(rank=1, per=per, pseudo=True, extensive=extensive)


def tensor(rank: int = 2, *, per: str = "structure", extensive: bool | None = None) -> Kind:
    """A Cartesian tensor, shape (..., 3, 3): polarisability, Born charges, stress."""
    return Kind(rank=rank, per=per, extensive=extensive)


def energy() -> Kind:
    """The energy of the structure in eV, extensive."""
    return Kind(extensive=True, role="energy")


def energies() -> Kind:
    """One energy per atom in eV, shape (atoms,)."""
    return Kind(per="atom", role="energies")


def forces() -> Kind:
    """The forces in eV/Å, shape (atoms, 3)."""
    return Kind(rank=1, per="atom", role="forces")


def stress() -> Kind:
    """The stress (dE/dstrain)/V in eV/Å³, shape (3, 3), positive under tension."""
    return Kind(rank=2, extensive=False, role="stress")


@dataclass(frozen=True)
class Spec:
    """The inputs of a map, in the order in which it takes them, and its outputs.

    A map may return a dict with these names, a tuple in this order, or the bare array if there is
    one output.

    Raises:
        ValueError: if no input has a position of atoms, or nothing comes out.
    """

    inputs: Mapping
    outputs: Mapping

    def __post_init__(self):
        for where in ("inputs", "outputs"):
            for name, kind in getattr(self, where).items():
                if not isinstance(kind, Kind):
                    raise ValueError(
                        f"{where}[{name!r}] is {kind!r}, not a kind: say for example scalar()"
                    )
        if not any(k.per == "atom" and k.moves for k in self.inputs.values()):
            raise ValueError("no input belongs to atoms: give one, such as positions=points()")
        if not self.outputs:
            raise ValueError("a map without outputs: give one, such as energy=energy()")

    def input(self, role: str) -> str | None:
        """The name of the input with this role, if there is one."""
        return next((n for n, k in self.inputs.items() if k.role.split(" ")[0] == role), None)

    def output(self, role: str) -> str | None:
        return next((n for n, k in self.outputs.items() if k.role == role), None)

    @property
    def periodic(self) -> bool:
        return self.input("cell") is not None

    @property
    def padding(self) -> int | None:
        """The species that marks padding, if one does."""
        words = self.inputs[self.input("species")].role.split() if self.input("species") else []
        return int(words[-1]) if len(words) > 1 else None

    def atoms(self, inputs: Mapping[str, np.ndarray]) -> int:
        """How many atoms these inputs have."""
        return next(len(inputs[n]) for n, k in self.inputs.items() if k.per == "atom")


def atomistic(*outputs: str, periodic: bool = False) -> Spec:
    """The usual map of atomistics: (positions, species[, cell]) to the named outputs.

    Args:
        outputs: names out of energy, energies, forces, stress, dipole, charges, polarizability,
            magmoms; energy and forces if none is given.
        periodic: whether the cell is a third input.
    """
    unknown = [name for name in outputs if name not in KNOWN]
    if unknown:
        raise ValueError(f"outputs {unknown} are not known by name: {', '.join(KNOWN)} are")
    inputs = {"positions": points(), "species": species()}
    if periodic:
        inputs["cell"] = lattice()
    return Spec(inputs, {name: KNOWN[name] for name in outputs or ("energy", "forces")})


KNOWN = {
    "energy": energy(),
    "energies": energies(),
    "forces": forces(),
    "stress": stress(),
    "dipole": vector(extensive=None),
    "charges": scalar(per="atom"),
    "polarizability": tensor(extensive=None),
    "magmoms": scalar(per="atom"),
}

_MAKERS = (points, velocities, species, lattice, pbc, mask, scalar, pseudoscalar, vector,
           pseudovector, tensor, energy, energies, forces, stress)  # fmt: skip
_NAMES = {maker(): maker.__name__ for maker in _MAKERS}
