"""Laws between energy, forces and stress: each is a derivative, and forces do no work on a loop."""

from collections.abc import Callable
from numbers import Real

import numpy as np

from tutor.symmetry.groups import Arrays, Change
from tutor.symmetry.laws import Comparison, Law, Probe
from tutor.symmetry.noise import eps, shortest

LEVELS = 6
LOOP = 48
RADIUS = 0.05  # of the distance between atoms


def richardson(function: Callable, step: Real, noise: Real) -> tuple[float, float]:
    """The derivative of `function` at 0 and its uncertainty.

    Central differences at halved steps, extrapolated to step zero (Ridders, Adv. Eng. Softw. 4,
    75 (1982)); of the whole table the entry of the least uncertainty is taken.
    """
    best, uncertainty, previous = 0.0, np.inf, []
    for level in range(LEVELS):
        h = step / 2**level
        row = [(function(h) - function(-h)) / (2 * h)]
        for k, coarser in enumerate(previous):
            row.append(row[k] + (row[k] - coarser) / (4 ** (k + 1) - 1))
            doubt = max(abs(row[k + 1] - row[k]), abs(row[k + 1] - coarser)) + 2 * noise / h
            if doubt < uncertainty:
                best, uncertainty = row[k + 1], doubt
        previous = row
    return float(best), float(uncertainty)


def _nearest(function, step, noise, claimed, lines):
    """The derivative; at a second look also with short steps, which seldom meet a kink in E."""
    found = [richardson(function, s, noise) for s in ((step,) if lines == 1 else (step, step / 10))]
    return min(found, key=lambda d: abs(d[0] - claimed) / d[1])


def _needs(*roles):
    def missing(spec, settings):
        if not spec.input("points"):
            return "no input is points()"
        lacking = [role for role in roles if not spec.output(role)]
        no_cell = "stress" in roles and not spec.periodic
        return f"no output is {lacking[0]}()" if lacking else "no cell" if no_cell else ""

    return missing


def _total(spec, outputs):
    return float(np.sum(outputs[spec.output("energy")]))


def _displaced(spec, inputs, displacement):
    name = spec.input("points")
    return {**inputs, name: inputs[name] + displacement}


def _direction(rng, spec, inputs):
    direction = rng.standard_normal((spec.atoms(inputs), 3))
    return Change(direction=direction / np.linalg.norm(direction, axis=1).max())


def _simple_directions(spec, inputs):
    atoms = spec.atoms(inputs)
    units = np.eye(3 * atoms).reshape(3 * atoms, atoms, 3)
    return [Change(direction=unit) for unit in units[: 3 * min(atoms, 2)]]


def _forces(probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    spec, name = probe.spec, probe.spec.output("forces")
    direction = change.direction

    def along(step):
        return _total(spec, probe.fresh(_displaced(spec, inputs, step * direction)))

    floors = probe.noise(inputs, lines)
    forces = probe(inputs)[name]
    got = float((forces * direction).sum())
    step, noise = RADIUS * shortest(spec, inputs), floors[spec.output("energy")]
    slope, doubt = _nearest(along, step, noise, -got, lines)
    floor = doubt + floors[name] * np.sqrt(direction.size)
    scale = max(abs(slope), float(np.abs(forces).max()) * float(np.linalg.norm(direction)))
    return {name: Comparison(np.array(-slope), np.array(got), float(floor), float(scale))}


def _plane(rng, spec, inputs):
    plane = rng.standard_normal((2, spec.atoms(inputs) * 3))
    plane = np.linalg.qr(plane.T)[0].T.reshape(2, -1, 3)
    return Change(plane=plane / np.linalg.norm(plane, axis=2).max())


def _simple_planes(spec, inputs):
    atoms = spec.atoms(inputs)
    units = np.eye(3 * atoms).reshape(3 * atoms, atoms, 3)
    pairs = [(a, b) for b in range(min(3 * atoms, 6)) for a in range(b)]
    return [Change(plane=units[list(pair)]) for pair in pairs]


def _work(probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    spec, name = probe.spec, probe.spec.output("forces")
    radius = RADIUS * shortest(spec, inputs)
    turns = LOOP if lines == 1 else 8 * LOOP
    parts = 2 if lines == 1 else 8
    work, path = np.zeros(turns), np.zeros(turns)
    for n, angle in enumerate(2 * np.pi * np.arange(turns) / turns):
        c, s = np.cos(angle), np.sin(angle)
        place = radius * (c * change.plane[0] + s * change.plane[1])
        step = 2 * np.pi * radius * (c * change.plane[1] - s * change.plane[0])
        force = probe.fresh(_displaced(spec, inputs, place))[name]
        work[n] = (force * step).sum()
        path[n] = np.linalg.norm(force) * np.linalg.norm(step)
    # The trapezoid rule on interleaved points: exact but for e^(-n) where the forces are
    # smooth, and apart by its true error where they jump.
    interleaved = [work[k::parts].mean() for k in range(parts)]
    rounding = probe.noise(inputs, lines)[name] * np.linalg.norm(step) * np.sqrt(force.size)
    floor = np.ptp(interleaved) + rounding + eps(probe.dtype) * path.mean()
    return {
        name: Comparison(np.array(0.0), np.array(work.mean()), float(floor), float(path.mean()))
    }


def _strain(rng, spec, inputs):
    strain = rng.uniform(-1, 1, (3, 3))
    return Change(strain=(strain + strain.T) / 2)


def _simple_strains(spec, inputs):
    ones = [np.diag(row) for row in np.eye(3)]
    ones += [np.eye(3)[[0]].T @ np.eye(3)[[1]] + np.eye(3)[[1]].T @ np.eye(3)[[0]]]
    return [Change(strain=one) for one in ones]


def _stress(probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    spec, name = probe.spec, probe.spec.output("stress")
    cell, points = spec.input("cell"), spec.input("points")
    volume = abs(np.linalg.det(inputs[cell]))

    def along(step):
        deform = np.eye(3) + step * change.strain
        strained = {n: inputs[n] @ deform for n in (cell, points)}
        return _total(spec, probe.fresh({**inputs, **strained}))

    floors = probe.noise(inputs, lines)
    stress = probe(inputs)[name]
    got = float((stress * change.strain).sum())
    noise = floors[spec.output("energy")]
    slope, doubt = _nearest(along, 0.02, noise, got * volume, lines)
    scale = max(abs(slope / volume), float(np.abs(stress).max()) * np.abs(change.strain).sum())
    floor = doubt / volume + 9 * floors[name]
    return {name: Comparison(np.array(slope / volume), np.array(got), float(floor), float(scale))}


FORCES = Law(
    "forces",
    "the forces are minus the gradient of the energy",
    "a factor, a sign, a detached gradient, a force head, or no convergence",
    _forces,
    _needs("energy", "forces"),
    _direction,
    _simple_directions,
)
LOOP_WORK = Law(
    "loop work",
    "the forces do no work around a closed loop: they come from some energy",
    "forces with a head of their own, a cut graph, or no convergence",
    _work,
    _needs("forces"),
    _plane,
    _simple_planes,
)
STRESS = Law(
    "stress",
    "the stress is the change of energy with strain, per volume",
    "a sign, the volume, a factor of two, or a pair that is not counted",
    _stress,
    _needs("energy", "stress"),
    _strain,
    _simple_strains,
)
