"""Training in torch against training in JAX, step by step from the same weights."""

import jax
import numpy as np
import pytest
from flax import nnx

import tutor
from tutor.models.schnet import SchNet
from tutor.train import errors, train

torch = pytest.importorskip("torch")

from tutor import twins  # noqa: E402

OPTIONS = {"cutoff": 3.0, "channels": 8, "layers": 1, "radial": 8}
EPOCHS = 25


@pytest.fixture(scope="module")
def data():
    """Ethanol, and molecules of several sizes."""
    return {name: tutor.data.load(name) for name in ("ethanol", "small_molecules")}


@pytest.fixture
def model():
    return SchNet((1, 6, 8), **OPTIONS, rngs=nnx.Rngs(0))


@pytest.fixture
def twin(model):
    return twins.to_torch(model, twins.SchNet((1, 6, 8), **OPTIONS))


def known(errors):
    return {name: value for name, value in vars(errors).items() if value is not None}


def test_every_epoch_is_that_of_jax(data, model, twin):
    """Batches of all structures, so that shuffling changes nothing."""
    ethanol = data["ethanol"]
    settings = {"validation": ethanol[20:28], "epochs": EPOCHS, "batch_size": 12,
                "learning_rate": 2e-2, "progress": False}  # fmt: skip
    expected = train(model, ethanol[:12], **settings, key=jax.random.key(0))
    before = {key: value.clone() for key, value in twin.state_dict().items()}
    found = twins.train(twin, ethanol[:12], **settings, seed=0)
    assert all(torch.equal(before[key], value) for key, value in twin.state_dict().items())
    assert found.history["loss"][-1] < 0.9 * found.history["loss"][0]
    for name in ("loss", "validation", "energy_rmse", "forces_rmse"):
        np.testing.assert_allclose(found.history[name], expected.history[name], rtol=1e-3)
    assert found.best == expected.best
    assert found.energies == expected.energies
    test = ethanol[30:40]
    assert known(found.errors(test)) == pytest.approx(known(expected.errors(test)), rel=1e-3)
    back = twins.to_jax(found.model, model)
    assert errors(back, test, energies=found.energies).forces_rmse == pytest.approx(
        found.errors(test).forces_rmse, rel=1e-4
    )


def test_energies_of_molecules_of_several_sizes(data, model, twin):
    molecules = data["small_molecules"]
    usual = (molecules.numbers[:, :, None] == np.array([0, 1, 6, 8])).any(axis=2).all(axis=1)
    molecules = molecules[usual]
    settings = {"validation": molecules[20:26], "epochs": 4, "batch_size": 10, "energy": 1.0,
                "forces": 0.0, "progress": False}  # fmt: skip
    expected = train(model, molecules[:10], **settings, key=jax.random.key(0))
    found = twins.train(twin, molecules[:10], **settings, seed=0)
    for name in ("loss", "validation", "energy_rmse"):
        np.testing.assert_allclose(found.history[name], expected.history[name], rtol=1e-3)
    assert "forces_rmse" not in found.history
    with pytest.raises(ValueError, match=r"forces = 1.0 is the weight of labels that are missing"):
        twins.train(twin, molecules[:10], validation=molecules[20:26], epochs=1, seed=0)


def test_the_seed_decides(data, twin):
    ethanol = data["ethanol"]
    runs = [
        twins.train(twin, ethanol[:12], validation=ethanol[20:24], epochs=2, batch_size=4,
                    progress=False, seed=seed)
        for seed in (1, 1, 2)
    ]  # fmt: skip
    one, again, other = ([float(x) for x in run.history["loss"]] for run in runs)
    assert one == again
    assert one != other


def test_a_twin_in_double_precision(data, twin):
    ethanol = data["ethanol"]
    found = twins.train(twin.double(), ethanol[:8], validation=ethanol[20:24], epochs=1,
                        batch_size=4, progress=False, seed=0)  # fmt: skip
    assert {weight.dtype for weight in found.model.parameters()} == {torch.float64}


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"epochs": 0}, ValueError, "epochs = 0: give 1 or more"),
        ({"batch_size": 9}, ValueError, "batch_size = 9 with 8 samples: choose 1 to 8"),
        ({"learning_rate": 1e30}, FloatingPointError, "lower learning_rate = 1e"),
    ],
)
def test_what_cannot_be_trained(data, twin, options, kind, words):
    ethanol = data["ethanol"]
    options = {"epochs": 2, "batch_size": 4} | options
    with pytest.raises(kind, match=words):
        twins.train(twin, ethanol[:8], validation=ethanol[8:12], progress=False, seed=0, **options)
