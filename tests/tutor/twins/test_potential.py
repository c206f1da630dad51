"""Graphs and derivatives in torch, and twins under the check that knows no library."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import bulk

from tutor import symmetry
from tutor.neighbors import graph
from tutor.precision import float64
from tutor.system import System

torch = pytest.importorskip("torch")

from tutor import twins  # noqa: E402

METHANOL = System(
    np.array([6, 8, 1, 1, 1, 1]),
    np.array([[0.66, -0.02, 0.0], [-0.75, 0.12, 0.0], [1.03, -0.54, 0.9], [1.03, -0.54, -0.9],
              [1.08, 0.99, 0.0], [-1.13, -0.76, 0.0]]),
)  # fmt: skip


@pytest.fixture
def crystal():
    atoms = bulk("Si", cubic=True)
    positions = atoms.positions + np.random.default_rng(0).normal(size=(8, 3)) / 10
    with float64():
        yield graph(System(atoms.numbers, positions, np.array(atoms.cell)), 4.0, dtype=float)


def test_verbs_agree(crystal, rng):
    made = twins.Graph.of(crystal)
    atoms, slots = crystal.mask.shape
    h, m, t = (rng.normal(size=s) for s in ((atoms, 3), (atoms, slots, 3), (atoms, slots, slots)))
    positions = rng.normal(size=(atoms, 3))
    calls = {
        "lengths": (), "directions": (), "at_neighbors": (h,), "over_neighbors": (m,),
        "over_others": (t,), "per_structure": (h,),
    }  # fmt: skip
    for there, here in ((crystal, made), (crystal.within(3.0), made.within(3.0))):
        for name, arrays in calls.items():
            expected = getattr(there, name)(*map(jnp.asarray, arrays))
            found = getattr(here, name)(*map(torch.tensor, arrays))
            np.testing.assert_allclose(found, expected, atol=1e-12, err_msg=name)
    there, here = crystal.at(jnp.asarray(positions)), made.at(torch.tensor(positions))
    np.testing.assert_allclose(here.r_ij, there.r_ij, atol=1e-12)
    with pytest.raises(ValueError, match=r"neighbours up to 4.0 Å, but 5.0 Å are needed"):
        made.within(5.0)


def test_padding_has_no_gradient_and_no_nan():
    made = twins.Graph.of(graph(METHANOL, 3.0, slots=9, atoms=8))
    r_ij = made.r_ij.requires_grad_()
    (made.lengths().sum() + made.directions().sum()).backward()
    assert torch.isfinite(r_ij.grad).all()
    assert (r_ij.grad[~made.mask] == 0).all()


def test_a_graph_that_is_too_small_is_refused():
    made = twins.Graph.of(graph(METHANOL, 3.0))
    with pytest.raises(ValueError, match=r"SchNet looks 5.0 Å far, .* up to 3.0 Å: build it with"):
        twins.evaluate(twins.SchNet((1, 6, 8)), made)


def test_energies_of_a_wrong_shape_are_refused():
    class Total(twins.SchNet):
        def forward(self, graph):
            return super().forward(graph).sum(dim=0, keepdim=True)

    with pytest.raises(ValueError, match=r"Total gives energies of shape \(1,\) for the 6 atoms"):
        twins.evaluate(Total((1, 6, 8)), twins.Graph.of(graph(METHANOL, 5.0)))


def small(made=twins.EGNN, **options):
    torch.manual_seed(0)
    model = made((1, 6, 8), cutoff=3.0, channels=6, layers=2, radial=6, **options)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn(weight.shape))
    return model


@pytest.mark.parametrize("made", [twins.EGNN, twins.SchNet])
def test_a_twin_keeps_every_law(made):
    report = symmetry.check(
        twins.Atomistic(small(made)), sample=symmetry.random_structures(symmetry.atomistic()),
        trials=6, cutoff=3.0, progress=False,
    )  # fmt: skip
    assert report.ok, str(report)
    assert report.library == "torch"
    assert report.dtypes == ("float64", "float32")
    assert {f.law for f in report.findings} >= {"rotation", "permutation", "forces", "cutoff"}


def test_a_twin_keeps_every_law_in_a_crystal():
    atoms = bulk("C", cubic=True)
    report = symmetry.check(
        twins.Atomistic(small(twins.SchNet), periodic=True), sample=atoms, trials=3,
        dtypes=["float64"], progress=False,
    )  # fmt: skip
    assert report.ok, str(report)
    assert {f.law for f in report.findings} >= {"stress", "images", "supercell"}


def test_a_twin_that_knows_the_axes_is_found():
    class Tilted(twins.SchNet):
        def forward(self, graph):
            return super().forward(graph) + graph.over_neighbors(graph.directions() ** 3)[:, 0]

    tilted = twins.Atomistic(small(Tilted))
    report = symmetry.check(tilted, trials=2, examples=False, progress=False)
    assert "rotation" in report.broken


def test_without_torch_an_error_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import tutor\n"
        "from tutor import *\n"
        "try: tutor.twins\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tutor.twins needs PyTorch, which is not installed.")
    assert "uv pip install torch --index-url https://download.pytorch.org/whl/cpu" in done.stdout
