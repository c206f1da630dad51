"""From counts to findings: verdict, explanation, smallest example."""

from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np

from tutor.symmetry.catalogue import OWN, Entry
from tutor.symmetry.diagnose import explain
from tutor.symmetry.frameworks import Model
from tutor.symmetry.laws import Law, Probe
from tutor.symmetry.noise import eps
from tutor.symmetry.progress import Progress
from tutor.symmetry.report import Finding, Verdict
from tutor.symmetry.run import Tallies, Tally
from tutor.symmetry.shrink import shrink
from tutor.symmetry.witness import Witness


def findings(
    model: Model,
    tallies: Tallies,
    entries: Sequence[Entry],
    rng: np.random.Generator,
    settings: Mapping[str, object],
    slack: Real,
    examples: bool,
    told: Progress,
) -> list[Finding]:
    """One finding per law and output, in the order of the catalogue."""
    laws = {entry.law.name: entry.law for entry in entries}
    order = [*laws, *OWN]
    found = []
    for (name, output), tally in sorted(tallies.items(), key=lambda item: order.index(item[0][0])):
        if tally.blind:
            continue
        witness, note = None, ""
        if tally.broken:
            told(f"looking for the smallest example: {name}", len(found), len(tallies))
            probe = Probe(model, tally.worst.dtype, rng, settings)
            note = explain(probe, tally, tally.worst)
            law = laws.get(name)
            case = shrink(probe, law, tally.worst, slack) if law and examples else tally.worst
            witness = Witness.of(case, model, settings)
        found.append(_finding(name, output, tally, laws.get(name), note, witness))
    return found + _mutations(model)


def _finding(name: str, output: str, tally: Tally, law: Law | None, note, witness) -> Finding:
    sentence, suspect = OWN.get(name) or (law.sentence, law.suspect)
    verdict = Verdict.VACUOUS if not tally.informative else Verdict.HOLDS
    worst = tally.worst.comparison
    return Finding(
        law=name,
        output=output,
        verdict=Verdict.BROKEN if tally.broken else verdict,
        error=worst.relative,
        floor=worst.floor / worst.scale if worst.scale else worst.floor,
        ratio=worst.ratio,
        trials=tally.trials,
        informative=tally.informative,
        broken=tally.broken,
        dtype=tally.worst.dtype,
        sentence=sentence,
        suspect=suspect,
        note=note,
        witness=witness,
    )


def unseen(tallies: Tallies, entries: Sequence[Entry]) -> dict[str, str]:
    """Laws that were tried in vain, and why."""
    tried = {name for name, _ in tallies}
    never = "no structure of the sample has a case of it"
    blind = "the noise is as large as the output itself: nothing could be seen"
    return {e.law.name: never for e in entries if e.law.name not in tried} | {
        f"{name}, {output}": blind for (name, output), tally in tallies.items() if tally.blind
    }


def coarse(tallies: Tallies) -> list[str]:
    """A note on every output that is computed to far fewer digits than its arrays have."""
    notes = []
    for (law, output), tally in tallies.items():
        for dtype, floor in tally.quietest.items() if law == "dependence" else ():
            if floor > 1e4 * eps(dtype):
                notes.append(
                    f"{output} has a noise of {floor:.0e} of its size in {dtype}, whose own is "
                    f"{eps(dtype):.0e}: something inside has fewer digits, or is not "
                    "converged. Errors below the noise cannot be seen"
                )
    return notes


def _mutations(model: Model) -> list[Finding]:
    if model.library == "jax":
        return []  # its arrays cannot be written to
    sentence, suspect = OWN["input kept"]
    written = bool(model.mutated)
    return [
        Finding(
            law="input kept",
            output=", ".join(sorted(model.mutated)) or "all inputs",
            verdict=Verdict.BROKEN if written else Verdict.HOLDS,
            error=float(written),
            floor=0.0,
            ratio=np.inf if written else 0.0,
            trials=model.calls,
            informative=model.calls,
            broken=len(model.mutated),
            dtype="",
            sentence=sentence,
            suspect=suspect,
            note="",
            witness=None,
        )
    ]
