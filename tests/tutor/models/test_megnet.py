"""MEGNet's parts against loops, what it refuses, and which laws its state breaks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor import symmetry
from tutor.models.megnet import AtomReadout, MEGNet, Set2Set
from tutor.neighbors import graph
from tutor.potential import energy, forces
from tutor.precision import float64
from tutor.system import System

CUTOFF, CHANNELS = 3.0, 4


@pytest.fixture
def double():
    with float64():
        yield


def made(atoms: bool = False, **options) -> MEGNet:
    readout = AtomReadout((6, 8), CHANNELS, rngs=nnx.Rngs(1)) if atoms else None
    small = {"cutoff": CUTOFF, "channels": CHANNELS, "blocks": 2, "radial": 5, "neighbors": 4.0}
    return MEGNet((6, 8), **{**small, **options}, readout=readout, rngs=nnx.Rngs(0))


def molecules(rng) -> list[System]:
    return [
        System(np.array([6, 8, 8, 6, 8]), rng.uniform(0, 3, (5, 3))),
        System(np.array([8, 6, 6]), rng.uniform(0, 2, (3, 3))),
    ]


def property_of(model, systems, **padding):
    g = graph(systems, CUTOFF, dtype=jnp.float64, **padding)
    return np.asarray(jax.jit(MEGNet.property)(model, g))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_set2set_against_loops(double, rng):
    """Two sets in one array; an element may belong to a set in part, or to none."""
    net = Set2Set(3, steps=2, rngs=nnx.Rngs(0))
    W, b = (np.asarray(p[...], float) for p in (net.gates.kernel, net.gates.bias))
    x = rng.normal(size=(6, 3))
    weights = np.array([[1, 1, 0.3, 0, 0, 0], [0, 0, 0, 1, 0.5, 0]])
    for row, found in zip(weights, net(jnp.asarray(x), jnp.asarray(weights)), strict=True):
        asked, memory = np.zeros(6), np.zeros(3)
        for _ in range(2):
            i, f, o, new = np.split(asked @ W + b, 4)
            memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(new)
            question = sigmoid(o) * np.tanh(memory)
            a = [w * np.exp(question @ v) for w, v in zip(row, x, strict=True)]
            answer = sum(p * v for p, v in zip(a, x, strict=True)) / sum(a)
            asked = np.concatenate([question, answer])
        np.testing.assert_allclose(found, asked, rtol=0, atol=1e-12)


def test_the_property_of_a_structure_is_its_own(double, rng):
    """In a batch and with padding it is what it is alone."""
    systems = molecules(rng)
    alone = [property_of(made(), s)[0] for s in systems]
    together = property_of(made(), systems, atoms=11, slots=9, structures=3)
    np.testing.assert_allclose(together[:2], alone, rtol=0, atol=1e-12)
    assert np.isfinite(together).all()
    assert abs(alone[0] - alone[1]) > 1e-4


def test_the_property_does_not_grow_with_a_crystal(double, rng):
    cell = np.diag([2.5, 3.0, 3.5])
    numbers, x = np.array([6, 8, 8]), rng.uniform(0, 2.5, (3, 3))
    one = System(numbers, x, cell, np.full(3, True))
    two = System(
        np.tile(numbers, 2), np.concatenate([x, x + cell[0]]), cell * [[2], [1], [1]], one.pbc
    )
    np.testing.assert_allclose(property_of(made(), two), property_of(made(), one), atol=1e-12)


def test_a_readout_of_structures_is_no_energy_of_atoms(double, rng):
    g = graph(molecules(rng)[0], CUTOFF, dtype=jnp.float64)
    for derive in (energy, forces):
        with pytest.raises(TypeError, match="reads one number from a whole structure, but an"):
            derive(made(), g)


def test_every_atom_feels_every_other(double):
    """Far beyond blocks · cutoff the energy of an atom still changes: hops is infinite."""
    chain = System(np.full(4, 6), np.array([[0, 0, 0], [1.5, 0, 0], [90, 0, 0], [91.5, 0, 0]]))
    g = graph(chain, CUTOFF, dtype=jnp.float64)
    model = made(atoms=True)
    slope = jax.jit(jax.grad(lambda x: model(g.at(x))[0]))(jnp.asarray(chain.positions))
    assert np.abs(slope[3]).max() > 1e-8
    assert model.hops == np.inf


@pytest.mark.parametrize(("blocks", "broken"), [(1, ()), (2, ("size consistency",))])
def test_the_state_breaks_size_consistency_and_nothing_else(blocks, broken):
    """With a read-out of atoms it looks like a potential; two molecules are not their sum.

    After one block the state is made but no atom has heard of it. Two copies of one molecule do
    add up: means over atoms are the same for both.
    """
    report = symmetry.check(
        made(atoms=True, blocks=blocks),
        sample=symmetry.random_structures(symmetry.atomistic(), species=(6, 8), closest=1.2),
        laws=["rotation", "permutation", "extensivity", "size consistency", "forces"],
        trials=4,
        dtypes=["float64"],
        examples=False,
        progress=False,
    )
    assert report.broken == broken, str(report)
