"""The PyTorch twins against the JAX models: same weights, same energies, same forces."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.potentials.structures import KINDS, doubled, run, structure
from tutor.models.registry import REGISTRY
from tutor.neighbors import batch
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


@cache
def transferred(name):
    """A JAX model and its twin with the weights of it, both in float64."""
    model = stirred(REGISTRY[name].make())
    return name, model, twins.to_torch(model, TWINS[name]().double())


@pytest.fixture(params=sorted(TWINS))
def pair(request):
    """The name of a model, the model, and its twin."""
    return transferred(request.param)


def agree(model, twin, made):
    expected = jax.device_get(run(model, made))
    found = twins.evaluate(twin, twins.Graph.of(made))
    assert np.abs(expected.forces).max() > 1e-5
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=0, atol=1e-10 * np.abs(other).max())


@cache
def many(name):
    """A molecule, a chain, a slab and two crystals in one graph with padding of every sort."""
    entry = REGISTRY[name]
    made = doubled(entry.make(), [structure(entry, kind) for kind in KINDS])
    atoms, slots = made.mask.shape
    return batch([made], atoms=atoms + 3, slots=slots, structures=len(KINDS) + 1)


def test_energies_forces_and_virials_agree(pair):
    name, model, twin = pair
    agree(model, twin, many(name))


def test_weights_go_back(pair):
    name, model, _ = pair
    twin = TWINS[name]().double()
    with torch.no_grad():
        for weight in twin.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)))
    back = twins.to_jax(twin, model)
    agree(back, twin, many(name))
    again = twins.to_torch(back, TWINS[name]().double()).state_dict()
    assert all(torch.equal(again[key], value) for key, value in twin.state_dict().items())
