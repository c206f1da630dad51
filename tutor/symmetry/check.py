"""The check: draw structures, draw changes, compare, and judge by the measured noise."""

from collections.abc import Callable, Sequence
from numbers import Real

import numpy as np

from tutor.symmetry.calculators import from_ase, is_calculator
from tutor.symmetry.catalogue import chosen
from tutor.symmetry.findings import coarse, findings, unseen
from tutor.symmetry.frameworks import Model, label
from tutor.symmetry.infer import infer
from tutor.symmetry.laws import SLACK, Probe
from tutor.symmetry.potentials import from_potential, is_potential
from tutor.symmetry.progress import Progress
from tutor.symmetry.report import Report
from tutor.symmetry.run import Tallies, run, schedule
from tutor.symmetry.samples import sampler
from tutor.symmetry.spec import Spec

SCALES = (1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3)
TIGHT = (0.9, 1.0, 1.2)  # for cells and engines, whose cost depends on the density


@np.errstate(all="ignore")  # an overflow at a far scale is looked at, not warned of
def check(
    model: object,
    spec: Spec | None = None,
    sample: object = None,
    *,
    laws: Sequence[str] | None = None,
    trials: int = 60,
    scales: Sequence[Real] | None = None,
    dtypes: Sequence[str] | None = None,
    library: str | None = None,
    cutoff: Real | None = None,
    batched: Callable | None = None,
    species: Sequence[int] = (1, 6, 8),
    seed: int = 0,
    slack: Real = SLACK,
    compile: bool = True,  # noqa: A002
    examples: bool = True,
    progress: bool = True,
) -> Report:
    """Which laws of physics does this map break, by how much, and what is the smallest example?

    Args:
        model: any callable that takes the inputs of the spec in their order, or a Potential
            or an ASE calculator.
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
        examples: look for the smallest example of each failure; else the worst one is kept.
        progress: say on stderr how far the check is, once it takes more than two seconds.

    Raises:
        ValueError: for an unknown law or precision, a map that takes no arrays of any library, or
            an output that has not the shape of its kind.
    """
    rng = np.random.default_rng(seed)
    name, engine = label(model), is_calculator(model)
    periodic = bool(np.any(getattr(_first(sample), "pbc", False)))
    if is_potential(model):
        cutoff = cutoff or model.cutoff
        model, guessed = from_potential(model, periodic=periodic)
        spec, library = spec or guessed, "numpy"
    if engine:
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
    with Progress(progress) as told:
        tallies: Tallies = {}
        for dtype in usable:
            probe = Probe(model, dtype, rng, settings)
            mine = [e for e in entries if e.dtypes or dtype == usable[0]]
            run(probe, draw, mine, schedule(trials, scales), slack, tallies, told)
        found = findings(model, tallies, entries, rng, settings, slack, examples, told)
        return Report(
            name, spec, tuple(found), untested | unseen(tallies, entries), model.library, usable,
            told.elapsed, tuple(notes + coarse(tallies)), slack,
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
