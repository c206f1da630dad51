from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.models.pair import LennardJones, Pair, truncated
from tutor.neighbors import graph
from tutor.potential import evaluate
from tutor.precision import float64
from tutor.train.errors import errors, residuals
from tutor.train.samples import atomic_energies, samples


def reference():
    return Pair(LennardJones(0.0104, 3.4), 15.0, truncated)


def test_every_row_is_the_graph_of_its_structure(argon):
    data = argon(4, 0)
    with float64():
        rows = samples(data, 15.0, energies={18: -7.0}, dtype=jnp.float64).graph
        all_padded = jax.jit(jax.vmap(partial(evaluate, reference())))(rows)
        for s in range(4):
            alone = jax.jit(evaluate)(reference(), graph(data[s], 15.0, dtype=jnp.float64))
            padded = jax.tree.map(lambda a, s=s: a[s], all_padded)
            n = len(data[s])
            np.testing.assert_allclose(padded.energy, alone.energy, rtol=1e-14)
            np.testing.assert_allclose(padded.forces[:n], alone.forces, atol=1e-15)
            assert not padded.forces[n:].any()
            np.testing.assert_allclose(padded.virial, alone.virial, atol=1e-14)


def test_padding_may_stand_anywhere(argon):
    data = argon(1, 0)
    order = np.array([3, 0, 4, 1, 2])  # atoms 0 to 2 are real
    moved = replace(
        data,
        numbers=data.numbers[:, order],
        positions=data.positions[:, order],
        forces=data.forces[:, order],
    )
    for part in (data, moved):
        assert errors(reference(), part, energies={18: -7.0}).forces_mae < 1e-8


def test_labels_agree_with_ase(argon):
    with float64():
        found = residuals(
            reference(), samples(argon(6, 1), 15.0, energies={18: -7.0}, dtype=jnp.float64)
        )
    assert set(found) == {"energy", "atoms", "forces", "virial", "stress"}
    assert found["atoms"].tolist() == [3, 4, 5, 3, 4, 5]
    assert len(found["forces"]) == 3 * 24
    for name, unit in {"energy": 1e-12, "forces": 1e-13, "virial": 1e-12, "stress": 1e-16}.items():
        assert np.abs(found[name]).max() < unit, name


def test_energies_are_subtracted_before_rounding(argon):
    """0.1 meV on top of a million eV is below what float32 can say."""
    data = argon(6, 0)
    heavy = replace(data, energy=data.energy - 1e6 * (data.numbers > 0).sum(axis=1))
    plain = samples(data, 15.0, energies={18: -7.0}).energy
    shifted = samples(heavy, 15.0, energies={18: -7.0 - 1e6}).energy
    np.testing.assert_allclose(plain, shifted, atol=1e-8)
    assert np.std(plain) < 0.1


def test_atomic_energies_are_those_of_least_squares(argon):
    (fitted,) = atomic_energies(argon(30, 0)).values()
    assert abs(fitted + 7.0) < 0.1


def test_what_is_not_labelled_is_not_counted(argon):
    data = replace(argon(3, 0), forces=None, stress=None)
    found = errors(reference(), data, energies={18: -7.0})
    assert found.forces_mae is None
    assert found.stress_rmse is None
    assert "forces" not in str(found)


def test_stress_without_volume(argon):
    with pytest.raises(ValueError, match="argon has a stress for structures without volume"):
        samples(replace(argon(2, 0), cell=None), 15.0, energies={18: 0.0})


def test_errors_are_means_in_the_units_they_name(argon):
    """A potential that is off by a known amount: 2 meV a structure, nothing in the forces."""
    data = argon(3, 0)
    wrong = replace(data, energy=data.energy + np.array([0.002, -0.002, 0.004]))
    found = errors(reference(), wrong, energies={18: -7.0})
    np.testing.assert_allclose(found.energy_mae, 0.008 / 3, rtol=1e-3)
    np.testing.assert_allclose(found.energy_rmse, np.sqrt(24e-6 / 3), rtol=1e-3)
    np.testing.assert_allclose(
        found.energy_per_atom_mae, (0.002 / 3 + 0.002 / 4 + 0.004 / 5) / 3, rtol=1e-3
    )
    assert found.forces_rmse < 1e-7
    lines = str(found).splitlines()
    assert lines[0].split() == ["MAE", "RMSE"]
    assert lines[1].split() == ["energy", "2.667", "2.828", "meV"]
    assert [line.split()[-1] for line in lines[2:]] == ["meV/atom", "meV/Å", "meV/Å³"]
