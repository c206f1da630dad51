"""How a check finds out what it is given, and what it says to wrong use."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from pairs import MOLECULE, crystal
from pairs import molecule as pair_molecule

from tutor import System
from tutor import symmetry as sy

ENERGY = sy.Spec(MOLECULE.inputs, {"energy": sy.scalar()})


def quick(model, *args, **options):
    return sy.check(model, *args, **{"trials": 6, "progress": False, **options})


@pytest.mark.parametrize(
    ("model", "library"),
    [(pair_molecule(np), "numpy"), (pair_molecule(jnp), "jax"),
     (jax.jit(pair_molecule(jnp)), "jax")],
)  # fmt: skip
def test_the_library_is_found(model, library):
    report = quick(model)
    assert report.library == library
    assert list(report.spec.outputs) == ["energy", "forces"]
    assert report.ok


def test_a_jax_function_that_cannot_be_traced_is_run_as_it_is():
    def model(x, z):
        if float(x[0, 0]) > 1e9:  # a trace has no value here
            return jnp.zeros(())
        return ((x[:, None] - x) ** 2).sum()

    report = quick(model, ENERGY, laws=["translation", "rotation"])
    assert report.library == "jax"
    assert report.ok


def test_a_torch_module_in_float32_only():
    torch = pytest.importorskip("torch")
    weight = torch.ones(3, 3)

    def model(x, z):
        return ((x[:, None] - x) @ weight).pow(2).sum()  # float64 @ float32 is refused

    report = quick(model, ENERGY)
    assert report.dtypes == ("float32",)
    assert "float64 was refused" in report.notes[0]
    assert "rotation" in report.broken
    with pytest.raises(RuntimeError, match="dtype"):
        quick(model, ENERGY, dtypes=["float64"])


def test_outputs_as_a_tuple_in_order():
    def model(x, z):
        answer = pair_molecule(np)(x, z)
        return answer["energy"], answer["forces"]

    assert quick(model, MOLECULE).ok


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        (lambda x: {"energies": 1.0}, "returned no energy: it returned energies"),
        (lambda x: {"energy": "low"}, "is not an array of numbers"),
    ],
)
def test_wrong_outputs(returns, words):
    with pytest.raises(ValueError, match=words):
        quick(lambda x, z: returns(x), ENERGY, library="numpy")


def test_a_wrong_shape_says_which_it_must_be():
    with pytest.raises(ValueError, match=r"'f' has shape \(\d+,\).*vector per atom.*\.\.\., 3\)"):
        quick(lambda x, z: x.sum(1), sy.Spec(MOLECULE.inputs, {"f": sy.vector(per="atom")}))


def test_what_no_library_can_run_is_told_from_all_sides():
    with pytest.raises(
        ValueError, match=r"(?s)raised on every kind of array.*with numpy arrays: Attr"
    ):
        quick(lambda x, z: x.not_there, ENERGY)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"laws": ["rotations"]}, "no law 'rotations'; there are translation, rotation"),
        ({"dtypes": ["float16"]}, r"dtypes=\['float16'\]: only float64 and float32"),
        ({"library": "tensorflow"}, "library='tensorflow': say 'numpy'"),
    ],
)
def test_wrong_options(options, words):
    with pytest.raises(ValueError, match=words):
        quick(pair_molecule(np), MOLECULE, **options)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: sy.Spec({"t": sy.scalar()}, {"e": sy.energy()}), "no input belongs to atoms"),
        (lambda: sy.Spec({"x": sy.points()}, {}), "a map without outputs"),
        (lambda: sy.Spec({"x": sy.points()}, {"e": "energy"}), r"outputs\['e'\] is 'energy'"),
        (lambda: sy.scalar(per="bond"), "per='bond'"),
        (lambda: sy.atomistic("entropy"), "entropy.*not known by name"),
    ],
)
def test_wrong_specs(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_what_cannot_be_guessed_must_be_said():
    with pytest.raises(ValueError, match="returns coupling, whose kind cannot be guessed"):
        quick(lambda x, z: {"coupling": np.zeros((2, 5, 7))})


def test_structures_of_every_sort():
    atoms = molecule("CH3OH")
    system = System(atoms.numbers, atoms.positions)
    arrays = {"positions": atoms.positions, "species": atoms.numbers}
    for sample in (atoms, system, arrays, [atoms, molecule("H2O")]):
        assert quick(pair_molecule(np), sample=sample).ok
    with pytest.raises(ValueError, match="the structure has no species"):
        quick(pair_molecule(np), MOLECULE, {"positions": atoms.positions})


def test_a_cell_is_found_in_the_signature():
    report = quick(crystal(np), sample=bulk("Cu"), trials=4)
    assert report.spec.periodic
    assert "supercell" in {f.law for f in report.findings}


def test_ase_emt_obeys_every_law():
    report = quick(EMT(), sample=bulk("Cu", cubic=True), trials=10)
    assert report.ok
    tested = {f.law for f in report.findings}
    assert tested >= {"images", "cell choice", "supercell", "forces", "stress", "loop work"}


def test_ase_lennard_jones_jumps_at_its_cutoff():
    """E is shifted to be continuous; the force is cut off, and by how much is known."""
    epsilon, cutoff = 0.1, 3.0
    calculator = LennardJones(sigma=1.0, epsilon=epsilon, rc=cutoff)
    report = quick(calculator, cutoff=cutoff, trials=20)
    assert report.broken == ("cutoff",)
    assert report["cutoff", "energy"].verdict is sy.Verdict.HOLDS
    witness = report["cutoff", "forces"].witness
    assert witness.atoms == 2
    slope = 24 * epsilon * (2 / cutoff**13 - 1 / cutoff**7)
    inside = np.linalg.norm(np.reshape(witness.expected, (2, 3))[0])
    assert inside == pytest.approx(abs(slope), rel=1e-9)


def test_a_jump_is_found_inside_a_crystal_of_one_atom():
    """Where an atom has many neighbours, some of them always near the cutoff."""
    calculator = LennardJones(sigma=2.0, epsilon=0.01, rc=5.0)
    argon = bulk("Ar", "fcc", 3.4)
    report = quick(calculator, cutoff=5.0, sample=argon, trials=20, laws=["cutoff", "forces"])
    assert report.broken == ("cutoff",)
    assert report["forces"].verdict is sy.Verdict.HOLDS
    assert not report.untested


def test_what_no_structure_allows_is_not_tested():
    atoms = molecule("H2O")
    report = quick(pair_molecule(np), sample=atoms, cutoff=0.1, laws=["cutoff", "rotation"])
    assert report.untested == {"cutoff": "no structure of the sample has a case of it"}


def test_what_drowns_in_noise_is_not_tested():
    def model(x, z):
        answer = pair_molecule(np)(x, z)
        shaking = np.sin(1e13 * x.sum())  # as of an iteration that stops early
        return {**answer, "energy": answer["energy"] + 1e-3 * shaking}

    report = quick(model, laws=["forces", "translation"], dtypes=["float64"])
    assert report.ok
    assert report.untested == {
        "forces, forces": "the noise is as large as the output itself: nothing could be seen"
    }
    assert any("energy has a noise of" in note for note in report.notes)


def test_progress_is_shown_only_after_a_while(capsys, monkeypatch):
    sy.check(pair_molecule(np), trials=4)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("tutor.symmetry.progress.PATIENCE", 0.0)
    sy.check(pair_molecule(np), trials=4)
    shown = capsys.readouterr().err
    assert "symmetry: translation, float64" in shown
    assert shown.endswith("\r")


def test_no_array_is_written_to():
    atoms = molecule("CH3OH")
    before = atoms.positions.copy()

    def model(x, z):
        x += 1
        return pair_molecule(np)(x, z)

    assert "input kept" in quick(model, MOLECULE, atoms).broken
    np.testing.assert_array_equal(atoms.positions, before)


def test_the_same_seed_gives_the_same_report():
    one, two = (quick(pair_molecule(np), seed=3) for _ in range(2))
    assert one.rows() == two.rows()


def test_the_checker_itself_imports_no_framework():
    import subprocess

    code = (
        "import sys, tutor.symmetry;"
        "print([m for m in ('jax', 'torch', 'ase', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
