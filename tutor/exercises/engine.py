"""The four kinds of exercise, and `verify`, which turns an attempt into a verdict.

The author's guide with an example of each kind is the docstring of `tutor.exercises`.
"""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real

import numpy as np

from tutor.exercises.diagnose import resemblance
from tutor.exercises.guard import Guarded, interpreted
from tutor.exercises.registry import Exercise, find, register
from tutor.exercises.values import LIBRARIES, as_numpy
from tutor.exercises.verdict import Broken, NotAttempted, Status, Verdict


def code(
    exercise_id: str,
    title: str,
    *,
    points: Real = 1,
    hints: Sequence[str] = (),
    library: str = "numpy",
    remark: str = "",
) -> Callable:
    """Registers the decorated check, `check(f, rng)`, where f is the learner's guarded function.

    Args:
        library: the arrays that f is given: "numpy", "jax" or "torch".
        remark: what to add to "right".
    """
    if library not in LIBRARIES:
        known = ", ".join(LIBRARIES)
        raise ValueError(f"library={library!r} of exercise {exercise_id} is not one of {known}")

    def decorate(check: Callable) -> Callable:
        def judge(attempt: object, rng: np.random.Generator) -> str:
            if not callable(attempt):
                raise Broken(
                    "the check is given the function itself",
                    f'write `check("{exercise_id}", name)`: the name of your function, not called',
                    got=attempt,
                )
            f = Guarded(attempt, library)
            try:
                check(f, rng)
            except NotAttempted:
                raise
            except Broken as broken:
                broken.example = f.inputs if broken.example is None else broken.example
                raise
            except (Exception, SystemExit) as error:
                outcome = interpreted(error, attempt)
                if isinstance(outcome, Broken):
                    outcome.example = f.inputs
                raise outcome from None
            return remark

        register(Exercise(exercise_id, title, "code", points, tuple(hints), judge))
        return check

    return decorate


def number(
    exercise_id: str,
    title: str,
    *,
    answer: Real | Callable,
    unit: str = "",
    rtol: Real = 0.01,
    atol: Real = 0.0,
    slips: Mapping | None = None,
    points: Real = 1,
    hints: Sequence[str] = (),
    remark: str = "",
) -> None:
    """Registers a question whose answer is one number.

    The verdict on a wrong one says in which direction and roughly how far it is off, never the
    answer itself.

    Args:
        answer: the number, or a function without arguments that computes it when first needed.
        rtol, atol: |attempt - answer| <= rtol * |answer| + atol is right.
        slips: a fault in words to the number it gives, or to a function of the right answer.
    """

    def judge(attempt: object, rng: np.random.Generator) -> str:
        right = float(answer() if callable(answer) else answer)
        given = _one_number(attempt)
        tolerance = rtol * abs(right) + atol
        if abs(given - right) <= tolerance:
            return remark
        law = f"the answer{unit and f' in {unit}'} is right to within {_allowance(rtol, atol)}"
        if not np.isfinite(given):
            raise Broken(law, "the value is not finite", got=given)
        for words, slip in (slips or {}).items():
            wrong = float(slip(right) if callable(slip) else slip)
            if abs(given - wrong) <= rtol * abs(wrong) + atol:
                raise Broken(law, words, got=given)
        familiar = resemblance(np.array(given), np.array(right), tolerance)
        raise Broken(law, familiar, error=_direction(given, right), got=given)

    register(Exercise(exercise_id, title, "number", points, tuple(hints), judge))


