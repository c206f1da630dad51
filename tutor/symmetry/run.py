"""Draw structures and changes, compare, and count."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real

import numpy as np

from tutor.symmetry.catalogue import Entry
from tutor.symmetry.groups import Arrays, Change
from tutor.symmetry.laws import Comparison, Probe
from tutor.symmetry.progress import Progress
from tutor.symmetry.samples import Sampler, deformed, scaled
from tutor.symmetry.shrink import Case

CLEAR = 1e6  # no unlucky measurement of the noise is off by this much
Tallies = dict[tuple[str, str], "Tally"]


@dataclass
class Tally:
    """What was seen of one law on one output."""

    trials: int = 0
    responded: int = 0
    informative: int = 0
    broken: int = 0
    at_scale: dict[float, list[int]] = field(default_factory=dict)
    worst: Case | None = None
    quietest: dict[str, float] = field(default_factory=dict)
    seen: list[tuple] = field(default_factory=list)

    @property
    def blind(self) -> bool:
        """Whether the output responds, but under a noise that would hide an error of its size."""
        return bool(self.responded and not self.informative)

    def add(self, case: Case, responds: bool, slack: Real) -> None:
        seen = case.comparison
        bad = not seen.ratio <= slack
        self.trials += 1
        self.responded += bool(responds)
        self.informative += bad or bool(responds and slack * seen.floor <= seen.scale)
        self.broken += bad
        count = self.at_scale.setdefault(case.scale, [0, 0])
        count[0] += 1
        count[1] += bad
        self.hear(case)
        if np.ndim(case.comparison.got) == 0 and len(self.seen) < 30:
            self.seen.append((float(case.comparison.expected), float(case.comparison.got)))
        if self.worst is None or self._rank(case, slack) > self._rank(self.worst, slack):
            self.worst = case

    def hear(self, case: Case) -> None:
        """Keep the smallest relative floor of each precision."""
        if case.comparison.scale:
            floor = case.comparison.floor / case.comparison.scale
            self.quietest[case.dtype] = min(floor, self.quietest.get(case.dtype, np.inf))

    @staticmethod
    def _rank(case, slack):
        ratio = case.comparison.ratio
        return (ratio > slack, -abs(np.log(case.scale)) if ratio > slack else 0.0, ratio)


def schedule(trials: int, scales: Sequence[Real]) -> list[float]:
    """The scale of every trial: half of them at 1, the others in turn, in an even mixture."""
    others = [s for s in scales if s != 1] or [1.0]
    natural = 1.0 if 1 in scales else others[0]
    return [natural if n % 2 == 0 else others[n // 2 % len(others)] for n in range(trials)]


def run(
    probe: Probe,
    draw: Sampler,
    entries: Sequence[Entry],
    plan: Sequence[Real],
    slack: Real,
    tallies: Tallies,
    told: Progress,
) -> None:
    """Every law on structures at the scales of the plan; the counts go into `tallies`."""
    natural = plan[0]
    for trial, scale in enumerate(plan):
        inputs = scaled(probe.spec, draw(probe.rng), scale)
        informative = _examine(probe, inputs, scale, scale == natural, slack, tallies)
        for entry in entries if informative is not None else ():
            if scale != natural and not entry.scales:
                continue
            if not entry.scales and trial >= 2 * max(3, entry.part * len(plan)):
                continue
            told(f"{entry.law.name}, {probe.dtype}", trial, len(plan))
            _try(probe, entry, inputs, scale, natural, informative, slack, tallies)
        probe.forget()


def _examine(probe, inputs, scale, natural, slack, tallies):
    """Which outputs are finite and respond to the input here; None if the structure is no use."""
    try:
        here = probe(inputs)
    except Exception:
        if natural:
            raise
        return None
    finite = {name: bool(np.isfinite(value).all()) for name, value in here.items()}
    if natural:
        for name, value in here.items():
            count = float(np.size(value) - np.isfinite(value).sum())
            seen = Comparison(np.array(0.0), np.array(count), 1e-9, float(np.size(value)))
            case = Case("finite", name, probe.dtype, scale, inputs, Change(), seen)
            tallies.setdefault(("finite", name), Tally()).add(case, True, slack)
    if not all(finite.values()):
        return None
    floors, other = probe.noise(inputs), probe.fresh(deformed(probe.spec, inputs, probe.rng))
    responds = {}
    for name, value in here.items():
        change = float(np.abs(other[name] - value).max(initial=0.0))
        responds[name] = not change <= slack * floors[name]
        if natural:
            seen = Comparison(value, value, floors[name], float(np.abs(value).max(initial=0.0)))
            case = Case("dependence", name, probe.dtype, scale, inputs, Change(), seen)
            tallies.setdefault(("dependence", name), Tally()).add(case, responds[name], slack)
    return responds


def _doubtful(ratio, slack, entry):
    """Whether a second, longer look at the noise could change the verdict."""
    clear = ratio > CLEAR and entry.scales  # laws with kinks and loops are never clear at once
    return not (ratio <= slack / 3 or clear)


def _try(probe, entry: Entry, inputs: Arrays, scale, natural, informative, slack, tallies):
    law = entry.law
    change = law.draw(probe.rng, probe.spec, inputs)
    if change is None:
        return
    try:
        found = law.compare(probe, inputs, change)
        if any(_doubtful(c.ratio, slack, entry) for c in found.values()):
            found = law.compare(probe, inputs, change, lines=6)
    except Exception:
        if scale == natural:
            raise
        return
    for name, comparison in found.items():
        if scale != natural and not np.isfinite(comparison.error):
            continue  # an overflow far from the natural scale is no breach of a law
        case = Case(law.name, name, probe.dtype, scale, inputs, change, comparison)
        responds = informative.get(name.split(" ")[0], True)
        tallies.setdefault((law.name, name), Tally()).add(case, responds, slack)
