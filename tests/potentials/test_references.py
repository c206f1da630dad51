"""Classical potentials against ASE and LAMMPS."""

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.lj import LennardJones as AseLennardJones
from ase.calculators.morse import MorsePotential

from tests.potentials.lammps_reference import potential_file, reference
from tests.potentials.structures import compute
from tutor.ase import from_atoms, to_atoms
from tutor.system import System
from tutor.models.eam import EAM
from tutor.models.pair import LennardJones, Morse, Pair, shifted, switched, truncated
from tutor.models.stillinger_weber import StillingerWeber
from tutor.models.tersoff import Tersoff, silicon_1988

EXACT = 1e-10
SHEAR = np.array([[1.0, 0.03, -0.05], [0.08, 0.97, 0.02], [-0.04, 0.06, 1.02]])


def crystals(element: str, structure: str, a: float) -> dict[str, System]:
    """A jittered crystal, a sheared one, one smaller than the cutoff, and a cluster."""
    cubic = bulk(element, structure, a=a, cubic=True)
    atoms = {
        "crystal": cubic * 3,
        "triclinic": cubic * (2, 3, 2),
        "primitive": bulk(element, structure, a=a) * (2, 1, 1),
        "cluster": cubic * 2,
    }
    for seed, (name, a) in enumerate(atoms.items()):
        a.rattle(0.12, seed=seed)
        if name in ("triclinic", "primitive"):
            a.set_cell(a.cell @ SHEAR, scale_atoms=True)
        if name == "primitive":
            a.set_cell(a.cell[[1, 0, 2]] * [[-1], [1], [1]])  # right-handed, other order
            if np.linalg.det(a.cell) < 0:
                a.set_cell(a.cell[:] * [[1], [-1], [1]])
        a.pbc = name != "cluster"
    return {name: from_atoms(a) for name, a in atoms.items()}


ARGON = crystals("Ar", "fcc", 5.3)
COPPER = crystals("Cu", "fcc", 3.615)
SILICON = crystals("Si", "diamond", 5.431)
CASES = sorted(ARGON)


def agrees(potential, system: System, expected, energies=None):
    """Energy, forces, stress, and energies of atoms where the partition is the same."""
    found = compute(potential, system)
    scale = np.abs(expected.forces).max()
    assert abs(found.energy[0] - expected.energy) < EXACT * max(scale, abs(expected.energy))
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=EXACT * scale)
    if expected.stress is not None:
        stress = -found.virial[0] / abs(np.linalg.det(system.cell))
        atol = EXACT * np.abs(expected.stress).max()
        np.testing.assert_allclose(stress, expected.stress, rtol=0, atol=atol)
    if energies is not None:
        np.testing.assert_allclose(found.energies, energies, rtol=EXACT, atol=EXACT * scale)


class FromAse:
    """The same quantities from an ASE calculator."""

    def __init__(self, system: System, calculator):
        atoms = to_atoms(system)
        atoms.calc = calculator
        self.energy = atoms.get_potential_energy()
        self.energies = atoms.get_potential_energies()
        self.forces = atoms.get_forces()
        self.stress = atoms.get_stress(voigt=False) if system.pbc.all() else None


def in_squares(u, cutoff, onset):
    """The switch of ASE's smooth Lennard-Jones potential: a polynomial in r²."""

    def curve(r):
        s = (cutoff**2 - r**2) ** 2 * (cutoff**2 + 2 * r**2 - 3 * onset**2)
        s = s / (cutoff**2 - onset**2) ** 3
        return jnp.where(r < onset, 1.0, jnp.where(r < cutoff, s, 0.0)) * u(r)

    return curve


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("smooth", [False, True])
def test_lennard_jones_as_ase(case, smooth):
    ending = partial(in_squares, onset=6.0) if smooth else shifted
    potential = Pair(LennardJones(epsilon=0.0103, sigma=3.4), cutoff=8.5, ending=ending)
    calculator = AseLennardJones(epsilon=0.0103, sigma=3.4, rc=8.5, ro=6.0, smooth=smooth)
    expected = FromAse(ARGON[case], calculator)
    agrees(potential, ARGON[case], expected, expected.energies)


@pytest.mark.parametrize("case", CASES)
def test_morse_as_ase(case):
    D, a, r0 = 0.3429, 1.3588, 2.866
    ending = partial(switched, onset=1.9 * r0)
    potential = Pair(Morse(D, a, r0), cutoff=2.7 * r0, ending=ending)
    expected = FromAse(COPPER[case], MorsePotential(epsilon=D, rho0=a * r0, r0=r0))
    agrees(potential, COPPER[case], expected, expected.energies)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("ending", "word"), [(truncated, "no"), (shifted, "yes")])
