"""Gradients of parameters, and the error floor that labels set."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pairs import MOLECULE
from sound import WEIGHTS, network_energy

from tutor import symmetry as sy

INPUTS = {**MOLECULE.inputs, "labels": sy.vector(per="atom")}
PARAMETERS = {"layers": [jnp.asarray(w, "float32") for w in WEIGHTS]}


def force_errors(parameters, x, z, labels):
    energy = lambda x: network_energy(jnp, x, z, parameters["layers"])  # noqa: E731
    return jax.grad(energy)(x) + labels


def squared(parameters, *inputs):
    return (force_errors(parameters, *inputs) ** 2).mean()


def absolute(parameters, *inputs):
    """The mean absolute error of components depends on the axes."""
    return jnp.abs(force_errors(parameters, *inputs)).mean()


def test_a_squared_loss_trains_alike_in_every_frame():
    report = sy.check(*sy.gradients(squared, PARAMETERS, INPUTS), trials=8, progress=False)
    assert report.ok, str(report)
    assert list(report.spec.outputs) == ["layers'][0", "layers'][1", "layers'][2"]


def test_an_absolute_loss_does_not():
    report = sy.check(*sy.gradients(absolute, PARAMETERS, INPUTS), trials=8, progress=False)
    assert set(report.broken) == {"rotation", "reflection"}


def test_gradients_of_a_torch_module():
    torch = pytest.importorskip("torch")
    from sound import NetworkTorch

    def loss(module, x, z, labels):
        x = x.clone().requires_grad_()
        energy = network_energy(torch, x, z, list(module.weights))
        (gradient,) = torch.autograd.grad(energy, x, create_graph=True)
        return (gradient + labels).pow(2).mean()

    report = sy.check(*sy.gradients(loss, NetworkTorch(), INPUTS), trials=6, progress=False)
    assert report.ok, str(report)
    assert report.dtypes == ("float64", "float32")
    with pytest.raises(ValueError, match="parameters: there are none"):
        sy.gradients(loss, torch.nn.ReLU(), INPUTS)


LABELS = sy.Spec(MOLECULE.inputs, {"v": sy.vector(per="atom")})


def test_the_floor_of_biased_labels_is_known():
    """A constant vector b, turned at random, has the variance |b|^2 / 3 per component."""
    bias = np.array([0.1, 0.2, 0.3])
    floor = sy.label_floor(lambda x, z: x - x.mean(0) + bias, LABELS, structures=400)["v"]
    assert abs(floor.mse - bias @ bias / 3) < 4 * floor.uncertainty
    assert floor.uncertainty < 0.02 * floor.mse
    assert "no equivariant model can have a mean squared error below 0.04" in str(floor)


@pytest.mark.parametrize("law", ["rotation", "reflection", "permutation", "relabelling"])
def test_sound_labels_have_no_floor(law):
    floor = sy.label_floor(lambda x, z: x - x.mean(0), LABELS, law_name=law)["v"]
    assert floor.mse < 1e-28 * floor.variance


def test_one_draw_has_no_variance():
    with pytest.raises(ValueError, match="draws=1, structures=50: at least two"):
        sy.label_floor(lambda x, z: x, LABELS, draws=1)
