"""A network that reads three force components off each atom: no energy, no symmetry but order.

Nodes carry (charge, ε, σ), edges the kind of pair (strangers, bonded, or second neighbours in one
molecule), the distance and the direction of the sender. With encoders x_i and e_ij,

    x_i ← N₁(Σ_j M₁(x_i ∘ x_j, e_ij))                  the first layer
    x_i ← x_i + N_l(Σ_j M_l(x_i ∘ x_j, ē_ij))          two more, ē without the kind of pair
    F_i = D(x_i)                                       three free numbers

M, N and D are networks with PReLU and dropout. The design is that of a student report on water
(L. Bezzon, github.com/LotharBezzon/GNNforMD), as its text describes it; where that leaves room,
the reading is ours. It is here to be measured, not to be used: its forces do not turn with the
molecule, do work on closed paths and jump at the cutoff.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tutor.data.force_fields import SITES
from tutor.neighbors import edges_of
from tutor.system import System

BONDED = 1.35  # Å
KINDS = 3


@contextmanager
def one_thread() -> Iterator[None]:
    """Layers this small gain nothing from several threads, and lose much where cores are busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Frame(NamedTuple):
    """One structure as the network reads it; senders and receivers number its atoms."""

    nodes: Float[Tensor, "atoms 3"]
    kinds: Float[Tensor, "edges 3"]
    r_ij: Float[Tensor, "edges 3"]
    senders: Int[Tensor, "edges"]
    receivers: Int[Tensor, "edges"]

    @classmethod
    def of(cls, system: System, cutoff: float, dtype: torch.dtype = torch.float32) -> "Frame":
        """Neighbours up to `cutoff` in Å; atoms of one molecule are those near one oxygen."""
        edges = edges_of(system, cutoff)
        z, i, j, r_ij = system.numbers, edges.receivers, edges.senders, edges.r_ij
        near = (np.linalg.norm(r_ij, axis=1) < BONDED) & (z[i] != z[j])
        parent = np.arange(len(z))
        parent[i[near & (z[j] == 8)]] = j[near & (z[j] == 8)]
        kind = np.where(near, 1, np.where((parent[i] == parent[j]) & (parent[i] != i), 2, 0))
        sites = [SITES[number] for number in z.tolist()]
        nodes = np.array([(site.charge, 100 * site.epsilon, site.sigma / 3) for site in sites])
        return cls(
            torch.as_tensor(nodes, dtype=dtype),
            torch.as_tensor(np.eye(KINDS)[kind], dtype=dtype),
            torch.as_tensor(r_ij, dtype=dtype),
            torch.as_tensor(j.astype(np.int64)),
            torch.as_tensor(i.astype(np.int64)),
        )


def mlp(inputs: int, width: int, outputs: int, dropout: float, hidden: int = 3) -> nn.Sequential:
    """Hidden layers of one width, with PReLU and dropout between them."""
    layers, sizes = [], [inputs] + [width] * hidden
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.PReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


class Message(nn.Module):
    """N(Σ_j M(x_i ∘ x_j, e_ij)); with `multiplied`, of Σ_j M(…) ⊗ u_ij, from three numbers each."""

    def __init__(self, width: int, dropout: float, multiplied: bool = False):
        super().__init__()
        self.multiplied = multiplied
        self.message = mlp(2 * width, width, width, dropout)
        self.update = mlp(3 * width if multiplied else width, width, width, dropout)

    def forward(self, frame: Frame, x: Tensor, e: Tensor, u: Tensor) -> Tensor:
        pair = x[frame.receivers] * x[frame.senders]
        m = self.message(torch.cat([pair, e], dim=1))
        if self.multiplied:
            m = (m[:, :, None] * u[:, None, :]).flatten(1)
        arriving = m.new_zeros(len(x), m.shape[1]).index_add(0, frame.receivers, m)
        return self.update(arriving)


