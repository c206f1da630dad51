"""The check: draw structures, draw changes, compare, and judge by the measured noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tutor.symmetry.calculators import from_ase, is_calculator
from tutor.symmetry.catalogue import OWN, Entry, chosen
from tutor.symmetry.diagnose import explain
from tutor.symmetry.frameworks import Model, label
from tutor.symmetry.groups import Arrays, Change
from tutor.symmetry.infer import infer
from tutor.symmetry.laws import SLACK, Comparison, Probe
from tutor.symmetry.progress import Progress
from tutor.symmetry.report import Finding, Report, Verdict
from tutor.symmetry.samples import deformed, sampler, scaled
from tutor.symmetry.shrink import Case, shrink
from tutor.symmetry.spec import Spec
from tutor.symmetry.witness import Witness

SCALES = (1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3)
TIGHT = (0.9, 1.0, 1.2)  # for cells and engines, whose cost depends on the density


@dataclass
class Tally:
    """What was seen of one law on one output."""

    trials: int = 0
    informative: int = 0
    broken: int = 0
    at_scale: dict[float, list[int]] = field(default_factory=dict)
    worst: Case | None = None
    seen: list[tuple] = field(default_factory=list)

    def add(self, case: Case, informative: bool, slack: float) -> None:
        ratio = case.comparison.ratio
        bad = not ratio <= slack
        self.trials += 1
        self.informative += informative or bad
        self.broken += bad
        count = self.at_scale.setdefault(case.scale, [0, 0])
        count[0] += 1
        count[1] += bad
        if np.size(case.comparison.got) == 1 and len(self.seen) < 30:
            self.seen.append((float(case.comparison.expected), float(case.comparison.got)))
        if self.worst is None or self._rank(case, slack) > self._rank(self.worst, slack):
            self.worst = case

    @staticmethod
    def _rank(case, slack):
        ratio = case.comparison.ratio
        return (ratio > slack, -abs(np.log(case.scale)) if ratio > slack else 0.0, ratio)


def check(
    model: object,
    spec: Spec | None = None,
    sample: object = None,
    *,
    laws: Sequence[str] | None = None,
    trials: int = 60,
    scales: Sequence[float] | None = None,
    dtypes: Sequence[str] | None = None,
    library: str | None = None,
    cutoff: float | None = None,
    batched: Callable | None = None,
    species: Sequence[int] = (1, 6, 8),
    seed: int = 0,
    slack: float = SLACK,
    compile: bool = True,  # noqa: A002
    progress: bool = True,
) -> Report:
    """Which laws of physics does this map break, by how much, and what is the smallest example?

    Args:
        model: any callable that takes the inputs of the spec in their order, or an ASE calculator.
        spec: how inputs and outputs transform; guessed from the names of the outputs if not given.
        sample: structures to try: one (a dict of arrays, an `ase.Atoms`, a `tutor.System`) or a
            list of them, each rattled a little; or a function of a random generator; by default
            random structures of 4 and 8 atoms.
        laws: names of the laws to test; all that apply by default.
        trials: how many random cases of each transformation at each precision.
        scales: factors on all lengths; half of the trials are at 1.
        dtypes: "float64", "float32"; by default both, or the one of them that the map takes.
        library: "numpy", "jax" or "torch"; found by trying if not given.
        cutoff: the cutoff in Å, to test smoothness there.
        batched: the same map for arrays with a leading batch axis, to test that it agrees.
        species: atomic numbers for the random structures.
        seed: of all random numbers.
        slack: a law is broken if the error is more than this times the noise floor.
        compile: put a JAX function through `jax.jit`.
        progress: say on stderr how far the check is, once it takes more than two seconds.

    Raises:
        ValueError: for an unknown law or precision, a map that takes no arrays of any library, or
            an output that has not the shape of its kind.
    """
    rng = np.random.default_rng(seed)
    name, engine = label(model), is_calculator(model)
    if engine:
        periodic = sample is not None and bool(np.any(getattr(_first(sample), "pbc", False)))
        model, guessed = from_ase(model, periodic=periodic)
        spec, library, dtypes = spec or guessed, "numpy", dtypes or ("float64",)
    spec = spec or infer(model, sample, species, library)
    draw = sampler(spec, sample, species=species) if sample is None else sampler(spec, sample)
    example = draw(np.random.default_rng(seed))
    model = Model(model, spec, library=library, example=example, compile=compile)
    usable, notes = _usable(model, example, dtypes)
    if scales is None:
        scales = TIGHT if engine or spec.periodic else SCALES
    settings = {"dtypes": usable, "cutoff": cutoff}
    if batched is not None:
        settings["batched"] = Model(batched, spec, library=model.library, compile=compile)
    entries, untested = [], {}
    for entry in chosen(laws, cutoff):
        reason = entry.law.missing(spec, settings)
        if reason:
            untested[entry.law.name] = reason
        else:
            entries.append(entry)
    with Progress(progress) as told, np.errstate(all="ignore"):
        tallies: dict[tuple[str, str], Tally] = {}
        for dtype in usable:
            probe = Probe(model, dtype, rng, settings)
            mine = [e for e in entries if e.dtypes or dtype == usable[0]]
            _run(probe, draw, mine, _schedule(trials, scales), slack, tallies, told)
        findings = _findings(model, tallies, entries, rng, settings, slack, told)
        return Report(
            name, spec, tuple(findings), untested, model.library, usable, told.elapsed,
            tuple(notes), slack,
        )  # fmt: skip


def _first(sample):
    return sample[0] if isinstance(sample, list | tuple) else sample


def _usable(model, example, dtypes):
    """The precisions that the map takes, the finest first, and what it said to the others."""
    known = ("float64", "float32")
    if unknown := [d for d in dtypes or () if d not in known]:
        raise ValueError(f"dtypes={unknown}: only float64 and float32 are known")
    usable, notes, error = [], [], None
    for dtype in [d for d in known if d in (dtypes or known)]:
        try:
            model(example, dtype)
        except Exception as said:
            if dtypes is not None:
                raise
            error = said
            notes.append(f"{dtype} was refused: {type(said).__name__}: {said}".split("\n")[0])
            continue
        usable.append(dtype)
    if not usable:
        raise error
    return tuple(usable), notes


def _schedule(trials: int, scales: Sequence[float]) -> list[float]:
    """The scale of every trial: half of them at 1, the others in turn, in an even mixture."""
    others = [s for s in scales if s != 1] or [1.0]
    natural = 1.0 if 1 in scales else others[0]
    return [natural if n % 2 == 0 else others[n // 2 % len(others)] for n in range(trials)]


def _run(probe, draw, entries, schedule, slack, tallies, told):
    natural = schedule[0]
    for trial, scale in enumerate(schedule):
        inputs = scaled(probe.spec, draw(probe.rng), scale)
        informative = _examine(probe, inputs, scale, scale == natural, slack, tallies)
        for entry in entries if informative is not None else ():
            if scale != natural and not entry.scales:
                continue
            if not entry.scales and trial >= 2 * max(3, entry.part * len(schedule)):
                continue
            told(f"{entry.law.name}, {probe.dtype}", trial, len(schedule))
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


def _try(probe, entry: Entry, inputs: Arrays, scale, natural, informative, slack, tallies):
    law = entry.law
    change = law.draw(probe.rng, probe.spec, inputs)
    if change is None:
        return
    try:
        found = law.compare(probe, inputs, change)
        if any(not c.ratio <= slack for c in found.values()):
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


def _findings(model, tallies, entries, rng, settings, slack, told):
    laws = {entry.law.name: entry.law for entry in entries}
    order = [*laws, *OWN]
    findings = []
    for (law, output), tally in sorted(tallies.items(), key=lambda item: order.index(item[0][0])):
        verdict = Verdict.BROKEN if tally.broken else Verdict.HOLDS
        if not tally.broken and not tally.informative:
            verdict = Verdict.VACUOUS
        case, note = tally.worst, ""
        sentence, suspect = OWN.get(law) or (laws[law].sentence, laws[law].suspect)
        if tally.broken:
            told(f"looking for the smallest example: {law}", 0, 1)
            probe = Probe(model, case.dtype, rng, settings)
            note = explain(probe, tally, case)
            if law in laws:
                case = shrink(probe, laws[law], case, slack)
        findings.append(
            Finding(
                law, output, verdict, tally.worst.comparison.relative,
                _relative_floor(tally.worst.comparison), tally.worst.comparison.ratio,
                tally.trials, tally.informative, tally.broken, tally.worst.dtype, sentence,
                suspect, note, Witness.of(case, model, settings) if tally.broken else None,
            )  # fmt: skip
        )
    findings += _mutations(model)
    return findings


def _relative_floor(comparison):
    return comparison.floor / comparison.scale if comparison.scale else comparison.floor


def _mutations(model):
    sentence, suspect = OWN["input kept"]
    verdict = Verdict.BROKEN if model.mutated else Verdict.HOLDS
    if model.library == "jax":
        return []
    which = ", ".join(sorted(model.mutated)) or "all inputs"
    return [Finding("input kept", which, verdict, float(bool(model.mutated)), 0.0,
                    np.inf if model.mutated else 0.0, model.calls, model.calls,
                    len(model.mutated), "", sentence, suspect, "", None)]  # fmt: skip
