"""How far a network of three free force components gets in water, with and without scaled inputs.

    python tests/benchmarks/direct_forces.py [--epochs 100] [--width 32] [--distances scaled]

Trains on the 80 training frames of `water`, one frame a step, on one core; for raw distances and
for distances in units of their spread, one JSON object: the mean absolute error of a force
component on the test frames and that of predicting zero, in kcal/mol/Å, steps, and processor time.
"""

import argparse
import json
import time

import numpy as np

import tutor.data
from tutor.twins.direct_forces import DirectForces, distance_scales, fit
from tutor.units import KCAL_PER_MOL


def measure(distances: str, epochs: int, width: int) -> dict:
    train, test = (tutor.data.load("water", part) for part in ("train", "test"))
    scales = distance_scales(list(train)) if distances == "scaled" else None
    model = DirectForces(width=width, dropout=0.0, scales=scales)
    start = time.process_time()
    history = fit(model, list(train), train.forces, epochs=epochs, learning_rate=2e-3, final=0.03)
    seconds = time.process_time() - start
    F = np.array([model.forces(system) for system in test])
    return {
        "distances": distances,
        "width": width,
        "steps": epochs * len(train),
        "seconds": round(seconds, 1),
        "train": round(history[-1] / KCAL_PER_MOL, 3),
        "test": round(np.abs(F - test.forces).mean() / KCAL_PER_MOL, 3),
        "zero": round(np.abs(test.forces).mean() / KCAL_PER_MOL, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument(
        "--distances", nargs="+", choices=("scaled", "raw"), default=("scaled", "raw")
    )
    chosen = parser.parse_args()
    for distances in chosen.distances:
        print(json.dumps(measure(distances, chosen.epochs, chosen.width)), flush=True)


if __name__ == "__main__":
    main()
