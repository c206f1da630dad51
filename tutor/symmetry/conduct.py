"""Laws of good conduct: depend on the input, repeat yourself, be finite, be precise, add up."""

import numpy as np

from tutor.symmetry.frameworks import as_numpy
from tutor.symmetry.groups import Arrays, Change, beside, transformed
from tutor.symmetry.laws import Comparison, Law, Probe
from tutor.symmetry.noise import eps, size_of

FAR = 3000  # of its size, the structure is moved to where float32 is coarse
SPREAD = 4  # inside a sound map, errors of single steps add up to a few of the input's


def _compared(probe, must, got, floors):
    return {
        name: Comparison(must[name], got[name], floors[name], float(np.abs(must[name]).max()))
        for name in must
    }


def _repeat(probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    one, two = probe(inputs), probe.fresh(inputs)
    finest = eps(probe.dtype)
    floors = {name: finest * float(np.abs(value).max()) for name, value in one.items()}
    return _compared(probe, one, two, floors)


def _both_precisions(spec, settings):
    both = {"float32", "float64"} <= set(settings["dtypes"])
    nowhere = "" if spec.input("points") else "no input is points()"
    return nowhere if both else "needs both precisions"


def _far(rng, spec, inputs):
    far = rng.standard_normal(3)
    return Change(shift=FAR * size_of(inputs[spec.input("points")]) * far / np.linalg.norm(far))


def _simple_far(spec, inputs):
    far = float(f"{FAR * size_of(inputs[spec.input('points')]):.0e}")
    return [Change(shift=np.array([far, 0, 0]))]


def _precision(probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    spec, model, rng = probe.spec, probe.model, probe.rng
    moved = _rounded(spec, transformed(spec, inputs, change))
    exact, coarse = model(moved, "float64"), model(moved, "float32")
    unit = eps("float32")
    floors = {name: unit * float(np.abs(value).max()) + 1e-30 for name, value in exact.items()}
    for _ in range(4 * lines):  # what one unit in the last place of the input does
        shaken = {
            n: v + unit * np.abs(v).max() * rng.uniform(-1, 1, v.shape)
            if spec.inputs[n].moves else v for n, v in moved.items()
        }  # fmt: skip
        for name, value in model(shaken, "float64").items():
            response = float(np.abs(value - exact[name]).max())
            floors[name] = max(floors[name], SPREAD * response)
    return _compared(probe, exact, coarse, floors)


def _rounded(spec, inputs):
    return {
        n: v.astype("float32").astype("float64") if spec.inputs[n].moves else v
        for n, v in inputs.items()
    }


def _can_part(spec, settings):
    if spec.periodic or not spec.input("points"):
        return "the structures are periodic" if spec.periodic else "no input is points()"
    return "" if any(map(_local, spec.outputs.values())) else "no output is known to add up"


def _other(rng, spec, inputs):
    name = spec.input("points")
    other = {**inputs, name: inputs[name] + 0.05 * size_of(inputs[name])
             * rng.uniform(-1, 1, inputs[name].shape)}  # fmt: skip
    return Change(others=(other,))


def _simple_other(spec, inputs):
    name = spec.input("points")
    return [Change(others=({**inputs, name: np.round(1.1 * inputs[name], 9)},))]


def _parts(probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    spec, structures = probe.spec, (inputs, *change.others)
    far = np.array([1e2 * size_of(inputs[spec.input("points")]), 0.0, 0.0])
    parts = [probe(inputs), *map(probe.fresh, change.others)]
    near, away = (beside(spec, structures, far * k) for k in (1, 10))
    outputs = probe.fresh(away)
    floors = {
        name: len(parts) * max(a, b) for (name, a), b in
        zip(probe.noise(inputs, lines).items(), probe.noise(away, lines).values(), strict=True)
    }  # fmt: skip
    found = {}
    for name, kind in spec.outputs.items():
        if not _local(kind):
            continue
        values = [part[name] for part in parts]
        must = np.concatenate(values) if kind.per == "atom" else sum(values)
        scale = max(float(np.abs(value).max()) for value in values)
        one = Comparison(must, outputs[name], floors[name], scale)
        if one.ratio > 10:  # a tail that decays, such as 1/r, is no fault
            nearer = Comparison(must, probe.fresh(near)[name], floors[name], scale)
            if one.error < 0.3 * nearer.error:
                one = Comparison(must, one.got, one.error, scale, "a tail decays with distance")
        found[name] = one
    return found


def _local(kind):
    """Whether far neighbours must not matter: what adds up, and forces and energies of atoms."""
    return bool(kind.extensive) or kind.role in ("energies", "forces")


def _batch(probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    structures = (inputs, *change.others)
    batch = {n: np.stack([s[n] for s in structures]) for n in inputs}
    answer = probe.settings["batched"].answer(batch, probe.dtype)
    alone, floors, found = probe(inputs), probe.noise(inputs, lines), {}
    for name in probe.spec.outputs:
        first = as_numpy(answer[name])[0].astype(float)
        scale = float(np.abs(alone[name]).max())
        found[name] = Comparison(alone[name], first, floors[name], scale)
    return found


def _has_velocities(spec, settings):
    odd = [n for n, k in spec.inputs.items() if k.time < 0 and n in spec.outputs]
    return "" if odd else "no velocity goes in and comes out under one name"


def _back_and_forth(probe: Probe, inputs: Arrays, change: Change, lines: int = 1):
    spec = probe.spec
    names = [n for n in spec.outputs if n in spec.inputs]

    def turned(values):
        return {**inputs, **{n: spec.inputs[n].time * values[n] for n in names}}

    there = turned(probe(inputs))
    back = turned(probe.fresh(there))
    here, away = probe.noise(inputs, lines), probe.noise(there, lines)
    floors = {n: here[n] + away[n] for n in names}
    must, got = ({n: values[n] for n in names} for values in (inputs, back))
    return _compared(probe, must, got, floors)


EXTENSIVITY = Law(
    "extensivity",
    "two copies far apart have twice the energy, and each keeps its forces",
    "a mean over atoms where a sum must be, or features scaled by the number of atoms",
    _parts,
    _can_part,
    lambda rng, spec, inputs: Change(others=(inputs,)),
    lambda spec, inputs: [Change(others=(inputs,))],
)
SIZE_CONSISTENCY = Law(
    "size consistency",
    "two molecules far apart have the sum of their energies, and their own forces",
    "a normalisation over all atoms, or an interaction that never ends",
    _parts,
    _can_part,
    _other,
    _simple_other,
)
BATCHING = Law(
    "batching",
    "a structure has the same outputs alone and in a batch with others",
    "a mean or a normalisation over the batch, or structures that see each other",
    _batch,
    lambda spec, settings: "" if settings.get("batched") else "no batched= was given",
    _other,
    _simple_other,
)
TIME_REVERSAL = Law(
    "time reversal",
    "turned round after a step, the motion goes back where it came from",
    "positions and velocities are advanced by a scheme that is not symmetric in time",
    _back_and_forth,
    _has_velocities,
)
PRECISION = Law(
    "precision",
    "in float32 the error is no larger than the rounding of the input explains",
    "large numbers are subtracted: distances by |a|² + |b|² - 2ab, or no centring",
    _precision,
    _both_precisions,
    _far,
    _simple_far,
)
REPETITION = Law(
    "repetition",
    "the same structure gives the same answer each time",
    "random numbers (dropout?), or memory of earlier calls",
    _repeat,
)
