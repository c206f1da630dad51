"""Molecular dynamics of ours, of JAX MD and of LAMMPS, side by side.

    python tests/benchmarks/md.py --atoms 4000 --potential lj --json
    python tests/benchmarks/md.py --atoms 500 4000 32000 256000 --plot growth.png
    python tests/benchmarks/md.py --atoms 1000000 --memory

`lj`: the liquid of Lennard-Jones atoms, ρ* = 0.8442, r_c = 2.5, dt = 0.005 τ, T* ≈ 0.7. `sw`:
silicon after Stillinger and Weber, diamond at 800 to 1000 K, dt = 1 fs. All run NVE with a skin of
0.3 σ (lj) or 0.5 Å (sw), from the same positions and velocities. Ours and JAX MD in float32 on all
cores; LAMMPS in float64 on one core. They take turns; compilation has happened. Numbers are
atom-steps per second of the median turn, ratios the median over turns of the ratio within a turn.
On a machine that others use too, `--clock processor` counts the seconds of all cores that a program
had.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
from md_engines import ENGINES, STEP, start

from tutor.units import KB

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
FORMATS = ("OrderedSparse", "Sparse", "Dense")
FEWEST = 20  # steps in a turn: two searches of neighbours or more


def compare(potential: str, atoms: int, options: argparse.Namespace) -> dict:
    """One row: how many atom-steps each program makes in a second, and our ratio to the others."""
    state, clock = start(potential, atoms), CLOCKS[options.clock]
    atoms = len(state.positions)
    runs = {name: ENGINES[name](potential, state, options.format) for name in options.only}
    steps = {}
    for name, run in runs.items():  # compile, then find out how many steps fit
        run(FEWEST)
        begin = time.perf_counter()
        run(FEWEST)
        fit = FEWEST * options.seconds / (time.perf_counter() - begin)
        steps[name] = max(FEWEST, int(fit))
        if steps[name] > FEWEST:
            run(steps[name])
    speeds = {name: [] for name in runs}
    for _ in range(options.turns):
        for name, run in runs.items():
            begin = clock()
            run(steps[name])
            speeds[name].append(atoms * steps[name] / (clock() - begin))
    row = {"potential": potential, "atoms": atoms, "clock": options.clock}
    row["temperature"] = round(float(state.temperature) * (KB if potential == "lj" else 1), 3)
    row |= {name: round(float(np.median(own))) for name, own in speeds.items()}
    for name in {"jax_md", "lammps"} & set(runs) if "tutor" in runs else ():
        ratios = np.divide(speeds["tutor"], speeds[name])
        row[f"ratio_{name}"] = round(float(np.median(ratios)), 2)
    return row


def memory(potential: str, atoms: int) -> dict:
    """The most memory that this process has had, with our engine alone; and its speed there."""
    before = _peak()
    state = start(potential, atoms)
    run, atoms = ENGINES["tutor"](potential, state, ""), len(state.positions)
    run(FEWEST)
    begin = time.perf_counter()
    run(FEWEST)
    seconds, peak = time.perf_counter() - begin, _peak()
    return {
        "potential": potential,
        "atoms": atoms,
        "peak_mb": round(peak / 1e6),
        "before_mb": round(before / 1e6),
        "bytes_per_atom": round((peak - before) / atoms),
        "tutor": round(atoms * FEWEST / seconds),
    }


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in KiB on Linux


def plot(rows: list[dict], path: Path) -> None:
    """Milliseconds per step against the number of atoms, and what a cost ∝ N would be."""
    from tutor.figure import MARKERS, PAPER, figure

    fig, ax = figure()
    atoms = np.array([row["atoms"] for row in rows])
    for name, marker in zip(ENGINES, MARKERS, strict=False):
        if name in rows[0]:
            cost = 1e3 * atoms / [row[name] for row in rows]
            slope = np.polyfit(np.log(atoms), np.log(cost), 1)[0]
            ax.loglog(atoms, cost, marker=marker, label=f"{name}: slope {slope:.2f}")
    line = 1e3 * atoms / rows[0][next(name for name in ENGINES if name in rows[0])]
    ax.loglog(atoms, line, color="gray", linestyle=":", linewidth=1, label="slope 1")
    ax.set(xlabel="atoms", ylabel=f"ms per step ({rows[0]['clock']} time)")
    ax.legend()
    fig.savefig(path, dpi=192, facecolor=PAPER)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, nargs="+", default=[4000])
    parser.add_argument("--potential", choices=sorted(STEP), default="lj")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn of each program")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--only", choices=ENGINES, nargs="+", default=list(ENGINES))
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="of JAX MD's list")
    parser.add_argument("--memory", action="store_true", help="of our engine, instead of speeds")
    parser.add_argument("--json", action="store_true", help="one JSON object for each size")
    parser.add_argument("--plot", type=Path, help="a file for the cost against the size")
    options = parser.parse_args()
    rows = []
    for atoms in options.atoms:
        sizes = options.potential, atoms
        rows.append(memory(*sizes) if options.memory else compare(*sizes, options))
        if options.json:
            print(json.dumps(rows[-1]), flush=True)
        else:
            print("\n".join(f"{name:14s} {value:>14}" for name, value in rows[-1].items()))
    if options.plot:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()
