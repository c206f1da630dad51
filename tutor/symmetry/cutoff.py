"""Smoothness at the cutoff: energy, forces and their slope must not jump."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from tutor.symmetry.groups import Arrays, Change
from tutor.symmetry.laws import Comparison, Probe
from tutor.symmetry.noise import shortest

NODES = np.arange(1, 6)
STEP = 1e-3  # of the cutoff


@dataclass(frozen=True)
class Smoothness:
    """One-sided limits at the cutoff, from polynomials through five points on either side."""

    cutoff: Real | None
    name: str = "cutoff"
    sentence: str = "nothing jumps when a neighbour leaves the cutoff: not E, not F, not its slope"
    suspect: str = "no cutoff function, or one that is not smooth enough"

    def missing(self, spec, settings):
        if self.cutoff is None:
            return "no cutoff= was given"
        lacking = not spec.output("energy") or not spec.input("points")
        return "no energy() or no points()" if lacking else ""

    def draw(self, rng, spec, inputs):
        pairs = self.simple(spec, inputs)
        return pairs[rng.integers(len(pairs))] if pairs else None

    def simple(self, spec, inputs):
        atoms = spec.atoms(inputs)
        pairs = [(i, j) for i in range(atoms) for j in range(atoms) if i != j]
        return [Change(pair=pair) for pair in pairs if self._free(spec, inputs, pair)]

    def _free(self, spec, inputs, pair):
        """Whether the moved atom stays clear of the others, and of their cutoffs."""
        positions = self._moved(spec, inputs, pair, self.cutoff)[spec.input("points")]
        gaps = np.linalg.norm(np.delete(positions, pair[1], 0) - positions[pair[1]], axis=1)
        near_cutoff = np.sum(np.abs(gaps - self.cutoff) < 20 * STEP * self.cutoff)
        return gaps.min() > 0.7 * shortest(spec, inputs) and near_cutoff == 1

    @staticmethod
    def _moved(spec, inputs, pair, distance):
        name = spec.input("points")
        positions = inputs[name].copy()
        i, j = pair
        apart = positions[j] - positions[i]
        positions[j] = positions[i] + distance * apart / np.linalg.norm(apart)
        return {**inputs, name: positions}

    def compare(self, probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
        """At a second look with a finer step as well, which meets fewer other kinks."""
        steps = (STEP,) if lines == 1 else (STEP, STEP / 5)
        looks = [self._look(probe, inputs, change, lines, step * self.cutoff) for step in steps]
        return {n: min((look[n] for look in looks), key=lambda c: c.ratio) for n in looks[0]}

    def _look(self, probe, inputs, change, lines, step):
        spec = probe.spec
        energy, forces = spec.output("energy"), spec.output("forces")

        def at(distance):
            return probe.fresh(self._moved(spec, inputs, change.pair, distance))

        sides = [[at(self.cutoff + sign * step * n) for n in NODES] for sign in (-1, 1)]
        inside = self.cutoff * (1 - 10 * STEP)  # where no line of the noise meets a jump
        noise = probe.noise(self._moved(spec, inputs, change.pair, inside), lines)
        here, length = probe(inputs), shortest(spec, inputs)
        bound = abs(float(np.sum(here[energy]) - np.sum(sides[1][-1][energy])))
        push = float(np.abs(here[forces]).max()) if forces else bound / length
        found = {energy: self._jump(sides, energy, 0, step, noise, bound)}
        if forces:
            found[forces] = self._jump(sides, forces, 0, step, noise, push)
            found[f"{forces} (slope)"] = self._jump(sides, forces, 1, step, noise, push / length)
        else:
            found[f"{energy} (slope)"] = self._jump(sides, energy, 1, step, noise, push)
        return found

    @staticmethod
    def _jump(sides, name, order, step, noise, scale):
        limits, doubt = [], 0.0
        for sign, side in zip((-1, 1), sides, strict=True):
            values = np.stack([point[name] for point in side]).reshape(len(NODES), -1)
            fine = _limit(sign * NODES, values, order)
            rough = _limit(sign * NODES[:-1], values[:-1], order)
            limits.append(fine / step**order)
            doubt = max(doubt, float(np.abs(fine - rough).max()) / step**order)
        floor = doubt + 50 * noise[name] / step**order
        return Comparison(
            limits[0], limits[1], floor, scale, labels=("just inside", "just outside")
        )


def _limit(nodes, values, order):
    """The value (order 0) or slope (order 1) at zero of the polynomial through the nodes."""
    powers = np.vander(nodes.astype(float), increasing=True)
    return np.linalg.solve(powers, values)[order]
