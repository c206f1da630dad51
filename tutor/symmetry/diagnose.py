"""What a failure looks like, from its numbers: a factor, a wrong parity, a scale."""

import numpy as np

from tutor.symmetry.groups import expected, offsets, transformed


def explain(probe, tally, case) -> str:
    """One or two clauses on what was seen; empty if there is nothing to add."""
    clauses = [*_factor(tally), *_other_kind(probe, case), *_scale(tally)]
    return "; ".join(clauses)


def _factor(tally):
    """Got = k expected, for one k over all cases."""
    if len(tally.seen) < 3 or tally.worst.law not in ("forces", "stress"):
        return []
    must, got = np.array(tally.seen).T
    factor = (must @ got) / (must @ must)
    left = np.abs(got - factor * must).max() / np.abs(must).max()
    if left > 0.05 * abs(factor - 1) or abs(factor) < 1e-3:
        return []
    return [f"{tally.worst.output} are {factor:.4g} times what they must be"
            if tally.worst.law == "forces" else
            f"it is {factor:.4g} times what it must be"]  # fmt: skip


def _other_kind(probe, case):
    """Does the output move as some other kind would?"""
    kind = probe.spec.outputs.get(case.output)
    if kind is None or case.law not in ("reflection", "translation"):
        return []
    from dataclasses import replace

    other = replace(kind, **(
        {"pseudo": not kind.pseudo} if case.law == "reflection" else {"affine": not kind.affine}
    ))  # fmt: skip
    if kind.rank != 1 and case.law == "translation":
        return []
    moved = probe.fresh(transformed(probe.spec, case.inputs, case.change))[case.output]
    copies = offsets(probe.spec, case.inputs, case.change)
    must = expected(other, probe(case.inputs)[case.output], case.change, copies)
    if np.abs(moved - must).max() > 30 * case.comparison.floor:
        return []
    return [f"WRONG TYPE: it moves as a {other.words()}, but is declared a {kind.words()}"]


def _scale(tally):
    bad = [scale for scale, (_, broken) in tally.at_scale.items() if broken]
    good = [scale for scale, (_, broken) in tally.at_scale.items() if not broken]
    if not good or not bad or len(tally.at_scale) < 2:
        return []
    if min(bad) > max(good):
        return [f"holds up to scale {max(good):g}, broken from scale {min(bad):g} on"]
    if max(bad) < min(good):
        return [f"holds from scale {min(good):g} on, broken up to scale {max(bad):g}"]
    return []
