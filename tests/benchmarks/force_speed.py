"""Forces on one CPU thread: DeepPot-SE side by side with the SchNet of schnetpack.

    uv run --with schnetpack --with torch python tests/benchmarks/force_speed.py

One process, one core, one thread for each library. Both have the same atoms, cutoff and pairs and
about as many weights (random ones: the time does not depend on them). What is timed goes from
positions to forces; neighbour lists are made before, compilation has happened. The libraries take
turns, and the median of all rounds is printed as JSON, in ms.
"""

import json
import os
import time
import typing
from collections.abc import Callable

CORE = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
if CORE is not None:
    os.sched_setaffinity(0, {CORE})
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax  # noqa: E402  after the threads are chosen
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from ase.build import molecule  # noqa: E402
from flax import nnx  # noqa: E402
from scipy.spatial.transform import Rotation  # noqa: E402

from tutor.models.deep_potential import DeepPotential  # noqa: E402
from tutor.neighbors import graph, to_edges  # noqa: E402
from tutor.potential import forces  # noqa: E402
from tutor.system import System  # noqa: E402

CUTOFFS = {"hexane": 5.0, "water": 6.0}
SIZES = {"embedding": (16, 32, 32), "axis": 8, "fitting": (80, 80), "bessel": 8}


def hexane() -> System:
    """C6H14, stretched: 20 atoms."""
    x, z = 1.28 * np.arange(6), 0.43 * (-1.0) ** np.arange(6)
    carbon = np.stack([x, 0 * x, z], axis=1)
    sides = [carbon + np.stack([0 * x, y + 0 * x, 1.47 * z], axis=1) for y in (0.89, -0.89)]
    ends = carbon[[0, -1]] + np.array([[-0.9, 0, 0.6], [0.9, 0, -0.6]])
    return System(np.repeat([6, 1], [6, 14]), np.concatenate([carbon, *sides, ends]))


def water(side: int = 6, density: float = 0.997) -> System:
    """side³ molecules on a cubic lattice, turned at random, with the density in g/cm³."""
    rng = np.random.default_rng(0)
    one = molecule("H2O")
    shape = one.positions - one.positions.mean(axis=0)
    spacing = (one.get_masses().sum() / 0.602214076 / density) ** (1 / 3)
    places = spacing * np.array(list(np.ndindex(side, side, side)))
    positions = [place + Rotation.random(random_state=rng).apply(shape) for place in places]
    cell = np.eye(3) * side * spacing
    return System(np.tile(one.numbers, side**3), np.concatenate(positions), cell, np.ones(3, bool))


def ours(system: System, cutoff: float, tabulated: bool) -> tuple[Callable, int]:
    """A function that computes forces once, and how many weights it has."""
    made = graph(system, cutoff)
    species = sorted(set(system.numbers.tolist()))
    neighbors = float(made.mask.sum(axis=1).mean())
    model = DeepPotential(species, cutoff=cutoff, neighbors=neighbors, **SIZES, rngs=nnx.Rngs(0))
    weights = sum(leaf.size for leaf in jax.tree.leaves(model))
    model = model.tabulated() if tabulated else model
    compute = jax.jit(lambda model, made, x: forces(model, made.at(x)))
    x = jnp.asarray(system.positions, jnp.float32)
    return lambda: compute(model, made, x).block_until_ready(), weights


def schnet(system: System, cutoff: float) -> tuple[Callable, int]:
    """The same for schnetpack: 64 features, 3 interactions, 20 Gaussians."""
    import torch
    from torch.utils.data import dataloader

    torch.set_num_threads(1)
    # schnetpack imports a name that torch has dropped.
    dataloader.T_co = getattr(dataloader, "T_co", typing.TypeVar("T_co", covariant=True))
    import schnetpack as spk

    cutoff_fn = spk.nn.CosineCutoff(cutoff)
    representation = spk.representation.SchNet(64, 3, spk.nn.GaussianRBF(20, cutoff), cutoff_fn)
    model = spk.model.NeuralNetworkPotential(
        representation,
        input_modules=[spk.atomistic.PairwiseDistances()],
        output_modules=[
            spk.atomistic.Atomwise(n_in=64, output_key="energy"),
            spk.atomistic.Forces(),
        ],
    ).eval()
    edges = to_edges(graph(system, cutoff))
    positions = torch.tensor(system.positions, dtype=torch.float32)
    shift = torch.tensor(edges.shift @ system.cell, dtype=torch.float32)
    fixed = {
        "_atomic_numbers": torch.tensor(system.numbers),
        "_idx_i": torch.tensor(edges.receivers),
        "_idx_j": torch.tensor(edges.senders),
        "_idx_m": torch.zeros(len(system), dtype=torch.long),
        "_n_atoms": torch.tensor([len(system)]),
        "_offsets": shift,
    }

    def compute():
        return model({**fixed, "_positions": positions.clone()})["forces"].detach()

    assert compute().shape == (len(system), 3)
    return compute, sum(p.numel() for p in model.parameters())


def measured(runners: dict[str, Callable], seconds: float = 20.0) -> dict[str, float]:
    """The median time of each in ms; they take turns, so that all see the same machine."""
    times = {name: [] for name in runners}
    for run in runners.values():
        run(), run()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[name]) < 10:
        for name, run in runners.items():
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: round(float(np.median(t)), 3) for name, t in times.items()}


def main():
    report = {"sizes": SIZES, "neighbour lists": "excluded on both sides", "threads": 1}
    for name, system in (("hexane", hexane()), ("water", water())):
        cutoff = CUTOFFS[name]
        made = {
            "schnetpack": schnet(system, cutoff),
            "network": ours(system, cutoff, tabulated=False),
            "tabulated": ours(system, cutoff, tabulated=True),
        }
        times = measured({key: run for key, (run, _) in made.items()})
        report[name] = {
            "atoms": len(system),
            "cutoff": cutoff,
            "pairs": int(graph(system, cutoff).mask.sum()),
            "ms": times,
            "weights": {key: weights for key, (_, weights) in made.items()},
            "faster than schnetpack": {
                key: round(times["schnetpack"] / times[key], 2) for key in ("network", "tabulated")
            },
            "table against network": round(times["network"] / times["tabulated"], 2),
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