def test_lennard_jones_as_lammps(case, ending, word):
    potential = Pair(LennardJones(epsilon=0.0103, sigma=3.4), cutoff=8.5, ending=ending)
    expected = reference(
        ARGON[case],
        "pair_style lj/cut 8.5",
        "pair_coeff 1 1 0.0103 3.4",
        f"pair_modify shift {word}",
    )
    agrees(potential, ARGON[case], expected, expected.energies)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("ending", "word"), [(truncated, "no"), (shifted, "yes")])
def test_morse_as_lammps(case, ending, word):
    potential = Pair(Morse(0.3429, 1.3588, 2.866), cutoff=7.0, ending=ending)
    expected = reference(
        COPPER[case],
        "pair_style morse 7.0",
        "pair_coeff 1 1 0.3429 1.3588 2.866",
        f"pair_modify shift {word}",
    )
    agrees(potential, COPPER[case], expected, expected.energies)


@pytest.mark.parametrize("case", CASES)
def test_stillinger_weber_as_lammps(case):
    coefficients = f"pair_coeff * * {potential_file('Si.sw')} Si"
    agrees(
        StillingerWeber(cos_theta0=-0.333333333333),  # as many digits as the file has
        SILICON[case],
        reference(SILICON[case], "pair_style sw", coefficients),
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["Si(B)", "Si(C)"])
def test_tersoff_as_lammps(case, name):
    potential = {"Si(B)": silicon_1988(), "Si(C)": Tersoff()}[name]
    coefficients = f"pair_coeff * * {potential_file('SiCGe.tersoff')} {name}"
    agrees(potential, SILICON[case], reference(SILICON[case], "pair_style tersoff", coefficients))


def test_copper_is_the_published_table():
    """The three functions on all points of the table that Mishin's group distributes."""
    lines = potential_file("Cu_mishin1.eam.alloy").read_text().splitlines()
    count_rho, step_rho, count_r, step_r, cutoff = (float(x) for x in lines[4].split())
    values = np.array(" ".join(lines[6:]).split(), dtype=float)
    n, m = int(count_rho), int(count_r)
    embedding, density, pair = np.split(values, [n, n + m])
    rho, r = jnp.arange(n) * step_rho, jnp.arange(m) * step_r
    copper = EAM()
    assert copper.cutoff == cutoff
    np.testing.assert_allclose(copper.embedding(rho), embedding, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(copper.density(r), density, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(copper.pair(r) * r, pair, rtol=1e-10, atol=1e-11)


@pytest.fixture(scope="module")
def fine_table(tmp_path_factory):
    """Our functions of copper on so fine a grid that LAMMPS' interpolation agrees to 1e-10."""
    from tutor.precision import float64

    count = 25_000
    with float64():
        copper = EAM()
        rho = jnp.arange(count) * (2.5 / (count - 1))
        r = jnp.arange(count) * (copper.cutoff / (count - 1))
        columns = [copper.embedding(rho), copper.density(r), copper.pair(r) * r]
    path = tmp_path_factory.mktemp("eam") / "Cu.eam.alloy"
    with path.open("w") as file:
        file.write("\n\n\n1 Cu\n")
        file.write(f"{count} {float(rho[1])!r} {count} {float(r[1])!r} {copper.cutoff!r}\n")
        file.write("29 63.55 3.615 FCC\n")
        np.savetxt(file, np.concatenate(columns), fmt="%.17g")
    return path


@pytest.mark.parametrize("case", CASES)
def test_copper_as_lammps(case, fine_table):
    expected = reference(COPPER[case], "pair_style eam/alloy", f"pair_coeff * * {fine_table} Cu")
    agrees(EAM(), COPPER[case], expected, expected.energies)


@pytest.mark.parametrize("case", CASES)
def test_copper_as_lammps_with_the_published_table(case):
    """The table of 10 001 points costs a few digits."""
    file = potential_file("Cu_mishin1.eam.alloy")
    expected = reference(COPPER[case], "pair_style eam/alloy", f"pair_coeff * * {file} Cu")
    found = compute(EAM(), COPPER[case])
    scale = np.abs(expected.forces).max()
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=1e-6 * scale)


def test_published_properties():
    """Cohesive energies and lattice constants as the papers give them."""
    for potential, atoms, expected, digits in [
        (StillingerWeber(), bulk("Si", a=5.431), -4.3366, 4),
        (Tersoff(), bulk("Si", a=5.432), -4.63, 2),
        (EAM(), bulk("Cu", a=3.615), -3.54, 2),
    ]:
        found = compute(potential, from_atoms(atoms))
        assert round(float(found.energies[0]), digits) == expected
        stress = found.virial[0] / atoms.get_volume()
        assert np.abs(stress).max() < 1e-3  # 0.2 GPa: the crystal is at rest
