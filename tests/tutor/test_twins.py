"""The PyTorch twins against the JAX models: same weights, same energies, same forces."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tests.potentials.structures import KINDS, doubled, run, structure
from tutor import potential, symmetry
from tutor.models import egnn
from tutor.models.registry import REGISTRY
from tutor.neighbors import batch, graph
from tutor.precision import float64

torch = pytest.importorskip("torch")

from tutor import twins  # noqa: E402

SPECIES = (6, 8)


def _deep_potential(bessel):
    return twins.DeepPotential(
        SPECIES, cutoff=4.0, onset=1.0, neighbors=4.0, length=1.0, embedding=(6, 8), axis=3,
        fitting=(8,), bessel=bessel, energies=(-0.3, 0.1),
    )  # fmt: skip


def _behler_parrinello(name, **options):
    return twins.BehlerParrinello(REGISTRY[name].make().functions, **options)


def _egnn(vectors):
    return twins.EGNN(SPECIES, cutoff=3.0, channels=5, vectors=vectors, layers=2, radial=4)


TWINS = {
    "deep_sets": lambda: twins.SetPotential(SPECIES, cutoff=4.0, neighbors=4.0, channels=6),
    "deep_potential": lambda: _deep_potential(0),
    "deep_potential_bessel": lambda: _deep_potential(4),
    "behler_parrinello": lambda: _behler_parrinello(
        "behler_parrinello", hidden=(6,), energies=(-3.0, 1.0)
    ),
    "behler_parrinello_weighted": lambda: _behler_parrinello(
        "behler_parrinello_weighted", hidden=(6,)
    ),
    "schnet": lambda: twins.SchNet(
        SPECIES, cutoff=3.0, channels=6, layers=2, radial=8, neighbors=4.0
    ),
    "egnn": lambda: _egnn(2),
    "egnn_invariant": lambda: _egnn(0),
}


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def stirred(model):
    """The JAX model in float64 with every weight changed: biases are zero in a fresh one."""
    leaves, tree = jax.tree.flatten(model)
    rng = np.random.default_rng(1)
    return jax.tree.unflatten(
        tree, [jnp.asarray(leaf + 0.3 * rng.normal(size=leaf.shape), float) for leaf in leaves]
    )


@pytest.fixture(params=sorted(TWINS))
def pair(request):
    """A JAX model and its twin with the weights of it, both in float64."""
    model = stirred(REGISTRY[request.param].make())
    return request.param, model, twins.to_torch(model, TWINS[request.param]().double())


def agree(model, twin, made):
    expected = jax.device_get(run(model, made))
    found = twins.evaluate(twin, twins.Graph.of(made))
    assert np.abs(expected.forces).max() > 1e-5
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=0, atol=1e-10 * np.abs(other).max())


def test_energies_forces_and_virial_agree(pair):
    name, model, twin = pair
    for kind in KINDS:
        agree(model, twin, doubled(model, structure(REGISTRY[name], kind)))


def test_batches_with_padding_agree(pair):
    name, model, twin = pair
    systems = [structure(REGISTRY[name], kind) for kind in ("cluster", "small", "chain")]
    made = doubled(model, systems)
    atoms, slots = made.mask.shape
    assert atoms > 18
    agree(model, twin, batch([made], atoms=atoms, slots=slots, structures=5))


def test_weights_go_back(pair):
    name, model, _ = pair
    twin = TWINS[name]().double()
    with torch.no_grad():
        for weight in twin.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)))
    back = twins.to_jax(twin, model)
    agree(back, twin, doubled(model, structure(REGISTRY[name], "cluster")))
    again = twins.to_torch(back, TWINS[name]().double()).state_dict()
    assert all(torch.equal(again[key], value) for key, value in twin.state_dict().items())
