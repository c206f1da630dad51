"""Day 5: the slips of a vector read-out, and what an invariant model can do, 5.3 to 5.5 and 5.7."""

from functools import cache

import numpy as np

from tutor.exercises.engine import choice, code, number
from tutor.exercises.expect import agree, require, same

choice(
    "5.3",
    "A network that passes every test",
    right="b",
    why={
        "a": "Look at the verdicts: VACUOUS is not HOLDS. A law that holds because the output "
        "never changes says nothing about the network.",
        "b": "x_i - x_j is zero in the first round, so nothing is added; then it is zero in the "
        "second, and so on. Gradients of f_x vanish too: no training can wake the channel.",
        "c": "Each weight of f_x is multiplied by a difference of zeros. A hundred times zero is "
        "zero.",
        "d": "A mean over neighbours divides; it does not cancel. In general directions a sum of "
        "vectors is not zero, and here all terms are zero before they are added.",
    },
    hints=(
        "What is x_i - x_j if all x are equal?",
        "Carry out the update of x for one round. And for the next.",
        "The derivative of x with respect to a weight of f_x is (x_i - x_j) times something.",
    ),
)

number(
    "5.4",
    "The constant b",
    answer=0.6,
    unit="e·Å",
    rtol=0.005,
    slips={
        "that is |b|: on the left the network gives -wX + b, on the right -(wX + b)": 0.3,
        "b is added on both sides, but with opposite signs": 0.0,
        "that adds the components; the length is a root of a sum of squares": 1.0,
        "b counts once on each side, and the square root is missing": 0.36,
    },
    points=2,
    hints=(
        "Write f(X) = V(X) + b, where V turns as it should: V(PX) = -V(X).",
        "Left: f(PX) = -V + b. Right: P f(X) = -V - b.",
        "The difference is 2b, whatever the molecule and the weights are.",
    ),
    remark="No weights, no molecule and no training enter: a constant vector is never equivariant. "
    "CO₂ would have a dipole of length |b|.",
)


def _dipole(q, p, r):
    return (q - q.mean()) @ r + p.sum(axis=0)


@code(
    "5.5",
    "A dipole that stays where it is",
    points=3,
    hints=(
        "Shift all positions by t: Σ q_i r_i grows by t Σ q_i. When is that zero?",
        "Take the same amount off every q_i, so that they add up to zero.",
        "`return (q - q.mean()) @ r + p.sum(axis=0)`",
    ),
)
def dipole(f, rng):
    cases = [
        {"q": rng.normal(size=n) + 0.5, "p": rng.normal(size=(n, 3)), "r": rng.normal(size=(n, 3))}
        for n in (2, 3, 5)
    ]
    for case in cases:
        q, p, r = case.values()
        mu, t = f(q, p, r), rng.uniform(2.0, 3.0, size=3)
        require(
            np.shape(mu) == (3,),
            law="the dipole moment of the molecule is one vector",
            message=f"the shape is {np.shape(mu)}, expected (3,)",
            example=case,
        )
        same(
            mu,
            f(q, p, r + t),
            law="the dipole moment of a neutral molecule does not change when it is shifted",
            message="the charges do not add up to zero: shifted by t, Σ q_i r_i grows by t Σ q_i",
            example=case,
            labels=("as it was", "shifted"),
        )
        order = np.roll(np.arange(len(q)), 1)
        same(
            mu,
            f(q[order], p[order], r[order]),
            law="the order in which atoms are listed does not matter",
            message="one atom of the list is treated in a way of its own",
            example=case,
            labels=("as it was", "renumbered"),
        )
    agree(
        f,
        _dipole,
        cases,
        law="μ = Σ_i (q_i - mean of q) r_i + Σ_i p_i",
        slips={
            "the atomic dipoles p are missing": lambda q, p, r: (q - q.mean()) @ r,
            "only the atomic dipoles are there": lambda q, p, r: p.sum(axis=0),
            "the atomic dipoles are averaged; add them": lambda q, p, r: (
                (q - q.mean()) @ r + p.mean(axis=0)
            ),
            "the sign of the charges is flipped": lambda q, p, r: (
                (q.mean() - q) @ r + p.sum(axis=0)
            ),
            "the charges count twice": lambda q, p, r: 2 * (q - q.mean()) @ r + p.sum(axis=0),
            "every atom counts the same: the charges are missing": lambda q, p, r: (
                (r - r.mean(axis=0)).sum(axis=0) + p.sum(axis=0)
            ),
            "the charges were divided by their sum, which may be zero; subtract their mean": (
                lambda q, p, r: (q / q.sum()) @ (r - r.mean(axis=0)) + p.sum(axis=0)
            ),
        },
    )


@cache
def _length():
    """The root mean square length of the dipoles of the test molecules, in e·Å."""
    from tutor.data import load

    return float(np.sqrt((load("small_molecules", "test").dipole ** 2).sum(axis=1).mean()))


number(
    "5.7",
    "The best that an invariant model can do",
    answer=lambda: _length() / np.sqrt(3),
    unit="e·Å",
    rtol=0.01,
    slips={
        "that is the root mean square *length*; the error is asked per component": lambda right: (
            right * np.sqrt(3)
        ),
        "squares add up: the mean square of one component is a third of that of the length, so "
        "its root is 1/√3 of it": lambda right: right / np.sqrt(3),
        "it cannot know the direction, so it is wrong by as much as there is": 0.0,
    },
    points=2,
    hints=(
        "The same molecule comes in all orientations, and the model must give one answer for all. "
        "Which vector is nearest to all of them, in the mean square?",
        "The zero vector. So the error is the dipole itself.",
        "Per component: the mean of |μ|² over molecules, divided by 3, then the root.",
    ),
    remark="It needs no training to know this: it follows from the symmetry alone.",
)
