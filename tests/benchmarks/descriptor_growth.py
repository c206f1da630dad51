"""How descriptors grow with the number of species, and messages do not.

    python tests/benchmarks/descriptor_growth.py [--species 6] [--atoms 64] [--json growth.json]

One geometry for all: the same atoms at the same places, called by 1, 2, … M names. For each number
of species and each model one JSON object: how many numbers describe an atom, how many parameters,
milliseconds for energies and forces (the fastest of several calls, one thread unless you say
otherwise), and megabytes of working memory as the compiler planned it.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import jax
import numpy as np
from flax import nnx

from tutor.models.behler_parrinello import BehlerParrinello
from tutor.models.schnet import SchNet
from tutor.models.symmetry_functions import atomic_numbers, recommended
from tutor.neighbors import graph
from tutor.potential import evaluate
from tutor.system import System

ELEMENTS = (1, 6, 7, 8, 9, 16, 17, 35)
CUTOFF = 5.0
CHANNELS = 64


def atoms(count: int, species: tuple[int, ...]) -> System:
    """A disordered periodic box with a tenth of an atom per cubic Å, as in a molecular liquid."""
    rng = np.random.default_rng(0)
    cells = round(count ** (1 / 3))
    side = 10 ** (1 / 3)
    sites = np.stack(np.meshgrid(*[np.arange(cells)] * 3), axis=-1).reshape(-1, 3)
    positions = (sites + rng.uniform(-0.2, 0.2, sites.shape)) * side
    numbers = np.resize(species, len(sites))
    return System(rng.permutation(numbers), positions, np.eye(3) * cells * side, np.full(3, True))


def behler_parrinello(species, **options) -> BehlerParrinello:
    return BehlerParrinello(recommended(species, CUTOFF, **options), rngs=nnx.Rngs(0))


def schnet(species) -> SchNet:
    return SchNet(species, cutoff=CUTOFF, channels=CHANNELS, layers=3, rngs=nnx.Rngs(0))


MODELS = {
    "behler_parrinello": behler_parrinello,
    "behler_parrinello_weighted": partial(behler_parrinello, weights=atomic_numbers),
    "schnet": schnet,
}


def measure(name: str, species: tuple[int, ...], count: int, repeats: int) -> dict:
    model, made = MODELS[name](species), graph(atoms(count, species), CUTOFF)
    start = time.perf_counter()
    compiled = jax.jit(lambda model, graph: evaluate(model, graph).forces).lower(model, made)
    compiled = compiled.compile()
    compile_seconds = time.perf_counter() - start
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(compiled(model, made))
        seconds.append(time.perf_counter() - start)
    weights = jax.tree.leaves(nnx.state(model, nnx.Param))
    return {
        "model": name,
        "species": len(species),
        "atoms": len(made.species),
        "slots": made.mask.shape[1],
        "numbers_per_atom": len(model.functions) if hasattr(model, "functions") else CHANNELS,
        "parameters": sum(leaf.size for leaf in weights),
        "compile_s": round(compile_seconds, 2),
        "forces_ms": round(1e3 * min(seconds[1:]), 2),
        "memory_mb": round(compiled.memory_analysis().temp_size_in_bytes / 1e6, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--species", type=int, default=6, help=f"up to {len(ELEMENTS)}")
    parser.add_argument("--atoms", type=int, default=64, help="a cube is best")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--json", type=Path, help="a file for the list of all results")
    chosen = parser.parse_args()
    results = []
    for name in chosen.models:
        for M in range(1, chosen.species + 1):
            results.append(measure(name, ELEMENTS[:M], chosen.atoms, chosen.repeats))
            print(json.dumps(results[-1]), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