def choice(
    exercise_id: str,
    title: str,
    *,
    right: str,
    why: Mapping[str, str],
    points: Real = 1,
    hints: Sequence[str] = (),
) -> None:
    """Registers a multiple-choice question.

    Args:
        right: the letter of the right option.
        why: each option's letter to why it is right or wrong; told to whoever chose it.
    """
    if right not in why:
        raise ValueError(f"right={right!r} of exercise {exercise_id} is not among {', '.join(why)}")

    def judge(attempt: object, rng: np.random.Generator) -> str:
        letter = str(attempt).strip().strip("().").lower()
        letters = {option.lower(): option for option in why}
        if letter not in letters:
            raise Broken(
                "one of the options is chosen", f"the options are {', '.join(why)}", got=attempt
            )
        chosen = letters[letter]
        if chosen != right:
            raise Broken("", f"({chosen}) {why[chosen]}")
        return f"({right}) {why[right]}"

    register(Exercise(exercise_id, title, "choice", points, tuple(hints), judge, options=dict(why)))


def written(
    exercise_id: str,
    title: str,
    *,
    rubric: Sequence[str],
    min_words: int = 20,
    points: Real = 1,
    hints: Sequence[str] = (),
) -> None:
    """Registers a question answered in words, which is recorded and marked by a person.

    Args:
        rubric: for that person, what earns which points.
        min_words: a shorter answer is sent back.
    """

    def judge(attempt: object, rng: np.random.Generator) -> str:
        if not isinstance(attempt, str):
            raise Broken(
                "the answer is text", 'write it between quotes: answer = "..."', got=attempt
            )
        words = len(attempt.split())
        if words < min_words:
            raise Broken(
                "the answer says enough to be marked", f"{words} words; at least {min_words}"
            )
        return f"{words} words; a person marks this one. Compare it with the solved notebook."

    register(
        Exercise(exercise_id, title, "written", points, tuple(hints), judge, rubric=tuple(rubric))
    )


def verify(exercise_id: object, attempt: object, seed: int = 0) -> Verdict:
    """The verdict on an attempt; prints nothing, saves nothing, and depends on the seed alone.

    Raises:
        UnknownExerciseError: there is no such exercise.
    """
    exercise = find(exercise_id)
    about = {"id": exercise.id, "title": exercise.title, "out_of": exercise.points}
    hint = f'`hint("{exercise.id}")`' if exercise.hints else ""
    try:
        if _is_blank(attempt):
            raise NotAttempted
        remark = exercise.judge(attempt, np.random.default_rng(seed))
    except NotAttempted as nothing:
        return Verdict(Status.NOT_ATTEMPTED, message=str(nothing), **about)
    except Broken as broken:
        found = {name: getattr(broken, name) for name in Broken.FIELDS}
        found["example"] = dict(found["example"] or {})
        return Verdict(Status.WRONG, next=hint, **found, **about)
    if exercise.kind == "written":
        return Verdict(Status.RECORDED, message=remark, **about)
    return Verdict(Status.RIGHT, points=exercise.points, message=remark, **about)


def _is_blank(attempt: object) -> bool:
    text = attempt.strip() if isinstance(attempt, str) else None
    return attempt is None or attempt is ... or text in ("", "...", "…", "?")


def _one_number(attempt: object) -> float:
    value = as_numpy(attempt)
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iuf":
        return float(value.reshape(()))
    remedies = {str: "write it without quotes and without its unit"}
    remedy = "call the function: the check is given its result" if callable(attempt) else ""
    message = f"got {type(attempt).__name__}; {remedies.get(type(attempt), remedy)}".rstrip("; ")
    raise Broken("the answer is one number", message, got=attempt)


def _allowance(rtol: Real, atol: Real) -> str:
    return " + ".join(([f"{100 * rtol:g} %"] if rtol else []) + ([f"{atol:g}"] if atol else []))


def _direction(given: Real, right: Real) -> str:
    if given * right < 0:
        return "the sign is wrong"
    small, large = sorted((abs(given), abs(right)))
    word = "large" if large == abs(given) else "small"
    if small == 0:
        return f"too {word}"
    if large < 1.1 * small:
        return f"slightly too {word}: within 10 %"
    return f"too {word}, by {'less' if large < 10 * small else 'more'} than a factor of ten"
