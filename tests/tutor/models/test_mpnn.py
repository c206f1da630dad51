"""MPNN against its sum over neighbours, atom by atom."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.models.mpnn import GRU, MPNN
from tutor.neighbors import graph
from tutor.potential import energy
from tutor.precision import float64
from tutor.system import System

CUTOFF, CHANNELS, RADIAL, NEIGHBORS = 4.0, 3, 5, 6.0


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def made(**options) -> MPNN:
    sizes = {"channels": CHANNELS, "steps": 2, "radial": RADIAL, "hidden": 7}
    return MPNN(
        (6, 8), cutoff=CUTOFF, neighbors=NEIGHBORS, **{**sizes, **options}, rngs=nnx.Rngs(0)
    )


def linear(layer, x):
    return np.asarray(layer.kernel[...], float).T @ x + np.asarray(layer.bias[...], float)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(cell, m, h):
    z, s = np.split(sigmoid(linear(cell.gates, np.concatenate([m, h]))), 2)
    new = np.tanh(linear(cell.candidate, np.concatenate([m, s * h])))
    return (1 - z) * h + z * new


def silu(x):
    return x * sigmoid(x)


def by_loops(model, numbers, x, steps) -> float:
    h = [np.asarray(model.embedding.table[...], float)[(6, 8).index(z)] for z in numbers]
    first, second = model.block.edge.net.layers.layers
    for _ in range(steps):
        messages = []
        for i in range(len(x)):
            m = np.zeros(CHANNELS)
            for j in range(len(x)):
                r = np.linalg.norm(x[j] - x[i])
                if i == j or r >= CUTOFF:
                    continue
                n = np.arange(1, RADIAL + 1)
                e = np.sqrt(2 / CUTOFF) * np.sin(n * np.pi * r / CUTOFF) / r
                A = linear(second, silu(linear(first, e))).reshape(CHANNELS, CHANNELS)
                u = r / CUTOFF
                f = 1 - 28 * u**6 + 48 * u**7 - 21 * u**8
                m += f * (A @ h[j]) / np.sqrt(CHANNELS) / np.sqrt(NEIGHBORS)
            messages.append(m)
        h = [gru(model.block.node, m, old) for m, old in zip(messages, h, strict=True)]
    out = model.readout
    return sum(linear(out.last, silu(linear(out.hidden, v)))[0] for v in h)


@pytest.mark.parametrize("steps", [1, 3])
def test_against_loops_over_atoms(steps, rng):
    model = made(steps=steps)
    numbers, x = np.array([6, 8, 8, 6, 8]), rng.uniform(0, 4, (5, 3))
    found = energy(model, graph(System(numbers, x), CUTOFF, dtype=jnp.float64))[0]
    assert float(found) == pytest.approx(by_loops(model, numbers, x, steps), abs=1e-12)
    assert model.hops == steps


def test_a_closed_gate_keeps_and_an_open_one_forgets(rng):
    m, h = jnp.asarray(rng.normal(size=(2, 4, CHANNELS)))
    for bias, expected in ((-1e3, h), (1e3, None)):
        cell = GRU(CHANNELS, rngs=nnx.Rngs(0))
        cell.gates.bias = nnx.Param(jnp.full(2 * CHANNELS, bias))
        if expected is None:
            expected = jnp.tanh(cell.candidate(jnp.concatenate([m, h], axis=1)))
        np.testing.assert_allclose(cell(m, h, jnp.zeros((4, 0))), expected, rtol=0, atol=1e-13)


def test_steps_share_their_weights():
    """One block, however often it is used."""
    one, three = (sum(x.size for x in jax.tree.leaves(made(steps=steps))) for steps in (1, 3))
    assert one == three


def test_wrong_energies_are_refused():
    with pytest.raises(ValueError, match="give one energy in eV for each species"):
        made(energies=(1.0,))
