"""The network of three free components: what it sees, which laws it keeps and which it breaks."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import tutor.data
from tutor.ase import to_atoms
from tutor.system import System

torch = pytest.importorskip("torch")

from tutor.twins.direct_forces import DirectForces, Frame, distance_scales, fit  # noqa: E402


@pytest.fixture
def dimer():
    return tutor.data.load("water_pairs", "dimer")[4]


@pytest.fixture(params=[False, True], ids=["encoded", "multiplied"])
def model(request):
    return DirectForces(width=16, multiplied=request.param, cutoff=5.0).double()


def test_kinds_of_pairs_follow_the_molecules():
    """O-H bonds and one H-H pair for each of 216 molecules, in a cell that cuts molecules."""
    system = tutor.data.load("water", "test")[0]
    kinds = Frame.of(system, 3.4).kinds.sum(dim=0).int().tolist()
    assert kinds[1:] == [2 * 2 * 216, 2 * 216]
    positions = system.positions % np.diag(system.cell)  # atom by atom, molecules cut
    cut = System(system.numbers, positions, system.cell, system.pbc)
    assert Frame.of(cut, 3.4).kinds.sum(dim=0).int().tolist() == kinds


def test_argon_has_no_molecules():
    frame = Frame.of(tutor.data.load("argon", "test")[0], 5.0)
    assert frame.kinds[:, 1:].sum() == 0
    assert frame.nodes[:, 0].abs().max() == 0


def test_messages_go_from_sender_to_receiver(dimer):
    frame = Frame.of(dimer, 2.0)
    positions = torch.as_tensor(dimer.positions, dtype=torch.float32)
    apart = positions[frame.senders] - positions[frame.receivers]
    torch.testing.assert_close(apart, frame.r_ij)


def test_forces_move_along_and_follow_the_numbering(model, dimer, rng):
    forces = model.forces(dimer)
    assert np.abs(forces).max() > 1e-3
    moved = System(dimer.numbers, dimer.positions + np.array([1.0, -2.0, 0.5]))
    np.testing.assert_allclose(model.forces(moved), forces, atol=1e-9)
    order = rng.permutation(6)
    renamed = System(dimer.numbers[order], dimer.positions[order])
    np.testing.assert_allclose(model.forces(renamed), forces[order], atol=1e-9)


def test_forces_do_not_turn_with_the_molecules(model, dimer):
    """What the lesson says of it, for both variants."""
    turn = Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix()
    forces = model.forces(dimer)
    turned = model.forces(System(dimer.numbers, dimer.positions @ turn.T))
    assert np.abs(turned - forces @ turn.T).max() > 1e-3 * np.abs(forces).max()


def test_the_first_sum_of_the_second_variant_does_turn(dimer):
    """Up to Σ_j m_ij u_ij it is equivariant; the network after it is what breaks the law."""
    model = DirectForces(width=16, multiplied=True, cutoff=5.0).double().eval()
    turn = torch.as_tensor(Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix())
    seen = []
    hook = model.first.update.register_forward_pre_hook(lambda module, inputs: seen.append(inputs))
    for positions in (dimer.positions, dimer.positions @ turn.numpy().T):
        model.forces(System(dimer.numbers, positions))
    hook.remove()
    before, after = (inputs[0].reshape(6, 16, 3) for inputs in seen)
    torch.testing.assert_close(after, before @ turn.T)


def test_scaled_distances_are_those_of_the_bonds_in_units_of_their_spread():
    """Against ASE's minimum images, oxygen before its two hydrogens."""
    system = tutor.data.load("water", "test")[0]
    atoms = to_atoms(system)
    bonds = [atoms.get_distance(i, i + k, mic=True) for i in range(0, 648, 3) for k in (1, 2)]
    mean, spread = distance_scales([system])
    np.testing.assert_allclose(mean[1], np.mean(bonds), rtol=1e-12)
    np.testing.assert_allclose(spread[1], np.std(bonds), rtol=1e-3)  # each bond was seen twice


def test_a_network_with_scales_of_one_is_the_plain_one(dimer):
    plain = DirectForces(width=16, cutoff=5.0).double()
    scaled = DirectForces(width=16, cutoff=5.0, scales=np.array([[0.0] * 3, [1.0] * 3])).double()
    np.testing.assert_array_equal(scaled.forces(dimer), plain.forces(dimer))
    other = DirectForces(width=16, cutoff=5.0, scales=np.array([[1.0] * 3, [0.1] * 3])).double()
    assert np.abs(other.forces(dimer) - plain.forces(dimer)).max() > 1e-7


def test_fit_learns_repeats_and_leaves_torch_as_it_was(dimer):
    data = tutor.data.load("water_pairs", "dimer")[::8]
    systems, forces = list(data), data.forces
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    runs = []
    for _ in range(2):
        model = DirectForces(width=16, dropout=0.0, cutoff=5.0)
        runs.append(fit(model, systems, forces, epochs=30, learning_rate=3e-3))
    assert runs[0] == runs[1]
    assert runs[0][-1] < 0.7 * runs[0][0]
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads
