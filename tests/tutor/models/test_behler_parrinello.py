import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import tutor
from tutor.data import Dataset
from tutor.models.behler_parrinello import BehlerParrinello, Scaling, loss, precompute, predict
from tutor.models.composition import Composition
from tutor.models.symmetry_functions import SymmetryFunctions, angles, shifted
from tutor.neighbors import graph
from tutor.potential import evaluate
from tutor.precision import float64
from tutor.train import fit

run = jax.jit(evaluate)
SHELLS = shifted(3, 1.0, 3.0)
FUNCTIONS = SymmetryFunctions((1, 8), 4.0, SHELLS, g4=angles(SHELLS[:1]), g5=((0.1, 2.5, 1),))


def made(rng, **options) -> BehlerParrinello:
    """A network whose scaling and reference energies are not trivial."""
    mean = rng.normal(size=(2, len(FUNCTIONS))).tolist()
    std = rng.uniform(0.5, 2, (2, len(FUNCTIONS))).tolist()
    scaling = Scaling(*(tuple(map(tuple, table)) for table in (mean, std)))
    small = {"hidden": (7,), "scaling": scaling, "energies": (-3.0, -20.0), "rngs": nnx.Rngs(0)}
    return BehlerParrinello(FUNCTIONS, **{**small, **options})


def molecules(rng) -> Dataset:
    """Three of them with five, three and one atoms, and labels without meaning."""
    numbers = np.array([[8, 1, 1, 8, 1], [1, 8, 1, 0, 0], [8, 0, 0, 0, 0]])
    shape = (*numbers.shape, 3)
    return Dataset(
        "three",
        numbers=numbers,
        positions=rng.uniform(0, 2.5, shape) * (numbers > 0)[..., None],
        energy=rng.normal(size=3),
        forces=rng.normal(size=shape) * (numbers > 0)[..., None],
    )


def test_against_networks_in_numpy(rng):
    """An atom's own species chooses its network, its scaling and its reference energy."""
    with float64():
        model, system = made(rng), molecules(rng)[0]
        at = graph(system, 4.0, dtype=jnp.float64)
        energies, G = np.asarray(model(at)), np.asarray(FUNCTIONS(at))
        for i, z in enumerate(system.numbers):
            own = (1, 8).index(z)
            x = (G[i] - model.scaling.mean[own]) / np.array(model.scaling.std[own])
            first, last = model.nets.nets.layers[own].layers.layers
            x = x @ np.asarray(first.kernel[...]) + np.asarray(first.bias[...])
            x = x / (1 + np.exp(-x)) @ np.asarray(last.kernel[...]) + np.asarray(last.bias[...])
            assert energies[i] == pytest.approx((-3.0, -20.0)[own] + x[0], abs=1e-12)


def test_precomputed_energies_and_forces_are_those_of_the_model(rng):
    with float64():
        model, data = made(rng), molecules(rng)
        batch = precompute(model, data, dtype=jnp.float64, chunk=2)
        E, F = predict(model, batch)
        references = [-3 * 3 - 20 * 2, -3 * 2 - 20, -20]
        for k, system in enumerate(data):
            at = graph(system, 4.0, dtype=jnp.float64, atoms=5, slots=4)
            found = run(model, at)
            assert float(E[k]) + references[k] == pytest.approx(float(found.energy[0]), abs=1e-10)
            np.testing.assert_allclose(
                F[k, : len(system)], found.forces[: len(system)], rtol=0, atol=1e-10
            )
            assert not np.asarray(F[k, len(system) :]).any()
            assert float(batch.energy[k]) == pytest.approx(data.energy[k] - references[k])
        assert np.abs(F[0]).max() > 1e-2


def test_the_loss_counts_atoms_that_are_there(rng):
    with float64():
        model, data = made(rng), molecules(rng)
        batch = precompute(model, data, dtype=jnp.float64)
        E, F = (np.asarray(x) for x in predict(model, batch))
        squares = [((F[k] - data.forces[k])[: len(data[k])] ** 2).ravel() for k in range(3)]
        energies = ((E - np.asarray(batch.energy)) ** 2).mean()
        expected = np.concatenate(squares).mean() + 0.3 * energies
        assert float(loss(model, batch, energy=0.3)) == pytest.approx(expected, rel=1e-12)


def test_the_derivatives_are_in_single_precision_unless_asked(rng):
    batch = precompute(made(rng), molecules(rng))
    assert {leaf.dtype.name for leaf in jax.tree.leaves(batch)} == {"float32", "int32"}
    assert batch.J.shape == (3, 5, len(FUNCTIONS), 5, 3)


def test_scaling_is_that_of_each_species(rng):
    data = molecules(rng)
    systems = list(data)
    scaling = Scaling.of(FUNCTIONS, systems, floor=0.02)
    value = jax.jit(FUNCTIONS)
    padded = [value(graph(s, 4.0, atoms=5, slots=4))[: len(s)] for s in systems]
    values = np.concatenate([np.asarray(G) for G in padded])
    numbers = np.concatenate([s.numbers for s in systems])
    for row, z in enumerate((1, 8)):
        G = values[numbers == z].astype(float)
        np.testing.assert_allclose(scaling.mean[row], G.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(scaling.std[row], np.maximum(G.std(axis=0), 0.02), atol=1e-6)
    assert min(map(min, scaling.std)) == 0.02


def test_training_learns_ethanol():
    """Fifty geometries: most of the forces of others are explained; none is without training."""
    data = tutor.data.load("ethanol")
    train, test = data.split("train")[::20], data.split("test")[::20]
    composition = Composition.fit(train.numbers, train.energy)
    shells = shifted(6, 0.8, 4.0)
    functions = SymmetryFunctions(composition.elements, 4.5, shells, g5=angles(shells[:1]))
    model = BehlerParrinello(
        functions,
        scaling=Scaling.of(functions, train),
        energies=composition.coefficients,
        rngs=nnx.Rngs(0),
    )
    batches = precompute(model, train)
    key = jax.random.key(0)
    trained = fit(model, loss, batches, steps=2000, batch_size=5, learning_rate=3e-3, key=key).model
    seen = precompute(model, test)
    before, after = (predict(m, seen)[1] - seen.forces for m in (model, trained))
    rms = float(jnp.sqrt((seen.forces**2).mean()))
    assert float(jnp.sqrt((before**2).mean())) > 0.5 * rms
    assert float(jnp.sqrt((after**2).mean())) < 0.25 * rms


def test_an_unknown_element_has_no_energy(rng):
    system = molecules(rng)[1]
    stranger = tutor.System(np.array([1, 7, 1]), system.positions)
    assert np.isnan(np.asarray(made(rng)(graph(stranger, 4.0)))[1])


def test_bad_input_is_refused(rng):
    data = molecules(rng)
    with pytest.raises(ValueError, match=r"energies = .* for species = \(1, 8\): give one energy"):
        made(rng, energies=(1.0,))
    with pytest.raises(ValueError, match=r"scaling.mean and scaling.std .* make them with"):
        made(rng, scaling=Scaling(((0.0,), (0.0,)), ((1.0,), (1.0,))))
    with pytest.raises(ValueError, match=r"no structure has the atomic numbers \[1\]"):
        Scaling.of(FUNCTIONS, [data[2]])
    with pytest.raises(ValueError, match=r"floor = 0.0"):
        Scaling.of(FUNCTIONS, data, floor=0.0)
    unlabelled = Dataset("bare", data.numbers, data.positions, data.energy)
    with pytest.raises(ValueError, match="bare has no forces: give data with energies and forces"):
        precompute(made(rng), unlabelled)
