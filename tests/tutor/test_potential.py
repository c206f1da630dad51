"""Signs of forces and stress, sums of potentials, and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.models.pair import LennardJones, Pair, truncated
from tutor.neighbors import graph
from tutor.potential import Potential, Sum, energy, evaluate, forces, stress
from tutor.system import System

# A spring with its minimum at r = 2: u = (r − 2)², felt up to 3 Å.
SPRING = Pair(lambda r: (r - 2.0) ** 2, cutoff=3.0, ending=truncated)
DIMER = np.array([[0, 0, 0], [0, 0, 2.5]])


def test_forces_are_minus_the_gradient():
    """A stretched spring pulls its ends together: dE/dr = 1 eV/Å."""
    made = graph(System(np.array([1, 1]), DIMER), 3.0)
    np.testing.assert_allclose(energy(SPRING, made), [0.25])
    np.testing.assert_allclose(forces(SPRING, made), [[0, 0, 1], [0, 0, -1]], atol=1e-6)


def test_stress_is_positive_under_tension():
    """A stretched chain along z: σ_zz = dE/dε / V = L u'(L) / V, and nothing else."""
    cell = np.diag([10.0, 10.0, 2.5])
    chain = System(np.array([1]), np.zeros((1, 3)), cell, np.ones(3, bool))
    expected = np.zeros((1, 3, 3))
    expected[0, 2, 2] = 2.5 * 1.0 / 250.0
    np.testing.assert_allclose(stress(SPRING, graph(chain, 3.0)), expected, atol=1e-8)
    virial = evaluate(SPRING, graph(chain, 3.0)).virial
    np.testing.assert_allclose(virial, -250.0 * expected, atol=1e-6)


def test_energies_of_atoms_sum_to_the_energy():
    made = graph([System(np.array([1, 1]), DIMER)] * 2, 3.0, atoms=7)
    found = evaluate(SPRING, made)
    np.testing.assert_allclose(found.energies, [0.125] * 4 + [0] * 3, rtol=1e-6)
    np.testing.assert_allclose(found.energy, [0.25] * 2, rtol=1e-6)


def test_a_sum_of_potentials():
    near = Pair(LennardJones(0.01, 2.0), cutoff=4.0)
    both = Sum(SPRING, near)
    assert (both.cutoff, both.hops) == (4.0, 1)
    made = graph(System(np.array([1, 1]), DIMER), 4.0)
    np.testing.assert_allclose(
        forces(both, made), forces(SPRING, made) + forces(near, made), rtol=1e-5
    )
    assert jax.tree.leaves(Sum(near, near)) == [0.01, 2.0] * 2
    with pytest.raises(ValueError, match="give at least one potential"):
        Sum()


def test_whatever_has_a_cutoff_hops_and_a_call_is_a_potential():
    assert isinstance(SPRING, Potential)
    assert isinstance(Sum(SPRING), Potential)
    assert not isinstance(LennardJones(1.0, 1.0), Potential)


def test_stress_without_a_volume_is_refused():
    molecule = System(np.array([1, 1]), DIMER)
    box = System(np.array([1, 1]), DIMER, 9.0 * np.eye(3))
    made = graph([box, molecule], 3.0)
    with pytest.raises(ValueError, match=r"spans the volumes \[729.*give every System three cell"):
        stress(SPRING, made)
    inside = jax.jit(lambda g: stress(SPRING, g))(made)
    assert np.isfinite(inside[0]).all()
    assert not np.isfinite(inside[1, 2, 2])
    assert not stress(SPRING, graph(box, 3.0, structures=2))[1].any()


def test_a_short_graph_is_refused():
    made = graph(System(np.array([1, 1]), DIMER), 2.6)
    with pytest.raises(ValueError, match=r"Pair looks 3\.0 Å far, but the graph .* 2\.6 Å"):
        energy(SPRING, made)
    with pytest.raises(ValueError, match=r"up to 2\.6 Å, but 3\.0 Å are needed"):
        SPRING(made)


def test_energies_reported_for_padding_do_not_count():
    class Constant:
        cutoff, hops = 1.0, 1

        def __call__(self, graph):
            return jnp.where(graph.species > 0, 1.0, jnp.nan)

    found = evaluate(Constant(), graph(System(np.array([1, 1]), DIMER), 3.0, atoms=5))
    assert found.energy == 2
    assert not found.forces.any()


class Whole:
    """One number for a structure, which would be taken for the energy of each of its atoms."""

    cutoff, hops = 3.0, 1

    def __call__(self, graph):
        return jnp.ones(1)


def test_a_potential_gives_an_energy_for_each_atom():
    made = graph(System(np.array([1, 1]), DIMER), 3.0)
    with pytest.raises(ValueError, match=r"Whole gives energies of shape \(1,\) for the 2 atoms"):
        energy(Whole(), made)
