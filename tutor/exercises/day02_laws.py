"""Day 2, rounds 1 and 6: what a symmetry is, how to test it, and what it buys."""

import numpy as np
from scipy.spatial.transform import Rotation

from tutor.exercises.engine import choice, code, number, written
from tutor.exercises.expect import expect, require

# A half turn about a skew axis is its own inverse, so `x @ R` and `x @ R.T` are the same.
_HALF_TURN = Rotation.from_rotvec(np.pi * np.array([1.0, 2.0, 2.0]) / 3).as_matrix()


def _springs(x):
    """Forces towards the centre that grow with the cube of the distance: they turn with x."""
    c = x - x.mean(axis=0)
    return -c * (c**2).sum(axis=1, keepdims=True)


def _folded(x):
    """Not equivariant, and small: 0.0001 |x'| of each component."""
    return 1e-4 * abs(x - x.mean(axis=0))


def _constant(x):
    return 0 * x + np.array([0.3, -0.1, 0.2], x.dtype)


def _deviations(f, x, R):
    return np.abs(f(x @ R.T) - f(x) @ R.T)


@code(
    "2.1",
    "Write a test of equivariance",
    points=3,
    hints=(
        "There are two ways round: turn the atoms and ask the model, or ask the model and turn its "
        "answer. For an equivariant model they end at the same place.",
        "Points are rows, so turning all of them is `x @ R.T`; so is turning all vectors. Ask "
        "first whether `f(x)` is zero everywhere: then there is nothing to compare.",
        "`y = f(x)`; if `np.abs(y).max()` is 0, return `np.nan`; else return "
        "`np.abs(f(x @ R.T) - y @ R.T).max() / np.abs(y).max()`.",
    ),
)
def rotation_error(f, rng):
    x = rng.normal(size=(3, 3))
    R = Rotation.random(random_state=rng).as_matrix()
    y = _springs(x)
    expect(
        f(_springs, x, R),
        0.0,
        law="a model whose vectors turn with the atoms has no error",
        atol=1e-6,
        example={"x": x, "R": R, "f": "springs to the centre, forces -|x'|² x'"},
        slips={
            "you compared f(R x) with f(x): that is invariance, right for an energy; vectors "
            "must turn along": np.abs(_springs(x @ R.T) - y).max() / np.abs(y).max(),
            "you turned the atoms one way and the vectors the other way": (
                np.abs(_springs(x @ R.T) - y @ R).max() / np.abs(y).max()
            ),
        },
    )
    x = x[_deviations(_folded, x, _HALF_TURN).max(axis=1).argsort()]  # the worst atom last
    for model, words in (
        (_folded, "0.0001 |x'|, each component made positive"),
        (_constant, "the same constant vector for every atom"),
    ):
        change, y = _deviations(model, x, _HALF_TURN), model(x)
        size = np.abs(y).max()
        expect(
            f(model, x, _HALF_TURN),
            change.max() / size,
            law="the largest deviation of a component, relative to the largest component of f(x)",
            example={"x": x, "R": _HALF_TURN, "f": words},
            slips={
                "that is the absolute deviation: a model with small outputs would pass however "
                "wrong it is, so divide by the size of f(x)": change.max(),
                "that is the mean deviation: one bad atom is enough, so take the largest": (
                    change.mean() / size
                ),
                "that is a ratio of norms over all atoms; compare largest components": (
                    np.linalg.norm(change) / np.linalg.norm(y)
                ),
                "you looked at the first atom only": change[0].max() / np.abs(y[0]).max(),
                "this test cannot fail: it compares a result with itself": 0.0,
            },
        )
    nothing = f(lambda x: 0 * x, x, R)
    require(
        np.ndim(nothing) == 0 and np.isnan(float(nothing)),
        law="a test that cannot fail must not pass",
        message="this f gives zero for every input, and zero turned is zero: return `np.nan`, "
        "which says that nothing was tested",
        expected=np.nan,
        got=nothing,
        example={"x": x, "f": "0 for every component of every atom"},
    )


choice(
    "2.2",
    "A test that looks away",
    right="c",
    why={
        "a": "A quarter turn about an axis sends x to y and y to -x. Clipping every component to "
        "±1 does the same before and after: the 90° turns commute with the clamp, and the error "
        "is exactly 0.",
        "b": "Forces below the clamp are not clipped. The test passes because the fault was not "
        "switched on.",
        "c": "The clamp cuts a cube out of the space of forces. A cube looks the same after "
        "turns by 90° and in mirrors, so only other rotations show it, and only where a force "
        "reaches the clamp.",
        "d": "z to -z only changes the sign of one component, and clipping to ±1 treats both signs "
        "alike: the error is exactly 0.",
    },
    hints=(
        "Which forces does the clamp change at all?",
        "Draw the forces that pass unclipped, in two dimensions: |F_x| ≤ 1 and |F_y| ≤ 1.",
        "Which motions map this square onto itself? They cannot reveal it.",
    ),
)

number(
    "2.11",
    "The price of learning an order",
    answer=2 * 720,
    unit="orders",
    rtol=1e-6,
    slips={
        "that counts orders that put a carbon where a hydrogen was: only like atoms may "
        "be exchanged": 362880,
        "the two carbons may be exchanged too": 720,
        "that counts exchanges within CH₂ and CH₃ only; the energy does not know which hydrogens "
        "are bonded to what before it sees the positions": 12,
        "orders multiply, they do not add": 2 + 720 + 1,
    },
    hints=(
        "Ethanol is C₂H₆O. Which atoms may be exchanged without changing the energy?",
        "n like atoms have n! orders.",
        "2! · 6! · 1!",
    ),
    remark="A sum over neighbours has all of them built in, and pays nothing for it.",
)

written(
    "2.12",
    "What did symmetry buy?",
    points=3,
    min_words=50,
    rubric=(
        "1 point: names something that the built-in symmetry did buy, with numbers of the day "
        "(exactness at any orientation and order, smaller error at few frames, any size of a set).",
        "1 point: names something that it did not buy, with numbers (a model that is symmetric and "
        "blind loses to a complete one; extrapolation to 1200 K).",
        "1 point: separates the two reasons for which a model can fail: it breaks a law, or it "
        "cannot tell different structures apart.",
    ),
)
