"""The PyTorch twins against the JAX models: same weights, same energies, same forces."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tests.potentials.structures import KINDS, doubled, run, structure
from tutor.models import deep_sets, egnn
from tutor.models.registry import REGISTRY
from tutor.neighbors import batch
from tutor.precision import float64

torch = pytest.importorskip("torch")

from tutor import twins  # noqa: E402

SPECIES = (6, 8)


def _deep_potential(**options):
    return twins.DeepPotential(
        SPECIES, cutoff=4.0, onset=1.0, neighbors=4.0, length=1.0, embedding=(6, 8), axis=3,
        fitting=(8,), energies=(-0.3, 0.1), **{"bessel": 0, **options},
    )  # fmt: skip


def _behler_parrinello(name, **options):
    return twins.BehlerParrinello(REGISTRY[name].make().functions, **options)


def _egnn(vectors):
    return twins.EGNN(SPECIES, cutoff=3.0, channels=5, vectors=vectors, layers=2, radial=4)


TWINS = {
    "deep_sets": lambda: twins.SetPotential(SPECIES, cutoff=4.0, neighbors=4.0, channels=6),
    "deep_potential": _deep_potential,
    "deep_potential_bessel": lambda: _deep_potential(bessel=4),
    "deep_potential_degrees": lambda: _deep_potential(degrees=((0,), (1,), (2,))),
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


call = jax.jit(lambda model, *inputs: model(*inputs))


def test_every_variant_of_these_models_has_its_twin():
    families = ("deep_sets", "deep_potential", "behler_parrinello", "schnet", "egnn")
    assert {name for name in REGISTRY if name.startswith(families)} == set(TWINS)


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


@pytest.mark.parametrize("pool", ["sum_pool", "mean_pool", "max_pool"])
def test_sets_agree(pool, rng):
    sizes = [3, 8, 5], [5, 8, 2]
    model = deep_sets.DeepSets.of_networks(*sizes, getattr(deep_sets, pool), rngs=nnx.Rngs(0))
    model = stirred(model)
    twin = twins.DeepSets.of_networks(*sizes, getattr(twins, pool)).double()
    twin = twins.to_torch(model, twin)
    x, mask = rng.normal(size=(6, 4, 3)), rng.random((6, 4)) > 0.4
    mask[0] = False
    expected = call(model, jnp.asarray(x), jnp.asarray(mask))
    found = twin(torch.tensor(x), torch.tensor(mask)).detach()
    np.testing.assert_allclose(found, expected, atol=1e-12)
    full = torch.ones(6, 4, dtype=torch.bool)
    assert torch.equal(twin(torch.tensor(x)), twin(torch.tensor(x), full))


def test_dipoles_agree():
    options = {"cutoff": 3.0, "channels": 5, "vectors": 3, "layers": 2, "radial": 4}
    rngs = nnx.Rngs(0)
    model = stirred(egnn.Dipole(egnn.EGNN(SPECIES, **options, rngs=rngs), rngs=rngs))
    twin = twins.to_torch(model, twins.Dipole(twins.EGNN(SPECIES, **options)).double())
    expected = np.asarray(call(model, many("egnn")))
    assert np.abs(expected[:4]).min() > 0.01
    found = twin(twins.Graph.of(many("egnn"))).detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-10 * np.abs(expected).max())


def test_an_unknown_element_has_no_energy(pair):
    name, _, twin = pair
    made = twins.Graph.of(many(name))
    species = made.species.clone()
    species[0] = 7
    energies = twin(replace(made, species=species))
    assert torch.isnan(energies[0])
    assert torch.isfinite(twin(made)).all()
