"""Make a failing case small: few atoms, a simple change, a natural scale, round numbers."""

from dataclasses import dataclass, replace
from itertools import combinations
from numbers import Real
from time import monotonic, process_time

import numpy as np

from tutor.symmetry.groups import Arrays, Change
from tutor.symmetry.laws import Comparison, Law, Probe
from tutor.symmetry.noise import size_of
from tutor.symmetry.samples import scaled

PATIENCE, LONGEST = 2.0, 20.0  # seconds of work, and on the clock, for one failure
SIZES = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 48)
SUBSETS, CHANGES = 6, 6


@dataclass(frozen=True, eq=False)
class Case:
    """One comparison and all that it came from."""

    law: str
    output: str
    dtype: str
    scale: Real
    inputs: Arrays
    change: Change
    comparison: Comparison


def shrink(probe: Probe, law: Law, case: Case, slack: Real) -> Case:
    """A smaller case that breaks the same law on the same output, clearly, or the case itself."""
    tries = _Tries(probe, law, case, slack)
    best = _fewer_atoms(tries, case) or _simpler(tries, case, case.inputs) or case
    tries.least_absolute = 0.0
    best = _nearer_one(tries, best)
    return _rounder(tries, best)


class _Tries:
    """Whether a smaller case still fails; no to all once the patience is over."""

    def __init__(self, probe, law, case, slack):
        self.probe, self.law, self.case = probe, law, case
        # well above the slack, so that the example fails again with any random numbers
        self.ratio = min(3 * slack, max(slack, case.comparison.ratio / 2))
        self.end, self.latest = process_time() + PATIENCE, monotonic() + LONGEST
        self.least = 0.05 * min(case.comparison.relative, 1.0)
        self.least_absolute = 1e-3 * case.comparison.error

    @property
    def over(self):
        return process_time() > self.end or monotonic() > self.latest

    def __call__(self, inputs, change, scale) -> Case | None:
        if self.over or change is None:
            return None
        self.probe.forget()
        try:
            found = self.law.compare(self.probe, inputs, change)
            if self._fails(found):
                found = self.law.compare(self.probe, inputs, change, lines=3)
        except Exception:
            return None  # the smaller case is no case for this map
        if not self._fails(found):
            return None
        comparison = found[self.case.output]
        return replace(self.case, inputs=inputs, change=change, scale=scale, comparison=comparison)

    def _fails(self, found):
        comparison = found.get(self.case.output)
        if comparison is None or not np.isfinite(comparison.error):
            return False
        clear = comparison.relative >= self.least and comparison.error >= self.least_absolute
        return comparison.ratio > self.ratio and clear


def _fewer_atoms(tries, case):
    spec = tries.probe.spec
    atoms, rng = spec.atoms(case.inputs), np.random.default_rng(0)
    for size in [n for n in SIZES if n < atoms]:
        subsets = list(combinations(range(atoms), size)) if size <= 2 else [
            sorted(rng.choice(atoms, size, replace=False)) for _ in range(SUBSETS)
        ]  # fmt: skip
        for picked in rng.permutation(len(subsets))[:SUBSETS]:
            keep = list(subsets[picked])
            inputs = {n: case.inputs[n][keep] if k.per == "atom" else case.inputs[n]
                      for n, k in spec.inputs.items()}  # fmt: skip
            for larger in (1, 10) if case.scale > 1 else (1,):  # fewer atoms may need more room
                one = replace(case, scale=case.scale * larger)
                if smaller := _simpler(tries, one, scaled(spec, inputs, larger)):
                    return smaller
            if tries.over:
                return None
    return None


def _simpler(tries, case, inputs):
    """The simplest change that still fails on these inputs."""
    spec, rng = tries.probe.spec, np.random.default_rng(0)
    simple = tries.law.simple(spec, inputs)[:CHANGES]
    for change in [*simple, *(tries.law.draw(rng, spec, inputs) for _ in range(2))]:
        if found := tries(inputs, change, case.scale):
            return found
    return None


def _nearer_one(tries, case):
    """Bring the lengths towards their natural size by halves, as far as it still fails."""
    step = 0.5 if case.scale > 1 else 2.0
    while abs(np.log(case.scale)) > np.log(1.9):
        smaller = _simpler(
            tries, replace(case, scale=case.scale * step),
            scaled(tries.probe.spec, case.inputs, step),
        )  # fmt: skip
        if smaller is None:
            return case
        case = smaller
    return case


def _rounder(tries, case):
    spec = tries.probe.spec
    for digits in (1, 2, 3):
        inputs = {
            n: np.round(v, digits - 1 - int(np.floor(np.log10(size_of(v)))))
            if spec.inputs[n].moves else v for n, v in case.inputs.items()
        }  # fmt: skip
        same = None if case.change.others else case.change  # they would be no copies any more
        if found := tries(inputs, same, case.scale) or _simpler(tries, case, inputs):
            return found
    return case
