"""The proof that every exercise owes: right answers pass, mistakes are told in their own words."""

from collections.abc import Iterable, Mapping, Sequence

from tutor.exercises import Status, Verdict, verify
from tutor.exercises.registry import find


def prove(
    exercise_id: str,
    reference: object,
    *,
    right: Sequence = (),
    wrong: Mapping[str, object],
    stub: object = ...,
    seeds: Iterable[int] = range(5),
) -> None:
    """Asserts, for every seed, what an exercise promises.

    Args:
        reference: the answer of `solutions/`.
        right: differently written right answers; a code exercise needs three.
        wrong: words that the verdict must say (of its law, message, error or line, but not of its
            title) to the mistake that earns them; a code exercise needs four, a number two, and a
            choice each of its wrong letters.
        stub: what the lesson hands out: a function, or `...` for a value.
    """
    exercise = find(exercise_id)
    _require_enough(exercise, right, wrong)
    done = Status.RECORDED if exercise.kind == "written" else Status.RIGHT
    for seed in seeds:
        for n, attempt in enumerate([reference, *right]):
            verdict = verify(exercise_id, attempt, seed)
            name = f"right answer {n}" if n else "reference"
            assert verdict.status is done, f"{exercise_id}, {name}, seed {seed}:\n{verdict}"
        verdict = verify(exercise_id, stub, seed)
        assert verdict.status is Status.NOT_ATTEMPTED, (
            f"{exercise_id}, stub, seed {seed}:\n{verdict}"
        )
        for words, mistake in wrong.items():
            verdict = verify(exercise_id, mistake, seed)
            about = f"{exercise_id}, mistake {words!r}, seed {seed}:\n{verdict}"
            assert verdict.status is Status.WRONG, about
            assert words in said(verdict), f"not in these words: {about}"


def said(verdict: Verdict) -> str:
    """All that a verdict says about what is wrong, without the title and the values."""
    return "\n".join([verdict.law, verdict.message, verdict.error, verdict.where])


def _require_enough(exercise, right: Sequence, wrong: Mapping) -> None:
    told = f"{exercise.id} ({exercise.kind})"
    assert len(exercise.hints) in ((3,) if exercise.kind == "code" else (0, 1, 2, 3)), (
        f"{told} has {len(exercise.hints)} hints, a code exercise needs 3"
    )
    if exercise.kind == "code":
        assert len(right) >= 3, f"{told} needs 3 other right answers, has {len(right)}"
    if exercise.kind == "choice":
        chosen = {str(letter).strip().lower() for letter in wrong.values()}
        missing = [x for x in exercise.options if x.lower() not in chosen]
        assert len(missing) == 1, f"{told}: no proof for the options {', '.join(missing)}"
    least = {"code": 4, "number": 2, "choice": 1, "written": 1}[exercise.kind]
    assert len(wrong) >= least, f"{told} needs {least} planted mistakes, has {len(wrong)}"
