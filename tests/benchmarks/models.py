"""Forces and training steps of our models, side by side with those of other libraries.

    uv run --with schnetpack --with torchani --with torch python tests/benchmarks/models.py --json
    uv run --with mace-torch python tests/benchmarks/models.py  # apart: it pins an older e3nn

Cases: `molecule` (hexane, 20 atoms), `batch` (32 of them), `water` (648 atoms, periodic). One
process; one core and one thread for each library on a CPU. All see the same atoms, pairs and cutoff
and have random weights, on which the time does not depend. Forces: from positions to forces. A
training step: the gradient by the weights of a loss of energies and forces. Neighbour lists are
made before, compilation has happened. Ours and the peer take turns, medians count, and `ratio` is
the peer's time divided by ours. A peer that is not installed is named under "left out".
"""

import argparse
import json
import os
import sys

if "--gpu" not in sys.argv:  # before jax and torch start their threads
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import time
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
from ase.build import molecule
from flax import nnx
from peers import PEERS
from scipy.spatial.transform import Rotation

from tutor.models.behler_parrinello import BehlerParrinello
from tutor.models.cartesian import CartesianNetwork
from tutor.models.deep_potential import DeepPotential
from tutor.models.painn import PaiNN
from tutor.models.schnet import SchNet
from tutor.models.symmetry_functions import Radial, SymmetryFunctions, angles, shifted
from tutor.neighbors import graph
from tutor.potential import evaluate
from tutor.system import System


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


CASES = {"molecule": ([hexane()], 5.0), "batch": ([hexane()] * 32, 5.0), "water": ([water()], 6.0)}


def models(species, cutoff: float, neighbors: float) -> dict[str, tuple]:
    """Ours, and the peer of about equal size that each is held against."""
    options = {"cutoff": cutoff, "neighbors": neighbors, "rngs": nnx.Rngs(0)}
    deep, schnet = DeepPotential(species, **options), SchNet(species, radial=20, **options)
    shells = shifted(16, 0.8, 0.9 * cutoff)
    bends = angles([Radial(0.1), Radial(0.5)])  # 8 of them, as many as of the peer
    functions = SymmetryFunctions(species, cutoff, shells, g5=bends)
    behler = BehlerParrinello(functions, hidden=(256, 192, 160), rngs=nnx.Rngs(0))
    return {
        "deep_potential": (deep, "schnetpack SchNet"),
        "deep_potential, tabulated": (deep.tabulated(), "schnetpack SchNet"),
        "schnet": (schnet, "schnetpack SchNet"),
        "schnet, tabulated": (schnet.tabulated(tolerance=1e-5), "schnetpack SchNet"),
        "schnet, tabulated (PyG)": (schnet.tabulated(tolerance=1e-5), "PyG SchNet"),
        "painn": (PaiNN(species, **options), "schnetpack PaiNN"),
        "behler_parrinello": (behler, "torchani ANI"),
        "cartesian": (CartesianNetwork(species, **options), "mace-torch MACE"),
    }


def ours(model, systems: list[System], cutoff: float) -> tuple[Callable, Callable, int]:
    """Forces once, a training step once, and how many weights there are."""
    made = graph(systems, cutoff)
    x = jnp.asarray(np.concatenate([s.positions for s in systems]), jnp.float32)

    # As in tutor.train and tutor.md, the compiled part takes arrays: to take a module apart in
    # Python on every call would cost as much as the forces of a small molecule.
    weights, structure = jax.tree.flatten(model)

    @jax.jit
    def forces(x):
        return evaluate(model, made.at(x)).forces

    @jax.jit
    def step(weights, x):
        def loss(weights):
            found = evaluate(jax.tree.unflatten(structure, weights), made.at(x))
            return (found.forces**2).mean() + (found.energy**2).mean()

        return jax.grad(loss)(weights)

    return (
        lambda: jax.block_until_ready(forces(x)),
        lambda: jax.block_until_ready(step(weights, x)),
        sum(leaf.size for leaf in weights),
    )


def medians(runners: list[Callable], seconds: float) -> list[float]:
    """The median time of each in ms; they take turns, so that all see the same machine."""
    times = [[] for _ in runners]
    for run in runners:
        run(), run()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for run, own in zip(runners, times, strict=True):
            start = time.perf_counter()
            run()
            own.append(1e3 * (time.perf_counter() - start))
    return [round(float(np.median(own)), 3) for own in times]


def compare(case: str, seconds: float) -> Iterator[dict]:
    """One object for each model and its peer."""
    systems, cutoff = CASES[case]
    species = sorted({int(z) for z in systems[0].numbers})
    neighbors = float(graph(systems[0], cutoff).mask.sum(axis=1).mean())
    for name, (model, peer) in models(species, cutoff, neighbors).items():
        try:
            theirs = PEERS[peer](systems, cutoff)
        except ImportError as error:
            yield {"case": case, "model": name, "peer": peer, "left out": str(error)}
            continue
        mine = ours(model, systems, cutoff)
        row = {"case": case, "model": name, "peer": peer, "weights": [mine[2], theirs[2]]}
        for k, what in enumerate(("forces", "training step")):
            if what == "forces" or "tabulated" not in name:
                own, other = medians([mine[k], theirs[k]], seconds)
                row[what] = {"ms": own, "peer ms": other, "ratio": round(other / own, 2)}
        yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", choices=CASES, action="append", help="all by default")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--gpu", action="store_true", help="wherever jax and torch find one")
    options = parser.parse_args()
    for case in options.case or CASES:
        for row in compare(case, options.seconds):
            if options.json or "left out" in row:
                print(json.dumps(row), flush=True)
                continue
            print(f"{row['case']:9s}{row['model']:27s}{row['peer']:19s}", end="")
            for what in ("forces", "training step"):
                if what in row:
                    print(
                        f"  {what} {row[what]['ms']:8.2f} ms, ratio {row[what]['ratio']:5.2f}",
                        end="",
                    )
            print(flush=True)


if __name__ == "__main__":
    main()
