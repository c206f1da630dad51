"""A tiny instance of every potential. The tests of `tests/potentials` loop over this list.

A new model inherits all laws by one line here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flax import nnx

from tutor.models.behler_parrinello import BehlerParrinello
from tutor.models.cartesian import CartesianNetwork
from tutor.models.deep_potential import DeepPotential
from tutor.models.deep_sets import SetPotential
from tutor.models.eam import EAM
from tutor.models.egnn import EGNN
from tutor.models.mpnn import MPNN
from tutor.models.painn import PaiNN
from tutor.models.pair import LennardJones, Morse, Pair, argon
from tutor.models.schnet import SchNet
from tutor.models.stillinger_weber import StillingerWeber
from tutor.models.symmetry_functions import SymmetryFunctions, angles, atomic_numbers, shifted
from tutor.models.tersoff import Tersoff, silicon_1988
from tutor.potential import Potential, Sum


@dataclass(frozen=True)
class Entry:
    """One model, and what a test must know to ask it sensible questions.

    Attributes:
        make: builds a small instance, the same at each call.
        species: the atomic numbers that it knows.
        bond: a distance in Å at which its atoms sit comfortably.
        knots: distances in Å where its formula changes, besides the cutoff.
        smooth: how many derivatives of the energy are continuous at the cutoff.
    """

    make: Callable[[], Potential]
    species: tuple[int, ...]
    bond: float
    knots: tuple[float, ...] = ()
    smooth: int = 2


def _morse() -> Pair:
    return Pair(Morse(depth=0.3429, a=1.3588, r0=2.866), cutoff=6.0)


def _deep_potential(**options) -> DeepPotential:
    return DeepPotential(
        (6, 8),
        cutoff=4.0,
        onset=1.0,
        neighbors=4.0,
        length=1.0,
        embedding=(6, 8),
        axis=3,
        fitting=(8,),
        energies=(-0.3, 0.1),
        rngs=nnx.Rngs(0),
        **{"bessel": 0, **options},
    )


def _set_potential() -> SetPotential:
    return SetPotential((6, 8), cutoff=4.0, neighbors=4.0, channels=6, rngs=nnx.Rngs(0))


def _behler_parrinello() -> BehlerParrinello:
    functions = SymmetryFunctions(
        (6, 8), 4.0, shifted(3, 1.0, 3.0), g4=((0.05, 1, 1), (0.05, 2.5, -1)), g5=((0.1, 2, -1),)
    )
    return BehlerParrinello(functions, hidden=(6,), energies=(-3.0, 1.0), rngs=nnx.Rngs(0))


def _behler_parrinello_weighted() -> BehlerParrinello:
    shells = shifted(3, 1.0, 3.0)
    functions = SymmetryFunctions(
        (6, 8), 4.0, shells, g4=angles(shells, zetas=(1.0,)), weights=atomic_numbers
    )
    return BehlerParrinello(functions, hidden=(6,), rngs=nnx.Rngs(0))


def _cartesian() -> CartesianNetwork:
    return CartesianNetwork((6, 8), cutoff=4.0, channels=6, radial=5, rngs=nnx.Rngs(0))


def _painn() -> PaiNN:
    return PaiNN((6, 8), cutoff=4.0, channels=6, layers=2, radial=5, rngs=nnx.Rngs(0))


def _schnet() -> SchNet:
    return SchNet(
        (6, 8), cutoff=3.0, channels=6, layers=2, radial=8, neighbors=4.0, rngs=nnx.Rngs(0)
    )


def _mpnn() -> MPNN:
    return MPNN(
        (6, 8), cutoff=3.0, channels=5, steps=2, radial=4, hidden=6, neighbors=4.0, rngs=nnx.Rngs(0)
    )


def _egnn(vectors: int) -> EGNN:
    return EGNN(
        (6, 8), cutoff=3.0, channels=5, vectors=vectors, layers=2, radial=4, rngs=nnx.Rngs(0)
    )


REGISTRY: dict[str, Entry] = {
    "lennard_jones": Entry(argon, (18,), 3.8, knots=(0.8 * 8.5125,)),
    "morse": Entry(_morse, (29,), 2.7, knots=(4.8,)),
    "stillinger_weber": Entry(StillingerWeber, (14,), 2.35),
    "tersoff": Entry(Tersoff, (14,), 2.35, knots=(2.7,), smooth=1),
    "tersoff_1988": Entry(silicon_1988, (14,), 2.35, knots=(2.8,), smooth=1),
    "eam": Entry(EAM, (29,), 2.55, knots=(2.24,)),
    "cartesian": Entry(_cartesian, (6, 8), 1.5),
    "deep_sets": Entry(_set_potential, (6, 8), 1.5),
    "deep_potential": Entry(_deep_potential, (6, 8), 1.5),
    "deep_potential_bessel": Entry(lambda: _deep_potential(bessel=4), (6, 8), 1.5),
    "deep_potential_degrees": Entry(
        lambda: _deep_potential(degrees=((0,), (1,), (2,))), (6, 8), 1.5
    ),
    "behler_parrinello": Entry(_behler_parrinello, (6, 8), 1.5),
    "behler_parrinello_weighted": Entry(_behler_parrinello_weighted, (6, 8), 1.5),
    "painn": Entry(_painn, (6, 8), 1.5),
    "schnet": Entry(_schnet, (6, 8), 1.5),
    "mpnn": Entry(_mpnn, (6, 8), 1.5),
    "egnn": Entry(lambda: _egnn(2), (6, 8), 1.5),
    "egnn_invariant": Entry(lambda: _egnn(0), (6, 8), 1.5),
    "sum": Entry(
        lambda: Sum(StillingerWeber(), Pair(LennardJones(epsilon=0.01, sigma=2.0), cutoff=5.0)),
        (14,),
        2.35,
        knots=(3.77118, 4.0),
    ),
}
