"""Roost against its equations, element by element."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.models.roost import Roost
from tutor.precision import float64
from tutor.train import fit

SPECIES = (1, 6, 7, 8)
METHANOL, WATER, OXYGEN = [6, 8, 1, 1, 1, 1], [8, 1, 1, 0, 0, 0], [8, 8, 0, 0, 0, 0]
NUMBERS = np.array([METHANOL, WATER, OXYGEN, [6, 7, 8, 1, 0, 0]])


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def made(**options) -> Roost:
    small = {"channels": 5, "layers": 2, "heads": 3, "hidden": 7}
    return Roost(SPECIES, **{**small, "rngs": nnx.Rngs(0), **options})


def counts(numbers=NUMBERS):
    return jnp.asarray(made().counts(numbers), jnp.float64)


def mlp(net, x):
    layers = net.layers.layers
    for k, layer in enumerate(layers):
        x = x @ np.asarray(layer.kernel[...], float) + np.asarray(layer.bias[...], float)
        x = x / (1 + np.exp(-x)) if k < len(layers) - 1 else x
    return x


def soft(w, outputs, heads):
    """Mean over heads of Σ w e^f g / Σ w e^f."""
    answer = 0.0
    for k in range(heads):
        heard = [o.reshape(heads, -1)[k] for o in outputs]
        weight = [v * np.exp(o[0]) for v, o in zip(w, heard, strict=True)]
        answer += sum(a * o[1:] for a, o in zip(weight, heard, strict=True)) / sum(weight)
    return answer / heads


def by_loops(model, numbers, energies) -> float:
    atoms = [z for z in numbers if z > 0]
    elements = sorted(set(atoms))
    w = [atoms.count(z) / len(atoms) for z in elements]
    table = np.asarray(model.table[...], float)
    h = [np.append(table[SPECIES.index(z)], f) for z, f in zip(elements, w, strict=True)]
    for block in model.blocks.layers:
        net = block.edge.net.net
        h = [a + soft(w, [mlp(net, np.append(a, b)) for b in h], model.heads) for a in h]
    whole = soft(w, [mlp(model.pool, a) for a in h], model.heads)
    reference = sum(energies[SPECIES.index(z)] for z in atoms)
    return reference + len(atoms) * mlp(model.net, whole)[0]


def test_against_loops_over_elements():
    energies = (-1.0, 2.0, 3.0, -4.0)
    model = made(energies=energies)
    expected = [by_loops(model, row, energies) for row in NUMBERS.tolist()]
    np.testing.assert_allclose(model(counts()), expected, rtol=0, atol=1e-12)


def test_twice_the_formula_has_twice_the_energy():
    model = made()
    np.testing.assert_allclose(model(2 * counts()), 2 * model(counts()), rtol=1e-12)


def test_isomers_have_one_energy_and_mixtures_do_not_add_up():
    model = made()
    isomer = np.array([METHANOL[::-1]])
    np.testing.assert_array_equal(model(counts(isomer)), model(counts(np.array([METHANOL]))))
    both = np.array([METHANOL + WATER])
    apart = model(counts()).tolist()
    assert abs(float(model(counts(both))[0]) - apart[0] - apart[1]) > 1e-4


def test_an_element_comes_in_smoothly():
    """A trace of an element changes the energy by a trace: weights are amounts."""
    model, c = made(), counts()
    changes = [np.abs(model(c.at[1, 1].add(t)) - model(c)).max() for t in (1e-3, 1e-6)]
    assert 0 < changes[1] < 2e-3 * changes[0]


def test_gradients_are_finite_with_absent_elements():
    gradient = jax.grad(lambda m: (m(counts()) ** 2).sum())(made())
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_it_learns_what_a_sum_over_elements_cannot(rng):
    """E = n_C n_O / n is not additive; the least squares fit by elements leaves four times more."""
    c = rng.integers(1, 6, (100, 4)).astype(np.float32)
    y = (c[:, 1] * c[:, 3] / c.sum(axis=1)).astype(np.float32)
    linear = np.abs(c @ np.linalg.lstsq(c, y, rcond=None)[0] - y).mean()

    def loss(model, batch):
        return ((model(batch[0]) - batch[1]) ** 2).mean()

    model = fit(
        made(channels=8, hidden=16), loss, (c, y), steps=300, batch_size=50,
        learning_rate=1e-2, key=jax.random.key(0),
    ).model  # fmt: skip
    assert np.abs(model(jnp.asarray(c)) - y).mean() < linear / 4


def test_unknown_elements_are_refused():
    with pytest.raises(ValueError, match=r"atomic numbers \[17\], but this model knows only"):
        made().counts(np.array([[17, 1]]))


def test_wrong_energies_are_refused():
    with pytest.raises(ValueError, match="give one energy in eV for each species"):
        made(energies=(1.0,))
