"""Models of other libraries, as `models.py` times them: forces, a training step, weights."""

import typing
from collections.abc import Callable

import numpy as np

from tutor.neighbors import graph, to_edges
from tutor.system import System

Runners = tuple[Callable, Callable, int]


def _torch():
    import torch
    from torch.utils.data import dataloader

    torch.set_num_threads(1)
    # schnetpack imports a name that torch has dropped.
    dataloader.T_co = getattr(dataloader, "T_co", typing.TypeVar("T_co", covariant=True))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_default_device(device)
    return torch


class _Inputs:
    """The arrays that all of them take."""

    def __init__(self, torch, systems: list[System], cutoff: float):
        edges = to_edges(graph(systems, cutoff))
        self.numbers = torch.tensor(np.concatenate([s.numbers for s in systems]))
        positions = np.concatenate([s.positions for s in systems])
        self.positions = torch.tensor(positions, dtype=torch.float32)
        self.structure = torch.tensor(np.repeat(np.arange(len(systems)), [len(s) for s in systems]))
        self.counts = torch.tensor([len(s) for s in systems])
        self.i, self.j = torch.tensor(edges.receivers), torch.tensor(edges.senders)
        self.shift = torch.tensor(edges.shift @ systems[0].cell, dtype=torch.float32)


def _runners(torch, model, energies: Callable, positions) -> Runners:
    """From a function of positions that gives the energy of each structure."""

    def once(training: bool):
        x = positions.clone().requires_grad_()
        energy = energies(x)
        (slope,) = torch.autograd.grad(energy.sum(), x, create_graph=training)
        return energy, -slope

    def forces():
        result = once(training=False)[1]
        if result.is_cuda:
            torch.cuda.synchronize()

    def step():
        energy, found = once(training=True)
        model.zero_grad()
        ((found**2).mean() + (energy**2).mean()).backward()
        if found.is_cuda:
            torch.cuda.synchronize()

    return forces, step, sum(p.numel() for p in model.parameters())


def _schnetpack(kind: str) -> Callable[[list[System], float], Runners]:
    def make(systems, cutoff):
        torch = _torch()
        import schnetpack as spk

        inputs = _Inputs(torch, systems, cutoff)
        representation = getattr(spk.representation, kind)(
            64, 3, spk.nn.GaussianRBF(20, cutoff), cutoff_fn=spk.nn.CosineCutoff(cutoff)
        )
        model = spk.model.NeuralNetworkPotential(
            representation,
            input_modules=[spk.atomistic.PairwiseDistances()],
            output_modules=[spk.atomistic.Atomwise(n_in=64, output_key="energy")],
        )
        fixed = {
            "_atomic_numbers": inputs.numbers,
            "_idx_i": inputs.i,
            "_idx_j": inputs.j,
            "_idx_m": inputs.structure,
            "_n_atoms": inputs.counts,
            "_offsets": inputs.shift,
        }
        return _runners(
            torch, model, lambda x: model({**fixed, "_positions": x})["energy"], inputs.positions
        )

    return make


def _pyg(systems, cutoff) -> Runners:
    torch = _torch()
    from torch_geometric.nn.models.schnet import SchNet

    inputs = _Inputs(torch, systems, cutoff)

    def pairs(x, _):
        distance = (x[inputs.j] + inputs.shift - x[inputs.i]).norm(dim=-1)
        return torch.stack([inputs.j, inputs.i]), distance

    model = SchNet(
        hidden_channels=64,
        num_filters=64,
        num_interactions=3,
        num_gaussians=20,
        cutoff=cutoff,
        interaction_graph=pairs,
    )
    return _runners(
        torch, model, lambda x: model(inputs.numbers, x, inputs.structure), inputs.positions
    )


def _mace(systems, cutoff) -> Runners:
    torch = _torch()
    torch.serialization.add_safe_globals([slice])
    from e3nn import o3
    from mace import modules

    inputs = _Inputs(torch, systems, cutoff)
    species = sorted(set(inputs.numbers.tolist()))
    model = modules.MACE(
        r_max=cutoff,
        num_bessel=8,
        num_polynomial_cutoff=5,
        max_ell=2,
        interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        interaction_cls_first=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        num_interactions=2,
        num_elements=len(species),
        hidden_irreps=o3.Irreps("32x0e + 32x1o"),
        MLP_irreps=o3.Irreps("16x0e"),
        atomic_energies=np.zeros(len(species)),
        avg_num_neighbors=10.0,
        atomic_numbers=species,
        correlation=3,
        gate=torch.nn.functional.silu,
    )
    elements = torch.tensor([species.index(z) for z in inputs.numbers.tolist()])
    fixed = {
        "node_attrs": torch.nn.functional.one_hot(elements, len(species)).float(),
        "edge_index": torch.stack([inputs.j, inputs.i]),
        "shifts": inputs.shift,
        "unit_shifts": torch.zeros_like(inputs.shift),
        "batch": inputs.structure,
        "ptr": torch.cat([torch.zeros(1, dtype=torch.long), inputs.counts.cumsum(0)]),
        "cell": torch.zeros((3 * len(systems), 3)),
    }

    def energies(x):
        return model({**fixed, "positions": x}, training=True, compute_force=False)["energy"]

    return _runners(torch, model, energies, inputs.positions)


def _ani(systems, cutoff) -> Runners:
    torch = _torch()
    from torchani.arch import simple_ani

    inputs = _Inputs(torch, systems, cutoff)
    model = simple_ani(
        ("H", "C" if 6 in systems[0].numbers else "O"),
        lot="none",
        radial_start=0.8,
        radial_cutoff=cutoff,
        radial_shifts=16,
        angular_start=0.8,
        angular_cutoff=cutoff,
        angular_shifts=2,
        sections=4,
        repulsion=False,
        self_energies="zero",
    )
    once = inputs.i < inputs.j
    pairs, shift = torch.stack([inputs.i, inputs.j])[:, once], inputs.shift[once]
    # One structure, for it takes outside neighbours for no more; no pair joins two molecules.
    numbers = inputs.numbers[None]

    def energies(x):
        return model.compute_from_external_neighbors(numbers, x[None], pairs, shift).energies

    return _runners(torch, model, energies, inputs.positions)


PEERS = {
    "schnetpack SchNet": _schnetpack("SchNet"),
    "schnetpack PaiNN": _schnetpack("PaiNN"),
    "PyG SchNet": _pyg,
    "mace-torch MACE": _mace,
    "torchani ANI": _ani,
}