class DirectForces(nn.Module):
    """Forces in eV/Å, three free components for each atom.

    Args:
        cutoff: in Å.
        width: of all layers; the report has 128.
        multiplied: the report's second model: directions are no inputs; the messages of the first
            layer are multiplied by them.
        scales: mean and spread of the distance in Å for each kind of pair (`distance_scales`); the
            network then reads (r - mean) / spread. By default it reads r, as the report's does.
        seed: of the initial weights.
    """

    def __init__(
        self,
        *,
        cutoff: float = 3.4,
        width: int = 128,
        dropout: float = 0.1,
        multiplied: bool = False,
        scales: Float[np.ndarray, "2 kinds"] | None = None,
        seed: int = 0,
    ):
        super().__init__()
        self.cutoff = cutoff
        mean, spread = np.stack([np.zeros(KINDS), np.ones(KINDS)]) if scales is None else scales
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("spread", torch.tensor(spread, dtype=torch.float32))
        self.multiplied = multiplied
        edge = 1 if multiplied else 4
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.nodes = mlp(3, width, width, dropout)
            self.edges = mlp(KINDS + edge, width, width, dropout)
            self.plain_edges = mlp(edge, width, width, dropout)
            self.first = Message(width, dropout, multiplied)
            self.rest = nn.ModuleList(Message(width, dropout) for _ in range(2))
            self.decoder = mlp(width, width, 3, dropout)

    def forward(self, frame: Frame) -> Float[Tensor, "atoms 3"]:
        r = frame.r_ij.norm(dim=1, keepdim=True)
        u = frame.r_ij / r
        r = (r - frame.kinds @ self.mean[:, None]) / (frame.kinds @ self.spread[:, None])
        seen = r if self.multiplied else torch.cat([r, u], dim=1)
        x = self.nodes(frame.nodes)
        x = self.first(frame, x, self.edges(torch.cat([frame.kinds, seen], dim=1)), u)
        e = self.plain_edges(seen)
        for layer in self.rest:
            x = x + layer(frame, x, e, u)
        return self.decoder(x)

    def forces(self, system: System) -> np.ndarray:
        """The forces on one structure, shape (atoms, 3), without dropout."""
        weight = self.decoder[-1].weight
        self.eval()
        with one_thread(), torch.no_grad():
            return self(Frame.of(system, self.cutoff, weight.dtype)).numpy()


def distance_scales(systems: list[System], cutoff: float = 3.4) -> Float[np.ndarray, "2 kinds"]:
    """Mean and standard deviation in Å of the distances of each kind of pair up to `cutoff`."""
    frames = [Frame.of(system, cutoff, torch.float64) for system in systems]
    r = torch.cat([frame.r_ij.norm(dim=1) for frame in frames])
    kind = torch.cat([frame.kinds for frame in frames]).argmax(dim=1)
    each = [r[kind == k] for k in range(KINDS)]
    return np.array([[x.mean() for x in each], [x.std() for x in each]])


def fit(
    model: DirectForces,
    systems: list[System],
    forces: Float[np.ndarray, "structures atoms 3"],
    *,
    epochs: int,
    learning_rate: float = 1e-3,
    final: float = 0.1,
    seed: int = 0,
) -> list[float]:
    """Adam on the L1 distance, one structure a step; the mean loss of every epoch, in eV/Å.

    Args:
        forces: in eV/Å.
        final: to what part of itself the learning rate falls, exponentially.
        seed: of the order of the structures, and of dropout.
    """
    frames = [Frame.of(system, model.cutoff) for system in systems]
    targets = torch.tensor(np.array(forces), dtype=torch.float32)
    adam = torch.optim.Adam(model.parameters(), lr=learning_rate)
    decay = final ** (1 / (epochs * len(frames)))
    schedule = torch.optim.lr_scheduler.ExponentialLR(adam, decay)
    history = []
    model.train()
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(epochs):
            losses = []
            for k in torch.randperm(len(frames)).tolist():
                adam.zero_grad()
                loss = (model(frames[k]) - targets[k]).abs().mean()
                loss.backward()
                adam.step()
                schedule.step()
                losses.append(loss.item())
            history.append(float(np.mean(losses)))
    return history
