"""SchNet against the one of PyTorch Geometric, with the same weights in both."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.models.schnet import SchNet, shifted_softplus
from tutor.neighbors import edges_of, graph
from tutor.potential import energy, evaluate
from tutor.precision import float64
from tutor.radial import cosine_cutoff
from tutor.system import System

SIZES = {"cutoff": 4.0, "channels": 16, "layers": 3, "radial": 12}


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def structure(rng, periodic: bool) -> System:
    cell = np.array([[4.0, 0.3, 0], [0.2, 4.5, 0.4], [-0.5, 0, 5.0]])
    positions = rng.uniform(0, 1, (9, 3)) @ cell
    numbers = np.array([6, 1, 1, 8, 6, 1, 8, 8, 1])
    return System(numbers, positions, cell, np.full(3, periodic))


def made(**options) -> SchNet:
    return SchNet((1, 6, 8), **{**SIZES, "rngs": nnx.Rngs(0), **options})


def peer_on(interaction_graph):
    """PyG's SchNet in double precision on given edges, with random biases too."""
    torch = pytest.importorskip("torch")
    schnet = pytest.importorskip("torch_geometric.nn.models.schnet")
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)  # else its centres are rounded to single precision
    try:
        model = schnet.SchNet(
            hidden_channels=SIZES["channels"],
            num_filters=SIZES["channels"],
            num_interactions=SIZES["layers"],
            num_gaussians=SIZES["radial"],
            cutoff=SIZES["cutoff"],
            interaction_graph=interaction_graph,
        )
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.3)
    return model


def with_weights_of(peer) -> SchNet:
    """Ours, as published: plain sums and the cosine cutoff."""
    model = made(neighbors=1.0, envelope=cosine_cutoff)

    def array(tensor):
        return jnp.asarray(tensor.detach().numpy())

    def copy(linear, theirs):
        linear.kernel = nnx.Param(array(theirs.weight).T)
        if theirs.bias is not None:
            linear.bias = nnx.Param(array(theirs.bias))

    model.embedding.table = nnx.Param(array(peer.embedding.weight)[jnp.array([1, 6, 8])])
    ours = zip(model.filters.nets.layers, model.blocks.layers, strict=True)
    for (W, block), theirs in zip(ours, peer.interactions, strict=True):
        first, second = W.layers.layers
        copy(first, theirs.mlp[0])
        copy(second, theirs.mlp[2])
        copy(block.send, theirs.conv.lin1)
        first, second = block.node.net.layers.layers
        copy(first, theirs.conv.lin2)
        copy(second, theirs.lin)
    copy(model.readout.hidden, peer.lin1)
    copy(model.readout.last, peer.lin2)
    return model


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
@pytest.mark.parametrize("periodic", [False, True])
def test_against_torch_geometric(rng, periodic):
    torch = pytest.importorskip("torch")
    system = structure(rng, periodic)
    edges = edges_of(system, SIZES["cutoff"])
    j, i = torch.tensor(edges.senders), torch.tensor(edges.receivers)
    images = torch.tensor(edges.shift @ system.cell)

    def interaction_graph(positions, _):
        return torch.stack([j, i]), (positions[j] + images - positions[i]).norm(dim=-1)

    peer = peer_on(interaction_graph)
    positions = torch.tensor(system.positions, requires_grad=True)
    expected = peer(torch.tensor(system.numbers), positions)
    (gradient,) = torch.autograd.grad(expected.sum(), positions)

    model = with_weights_of(peer)
    found = jax.jit(evaluate)(model, graph(system, SIZES["cutoff"], dtype=jnp.float64))
    assert float(found.energy[0]) == pytest.approx(expected.item(), rel=1e-10)
    np.testing.assert_allclose(found.forces, -gradient.numpy(), rtol=0, atol=1e-10)
    assert np.abs(found.forces).max() > 0.1


@pytest.mark.parametrize(
    ("dtype", "tolerance", "agree"),
    [(jnp.float64, None, 1e-8), (jnp.float64, 1e-4, 1e-3), (jnp.float32, None, 1e-4)],
)
def test_tables_in_place_of_filters(rng, dtype, tolerance, agree):
    """Energies and forces of the networks; also two atoms very near, and one just inside."""
    model = made(channels=4, radial=8)
    fast = model.tabulated(tolerance=tolerance, dtype=dtype)
    near = np.array([[0, 0, 0], [0.02, 0, 0], [3.999, 0.01, 0], [0, 1.0, 0]])
    systems = [structure(rng, True), System(np.array([6, 1, 8, 1]), near)]
    g = graph(systems, 4.0, dtype=dtype)
    expected, found = (jax.jit(evaluate)(m, g) for m in (model, fast))
    assert found.forces.dtype == dtype
    size = np.abs(expected.forces).max()
    assert size > 1e-3
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=agree * size)
    np.testing.assert_allclose(found.energies, expected.energies, rtol=0, atol=agree * size)
    assert np.abs(found.forces - expected.forces).max() > 0  # it is a table
    assert (fast.cutoff, fast.hops) == (model.cutoff, model.hops)


def test_shifted_softplus():
    x = np.array([-800.0, -1.0, 0.0, 2.0, 800.0])
    expected = np.logaddexp(x, 0) - np.log(2)
    np.testing.assert_allclose(shifted_softplus(jnp.asarray(x)), expected, rtol=0, atol=1e-13)


def test_a_lone_atom_has_a_constant_energy():
    """With nobody to hear, v stays what it is for the element, and forces are 0."""
    alone = graph(System(np.array([8]), np.zeros((1, 3))), 4.0, dtype=jnp.float64)
    with_reference, without = made(energies=(0.0, 1.0, -432.1)), made()
    difference = jax.jit(lambda g: with_reference(g) - without(g))(alone)
    assert float(difference[0]) == pytest.approx(-432.1, abs=1e-12)


def test_untrained_energies_are_small(rng):
    """The last layer starts small: an untrained network hardly moves an atom."""
    g = graph(structure(rng, True), 4.0, dtype=jnp.float64)
    energies = jax.jit(SchNet((1, 6, 8), cutoff=4.0, rngs=nnx.Rngs(0)).__call__)(g)
    assert 0 < np.std(energies) < 0.3


def test_it_looks_as_far_as_it_has_layers():
    """In a chain where only the next atom is within the cutoff, layers count the steps."""
    chain = System(np.full(6, 6), np.arange(6)[:, None] * np.array([[3.0, 0, 0]]))
    g = graph(chain, 4.0, dtype=jnp.float64)

    @jax.jit
    @jax.grad
    def slope(positions, model):
        return model(g.at(positions))[0]

    for layers in (1, 3):
        model = made(layers=layers)
        assert model.hops == layers
        seen = np.abs(slope(jnp.asarray(chain.positions), model)).sum(axis=1) > 0
        np.testing.assert_array_equal(seen, np.arange(6) <= layers)


def test_an_unknown_element_has_no_energy():
    g = graph(System(np.array([6, 7]), np.array([[0, 0, 0], [0, 0, 1.2]])), 4.0)
    assert np.isnan(jax.jit(energy)(made(), g)).all()


def test_wrong_energies_are_refused():
    with pytest.raises(ValueError, match="give one energy in eV for each species"):
        made(energies=(1.0,))
