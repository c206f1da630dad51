"""Exercises: what a learner is told about an answer, and how an author writes one.

A learner calls

    check("1.2", count_atoms)      # the function itself, or the value of `answer`
    hint("1.2")                    # one level further on every call, three in all
    progress()                     # the table of the days begun

Tools call `verify(id, attempt, seed=0)`, which returns a `Verdict` and neither prints nor saves,
and `exercises(day)`, the list of `Exercise`.

Author's guide. Exercises of day N stand in `tutor/exercises/dayNN.py`, ids "N.1", "N.2", ...

    from tutor.exercises.engine import choice, code, number, written
    from tutor.exercises.expect import agree, expect, same

    @code("1.2", "Count the atoms of each element", points=2, hints=("…", "…", "…"))
    def count_atoms(f, rng):       # f: the learner's function, guarded; rng: np.random.Generator
        agree(
            f,
            lambda numbers: np.array([(numbers == z).sum() for z in (1, 6, 8)]),   # the truth
            [{"numbers": rng.choice([0, 1, 6, 8], size=n)} for n in (2, 3, 9)],    # the cases
            law="one count for each of H, C, O; padding (atomic number 0) is not counted",
            slips={"you counted the padding as an element": wrong_function},
        )

    @code("1.5", "Energy from distances", hints=("…", "…", "…"))
    def energy(f, rng):
        r = rng.normal(size=(4, 3))
        expect(f(r), truth(r), law="the energy is a sum over pairs", rtol=1e-3,
               slips={"you counted every pair twice": 2 * truth(r)})
        same(f(r), f(r @ rotation.T), law="rotating the molecule leaves its energy alone",
             example={"r": r}, labels=("as it was", "rotated"))

    number("1.3", "The zero-point energy", answer=4.75, unit="eV", rtol=0.02,
           slips={"this is in kcal/mol": lambda right: right / KCAL_PER_MOL}, hints=("…", "…", "…"))
    choice("1.4", "Which split leaks?", right="b",
           why={"a": "why a is wrong", "b": "why b is right", "c": "why c is wrong"})
    written("1.6", "Why does it leak?", points=3, min_words=20,
            rubric=("2 points: …", "1 point: …"))

`answer` of a number may be a function without arguments. Expectations (`tutor.exercises.expect`
has them all, and the tolerances): `expect` a value; `agree` with a truth on every case, reporting
the smallest that fails; `same` before and after; `vanishes` compared with a scale; `shape`;
`finite`; `parts` of a tuple; `require` anything else. A check may call them one after the other;
the first that fails is the verdict. Without `example` the inputs of the learner's last call are
shown. A slip is a typical fault, told in words when its value turns up; sign, factor 2, units and
transposition are recognised unasked. In the words `backticks` become code.

The guard gives f copies and finds changed inputs, a missing `return` and a wrong signature; it
returns NumPy, whatever the learner computes with. The first call is made with NumPy arrays; a
function that turns out to want torch or JAX arrays gets those (`library="jax"` gives JAX arrays
from the start). `f.raw` is the learner's own object, for `jax.grad(f.raw)`. Whatever a learner's
code raises becomes a verdict with their line. An unfinished stub (`...` or `raise
NotImplementedError`) and an unset value (`answer = ...`) are "not attempted yet".

Importing this package imports neither JAX nor NumPy.
"""

from importlib import import_module as _import_module

_EXPORTS = {
    "check": "session",
    "hint": "session",
    "progress": "session",
    "verify": "engine",
    "exercises": "registry",
    "Status": "verdict",
    "Verdict": "verdict",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str):
    if name in _EXPORTS:
        return getattr(_import_module(f"tutor.exercises.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'tutor.exercises' has no attribute {name!r}")


def __dir__():
    return __all__
