"""Smoothness at the cutoff: energy, forces and their slope must not jump."""

from functools import partial
from itertools import islice, product
from numbers import Real

import numpy as np

from tutor.symmetry.groups import Arrays, Change, images
from tutor.symmetry.laws import Comparison, Law, Probe
from tutor.symmetry.noise import shortest
from tutor.symmetry.spec import Spec

NODES = np.arange(1, 6)
STEP, LEAST = 1e-3, 1e-4  # of the cutoff
CLEAR = 6  # steps to the next pair that crosses its cutoff
ENOUGH = 6  # pairs to choose from


def smoothness(cutoff: Real | None) -> Law:
    """One-sided limits at the cutoff, from polynomials through five points on either side."""

    def missing(spec, settings):
        if cutoff is None:
            return "no cutoff= was given"
        lacking = not spec.output("energy") or not spec.input("points")
        return "no energy() or no points()" if lacking else ""

    def draw(rng, spec, inputs):
        first, second = (rng.permutation(spec.atoms(inputs)).tolist() for _ in range(2))
        return next(_clear_pairs(cutoff, spec, inputs, first, second), None)

    def simple(spec, inputs):
        atoms = range(spec.atoms(inputs))
        return list(islice(_clear_pairs(cutoff, spec, inputs, atoms, atoms), ENOUGH))

    return Law(
        "cutoff",
        "nothing jumps when a neighbour leaves the cutoff: not E, not F, not its slope",
        "no cutoff function, or one that is not smooth enough",
        partial(_compare, cutoff),
        missing,
        draw,
        simple,
    )


def moved(
    cutoff: Real, spec: Spec, inputs: Arrays, pair: tuple[int, int], distance: Real
) -> dict[str, np.ndarray]:
    """Atom j at a distance from atom i, or from the image of it that is nearest to the cutoff."""
    name, (i, j) = spec.input("points"), pair
    positions = inputs[name].copy()
    apart = positions[j] - positions[i] + images(spec, inputs, cutoff)
    lengths = np.linalg.norm(apart, axis=1)
    nearest = np.abs(lengths - cutoff).argmin()
    positions[j] += (distance / lengths[nearest] - 1) * apart[nearest]
    return {**inputs, name: positions}


def _clear_pairs(cutoff, spec, inputs, first, second):
    for i, j in product(first, second):
        if i != j and _clearance(cutoff, spec, inputs, (i, j)) > CLEAR * LEAST * cutoff:
            yield Change(pair=(i, j))


def _clearance(cutoff, spec, inputs, pair):
    """How far every other pair stays from its cutoff; 0 if the moved atom hits another one."""
    places = moved(cutoff, spec, inputs, pair, cutoff)[spec.input("points")]
    others = np.delete(places, pair[1], 0)[:, None] + images(spec, inputs, cutoff)
    gaps = np.linalg.norm(others - places[pair[1]], axis=-1).ravel()
    near = np.sort(np.abs(gaps - cutoff))[1:]  # the first is the pair itself
    return near.min(initial=np.inf) if gaps.min() > 0.7 * shortest(spec, inputs) else 0.0


def _compare(cutoff, probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    """At a second look with a finer step as well, which meets fewer other kinks."""
    clear = _clearance(cutoff, probe.spec, inputs, change.pair) / CLEAR
    step = min(STEP * cutoff, max(clear, LEAST * cutoff))
    steps = (step,) if lines == 1 else (step, step / 5)
    looks = [_look(cutoff, probe, inputs, change.pair, lines, step) for step in steps]
    return {n: min((look[n] for look in looks), key=lambda c: c.ratio) for n in looks[0]}


def _look(cutoff, probe, inputs, pair, lines, step):
    spec = probe.spec
    energy, forces = spec.output("energy"), spec.output("forces")

    def at(distance):
        return moved(cutoff, spec, inputs, pair, distance)

    sides = [[probe.fresh(at(cutoff + sign * step * n)) for n in NODES] for sign in (-1, 1)]
    noise = probe.noise(at(cutoff * (1 - 10 * STEP)), lines)  # where no line of it meets a jump
    here, length = probe(inputs), shortest(spec, inputs)
    bound = abs(float(np.sum(here[energy]) - np.sum(sides[1][-1][energy])))
    push = float(np.abs(here[forces]).max()) if forces else bound / length
    found = {energy: _jump(sides, energy, 0, step, noise, bound)}
    if forces:
        found[forces] = _jump(sides, forces, 0, step, noise, push)
        found[f"{forces} (slope)"] = _jump(sides, forces, 1, step, noise, push / length)
    else:
        found[f"{energy} (slope)"] = _jump(sides, energy, 1, step, noise, push)
    return found


def _jump(sides, name, order, step, noise, scale):
    limits, doubt = [], 0.0
    for sign, side in zip((-1, 1), sides, strict=True):
        values = np.stack([point[name] for point in side])
        fine = _limit(sign * NODES, values, order)
        rough = _limit(sign * NODES[:-1], values[:-1], order)
        limits.append(fine / step**order)
        doubt = max(doubt, float(np.abs(fine - rough).max()) / step**order)
    floor = doubt + 50 * noise[name] / step**order
    return Comparison(limits[0], limits[1], floor, scale, labels=("just inside", "just outside"))


def _limit(nodes, values, order):
    """The value (order 0) or slope (order 1) at zero of the polynomial through the nodes."""
    powers = np.vander(nodes.astype(float), increasing=True)
    return np.tensordot(np.linalg.inv(powers)[order], values, axes=1)
