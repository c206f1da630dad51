"""Smoothness at the cutoff: energy, forces and their slope must not jump."""

from dataclasses import dataclass
from itertools import islice, product
from numbers import Real

import numpy as np

from tutor.symmetry.groups import Arrays, Change, images
from tutor.symmetry.laws import Comparison, Probe
from tutor.symmetry.noise import shortest

NODES = np.arange(1, 6)
STEP, LEAST = 1e-3, 1e-4  # of the cutoff
CLEAR = 6  # steps to the next pair that crosses its cutoff
ENOUGH = 6  # pairs to choose from


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
        atoms = spec.atoms(inputs)
        pairs = self._clear_pairs(spec, inputs, rng.permutation(atoms), rng.permutation(atoms))
        return next(pairs, None)

    def simple(self, spec, inputs):
        atoms = range(spec.atoms(inputs))
        return list(islice(self._clear_pairs(spec, inputs, atoms, atoms), ENOUGH))

    def _clear_pairs(self, spec, inputs, first, second):
        for i, j in product(first, second):
            if i != j and self._clearance(spec, inputs, (i, j)) > CLEAR * LEAST * self.cutoff:
                yield Change(pair=(int(i), int(j)))

    def _clearance(self, spec, inputs, pair):
        """How far every other pair stays from its cutoff; 0 if the moved atom hits another one."""
        places = self.moved(spec, inputs, pair, self.cutoff)[spec.input("points")]
        others = np.delete(places, pair[1], 0)[:, None] + images(spec, inputs, self.cutoff)
        gaps = np.linalg.norm(others - places[pair[1]], axis=-1).ravel()
        near = np.sort(np.abs(gaps - self.cutoff))[1:]  # the first is the pair itself
        return near.min(initial=np.inf) if gaps.min() > 0.7 * shortest(spec, inputs) else 0.0

    def moved(self, spec, inputs, pair, distance):
        """Atom j on its line to atom i, or to the image of it that is nearest to the cutoff."""
        name, (i, j) = spec.input("points"), pair
        positions = inputs[name].copy()
        apart = positions[j] - positions[i] + images(spec, inputs, self.cutoff)
        lengths = np.linalg.norm(apart, axis=1)
        nearest = np.abs(lengths - self.cutoff).argmin()
        positions[j] += (distance / lengths[nearest] - 1) * apart[nearest]
        return {**inputs, name: positions}

    def compare(self, probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
        """At a second look with a finer step as well, which meets fewer other kinks."""
        clear = self._clearance(probe.spec, inputs, change.pair) / CLEAR
        step = min(STEP * self.cutoff, max(clear, LEAST * self.cutoff))
        steps = (step,) if lines == 1 else (step, step / 5)
        looks = [self._look(probe, inputs, change, lines, step) for step in steps]
        return {n: min((look[n] for look in looks), key=lambda c: c.ratio) for n in looks[0]}

    def _look(self, probe, inputs, change, lines, step):
        spec = probe.spec
        energy, forces = spec.output("energy"), spec.output("forces")

        def at(distance):
            return probe.fresh(self.moved(spec, inputs, change.pair, distance))

        sides = [[at(self.cutoff + sign * step * n) for n in NODES] for sign in (-1, 1)]
        inside = self.cutoff * (1 - 10 * STEP)  # where no line of the noise meets a jump
        noise = probe.noise(self.moved(spec, inputs, change.pair, inside), lines)
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
            limits.append(fine.reshape(np.shape(side[0][name])) / step**order)
            doubt = max(doubt, float(np.abs(fine - rough).max()) / step**order)
        floor = doubt + 50 * noise[name] / step**order
        return Comparison(
            limits[0], limits[1], floor, scale, labels=("just inside", "just outside")
        )


def _limit(nodes, values, order):
    """The value (order 0) or slope (order 1) at zero of the polynomial through the nodes."""
    powers = np.vander(nodes.astype(float), increasing=True)
    return np.linalg.solve(powers, values)[order]
